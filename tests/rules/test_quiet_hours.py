"""Quiet hours at their edges."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.errors import QuietHoursOutOfRange
from app.rules.quiet_hours import check_night, first_loud, is_quiet


@pytest.mark.parametrize(
    "at, loud",
    [
        ("2026-11-22T20:59:59", "2026-11-22T20:59:59"),
        ("2026-11-22T21:00:00", "2026-11-23T08:00:00"),
        ("2026-11-22T23:59:59", "2026-11-23T08:00:00"),
        ("2026-11-23T00:00:00", "2026-11-23T08:00:00"),
        ("2026-11-23T07:59:59", "2026-11-23T08:00:00"),
        ("2026-11-23T08:00:00", "2026-11-23T08:00:00"),
        ("2026-12-31T22:00:00", "2027-01-01T08:00:00"),
        ("2028-02-28T21:30:00", "2028-02-29T08:00:00"),
    ],
)
def test_the_night_ends_at_eight(at: str, loud: str) -> None:
    local = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)

    assert first_loud(local) == datetime.fromisoformat(loud).replace(tzinfo=SHANGHAI)
    assert is_quiet(local) == (at != loud)


@given(st.integers(0, 16 * 366 * 24 * 60))
def test_nothing_waits_longer_than_a_night_and_never_into_another(minutes: int) -> None:
    local = datetime(2024, 1, 1, tzinfo=SHANGHAI) + timedelta(minutes=minutes)
    loud = first_loud(local)

    assert not is_quiet(loud)
    assert timedelta(0) <= loud - local <= timedelta(hours=11)


@pytest.mark.parametrize(
    "at, loud",
    [
        ("2026-11-22T17:59:59", "2026-11-22T17:59:59"),
        ("2026-11-22T18:00:00", "2026-11-23T12:00:00"),
        ("2026-11-23T08:00:00", "2026-11-23T12:00:00"),
        ("2026-11-23T11:59:59", "2026-11-23T12:00:00"),
        ("2026-11-23T12:00:00", "2026-11-23T12:00:00"),
        ("2026-12-31T20:00:00", "2027-01-01T12:00:00"),
    ],
)
def test_a_night_of_ones_own_ends_when_it_was_said_to(at: str, loud: str) -> None:
    local = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    night = check_night(18, 12)

    assert first_loud(local, night) == datetime.fromisoformat(loud).replace(tzinfo=SHANGHAI)
    assert is_quiet(local, night) == (at != loud)


@pytest.mark.parametrize("starts, ends", [(17, 8), (22, 8), (21, 7), (21, 13), (0, 8), (21, 24)])
def test_no_night_lets_anybody_be_woken_or_never_be_reached(starts: int, ends: int) -> None:
    with pytest.raises(QuietHoursOutOfRange):
        check_night(starts, ends)
