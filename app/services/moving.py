"""A request moved to another session: turned down here, confirmed there, in one go."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from app.errors import AlreadySignedUp, SessionFull, SessionUnknown, SignUpUnknown
from app.models import Child, GuidanceSession, SignUp, Staff, Station
from app.models.notice_facts import SignUpConfirmed
from app.rules.sign_up import SessionState, SignUpState, can_cancel, check_age
from app.services import decisions
from app.services.audit import Actor
from app.services.seats import change_state, held_on, lock_session, take_seats, terms_of
from app.services.sign_up_notices import tell, told
from app.services.staff import StaffScope, scope_of

MOST_OFFERED = 60
WAITS = (SignUpState.WAITLISTED, SignUpState.OFFERED)


@dataclass(frozen=True, slots=True)
class Target:
    """A session to come that has seats and nobody waiting for them."""

    code: str
    title: str
    station: str
    station_id: int
    starts_at: datetime
    min_months: int
    max_months: int
    free: int


def targets(db: Session, scope: StaffScope, *, now: datetime) -> list[Target]:
    """Where requests can be moved to, by time: sessions of the scope. One query."""
    rows = db.execute(
        select(GuidanceSession, Station.name)
        .join(GuidanceSession.station)
        .where(scope.stations(), *_can_take(now))
        .order_by(GuidanceSession.starts_at, GuidanceSession.id)
        .limit(MOST_OFFERED)
    )
    return [
        Target(
            code=session.code,
            title=session.title,
            station=name,
            station_id=session.station_id,
            starts_at=session.starts_at,
            min_months=session.min_months,
            max_months=session.max_months,
            free=session.places - session.places_taken,
        )
        for session, name in rows
    ]


def _can_take(now: datetime) -> tuple[ColumnElement[bool], ...]:
    somebody_waits = exists().where(
        SignUp.session_id == GuidanceSession.id, SignUp.state.in_(WAITS)
    )
    return (
        GuidanceSession.state == SessionState.PUBLISHED,
        GuidanceSession.starts_at > now,
        GuidanceSession.places > GuidanceSession.places_taken,
        ~somebody_waits,
    )


def move(
    db: Session, *, sign_up_id: int, to_code: str, staff: Staff, reason: str, now: datetime
) -> SignUp:
    """The confirmed place in the other session; the family is told of both.

    `reason` is what it reads about the first one. Raises SignUpUnknown, NotYours,
    SignUpAlreadyDecided, SessionUnknown, SessionFull (also where others wait for the seat),
    AlreadySignedUp, AgeOutsideSession.
    """
    here = db.scalars(select(SignUp.session_id).where(SignUp.id == sign_up_id)).one_or_none()
    if here is None:
        raise SignUpUnknown(str(sign_up_id))
    there = _find_target(db, scope_of(staff), to_code)
    if there.id == here:
        raise SessionUnknown(to_code)
    # Both rows in one order, so that two moves crossing each other do not wait for ever.
    for session_id in sorted((here, there.id)):
        lock_session(db, session_id)
    db.refresh(there)
    declined = decisions.decline(
        db, sign_up_id=sign_up_id, staff=staff, reason=reason, now=now, is_moved=True
    )
    child = db.get_one(Child, declined.child_id)
    check_age(terms_of(there), child.nickname, child.birth_date, held_on(there))
    if there.state != SessionState.PUBLISHED or there.starts_at <= now:
        raise SessionUnknown(to_code)
    _check_nobody_waits(db, there)
    take_seats(db, there, 1)
    made = SignUp(
        session=there,
        child_id=child.id,
        family_id=child.family_id,
        caregiver_id=declined.caregiver_id,
        state=SignUpState.REQUESTED,
        requested_at=declined.requested_at,
        year_plan_id=declined.year_plan_id,
    )
    try:
        with db.begin_nested():
            db.add(made)
            db.flush()
    except IntegrityError:
        raise AlreadySignedUp(there.code, child.nickname, SignUpState.CONFIRMED) from None
    change_state(db, made, SignUpState.CONFIRMED, Actor("staff", staff.id), now)
    may_cancel = can_cancel(terms_of(there), now)
    tell(db, SignUpConfirmed(**told(made, child), can_cancel=may_cancel), made, now)
    return made


def _find_target(db: Session, scope: StaffScope, code: str) -> GuidanceSession:
    found = db.scalars(
        select(GuidanceSession)
        .join(GuidanceSession.station)
        .options(contains_eager(GuidanceSession.station))
        .where(GuidanceSession.code == code.strip().upper(), scope.stations())
    ).one_or_none()
    if found is None:
        raise SessionUnknown(code)
    return found


def _check_nobody_waits(db: Session, session: GuidanceSession) -> None:
    """Nobody jumps the queue, not even by the staff's hand: that is what an override is for."""
    waiting = db.execute(
        select(func.count(SignUp.id)).where(
            SignUp.session_id == session.id, SignUp.state.in_(WAITS)
        )
    ).scalar_one()
    if waiting:
        raise SessionFull(session.code, session.places, waiting=waiting)
