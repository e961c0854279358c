"""Attendance from paper lists: a file of it is taken whole, or not at all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import BadRow, ImportRefused
from app.models import Child, Family, GuidanceSession, SignUp
from app.rules.sign_up import SessionState, SignUpState
from app.services import attendance, audit
from app.services.family_files import digits_of
from app.services.import_files import MAX_BAD_ROWS, Row, read_rows
from app.services.imports import Cells, Imported, read_all

ATTENDANCE_COLUMNS = ("session", "nickname", "phone")


@dataclass(frozen=True, slots=True)
class AttendanceRow:
    session: str
    nickname: str
    phone: str


def _attendance_reader(
    sessions: Mapping[str, GuidanceSession],
) -> Callable[[Row, Cells], AttendanceRow]:
    def read(row: Row, cells: Cells) -> AttendanceRow:
        code = row.cells["session"].upper()
        if not code:
            cells.refuse("session", "missing")
        elif code not in sessions:
            cells.refuse("session", "unknown_session")
        return AttendanceRow(
            session=code,
            nickname=cells.words("nickname", limit=20),
            phone=cells.phone("phone"),
        )

    return read


def import_attendance(
    db: Session, content: bytes, *, actor: audit.Actor, now: datetime
) -> tuple[Imported, list[tuple[str, int]]]:
    """Who came, by session, nickname and the family's telephone; and what is new of it.

    The telephone may be left out where only one child of that nickname signed up for the
    session. Raises FileUnreadable, ImportRefused; then nothing was changed.
    """
    codes = {row.cells["session"].upper() for row in read_rows(content, ATTENDANCE_COLUMNS)}
    sessions = {
        session.code: session
        for session in db.scalars(
            select(GuidanceSession).where(
                GuidanceSession.code.in_(codes),
                GuidanceSession.state.in_((SessionState.PUBLISHED, SessionState.HELD)),
                GuidanceSession.starts_at <= now,
            )
        )
    }
    rows = read_all(content, ATTENDANCE_COLUMNS, _attendance_reader(sessions))
    faults: list[BadRow] = []
    found: list[tuple[AttendanceRow, Child]] = []
    children = _children_by_name(db, {row.nickname for _, row in rows})
    signed_up = _signed_up(db, [session.id for session in sessions.values()])
    for line, row in rows:
        candidates = children.get(row.nickname, [])
        if row.phone:
            candidates = [c for c in candidates if digits_of(c[1]) == digits_of(row.phone)]
        else:
            there = signed_up.get(sessions[row.session].id, set())
            candidates = [c for c in candidates if c[0].id in there]
        if len(candidates) == 1:
            found.append((row, candidates[0][0]))
        else:
            reason = "unclear_child" if candidates else "unknown_child"
            faults.append(BadRow(line.line, "nickname", reason, row.nickname))
    if faults:
        raise ImportRefused(tuple(faults[:MAX_BAD_ROWS]))
    made: list[tuple[str, int]] = []
    # One order for every writer of several sessions.
    for row, child in sorted(found, key=lambda each: (each[0].session, each[1].id)):
        is_there = db.execute(
            select(func.count(SignUp.id)).where(
                SignUp.session_id == sessions[row.session].id,
                SignUp.child_id == child.id,
                SignUp.state == SignUpState.ATTENDED,
            )
        ).scalar_one()
        if not is_there:
            attendance.attend(
                db,
                session_code=row.session,
                caregiver=child.family.caregivers[0],
                child=child,
                actor=actor,
                now=now,
            )
            made.append((row.session, child.id))
    return Imported(added=len(made), updated=0, unchanged=len(found) - len(made)), made


def _children_by_name(db: Session, names: set[str]) -> dict[str, list[tuple[Child, str]]]:
    """Children of these nicknames with their family's telephone: read all, names are encrypted."""
    found: dict[str, list[tuple[Child, str]]] = {}
    for child, phone in db.execute(
        select(Child, Family.phone)
        .join(Family, Family.id == Child.family_id)
        .where(Child.erased_at.is_(None))
    ):
        if child.nickname in names:
            found.setdefault(child.nickname, []).append((child, phone or ""))
    return found


def _signed_up(db: Session, session_ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for session_id, child_id in db.execute(
        select(SignUp.session_id, SignUp.child_id).where(SignUp.session_id.in_(session_ids))
    ):
        found.setdefault(session_id, set()).add(child_id)
    return found


def undo_attendance(
    db: Session, entered: Sequence[tuple[str, int]], *, actor: audit.Actor, now: datetime
) -> None:
    """Take the attendances back that the file had entered; one that was undone since stays so."""
    for code, child_id in sorted(entered):
        child = db.get(Child, child_id)
        is_there = (
            child is not None
            and db.scalars(
                select(SignUp.id)
                .join(SignUp.session)
                .where(
                    GuidanceSession.code == code,
                    SignUp.child_id == child_id,
                    SignUp.state == SignUpState.ATTENDED,
                )
            ).first()
        )
        if child is not None and is_there:
            attendance.attend(
                db,
                session_code=code,
                caregiver=child.family.caregivers[0],
                child=child,
                actor=actor,
                now=now,
                undo=True,
            )
