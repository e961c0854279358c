"""Who signs up later because of missed sessions, at the edges."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.rules.no_show import OPENS_LATER_BY, sign_up_delay

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
NONE = timedelta(0)
LATER = timedelta(hours=12)


@pytest.mark.parametrize(
    "days_ago, waived_days_ago, delay",
    [
        ((), None, NONE),
        ((1,), None, NONE),
        ((1, 30), None, LATER),
        ((1, 30, 60), None, LATER),
        ((1, 180), None, LATER),
        ((1, 181), None, NONE),
        # The same session, missed by two siblings, is one.
        ((5, 5), None, NONE),
        ((1, 30), 10, NONE),
        ((1, 2, 30), 10, LATER),
        # Waived at the very start of one.
        ((10, 1), 10, NONE),
        # A session yet to come cannot have been missed.
        ((1, -1), None, NONE),
    ],
)
def test_two_missed_sessions_of_half_a_year_open_sign_up_later(
    days_ago: Sequence[int], waived_days_ago: int | None, delay: timedelta
) -> None:
    missed = [NOW - timedelta(days=days) for days in days_ago]
    waived = None if waived_days_ago is None else NOW - timedelta(days=waived_days_ago)

    assert sign_up_delay(missed, NOW, waived) == delay


@given(st.lists(st.integers(-400, 400), max_size=8))
def test_it_is_never_a_ban_and_a_waiver_ends_it(days: list[int]) -> None:
    missed = [NOW - timedelta(days=day) for day in days]

    assert sign_up_delay(missed, NOW, None) in (NONE, OPENS_LATER_BY)
    assert sign_up_delay(missed, NOW, NOW) == NONE
