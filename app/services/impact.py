"""Whom a change of a session would touch: asked for before it is saved, and never writing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, contains_eager

from app.clock import SHANGHAI
from app.models import Child, GuidanceSession, SignUp, Station
from app.rules.age import age_months
from app.rules.calendar_days import Day
from app.rules.session_life import loses_eligibility
from app.rules.sign_up import SessionState, SignUpState
from app.rules.waiting_list import offer_ends
from app.services import calendar_days
from app.services.publishing import (
    CONCERNED,
    SessionRow,
    find_concerned,
    is_moved,
    terms_of_row,
)
from app.services.seats import held_on, terms_of
from app.services.session_news import open_until


@dataclass(frozen=True, slots=True)
class Touched:
    """One child that a change touches."""

    sign_up_id: int
    family_id: int
    nickname: str
    state: SignUpState
    age_months: int | None
    """On the new day; None where the child is not born by then."""


@dataclass(frozen=True, slots=True)
class DoubleBooking:
    """A family that is somewhere else at the new time."""

    nickname: str
    code: str
    title: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Impact:
    """What saving would do. Empty where nobody has to hear of it."""

    code: str
    is_moved: bool
    told: tuple[Touched, ...]
    """Who keeps the place and gets a message."""
    aged_out: tuple[Touched, ...]
    """Who fitted and fits no more; they lose the place unless staff keep it, and get a message
    either way where the session moves."""
    double_booked: tuple[DoubleBooking, ...]
    seats_over: int
    """Seats held beyond the new places: nobody is thrown out, nobody new comes in."""
    new_offers: int
    """Children who wait and would be offered one of the places that are more."""
    day: Day
    """The new day in the calendar."""


def of_change(db: Session, session: GuidanceSession, row: SessionRow, now: datetime) -> Impact:
    """What change_session would do with this row."""
    rows = [
        (sign_up, child)
        for sign_up, child in find_concerned(db, session.id)
        if not _has_run_out(sign_up, now)
    ]
    was, was_on = terms_of(session), held_on(session)
    new = terms_of_row(row, SessionState(session.state))
    new_on = row.starts_at.astimezone(SHANGHAI).date()
    moved = is_moved(session, row)
    aged_out = [
        (sign_up, child)
        for sign_up, child in rows
        if loses_eligibility(child.birth_date, was, was_on, new, new_on)
    ]
    out = {sign_up.id for sign_up, _ in aged_out}
    told = [pair for pair in rows if pair[0].id not in out] if moved else []
    waiting = sum(sign_up.state == SignUpState.WAITLISTED for sign_up, _ in rows)
    # Past the cut-off of the new time nothing is offered, however many places there are.
    is_offered = offer_ends(_local(now), session.offer_hours, _local(row.starts_at)) is not None
    return Impact(
        code=session.code,
        is_moved=moved,
        told=tuple(_touched(*pair, row) for pair in told if now < row.ends_at),
        aged_out=tuple(_touched(*pair, row) for pair in aged_out),
        double_booked=tuple(_double_booked(db, session, row, rows)) if moved else (),
        seats_over=max(0, session.places_taken - row.places),
        new_offers=min(waiting, max(0, row.places - session.places_taken)) if is_offered else 0,
        day=calendar_days.get_day(db, new_on),
    )


def _has_run_out(sign_up: SignUp, now: datetime) -> bool:
    """Whether this was an offer: saving settles it first, if no job has."""
    ends = open_until(sign_up)
    return ends is not None and ends <= now


def _local(at: datetime) -> datetime:
    return at.astimezone(SHANGHAI)


def of_cancelling(db: Session, session: GuidanceSession) -> tuple[Touched, ...]:
    """Whom cancelling tells."""
    return tuple(_touched(*pair, None, session) for pair in find_concerned(db, session.id))


def _touched(
    sign_up: SignUp, child: Child, row: SessionRow | None, session: GuidanceSession | None = None
) -> Touched:
    starts_at = row.starts_at if row else (session or sign_up.session).starts_at
    day, born = starts_at.astimezone(SHANGHAI).date(), child.birth_date
    return Touched(
        sign_up_id=sign_up.id,
        family_id=sign_up.family_id,
        nickname=child.nickname,
        state=SignUpState(sign_up.state),
        age_months=None if born is None or born > day else age_months(born, day),
    )


def _double_booked(
    db: Session,
    session: GuidanceSession,
    row: SessionRow,
    concerned: Sequence[tuple[SignUp, Child]],
) -> list[DoubleBooking]:
    """Families with another session at the new time: one adult cannot be in two places."""
    if not concerned:
        return []
    other = aliased(GuidanceSession)
    clashes = db.execute(
        select(SignUp.family_id, other.code, other.title, other.starts_at)
        .join(other, other.id == SignUp.session_id)
        .where(
            SignUp.family_id.in_({sign_up.family_id for sign_up, _ in concerned}),
            SignUp.session_id != session.id,
            SignUp.state.in_(CONCERNED),
            other.state == SessionState.PUBLISHED,
            other.starts_at < row.ends_at,
            other.ends_at > row.starts_at,
        )
        .distinct()
        .order_by(other.starts_at, SignUp.family_id)
    ).all()
    return [
        DoubleBooking(child.nickname, code, title, starts_at)
        for family_id, code, title, starts_at in clashes
        for sign_up, child in concerned
        if sign_up.family_id == family_id
    ]


def sessions_on(db: Session, first: datetime, until: datetime) -> list[GuidanceSession]:
    """Published sessions that start in a span, with their stations, by time."""
    return list(
        db.scalars(
            select(GuidanceSession)
            .join(GuidanceSession.station)
            .options(contains_eager(GuidanceSession.station))
            .where(
                GuidanceSession.state == SessionState.PUBLISHED,
                GuidanceSession.starts_at >= first,
                GuidanceSession.starts_at < until,
            )
            .order_by(GuidanceSession.starts_at, Station.name)
        )
    )
