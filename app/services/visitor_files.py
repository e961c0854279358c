"""Takes visitors from a file: whole, or not at all."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, selectinload

from app.errors import BadRow, ImportRefused
from app.models import Station, Visitor, VisitorTownship
from app.services import audit
from app.services.import_files import MAX_BAD_ROWS, read_rows
from app.services.imports import Cells, Imported, townships_by_name

VISITOR_COLUMNS: Final = (
    "code",
    "name",
    "phone",
    "station",
    "townships",
    "weekdays",
    "starts",
    "ends",
    "visit_minutes",
    "buffer_minutes",
)
MOST_MINUTES: Final = 480
_TIME: Final = re.compile(r"([01]?\d|2[0-3])[:：.]([0-5]\d)(?::00)?")
_ISO_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):([0-5]\d).*")
_BETWEEN: Final = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True, slots=True)
class VisitorRow:
    code: str
    name: str
    phone: str
    station_id: int
    township_ids: frozenset[int]
    weekdays: str
    starts: time
    ends: time
    visit_minutes: int
    buffer_minutes: int


def import_visitors(db: Session, content: bytes, *, actor: audit.Actor, now: datetime) -> Imported:
    """Create or update visitors by code. What is arranged stays as it is.

    Raises FileUnreadable, or ImportRefused with up to 50 faults; then nothing was changed.
    """
    rows = _read(db, content)
    known = {
        visitor.code: visitor
        for visitor in db.scalars(
            select(Visitor)
            .where(Visitor.code.in_([row.code for row in rows]))
            .order_by(Visitor.id)
            .with_for_update()
        )
    }
    added = updated = 0
    for row in rows:
        visitor = known.get(row.code)
        if visitor is None:
            added += 1
            visitor = Visitor(code=row.code, is_active=True, created_at=now)
            db.add(visitor)
        elif visitor.is_active and row_of(visitor) == row:
            continue
        else:
            updated += 1
        _put(db, visitor, row, now)
        audit.record(
            db,
            actor=actor,
            action="put_visitor",
            subject_type="visitor",
            subject_id=visitor.id,
            now=now,
        )
    return Imported(added, updated, len(rows) - added - updated)


def _put(db: Session, visitor: Visitor, row: VisitorRow, now: datetime) -> None:
    visitor.name, visitor.phone, visitor.station_id = row.name, row.phone, row.station_id
    visitor.weekdays, visitor.starts, visitor.ends = row.weekdays, row.starts, row.ends
    visitor.visit_minutes, visitor.buffer_minutes = row.visit_minutes, row.buffer_minutes
    visitor.is_active = True
    visitor.updated_at = now
    db.flush()
    db.execute(delete(VisitorTownship).where(VisitorTownship.visitor_id == visitor.id))
    db.add_all(
        VisitorTownship(visitor_id=visitor.id, township_id=each)
        for each in sorted(row.township_ids)
    )
    db.flush()
    db.expire(visitor, ["covers"])


def row_of(visitor: Visitor) -> VisitorRow:
    """The visitor as a row of the file."""
    return VisitorRow(
        code=visitor.code,
        name=visitor.name,
        phone=visitor.phone,
        station_id=visitor.station_id,
        township_ids=frozenset(each.township_id for each in visitor.covers),
        weekdays=visitor.weekdays,
        starts=visitor.starts,
        ends=visitor.ends,
        visit_minutes=visitor.visit_minutes,
        buffer_minutes=visitor.buffer_minutes,
    )


@dataclass(frozen=True, slots=True)
class VisitorBefore:
    """A visitor as a file found them: to be put back when it is undone."""

    row: VisitorRow
    is_active: bool


def states_of(db: Session, codes: Collection[str]) -> dict[str, VisitorBefore]:
    """By code, for those that there are."""
    return {
        visitor.code: VisitorBefore(row_of(visitor), visitor.is_active)
        for visitor in db.scalars(
            select(Visitor).where(Visitor.code.in_(codes)).options(selectinload(Visitor.covers))
        )
    }


def put_back(db: Session, before: Mapping[str, VisitorBefore | None], now: datetime) -> None:
    """Each as they were; who was not there is taken out.

    Raises IntegrityError where somebody has arranged something with one of these since.
    """
    visitors = {
        visitor.code: visitor
        for visitor in db.scalars(
            select(Visitor).where(Visitor.code.in_(before)).order_by(Visitor.id).with_for_update()
        )
    }
    for code, visitor in visitors.items():
        was = before[code]
        if was is None:
            db.execute(delete(VisitorTownship).where(VisitorTownship.visitor_id == visitor.id))
            db.execute(delete(Visitor).where(Visitor.id == visitor.id))
            continue
        _put(db, visitor, was.row, now)
        visitor.is_active = was.is_active


def _read(db: Session, content: bytes) -> list[VisitorRow]:
    stations = {code.casefold(): key for key, code in db.execute(select(Station.id, Station.code))}
    townships = townships_by_name(db)
    records: list[VisitorRow] = []
    faults: list[BadRow] = []
    first_lines: dict[str, int] = {}
    for row in read_rows(content, VISITOR_COLUMNS):
        cells = Cells(row)
        record = _visitor_row(cells, stations, townships)
        code = record.code.casefold()
        if code and first_lines.setdefault(code, row.line) != row.line:
            cells.refuse("code", "repeated_code")
        records.append(record)
        faults += cells.faults
    if faults:
        raise ImportRefused(tuple(faults[:MAX_BAD_ROWS]))
    return records


def _visitor_row(cells: Cells, stations: dict[str, int], townships: dict[str, int]) -> VisitorRow:
    row = VisitorRow(
        code=cells.code("code"),
        name=cells.words("name", limit=20),
        phone=cells.phone("phone"),
        station_id=cells.found_in("station", stations, "unknown_station", 0),
        township_ids=_townships(cells, townships),
        weekdays=_weekdays(cells),
        starts=_time_of(cells, "starts"),
        ends=_time_of(cells, "ends"),
        visit_minutes=cells.whole("visit_minutes", most=MOST_MINUTES),
        buffer_minutes=cells.whole("buffer_minutes", most=MOST_MINUTES),
    )
    if not row.phone:
        # The family is given it: at the door it is what a name is checked by.
        cells.refuse_once("phone", "missing")
    if not cells.faults:
        minutes = (row.ends.hour - row.starts.hour) * 60 + row.ends.minute - row.starts.minute
        if minutes <= 0:
            cells.refuse("ends", "ends_before_start")
        elif not 1 <= row.visit_minutes <= minutes:
            cells.refuse("visit_minutes", "visit_does_not_fit")
    return row


def _townships(cells: Cells, known: dict[str, int]) -> frozenset[int]:
    names = [name for name in _BETWEEN.split(cells.words("townships", limit=300)) if name]
    if any(name not in known for name in names):
        cells.refuse("townships", "unknown_township")
    return frozenset(known[name] for name in names if name in known)


def _weekdays(cells: Cells) -> str:
    text = cells.words("weekdays", limit=20)
    days = [day for day in _BETWEEN.split(text) if day]
    if any(not re.fullmatch("[1-7]", day) for day in days):
        cells.refuse("weekdays", "not_weekdays")
        return ""
    return " ".join(sorted(set(days)))


def _time_of(cells: Cells, column: str) -> time:
    text = cells.words(column, limit=30)
    found = _TIME.fullmatch(text) or _ISO_TIME.fullmatch(text)
    if found is None:
        if text:
            cells.refuse(column, "not_a_time_of_day")
        return time()
    return time(int(found[1]), int(found[2]))
