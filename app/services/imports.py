"""Takes stations and guidance sessions from a file: whole, or not at all."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import AttendanceTaken, BadRow, ImportRefused, SessionStepNotAllowed
from app.models import GuidanceSession, Station, Township
from app.rules.our_times import FIRST_YEAR, LAST_YEAR
from app.rules.session_life import order_faults
from app.rules.sign_up import SessionState
from app.services import audit, publishing
from app.services.import_files import MAX_BAD_ROWS, Row, read_rows
from app.services.publishing import row_of, timing_of
from app.services.seats import free_seats

STATION_COLUMNS = ("code", "name", "kind", "township", "address", "phone")
STATION_KINDS = (
    "district_centre",
    "guidance_station",
    "guidance_bus",
    "health_centre",
    "vaccination_clinic",
    "childrens_home",
    "development_base",
)
STATION_KINDS_SAID = {
    **dict.fromkeys(("区中心", "区早教指导中心", "指导中心"), "district_centre"),
    **dict.fromkeys(("指导站", "早教指导站"), "guidance_station"),
    **dict.fromkeys(("流动车", "流动车停靠点", "指导流动车"), "guidance_bus"),
    **dict.fromkeys(("卫生院", "社区卫生服务中心", "卫生服务中心"), "health_centre"),
    **dict.fromkeys(("接种点", "接种门诊", "预防接种门诊"), "vaccination_clinic"),
    **dict.fromkeys(("儿童之家",), "childrens_home"),
    **dict.fromkeys(("基地", "早期发展基地", "发展基地"), "development_base"),
}
"""As the stations' own lists name them."""
SESSION_COLUMNS = (
    "code",
    "title",
    "kind",
    "level",
    "station",
    "starts_at",
    "ends_at",
    "places",
    "min_months",
    "max_months",
    "confirm_mode",
    "opens_at",
    "closes_at",
    "cancel_until",
    "waiting_list",
)
NOTHING_SAID: Mapping[str, str] = {}
LEVELS = ("station", "township", "district", "city")
LEVELS_SAID = {
    **dict.fromkeys(("站", "站级", "站点"), "station"),
    **dict.fromkeys(("镇", "乡镇", "镇级", "乡镇级"), "township"),
    **dict.fromkeys(("区", "区级"), "district"),
    **dict.fromkeys(("市", "市级"), "city"),
}
CONFIRM_MODES = ("auto", "staff")
CONFIRM_MODES_SAID = {
    **dict.fromkeys(("自动", "自动确认"), "auto"),
    **dict.fromkeys(("老师", "老师确认", "人工"), "staff"),
}
WAITING_LISTS = ("no", "first_come", "fewest_attended")
WAITING_LISTS_SAID = {
    **dict.fromkeys(("无", "没有", "不候补", "否"), "no"),
    **dict.fromkeys(("先来先得", "先报先得", "先报先候"), "first_come"),
    **dict.fromkeys(("来得少的先", "参加少的先", "少的优先"), "fewest_attended"),
}

MAX_PLACES = 10_000
MAX_MONTHS = 99
"""Far above the 36 months of the service: a festival may invite brothers and sisters."""

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
PHONE = re.compile(r"[0-9+()/,、转 \-]{5,30}")
# "2026/12/6 9:30" is what a spreadsheet makes of an ISO time when it saves CSV.
LOOSE_TIME = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T ](\d{1,2}):(\d{2})(?::(\d{2}))?", re.IGNORECASE
)
NOT_READ = datetime(FIRST_YEAR, 1, 1, tzinfo=SHANGHAI)


T = TypeVar("T")


OVER = {
    SessionState.CANCELLED: "session_cancelled",
    SessionState.HELD: "session_held",
}
"""Why a session is not changed any more."""


@dataclass(frozen=True, slots=True)
class Overfull:
    code: str
    places: int
    taken: int


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows were new, and how many brought a change to what was there, or none."""

    added: int
    updated: int
    unchanged: int
    past: tuple[str, ...] = ()
    """Codes of sessions put in that are over already: nobody can sign up for them."""
    overfull: tuple[Overfull, ...] = ()
    """Sessions whose places are now fewer than the seats taken: nobody is thrown out."""


@dataclass(frozen=True, slots=True)
class StationRow:
    code: str
    name: str
    kind: str
    township_id: int
    address: str
    phone: str


def import_stations(db: Session, content: bytes, *, actor: audit.Actor, now: datetime) -> Imported:
    """Create or update stations by code.

    Raises FileUnreadable, or ImportRefused with up to 50 faults; then nothing was changed.
    """
    rows = _read_all(content, STATION_COLUMNS, _station_reader(townships_by_name(db)))
    known = {
        station.code: station
        for station in db.scalars(
            select(Station).where(Station.code.in_([row.code for row in rows])).with_for_update()
        )
    }
    added = updated = 0
    for row in rows:
        station = known.get(row.code)
        if station is None:
            added += 1
            station = Station(code=row.code, is_active=True)
            db.add(station)
        elif station_row(station) == row:
            continue
        else:
            updated += 1
        station.name, station.kind, station.township_id = row.name, row.kind, row.township_id
        station.address, station.phone = row.address, row.phone
        db.flush()
        audit.record(
            db,
            actor=actor,
            action="put_station",
            subject_type="station",
            subject_id=station.id,
            now=now,
        )
    return Imported(added, updated, len(rows) - added - updated)


def import_sessions(db: Session, content: bytes, *, actor: audit.Actor, now: datetime) -> Imported:
    """Create or update guidance sessions by code, with all that follows from a change.

    Raises FileUnreadable, or ImportRefused with up to 50 faults; then nothing was changed.
    """
    stations = {code.casefold(): code for code in db.scalars(select(Station.code))}
    rows = _read_all(content, SESSION_COLUMNS, _session_reader(stations))
    lines = [row.line for row in read_rows(content, SESSION_COLUMNS)]
    line_of = dict(zip((row.code for row in rows), lines, strict=True))
    # One order for every writer of several sessions, so that two files cannot dead-lock.
    rows = sorted(rows, key=lambda row: row.code)
    known = {
        session.code: session
        for session in db.scalars(
            select(GuidanceSession)
            .where(GuidanceSession.code.in_([row.code for row in rows]))
            .order_by(GuidanceSession.code)
            .with_for_update()
        )
    }
    before = {code: row_of(session) for code, session in known.items()}
    past: list[str] = []
    overfull: list[Overfull] = []
    faults: list[BadRow] = []
    for row in rows:
        was = before.get(row.code)
        if was == row:
            continue
        try:
            put = publishing.put_session(db, row, actor=actor, now=now)
        except SessionStepNotAllowed as error:
            reason = OVER[SessionState(error.state)]
            faults.append(BadRow(line_of[row.code], "code", reason, row.code))
            continue
        except AttendanceTaken:
            faults.append(BadRow(line_of[row.code], "starts_at", "attendance_taken", row.code))
            continue
        if row.ends_at <= now:
            past.append(put.code)
        taken = row.places - free_seats(db, put.id)
        if taken > row.places:
            overfull.append(Overfull(put.code, row.places, taken))
    if faults:
        faults.sort(key=lambda fault: fault.line)
        raise ImportRefused(tuple(faults[:MAX_BAD_ROWS]))
    added = sum(row.code not in before for row in rows)
    unchanged = sum(before.get(row.code) == row for row in rows)
    changed = len(rows) - added - unchanged
    return Imported(added, changed, unchanged, tuple(past), tuple(overfull))


def townships_by_name(db: Session) -> dict[str, int]:
    """Township ids by official name and by the name without 镇 or 乡."""
    by_name: dict[str, int] = {}
    for township in db.scalars(select(Township)):
        by_name[township.name] = township.id
        by_name[township.name[:-1]] = township.id
    return by_name


def station_row(station: Station) -> StationRow:
    return StationRow(
        code=station.code,
        name=station.name,
        kind=station.kind,
        township_id=station.township_id,
        address=station.address,
        phone=station.phone,
    )


R = TypeVar("R", StationRow, publishing.SessionRow)
Record = TypeVar("Record")


class Cells:
    """The cells of one row as values; each fault is noted, and something harmless returned."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self.faults: list[BadRow] = []

    def refuse(self, column: str, reason: str) -> None:
        self.faults.append(BadRow(self._row.line, column, reason, self._row.cells[column]))

    def refuse_once(self, column: str, reason: str) -> None:
        """Refuse a column that was not refused before."""
        if all(fault.column != column for fault in self.faults):
            self.refuse(column, reason)

    def words(self, column: str, *, limit: int, required: bool = True) -> str:
        text = self._row.cells[column]
        if not text and required:
            self.refuse(column, "missing")
        elif len(text) > limit:
            self.refuse(column, "too_long")
        return text

    def code(self, column: str) -> str:
        text = self._plain(column)
        if text and not CODE.fullmatch(text):
            self.refuse(column, "bad_code")
        return text

    def phone(self, column: str) -> str:
        if not self._row.cells[column]:
            return ""
        text = self._plain(column)
        if not PHONE.fullmatch(text) or sum(mark.isdigit() for mark in text) < 5:
            self.refuse(column, "not_a_phone")
        return text

    def choice(
        self,
        column: str,
        choices: Collection[str],
        reason: str = "unknown_value",
        said: Mapping[str, str] = NOTHING_SAID,
    ) -> str:
        """One of the choices; `said` are other words for them."""
        text = self._plain(column).casefold()
        text = said.get(text, text)
        if text and text not in choices:
            self.refuse(column, reason)
        return text

    def found_in(self, column: str, known: Mapping[str, T], reason: str, instead: T) -> T:
        text = self._plain(column).casefold()
        if text and text not in known:
            self.refuse(column, reason)
        return known.get(text, instead)

    def whole(self, column: str, *, most: int) -> int:
        text = self._plain(column)
        if not text:
            return 0
        if not re.fullmatch(r"[+-]?\d{1,12}(\.0+)?", text, re.ASCII):
            self.refuse(column, "not_a_whole_number")
            return 0
        number = int(text.split(".")[0])
        if not 0 <= number <= most:
            self.refuse(column, "out_of_range")
        return number

    def instant(self, column: str) -> datetime:
        text = self._plain(column)
        if not text:
            return NOT_READ
        at = read_instant(text)
        if at is None:
            self.refuse(column, "not_a_time")
        return at or NOT_READ

    def _plain(self, column: str) -> str:
        """The cell with full-width digits and letters made plain; noted where empty."""
        text = unicodedata.normalize("NFKC", self._row.cells[column])
        if not text:
            self.refuse(column, "missing")
        return text


def read_all(
    content: bytes, columns: Sequence[str], read: Callable[[Row, Cells], Record]
) -> list[tuple[Row, Record]]:
    """Every row as a record. Raises FileUnreadable, ImportRefused with the first faults."""
    records: list[tuple[Row, Record]] = []
    faults: list[BadRow] = []
    for row in read_rows(content, columns):
        cells = Cells(row)
        records.append((row, read(row, cells)))
        faults += cells.faults
    if faults:
        raise ImportRefused(tuple(faults[:MAX_BAD_ROWS]))
    return records


def read_instant(text: str) -> datetime | None:
    """A time from ISO 8601, or as spreadsheets write it, in Shanghai where it bears no offset.

    None where it is no time: also where the hour is missing, or the year is far off.
    """
    loose = LOOSE_TIME.fullmatch(text)
    try:
        if loose:
            year, month, day, hour, minute, second = (int(part or 0) for part in loose.groups())
            at = datetime(year, month, day, hour, minute, second, tzinfo=SHANGHAI)
        elif ":" in text or "T" in text.upper():
            at = datetime.fromisoformat(text)
        else:
            return None
    except ValueError:
        return None
    if not FIRST_YEAR < at.year < LAST_YEAR:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(SHANGHAI)


def _station_reader(townships: Mapping[str, int]) -> Callable[[Cells], StationRow]:
    def read(cells: Cells) -> StationRow:
        return StationRow(
            code=cells.code("code"),
            name=cells.words("name", limit=60),
            kind=cells.choice("kind", STATION_KINDS, "unknown_station_kind", STATION_KINDS_SAID),
            township_id=cells.found_in("township", townships, "unknown_township", 0),
            address=cells.words("address", limit=200, required=False),
            phone=cells.phone("phone"),
        )

    return read


def _session_reader(stations: Mapping[str, str]) -> Callable[[Cells], publishing.SessionRow]:
    def read(cells: Cells) -> publishing.SessionRow:
        row = publishing.SessionRow(
            code=cells.code("code").upper(),
            title=cells.words("title", limit=80),
            kind=cells.words("kind", limit=40),
            level=cells.choice("level", LEVELS, "unknown_level", LEVELS_SAID),
            station_code=cells.found_in("station", stations, "unknown_station", ""),
            starts_at=cells.instant("starts_at"),
            ends_at=cells.instant("ends_at"),
            places=cells.whole("places", most=MAX_PLACES),
            min_months=cells.whole("min_months", most=MAX_MONTHS),
            max_months=cells.whole("max_months", most=MAX_MONTHS),
            confirm_mode=cells.choice(
                "confirm_mode", CONFIRM_MODES, "unknown_confirm_mode", CONFIRM_MODES_SAID
            ),
            opens_at=cells.instant("opens_at"),
            closes_at=cells.instant("closes_at"),
            cancel_until=cells.instant("cancel_until"),
            waiting_list=cells.choice(
                "waiting_list", WAITING_LISTS, "unknown_waiting_list", WAITING_LISTS_SAID
            ),
        )
        if not cells.faults:
            _check_order(cells, row)
        return row

    return read


def _check_order(cells: Cells, row: publishing.SessionRow) -> None:
    for column, reason in order_faults(timing_of(row)):
        cells.refuse(column, reason)
    if row.max_months < row.min_months:
        cells.refuse("max_months", "months_out_of_order")


def _read_all(content: bytes, columns: tuple[str, ...], read: Callable[[Cells], R]) -> list[R]:
    """Every row as a record. Raises ImportRefused with each fault, a repeated code too."""
    records: list[R] = []
    faults: list[BadRow] = []
    first_lines: dict[str, int] = {}
    for row in read_rows(content, columns):
        cells = Cells(row)
        record = read(cells)
        code = record.code.casefold()
        if code and first_lines.setdefault(code, row.line) != row.line:
            cells.refuse("code", "repeated_code")
        records.append(record)
        faults += cells.faults
    if faults:
        raise ImportRefused(tuple(faults[:MAX_BAD_ROWS]))
    return records
