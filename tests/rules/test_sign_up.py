"""A sign-up's states: every step that there is, and every one that there is not."""

from datetime import datetime, timedelta

import pytest

from app.clock import SHANGHAI
from app.errors import (
    SessionCancelled,
    SessionUnknown,
    SignUpClosed,
    SignUpDelayed,
    SignUpNotOpenYet,
    TooLateToCancel,
    TownshipFirst,
    TransitionNotAllowed,
)
from app.rules.sign_up import (
    ACTIVE,
    SEATED,
    SessionState,
    SessionTerms,
    SignUpState,
    check_can_cancel,
    check_is_open,
    check_not_delayed,
    check_township_first,
    check_transition,
)

STEPS = """
    requested  confirmed declined cancelled attended no_show
    waitlisted offered cancelled
    offered    confirmed expired cancelled
    confirmed  cancelled attended no_show
    attended   confirmed
    no_show    attended
    declined
    expired
    cancelled
"""
ALLOWED = {
    (SignUpState(was), SignUpState(to))
    for was, *following in (line.split() for line in STEPS.strip().splitlines())
    for to in following
}
EVERY_STEP = [(was, to) for was in SignUpState for to in SignUpState]

STARTS = datetime(2026, 11, 28, 9, 30, tzinfo=SHANGHAI)
TERMS = SessionTerms(
    code="CQ-1",
    state=SessionState.PUBLISHED,
    starts_at=STARTS,
    opens_at=STARTS - timedelta(days=14),
    closes_at=STARTS - timedelta(hours=1),
    cancel_until=STARTS - timedelta(days=1),
    min_months=6,
    max_months=12,
)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("was, to", EVERY_STEP)
def test_the_state_machine_has_these_steps_and_no_others(was: SignUpState, to: SignUpState) -> None:
    if (was, to) in ALLOWED:
        check_transition(was, to)
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        check_transition(was, to)
    assert (refused.value.state, refused.value.wanted) == (was, to)


@pytest.mark.parametrize("was, to", EVERY_STEP)
def test_an_override_is_the_one_step_from_waiting_to_confirmed(
    was: SignUpState, to: SignUpState
) -> None:
    if (was, to) == (SignUpState.WAITLISTED, SignUpState.CONFIRMED):
        check_transition(was, to, is_override=True)
        return
    with pytest.raises(TransitionNotAllowed):
        check_transition(was, to, is_override=True)


def test_who_waits_is_active_and_holds_no_seat() -> None:
    assert {*ACTIVE} - {*SEATED} == {SignUpState.WAITLISTED}
    assert {*SEATED} - {*ACTIVE} == {SignUpState.NO_SHOW}


@pytest.mark.parametrize(
    "now, refusal",
    [
        (TERMS.opens_at - SECOND, SignUpNotOpenYet),
        (TERMS.opens_at, None),
        (TERMS.closes_at - SECOND, None),
        (TERMS.closes_at, SignUpClosed),
        (STARTS + SECOND, SignUpClosed),
    ],
)
def test_sign_up_is_open_between_its_bounds(now: datetime, refusal: type[Exception] | None) -> None:
    if refusal is None:
        check_is_open(TERMS, now)
        return
    with pytest.raises(refusal):
        check_is_open(TERMS, now)


@pytest.mark.parametrize(
    "state, refusal",
    [
        (SessionState.DRAFT, SessionUnknown),
        (SessionState.CANCELLED, SessionCancelled),
        (SessionState.HELD, SignUpClosed),
    ],
)
def test_only_a_published_session_takes_sign_ups(
    state: SessionState, refusal: type[Exception]
) -> None:
    terms = SessionTerms(
        code="CQ-1",
        state=state,
        starts_at=STARTS,
        opens_at=TERMS.opens_at,
        closes_at=TERMS.closes_at,
        cancel_until=TERMS.cancel_until,
        min_months=6,
        max_months=12,
    )
    with pytest.raises(refusal):
        check_is_open(terms, TERMS.opens_at)


@pytest.mark.parametrize("late, is_own", [(-SECOND, True), (0 * SECOND, False), (SECOND, False)])
def test_the_township_comes_first_until_its_hour(late: timedelta, is_own: bool) -> None:
    check_township_first("CQ-1", until=STARTS, township="城桥镇", is_own=is_own, now=STARTS + late)


def test_before_that_hour_other_townships_wait() -> None:
    with pytest.raises(TownshipFirst) as refused:
        check_township_first(
            "CQ-1", until=STARTS, township="城桥镇", is_own=False, now=STARTS - SECOND
        )
    assert refused.value.opens_at == STARTS


def test_a_delayed_family_waits_to_the_second() -> None:
    opens = TERMS.opens_at + timedelta(hours=12)
    with pytest.raises(SignUpDelayed) as refused:
        check_not_delayed(TERMS, timedelta(hours=12), opens - SECOND)
    assert refused.value.opens_at == opens
    check_not_delayed(TERMS, timedelta(hours=12), opens)
    check_not_delayed(TERMS, timedelta(0), TERMS.opens_at)


def test_cancelling_is_free_up_to_the_deadline_and_then_says_whom_to_call() -> None:
    check_can_cancel(TERMS, TERMS.cancel_until, "城桥站", "021-5555-0101")
    with pytest.raises(TooLateToCancel) as refused:
        check_can_cancel(TERMS, TERMS.cancel_until + SECOND, "城桥站", "")
    assert refused.value.phone is None
    assert refused.value.until == TERMS.cancel_until
