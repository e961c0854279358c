"""How long an offer holds its seat, and whose turn it is."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.rules.quiet_hours import is_quiet
from app.rules.sign_up import SignUpState
from app.rules.waiting_list import (
    CUT_OFF,
    Waiting,
    WaitingOrder,
    in_line,
    is_open_offer,
    offer_ends,
)

FAR = datetime(2026, 12, 31, 10, 0, tzinfo=SHANGHAI)


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "offered, hours, ends",
    [
        (at(22, 10), 6, at(22, 16)),
        (at(22, 8), 12, at(22, 20)),
        # The evening ends at nine, and the rest follows from eight.
        (at(22, 19), 2, at(22, 21)),
        (at(22, 19, 1), 2, at(23, 8, 1)),
        (at(22, 18), 6, at(23, 11)),
        (at(22, 20, 59, 59), 2, at(23, 9, 59, 59)),
        # At night it runs from the morning.
        (at(22, 21), 2, at(23, 10)),
        (at(22, 23, 30), 12, at(23, 20)),
        (at(23, 0), 6, at(23, 14)),
        (at(23, 7, 59, 59), 6, at(23, 14)),
        # Never shorter or longer than a session may say.
        (at(22, 10), 1, at(22, 12)),
        (at(22, 8), 13, at(22, 20)),
        # The year's end is a night like another.
        (
            datetime(2026, 12, 30, 20, 0, tzinfo=SHANGHAI),
            2,
            datetime(2026, 12, 31, 8, 0, tzinfo=SHANGHAI),
        ),
    ],
)
def test_an_offer_holds_for_its_waking_hours(offered: datetime, hours: int, ends: datetime) -> None:
    assert offer_ends(offered, hours, FAR) == ends


@pytest.mark.parametrize(
    "offered, starts, ends",
    [
        (at(22, 10), at(22, 17), at(22, 15)),
        (at(22, 10), at(22, 18), at(22, 16)),
        (at(22, 10), at(22, 18, 1), at(22, 16)),
        (at(22, 10), at(22, 12, 0, 1), at(22, 10, 0, 1)),
        # At the cut-off, and after it, there is no offer.
        (at(22, 10), at(22, 12), None),
        (at(22, 10), at(22, 11), None),
        # Made in the evening for the morning: over at seven, two hours before nine.
        (at(22, 20), at(23, 9), at(23, 7)),
        # Made at night it would be heard of at eight, when its time is over.
        (at(22, 22), at(23, 9), None),
        (at(22, 22), at(23, 10), None),
        (at(22, 22), at(23, 10, 30), at(23, 8, 30)),
    ],
)
def test_an_offer_ends_two_hours_before_the_start(
    offered: datetime, starts: datetime, ends: datetime | None
) -> None:
    assert offer_ends(offered, 6, starts) == ends


moments = st.integers(0, 14 * 24 * 60).map(lambda minutes: at(1, 0) + timedelta(minutes=minutes))


def waking_minutes(since: datetime, until: datetime) -> int:
    minutes = int((until - since) / timedelta(minutes=1))
    return sum(not is_quiet(since + timedelta(minutes=each)) for each in range(minutes))


@given(offered=moments, hours=st.integers(2, 12), lead=st.integers(0, 72 * 60))
def test_an_offer_never_outlives_the_cut_off_nor_its_waking_hours(
    offered: datetime, hours: int, lead: int
) -> None:
    starts = offered + timedelta(minutes=lead)
    ends = offer_ends(offered, hours, starts)
    if ends is None:
        assert waking_minutes(offered, starts - CUT_OFF) == 0
        return
    assert offered < ends <= starts - CUT_OFF
    given_minutes = waking_minutes(offered, ends)
    assert 0 < given_minutes <= hours * 60
    if ends < starts - CUT_OFF:
        assert given_minutes == hours * 60


@pytest.mark.parametrize(
    "state, expires, is_open",
    [
        (SignUpState.OFFERED, at(22, 10, 0, 1), True),
        (SignUpState.OFFERED, at(22, 10), False),
        (SignUpState.OFFERED, at(22, 9, 59, 59), False),
        (SignUpState.OFFERED, None, False),
        (SignUpState.WAITLISTED, at(22, 11), False),
        (SignUpState.EXPIRED, at(22, 11), False),
        (SignUpState.CONFIRMED, at(22, 11), False),
    ],
)
def test_the_time_decides_whether_an_offer_is_open(
    state: SignUpState, expires: datetime | None, is_open: bool
) -> None:
    assert is_open_offer(state, expires, at(22, 10)) is is_open


LINE = (
    Waiting(sign_up_id=3, family_id=1, waitlisted_at=at(22, 9), attended=5),
    Waiting(sign_up_id=1, family_id=2, waitlisted_at=at(22, 10), attended=0),
    Waiting(sign_up_id=2, family_id=3, waitlisted_at=at(22, 10), attended=1),
    Waiting(sign_up_id=4, family_id=4, waitlisted_at=at(22, 11), attended=0),
)


@pytest.mark.parametrize(
    "order, ids",
    [
        (WaitingOrder.FIRST_COME, [3, 1, 2, 4]),
        (WaitingOrder.NO, [3, 1, 2, 4]),
        (WaitingOrder.FEWEST_ATTENDED, [1, 4, 2, 3]),
    ],
)
def test_the_line_has_the_order_of_its_session(order: WaitingOrder, ids: list[int]) -> None:
    assert [one.sign_up_id for one in in_line(reversed(LINE), order)] == ids


@given(
    waiting=st.lists(
        st.builds(
            Waiting,
            sign_up_id=st.integers(1, 50),
            family_id=st.integers(1, 9),
            waitlisted_at=moments,
            attended=st.integers(0, 6),
        ),
        unique_by=lambda one: one.sign_up_id,
    ),
    order=st.sampled_from(WaitingOrder),
    leaver=st.integers(0, 50),
)
def test_whoever_leaves_the_others_keep_their_order(
    waiting: list[Waiting], order: WaitingOrder, leaver: int
) -> None:
    without = [one for one in waiting if one.sign_up_id != leaver]
    kept = [one for one in in_line(waiting, order) if one.sign_up_id != leaver]
    assert in_line(without, order) == kept
