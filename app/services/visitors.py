"""Visitors as staff keep them: leave, photograph, and what they have to do with a log-in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, undefer

from app.errors import LeaveOutOfOrder, NotYours, PhotoUnfit
from app.models import HomeVisit, Staff, Station, Township, Visitor, VisitorLeave, VisitorTownship
from app.rules.visiting import OPEN
from app.services import audit
from app.services.audit import Actor
from app.services.staff import Role, StaffScope
from app.services.visit_board_rows import visitors_shown
from app.services.visit_diaries import lock_visitors

MAX_PHOTO_BYTES = 300 * 1024
"""As it is kept; what is handed in may be a telephone's, and is made small first."""
MOST_MEGABYTES = 9
KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"RIFF", "image/webp"),
)


@dataclass(frozen=True, slots=True)
class VisitorRow:
    id: int
    code: str
    name: str
    phone: str
    station: str
    townships: tuple[str, ...]
    weekdays: str
    hours: str
    has_photo: bool
    has_log_in: bool
    is_ours: bool
    """Leave and photograph are this staff member's to keep: check_visitor would let them."""
    leaves: tuple[VisitorLeave, ...]


def list_visitors(db: Session, scope: StaffScope, since: datetime) -> list[VisitorRow]:
    """The visitors whose time this staff member watches, with leave that is not over."""
    visitors = db.scalars(
        select(Visitor)
        .join(Station, Station.id == Visitor.station_id)
        .where(visitors_shown(scope), Visitor.is_active)
        .options(joinedload(Visitor.station))
        .order_by(Visitor.code)
    ).all()
    ids = [visitor.id for visitor in visitors]
    townships: dict[int, list[str]] = {}
    for visitor_id, name in db.execute(
        select(VisitorTownship.visitor_id, Township.name)
        .join(Township, Township.id == VisitorTownship.township_id)
        .where(VisitorTownship.visitor_id.in_(ids))
        .order_by(Township.id)
    ):
        townships.setdefault(visitor_id, []).append(name)
    leaves: dict[int, list[VisitorLeave]] = {}
    for leave in db.scalars(
        select(VisitorLeave)
        .where(VisitorLeave.visitor_id.in_(ids), VisitorLeave.ends_at > since)
        .order_by(VisitorLeave.starts_at)
    ):
        leaves.setdefault(leave.visitor_id, []).append(leave)
    log_ins = set(
        db.scalars(
            select(Visitor.id).join(
                Staff, (Staff.username == func.lower(Visitor.code)) & (Staff.role == Role.VISITOR)
            )
        )
    )
    return [
        VisitorRow(
            id=visitor.id,
            code=visitor.code,
            name=visitor.name,
            phone=visitor.phone,
            station=visitor.station.name,
            townships=tuple(townships.get(visitor.id, ())),
            weekdays=visitor.weekdays,
            hours=f"{visitor.starts:%H:%M}–{visitor.ends:%H:%M}",
            has_photo=visitor.photo_type is not None,
            has_log_in=visitor.id in log_ins,
            is_ours=_keeps(scope, visitor),
            leaves=tuple(leaves.get(visitor.id, ())),
        )
        for visitor in visitors
    ]


def _keeps(scope: StaffScope, visitor: Visitor) -> bool:
    match scope.role:
        case Role.WORKER:
            return visitor.station_id == scope.station_id
        case Role.TOWNSHIP:
            return visitor.station.township_id == scope.township_id
        case _:  # Of all that is shown to them.
            return scope.role in (Role.DISTRICT, Role.VISITOR)


def townships_gone_to(db: Session, scope: StaffScope) -> Sequence[Township]:
    """The townships to choose from where one watches visitors of several; else none."""
    if not scope.sees_all:
        return ()
    gone_to = select(VisitorTownship.township_id)
    return db.scalars(select(Township).where(Township.id.in_(gone_to)).order_by(Township.id)).all()


def check_visitor(db: Session, scope: StaffScope, visitor_id: int) -> Visitor:
    """The visitor, where this staff member may change them: of their station or township, or
    themself. Raises NotYours."""
    own = scope.stations() if scope.role is not Role.VISITOR else visitors_shown(scope)
    found = db.scalars(
        select(Visitor)
        .join(Station, Station.id == Visitor.station_id)
        .where(Visitor.id == visitor_id, own)
    ).one_or_none()
    if found is None:
        raise NotYours()
    return found


def get_shown(db: Session, scope: StaffScope, visitor_id: int) -> Visitor:
    """The visitor, where this staff member watches their time. Raises NotYours."""
    found = db.scalars(
        select(Visitor)
        .join(Station, Station.id == Visitor.station_id)
        .where(Visitor.id == visitor_id, visitors_shown(scope))
    ).one_or_none()
    if found is None:
        raise NotYours()
    return found


def add_leave(
    db: Session,
    scope: StaffScope,
    visitor_id: int,
    *,
    starts_at: datetime,
    ends_at: datetime,
    note: str,
    now: datetime,
) -> Sequence[HomeVisit]:
    """A visitor is away; the open visits that fall into it, for a person to move: none is
    cancelled by itself. Raises NotYours, LeaveOutOfOrder."""
    if ends_at <= starts_at:
        raise LeaveOutOfOrder()
    check_visitor(db, scope, visitor_id)
    # Held against whoever takes a slot at the same time: they come before or after the leave.
    lock_visitors(db, [visitor_id])
    db.add(
        VisitorLeave(
            visitor_id=visitor_id,
            starts_at=starts_at,
            ends_at=ends_at,
            note=note.strip(),
            set_by=scope.staff_id,
            set_at=now,
        )
    )
    _record(db, scope, "add_leave", visitor_id, now)
    return db.scalars(
        select(HomeVisit).where(
            HomeVisit.visitor_id == visitor_id,
            HomeVisit.state.in_(OPEN),
            HomeVisit.starts_at < ends_at,
            HomeVisit.ends_at > starts_at,
        )
    ).all()


def end_leave(db: Session, scope: StaffScope, leave_id: int, now: datetime) -> None:
    """Take a leave back; a second time does nothing. Raises NotYours."""
    leave = db.get(VisitorLeave, leave_id)
    if leave is None:
        return
    check_visitor(db, scope, leave.visitor_id)
    db.delete(leave)
    _record(db, scope, "end_leave", leave.visitor_id, now)


def set_photo(
    db: Session, scope: StaffScope, visitor_id: int, content: bytes, now: datetime
) -> None:
    """What families see before they open the door. Raises NotYours, PhotoUnfit."""
    visitor = check_visitor(db, scope, visitor_id)
    kind = next((name for head, name in KINDS if content.startswith(head)), None)
    if kind is None or len(content) > MAX_PHOTO_BYTES:
        raise PhotoUnfit(MOST_MEGABYTES)
    visitor.photo, visitor.photo_type, visitor.updated_at = content, kind, now
    _record(db, scope, "set_photo", visitor_id, now)


def find_photo(db: Session, visitor_id: int) -> tuple[bytes, str] | None:
    """The picture and its type; None where there is none."""
    visitor = db.scalars(
        select(Visitor).where(Visitor.id == visitor_id).options(undefer(Visitor.photo))
    ).one_or_none()
    if visitor is None or visitor.photo is None or visitor.photo_type is None:
        return None
    return visitor.photo, visitor.photo_type


def _record(db: Session, scope: StaffScope, action: str, visitor_id: int, now: datetime) -> None:
    db.flush()
    audit.record(
        db,
        actor=Actor("staff", scope.staff_id),
        action=action,
        subject_type="visitor",
        subject_id=visitor_id,
        now=now,
    )
