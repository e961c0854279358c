"""Files that staff hand in: looked through, then taken whole, and undone where that is safe."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.errors import ImportNotThere, ImportNotUndone
from app.models import FileImport, GuidanceSession, Staff, Station
from app.services import attendance_files, audit, family_files, publishing, visitor_files
from app.services.audit import Actor
from app.services.import_files import read_rows
from app.services.imports import (
    SESSION_COLUMNS,
    STATION_COLUMNS,
    Imported,
    StationRow,
    import_sessions,
    import_stations,
    station_row,
)
from app.services.publishing import SessionRow, row_of
from app.services.visitor_files import VisitorBefore, VisitorRow

COLUMNS: dict[str, tuple[str, ...]] = {
    "stations": STATION_COLUMNS,
    "sessions": SESSION_COLUMNS,
    "visitors": visitor_files.VISITOR_COLUMNS,
    "families": family_files.FAMILY_COLUMNS,
    "attendance": attendance_files.ATTENDANCE_COLUMNS,
}
KEPT_DAYS = 7
"""A file that was looked through and not taken is forgotten after a week."""
LARGE_ROWS = 2000
"""From here on taking it is a long job: it is done beside the page, which shows how far it is."""
STUCK_MINUTES = 15
"""A job that has not ended by then died with its process, and everything of it was rolled back."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as its page shows it."""

    id: int
    kind: str
    file_name: str
    state: str
    added: int
    updated: int
    unchanged: int
    can_undo: bool
    by: str
    made_at: datetime
    taken_at: datetime | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Undo:
    """How rows were before, and as the file left them; a row that is new has no before."""

    stations: dict[str, tuple[StationRow | None, StationRow]]
    sessions: dict[str, tuple[SessionRow | None, SessionRow]]
    families: list[int]
    attendance: list[tuple[str, int]]
    visitors: dict[str, tuple[VisitorBefore | None, VisitorRow]] = field(default_factory=dict)


@cache
def _undos() -> TypeAdapter[_Undo]:
    return TypeAdapter(_Undo)


def count_rows(kind: str, content: bytes) -> int:
    """How many rows the file has. Raises FileUnreadable, ImportRefused."""
    return len(read_rows(content, COLUMNS[kind]))


def check(db: Session, kind: str, content: bytes, *, actor: Actor, now: datetime) -> Imported:
    """What taking the file would do; nothing of it stays.

    It is taken and rolled back: what is said is what will happen. Families are counted alone,
    for there may be fifty thousand. Raises FileUnreadable, ImportRefused with the first faults.
    """
    if kind == "families":
        counted, _ = family_files.import_families(db, content, actor=actor, now=now, writes=False)
        return counted
    trial = db.begin_nested()
    try:
        counted, _ = _take(db, kind, content, actor, now)
    finally:
        trial.rollback()
    return counted


def keep(
    db: Session,
    kind: str,
    file_name: str,
    content: bytes,
    counted: Imported,
    *,
    staff_id: int,
    now: datetime,
) -> int:
    """Keep a file that was looked through until it is taken; gives its number."""
    db.execute(
        update(FileImport)
        .where(FileImport.state == "checked", FileImport.made_at < now - timedelta(days=KEPT_DAYS))
        .values(content=None)
    )
    kept = FileImport(
        kind=kind,
        file_name=file_name,
        content=base64.b64encode(content).decode(),
        state="checked",
        added=counted.added,
        updated=counted.updated,
        unchanged=counted.unchanged,
        made_by=staff_id,
        made_at=now,
    )
    db.add(kept)
    db.flush()
    return kept.id


def get(db: Session, import_id: int, *, now: datetime) -> KeptFile:
    """Raises ImportNotThere."""
    found = db.execute(
        select(FileImport, Staff.username)
        .join(Staff, Staff.id == FileImport.made_by)
        .where(FileImport.id == import_id)
    ).one_or_none()
    if found is None:
        raise ImportNotThere(import_id)
    return _kept(found[0], found[1], now)


def latest(db: Session, *, now: datetime, limit: int = 50) -> list[KeptFile]:
    """The files that were handed in, the latest first."""
    rows = db.execute(
        select(FileImport, Staff.username)
        .join(Staff, Staff.id == FileImport.made_by)
        .order_by(FileImport.id.desc())
        .limit(limit)
    )
    return [_kept(found, username, now) for found, username in rows]


def _kept(found: FileImport, username: str, now: datetime) -> KeptFile:
    is_stuck = (
        found.state == "running"
        and found.taken_at is not None
        and found.taken_at < now - timedelta(minutes=STUCK_MINUTES)
    )
    return KeptFile(
        id=found.id,
        kind=found.kind,
        file_name=found.file_name,
        state="failed" if is_stuck else found.state,
        added=found.added,
        updated=found.updated,
        unchanged=found.unchanged,
        can_undo=found.state == "taken" and found.undo is not None,
        by=username,
        made_at=found.made_at,
        taken_at=found.taken_at,
        undone_at=found.undone_at,
    )


def start(db: Session, import_id: int, *, now: datetime) -> tuple[str, bytes] | None:
    """Claim a file that is to be taken; None where somebody did before.

    Raises ImportNotThere, also where the file was forgotten meanwhile.
    """
    found = db.scalars(
        select(FileImport).where(FileImport.id == import_id).with_for_update()
    ).one_or_none()
    if found is None or (found.state == "checked" and found.content is None):
        raise ImportNotThere(import_id)
    if found.state != "checked" or found.content is None:
        return None
    found.state, found.taken_at = "running", now
    return found.kind, base64.b64decode(found.content)


def take(
    db: Session,
    import_id: int,
    kind: str,
    content: bytes,
    *,
    actor: Actor,
    now: datetime,
) -> Imported:
    """Take a file that was claimed; everything of it is one transaction.

    Raises ImportRefused where what it relies on has changed since it was looked through.
    """
    counted, undo = _take(db, kind, content, actor, now)
    db.execute(
        update(FileImport)
        .where(FileImport.id == import_id)
        .values(
            state="taken",
            content=None,
            undo=_undos().dump_json(undo).decode(),
            added=counted.added,
            updated=counted.updated,
            unchanged=counted.unchanged,
        )
    )
    _record(db, import_id, actor, "import_file", now, after=kind)
    return counted


def fail(db: Session, import_id: int) -> None:
    """It could not be taken, and nothing of it was."""
    db.execute(
        update(FileImport)
        .where(FileImport.id == import_id, FileImport.state == "running")
        .values(state="failed")
    )


def _take(
    db: Session, kind: str, content: bytes, actor: Actor, now: datetime
) -> tuple[Imported, _Undo]:
    match kind:
        case "stations":
            codes = _codes(kind, content)
            stations = _stations(db, codes)
            counted = import_stations(db, content, actor=actor, now=now)
            after = _stations(db, codes)
            pairs = {code: (stations.get(code), row) for code, row in after.items()}
            changed = {code: pair for code, pair in pairs.items() if pair[0] != pair[1]}
            return counted, _Undo(changed, {}, [], [])
        case "sessions":
            codes = {code.upper() for code in _codes(kind, content)}
            sessions = _sessions(db, codes)
            counted = import_sessions(db, content, actor=actor, now=now)
            later = _sessions(db, codes)
            both = {code: (sessions.get(code), row) for code, row in later.items()}
            moved = {code: pair for code, pair in both.items() if pair[0] != pair[1]}
            return counted, _Undo({}, moved, [], [])
        case "families":
            counted, made = family_files.import_families(db, content, actor=actor, now=now)
            return counted, _Undo({}, {}, made, [])
        case "attendance":
            counted, entered = attendance_files.import_attendance(db, content, actor=actor, now=now)
            return counted, _Undo({}, {}, [], entered)
        case _:
            wanted = _codes(kind, content)
            known = visitor_files.states_of(db, wanted)
            counted = visitor_files.import_visitors(db, content, actor=actor, now=now)
            then = visitor_files.states_of(db, wanted)
            changes = {
                code: (known.get(code), state.row)
                for code, state in then.items()
                if known.get(code) != state
            }
            return counted, _Undo({}, {}, [], [], changes)


def _codes(kind: str, content: bytes) -> set[str]:
    return {row.cells["code"] for row in read_rows(content, COLUMNS[kind])}


def _stations(db: Session, codes: set[str]) -> dict[str, StationRow]:
    found = db.scalars(select(Station).where(Station.code.in_(codes)))
    return {station.code: station_row(station) for station in found}


def _sessions(db: Session, codes: set[str]) -> dict[str, SessionRow]:
    found = db.scalars(
        select(GuidanceSession)
        .where(GuidanceSession.code.in_(codes))
        .execution_options(populate_existing=True)
    )
    return {session.code: row_of(session) for session in found}


def undo(db: Session, import_id: int, *, actor: Actor, now: datetime) -> None:
    """Everything as it was before the file; or nothing, where that would undo others' work.

    Raises ImportNotThere, ImportNotUndone with the codes or numbers that stand in the way.
    """
    found = db.scalars(
        select(FileImport).where(FileImport.id == import_id).with_for_update()
    ).one_or_none()
    if found is None or found.state != "taken" or found.undo is None:
        raise ImportNotThere(import_id)
    what = _undos().validate_json(found.undo)
    in_the_way = _changed_since(db, what)
    if in_the_way:
        raise ImportNotUndone(tuple(in_the_way))
    try:
        with db.begin_nested():
            _undo_stations(db, what)
            _undo_sessions(db, what, actor, now)
            visitor_files.put_back(
                db, {code: before for code, (before, _) in what.visitors.items()}, now
            )
            db.flush()
    except IntegrityError:
        # What is new by the file has been used since: an import of one kind has but one kind.
        new = [code for code, (before, _) in what.stations.items() if not before]
        new += [code for code, (before, _) in what.sessions.items() if not before]
        new += [code for code, (before, _) in what.visitors.items() if not before]
        raise ImportNotUndone(tuple(new)) from None
    busy = family_files.undo_families(db, what.families)
    if busy:
        raise ImportNotUndone(tuple(str(number) for number in busy))
    attendance_files.undo_attendance(db, what.attendance, actor=actor, now=now)
    found.state, found.undone_at, found.undo = "undone", now, None
    _record(db, import_id, actor, "undo_import", now, after=found.kind)


def _changed_since(db: Session, what: _Undo) -> list[str]:
    """What somebody has changed after the file was taken."""
    stations = _stations(db, set(what.stations))
    sessions = _sessions(db, set(what.sessions))
    changed = [code for code, (_, after) in what.stations.items() if stations.get(code) != after]
    changed += [code for code, (_, after) in what.sessions.items() if sessions.get(code) != after]
    visitors = visitor_files.states_of(db, set(what.visitors))
    changed += [
        code
        for code, (_, after) in what.visitors.items()
        if code not in visitors or visitors[code].row != after or not visitors[code].is_active
    ]
    return changed


def _undo_stations(db: Session, what: _Undo) -> None:
    for code, (before, _) in what.stations.items():
        if before is None:
            db.execute(delete(Station).where(Station.code == code))
            continue
        station = db.scalars(select(Station).where(Station.code == code)).one()
        station.name, station.kind, station.township_id = (
            before.name,
            before.kind,
            before.township_id,
        )
        station.address, station.phone = before.address, before.phone


def _undo_sessions(db: Session, what: _Undo, actor: Actor, now: datetime) -> None:
    for code, (before, _) in sorted(what.sessions.items()):
        if before is None:
            db.execute(delete(GuidanceSession).where(GuidanceSession.code == code))
        else:
            publishing.put_session(db, before, actor=actor, now=now)


def _record(
    db: Session, import_id: int, actor: Actor, action: str, now: datetime, *, after: str
) -> None:
    audit.record(
        db,
        actor=actor,
        action=action,
        subject_type="file",
        subject_id=import_id,
        now=now,
        after=after,
    )
