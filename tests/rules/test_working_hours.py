"""When somebody is there, at the edges of days, weekends and holidays."""

from datetime import date, datetime

import pytest

from app.clock import SHANGHAI
from app.rules.working_hours import is_open, next_opening, working_minutes

WEEKEND = frozenset({date(2026, 11, 21), date(2026, 11, 22), date(2026, 11, 28)})
HOLIDAY = frozenset(date(2026, 10, day) for day in range(1, 9))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "moment, opens",
    [
        ("2026-11-20T08:59", "2026-11-20T09:00"),
        ("2026-11-20T09:00", "2026-11-20T09:00"),
        ("2026-11-20T16:59", "2026-11-20T16:59"),
        ("2026-11-20T17:00", "2026-11-23T09:00"),
        ("2026-11-21T12:00", "2026-11-23T09:00"),
        ("2026-11-23T03:00", "2026-11-23T09:00"),
        ("2026-09-30T18:00", "2026-10-09T09:00"),
        ("2028-02-28T20:00", "2028-02-29T09:00"),
    ],
)
def test_somebody_is_there_on_working_days_from_nine_to_five(moment: str, opens: str) -> None:
    off = WEEKEND | HOLIDAY

    assert next_opening(at(moment), off) == at(opens)
    assert is_open(at(moment), off) == (moment == opens)


@pytest.mark.parametrize(
    "since, until, minutes",
    [
        ("2026-11-20T10:00", "2026-11-20T11:30", 90),
        ("2026-11-20T16:30", "2026-11-23T09:30", 60),
        ("2026-11-20T18:00", "2026-11-22T23:00", 0),
        ("2026-11-19T08:00", "2026-11-20T20:00", 960),
        ("2026-11-20T11:00", "2026-11-20T10:00", 0),
    ],
)
def test_only_office_hours_count_as_waiting(since: str, until: str, minutes: int) -> None:
    assert working_minutes(at(since), at(until), WEEKEND) == minutes
