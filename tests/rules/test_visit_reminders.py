"""The evening before and two hours before, never stale, never in the night."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.rules.visit_reminders import find_due

SHANGHAI = ZoneInfo("Asia/Shanghai")
NINE = datetime(2026, 11, 26, 9, 0, tzinfo=SHANGHAI)
LONG_AGO = NINE - timedelta(days=5)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-25 17:59", None),
        ("2026-11-25 18:00", "visit_evening"),
        ("2026-11-25 20:59", "visit_evening"),
        ("2026-11-25 21:00", None),
        ("2026-11-26 07:59", None),
        ("2026-11-26 08:00", "visit_2h"),
        ("2026-11-26 08:44", "visit_2h"),
        ("2026-11-26 08:45", None),
        ("2026-11-26 09:00", None),
    ],
)
def test_when_each_reminder_of_a_nine_oclock_visit_is_due(at: str, due: str | None) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    found = find_due(NINE, now, LONG_AGO)
    assert (found.reminder if found else None) == due


def test_an_afternoon_visit_is_reminded_of_two_hours_before() -> None:
    starts = NINE.replace(hour=14)
    assert find_due(starts, starts - timedelta(hours=2, minutes=1), LONG_AGO) is None
    assert find_due(starts, starts - timedelta(hours=2), LONG_AGO) is not None


def test_who_was_told_the_time_after_a_reminders_moment_does_not_get_that_one() -> None:
    evening = NINE - timedelta(hours=14)
    assert find_due(NINE, evening, told_at=NINE - timedelta(hours=15)) is None
    morning = NINE - timedelta(hours=1)
    assert find_due(NINE, morning, told_at=NINE - timedelta(hours=15)) is not None


def test_the_evening_before_the_first_of_march_is_the_29th_of_february() -> None:
    starts = datetime(2028, 3, 1, 10, 0, tzinfo=SHANGHAI)
    now = datetime(2028, 2, 29, 18, 0, tzinfo=SHANGHAI)
    found = find_due(starts, now, LONG_AGO)
    assert found is not None
    assert found.reminder == "visit_evening"
