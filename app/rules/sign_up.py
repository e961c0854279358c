"""Rules of a sign-up: its states, who may come, and until when."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from app.errors import (
    AgeOutsideSession,
    SessionCancelled,
    SessionUnknown,
    SignUpClosed,
    SignUpDelayed,
    SignUpNotOpenYet,
    TooLateToCancel,
    TownshipFirst,
    TransitionNotAllowed,
)
from app.rules.age import age_months


class SignUpState(StrEnum):
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    ATTENDED = "attended"
    NO_SHOW = "no_show"


class SessionState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    HELD = "held"
    CANCELLED = "cancelled"


S = SignUpState

SEATED = frozenset({S.REQUESTED, S.CONFIRMED, S.OFFERED, S.ATTENDED, S.NO_SHOW})
"""States that hold a seat; a requested place is held, a missed one was held."""

ACTIVE = frozenset({S.REQUESTED, S.CONFIRMED, S.WAITLISTED, S.OFFERED, S.ATTENDED})
"""States of which a child has at most one in a session."""

TRANSITIONS: dict[SignUpState, frozenset[SignUpState]] = {
    S.REQUESTED: frozenset({S.CONFIRMED, S.DECLINED, S.CANCELLED, S.ATTENDED, S.NO_SHOW}),
    S.WAITLISTED: frozenset({S.OFFERED, S.CANCELLED}),
    S.OFFERED: frozenset({S.CONFIRMED, S.EXPIRED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.CANCELLED, S.ATTENDED, S.NO_SHOW}),
    S.ATTENDED: frozenset({S.CONFIRMED}),  # undo of a check-in
    S.NO_SHOW: frozenset({S.ATTENDED}),
    S.DECLINED: frozenset(),
    S.EXPIRED: frozenset(),
    S.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """What the rules need to know of a session."""

    code: str
    state: SessionState
    starts_at: datetime
    opens_at: datetime
    closes_at: datetime
    cancel_until: datetime
    min_months: int
    max_months: int


def check_transition(state: SignUpState, wanted: SignUpState, *, is_override: bool = False) -> None:
    """Raises TransitionNotAllowed unless the state machine has this step.

    An override of the places is the one step that it does not have: who waits is seated.
    """
    if is_override:
        is_step = (state, wanted) == (S.WAITLISTED, S.CONFIRMED)
    else:
        is_step = wanted in TRANSITIONS[state]
    if not is_step:
        raise TransitionNotAllowed(state=state, wanted=wanted)


def check_is_open(terms: SessionTerms, now: datetime) -> None:
    """Sign-up is open from opens_at (inclusive) until closes_at (exclusive).

    Raises SessionUnknown for a draft, SessionCancelled, SignUpNotOpenYet, SignUpClosed.
    """
    if terms.state is SessionState.DRAFT:
        raise SessionUnknown(terms.code)
    if terms.state is SessionState.CANCELLED:
        raise SessionCancelled(terms.code)
    if now < terms.opens_at and now < terms.starts_at:
        raise SignUpNotOpenYet(terms.code, terms.opens_at)
    closed_at = min(terms.closes_at, terms.starts_at)
    if terms.state is SessionState.HELD or now >= closed_at:
        raise SignUpClosed(terms.code, closed_at)


def check_township_first(
    code: str, *, until: datetime, township: str, is_own: bool, now: datetime
) -> None:
    """Until then a session is for its own township's families. Raises TownshipFirst."""
    if now < until and not is_own:
        raise TownshipFirst(code=code, township=township, opens_at=until)


def check_not_delayed(terms: SessionTerms, delay: timedelta, now: datetime) -> None:
    """Raises SignUpDelayed where sign-up opens later for this family, and has not yet."""
    opens_at = terms.opens_at + delay
    if now < opens_at:
        raise SignUpDelayed(code=terms.code, opens_at=opens_at)


def fits_age(terms: SessionTerms, born: date | None, on: date) -> bool:
    """Whether the age on the session's date lies within both bounds, inclusive.

    A child that is expected (born None) or not born by then fits no session.
    """
    if born is None or born > on:
        return False
    return terms.min_months <= age_months(born, on) <= terms.max_months


def check_age(terms: SessionTerms, nickname: str, born: date | None, on: date) -> None:
    """Raises AgeOutsideSession with the age on the session's date."""
    if fits_age(terms, born, on):
        return
    raise AgeOutsideSession(
        code=terms.code,
        nickname=nickname,
        on=on,
        age_months=None if born is None or born > on else age_months(born, on),
        min_months=terms.min_months,
        max_months=terms.max_months,
    )


def can_cancel(terms: SessionTerms, now: datetime) -> bool:
    """Whether a family may give its place back by itself: up to and including cancel_until."""
    return now <= min(terms.cancel_until, terms.starts_at)


def check_can_cancel(terms: SessionTerms, now: datetime, station: str, phone: str | None) -> None:
    """Cancelling is free up to and including cancel_until; raises TooLateToCancel after."""
    if not can_cancel(terms, now):
        raise TooLateToCancel(
            code=terms.code, until=terms.cancel_until, station=station, phone=phone or None
        )
