"""Staff accounts from the district's side: who there is, closed and opened again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, contains_eager

from app.errors import LastDistrictAccount, OwnAccount, StaffUnknown
from app.models import Staff, Station, Township
from app.services import audit
from app.services.audit import Actor
from app.services.staff import Role, normal_username


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    username: str
    role: Role
    place: str
    """The station or township; empty for the district."""
    is_active: bool
    has_second_factor: bool
    locked_until: datetime | None
    last_login_at: datetime | None


def find(
    db: Session, *, text: str = "", role: str = "", state: str = "", limit: int, offset: int
) -> list[Account]:
    """Accounts by username; `state` is open, closed or empty for both."""
    statement = (
        select(Staff)
        .outerjoin(Staff.station)
        .outerjoin(Staff.township)
        .options(contains_eager(Staff.station), contains_eager(Staff.township))
        .order_by(Staff.username)
        .limit(limit)
        .offset(offset)
    )
    if text:
        part = f"%{_escaped(normal_username(text))}%"
        statement = statement.where(
            or_(
                Staff.username.like(part, escape="\\"),
                Station.name.like(part, escape="\\"),
                Township.name.like(part, escape="\\"),
            )
        )
    if role:
        statement = statement.where(Staff.role == role)
    if state:
        statement = statement.where(Staff.is_active.is_(state == "open"))
    return [_account(staff) for staff in db.scalars(statement)]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def get(db: Session, staff_id: int) -> Account:
    """Raises StaffUnknown."""
    return _account(_find(db, staff_id))


def _find(db: Session, staff_id: int) -> Staff:
    staff = db.scalars(
        select(Staff).where(Staff.id == staff_id).with_for_update(of=Staff)
    ).one_or_none()
    if staff is None:
        raise StaffUnknown(str(staff_id))
    return staff


def _account(staff: Staff) -> Account:
    place = staff.station.name if staff.station else ""
    return Account(
        id=staff.id,
        username=staff.username,
        role=Role(staff.role),
        place=place or (staff.township.name if staff.township else ""),
        is_active=staff.is_active,
        has_second_factor=staff.totp_confirmed_at is not None,
        locked_until=staff.locked_until,
        last_login_at=staff.last_login_at,
    )


def set_active(
    db: Session, staff_id: int, *, is_active: bool, actor: Actor, now: datetime
) -> Account:
    """Close an account, and every browser it is logged in with; or open it again.

    Raises StaffUnknown, OwnAccount, LastDistrictAccount.
    """
    if actor.type == "staff" and actor.id == staff_id:
        raise OwnAccount()
    # Locked in one order: two district accounts closing each other at once leave one.
    district = db.scalars(
        select(Staff)
        .where(Staff.role == Role.DISTRICT, Staff.is_active)
        .order_by(Staff.id)
        .with_for_update(of=Staff)
    ).all()
    staff = _find(db, staff_id)
    if not is_active and [each.id for each in district] == [staff_id]:
        raise LastDistrictAccount()
    if staff.is_active != is_active:
        staff.is_active = is_active
        staff.login_epoch += 1
        staff.failed_logins, staff.locked_until = 0, None
        audit.record(
            db,
            actor=actor,
            action="open_account" if is_active else "close_account",
            subject_type="staff",
            subject_id=staff_id,
            now=now,
        )
    return _account(staff)
