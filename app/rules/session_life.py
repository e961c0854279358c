"""Rules of a guidance session's life: its steps, what may be changed, and who is touched by it.

draft → published → held | cancelled. That a published session is open, closed or over follows
from its times and is never stored; a moved one stays published with a higher SEQUENCE.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from app.errors import AttendanceTaken, CheckInTooEarly, SessionStepNotAllowed
from app.rules.sign_up import SessionState, SessionTerms, fits_age


class Stage(StrEnum):
    """Where a session stands at a moment."""

    DRAFT = "draft"
    NOT_OPEN = "not_open"
    OPEN = "open"
    CLOSED = "closed"
    """Sign-up is over and the session has not begun."""
    RUNNING = "running"
    OVER = "over"
    """It has ended, and nobody has said yet how it went."""
    HELD = "held"
    CANCELLED = "cancelled"


S = SessionState

STEPS: dict[SessionState, frozenset[SessionState]] = {
    S.DRAFT: frozenset({S.PUBLISHED, S.CANCELLED}),
    S.PUBLISHED: frozenset({S.HELD, S.CANCELLED}),
    S.HELD: frozenset(),
    S.CANCELLED: frozenset(),
}

EDITABLE = frozenset({S.DRAFT, S.PUBLISHED})


def stage_of(terms: SessionTerms, ends_at: datetime, now: datetime) -> Stage:
    """Where the session stands now; each moment belongs to what begins with it."""
    if terms.state is not SessionState.PUBLISHED:
        return Stage(terms.state)
    if now >= ends_at:
        return Stage.OVER
    if now >= terms.starts_at:
        return Stage.RUNNING
    if now >= terms.closes_at:
        return Stage.CLOSED
    return Stage.OPEN if now >= terms.opens_at else Stage.NOT_OPEN


def check_step(code: str, state: SessionState, wanted: SessionState) -> None:
    """Raises SessionStepNotAllowed unless a session's life has this step."""
    if wanted not in STEPS[state]:
        raise SessionStepNotAllowed(code=code, state=state, wanted=wanted)


def check_can_edit(code: str, state: SessionState) -> None:
    """Raises SessionStepNotAllowed for what is over or cancelled: it stays as it was told."""
    if state not in EDITABLE:
        raise SessionStepNotAllowed(code=code, state=state, wanted=state)


def check_can_cancel_session(code: str, state: SessionState, attendance: int) -> None:
    """A session may be cancelled, even after its time, until attendance has been taken.

    Raises SessionStepNotAllowed, AttendanceTaken.
    """
    check_step(code, state, SessionState.CANCELLED)
    if attendance:
        raise AttendanceTaken(code=code, count=attendance)


def check_can_move(
    code: str, *, was_over: bool, to_later_day: bool, to_come: bool, attendance: int
) -> None:
    """Whoever came, or was marked as missing, did so at what took place: it is not to come again.

    An hour may still be put right while the day lasts and the session is not over. Raises
    AttendanceTaken.
    """
    if attendance and (to_later_day or (was_over and to_come)):
        raise AttendanceTaken(code=code, count=attendance)


def check_can_hold(code: str, state: SessionState, ends_at: datetime, now: datetime) -> None:
    """Raises SessionStepNotAllowed where it is not published, or has not ended yet."""
    check_step(code, state, SessionState.HELD)
    if now < ends_at:
        raise SessionStepNotAllowed(code=code, state=state, wanted=SessionState.HELD)


def check_can_check_in(
    code: str, state: SessionState, first_moment: datetime, now: datetime
) -> None:
    """Staff enter attendance from the first minute of the session's day on, without an end:
    the paper sheet may turn up late.

    Raises SessionStepNotAllowed for a draft or a cancelled session, CheckInTooEarly.
    """
    if state not in (SessionState.PUBLISHED, SessionState.HELD):
        raise SessionStepNotAllowed(code=code, state=state, wanted=SessionState.HELD)
    if now < first_moment:
        raise CheckInTooEarly(code=code, opens_at=first_moment)


def loses_eligibility(
    born: date | None, was: SessionTerms, was_on: date, new: SessionTerms, new_on: date
) -> bool:
    """Whether a change of date or ages shuts out a child who fitted before.

    Whom staff let in beyond the ages did not fit before either, and keeps the place.
    """
    return fits_age(was, born, was_on) and not fits_age(new, born, new_on)


@dataclass(frozen=True, slots=True)
class Timing:
    """A session's moments; all aware."""

    starts_at: datetime
    ends_at: datetime
    opens_at: datetime
    closes_at: datetime
    cancel_until: datetime


def order_faults(timing: Timing) -> Iterator[tuple[str, str]]:
    """The fields whose moment is out of order, each with a reason's code."""
    if timing.ends_at <= timing.starts_at:
        yield "ends_at", "ends_before_start"
    if timing.closes_at <= timing.opens_at:
        yield "closes_at", "closes_before_opening"
    if timing.closes_at > timing.starts_at:
        yield "closes_at", "closes_after_start"
    if timing.cancel_until > timing.starts_at:
        yield "cancel_until", "cancel_after_start"


def moved_to(timing: Timing, day: date, at: time) -> Timing:
    """The same session on another day or hour: every moment keeps its distance from the start."""
    starts_at = datetime.combine(day, at, tzinfo=timing.starts_at.tzinfo)
    by = starts_at - timing.starts_at
    return Timing(
        starts_at=starts_at,
        ends_at=timing.ends_at + by,
        opens_at=timing.opens_at + by,
        closes_at=timing.closes_at + by,
        cancel_until=timing.cancel_until + by,
    )


def series_days(first: date, every_weeks: int, until: date) -> Iterator[date]:
    """first, and every so many weeks after it, up to and including until."""
    day = first
    while day <= until:
        yield day
        day += timedelta(weeks=every_weeks)
