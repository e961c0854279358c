"""What the calendar file of a sign-up says: the session as it is now, and no child's name."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from app.models import GuidanceSession, SignUp
from app.rules.sign_up import ACTIVE, SessionState, SignUpState, can_cancel
from app.services.seats import terms_of

CERTAIN = frozenset({SignUpState.CONFIRMED, SignUpState.ATTENDED, SignUpState.NO_SHOW})
KEPT = ACTIVE | CERTAIN
"""Sign-ups that keep a session in the family's calendar, certain or not."""
KEPT_FOR = timedelta(days=30)
"""A link works until so long after the session's end."""


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """What a calendar shows of a sign-up."""

    sign_up_id: int
    sequence: int
    """Rises with every move; the calendar keeps the event with the highest."""
    code: str
    title: str
    starts_at: datetime
    ends_at: datetime
    place: str
    address: str
    phone: str
    is_confirmed: bool
    """False while staff have not decided yet, or the child waits for a seat."""
    is_cancelled: bool
    can_cancel: bool
    """Whether the family may still give the place back by a word."""
    changed_at: datetime


def find_event(db: Session, sign_up_id: int, now: datetime) -> CalendarEvent | None:
    """The event of a sign-up; None where there is none, or its session is long over.

    One event stands for siblings: it is cancelled when none of the family comes any more.
    """
    sign_up = db.execute(
        select(SignUp)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
        .where(SignUp.id == sign_up_id)
    ).scalar_one_or_none()
    if sign_up is None or now - sign_up.session.ends_at > KEPT_FOR:
        return None
    session, station = sign_up.session, sign_up.session.station
    states = set(
        db.execute(
            select(SignUp.state).where(
                SignUp.session_id == session.id,
                SignUp.family_id == sign_up.family_id,
                SignUp.state.in_(KEPT),
            )
        ).scalars()
    )
    is_cancelled = not states or session.state == SessionState.CANCELLED
    return CalendarEvent(
        sign_up_id=sign_up.id,
        sequence=session.calendar_sequence,
        code=session.code,
        title=session.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place=station.name,
        address=station.address,
        phone=station.phone,
        is_confirmed=bool(states & CERTAIN),
        is_cancelled=is_cancelled,
        can_cancel=can_cancel(terms_of(session), now),
        changed_at=max(session.updated_at, sign_up.decided_at or sign_up.requested_at),
    )
