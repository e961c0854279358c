"""When a reminder is due, at its edges and in general."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.rules.quiet_hours import is_quiet
from app.rules.reminders import LONGEST_LEAD, Reminder, find_due, moment_of, needs

HALF_PAST_NINE = "2026-11-28T09:30"
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "starts, now, reminder, send",
    [
        (HALF_PAST_NINE, "2026-11-27T09:29", None, ""),
        (HALF_PAST_NINE, "2026-11-27T09:30", Reminder.DAY_BEFORE, "2026-11-27T09:30"),
        (HALF_PAST_NINE, "2026-11-27T20:59", Reminder.DAY_BEFORE, "2026-11-27T20:59"),
        # Three hours before are 06:30, in the night: the morning would be too late.
        (HALF_PAST_NINE, "2026-11-27T21:00", None, ""),
        (HALF_PAST_NINE, "2026-11-28T06:29", None, ""),
        # Two hours before are 07:30, in the night.
        (HALF_PAST_NINE, "2026-11-28T07:59", None, ""),
        (HALF_PAST_NINE, "2026-11-28T08:00", Reminder.HOURS_BEFORE, "2026-11-28T08:00"),
        (HALF_PAST_NINE, "2026-11-28T09:14", Reminder.HOURS_BEFORE, "2026-11-28T09:14"),
        (HALF_PAST_NINE, "2026-11-28T09:15", None, ""),
        (HALF_PAST_NINE, "2026-11-28T09:30", None, ""),
        # In the afternoon: three hours before are by day.
        ("2026-11-28T15:00", "2026-11-27T21:00", Reminder.DAY_BEFORE, "2026-11-28T08:00"),
        ("2026-11-28T15:00", "2026-11-28T00:00", Reminder.DAY_BEFORE, "2026-11-28T08:00"),
        ("2026-11-28T15:00", "2026-11-28T11:59", Reminder.DAY_BEFORE, "2026-11-28T11:59"),
        ("2026-11-28T15:00", "2026-11-28T12:00", None, ""),
        ("2026-11-28T15:00", "2026-11-28T13:00", Reminder.HOURS_BEFORE, "2026-11-28T13:00"),
        # A day before 07:30 is in the night.
        ("2026-11-28T07:30", "2026-11-27T07:30", None, ""),
        ("2026-11-28T07:30", "2026-11-27T08:00", Reminder.DAY_BEFORE, "2026-11-27T08:00"),
        ("2026-11-28T07:30", "2026-11-28T07:00", None, ""),
        # Beginning with the morning: two hours before would reach nobody in time.
        ("2026-11-28T08:00", "2026-11-28T07:50", None, ""),
        # After nine in the evening: the night itself is before the start.
        ("2026-11-28T22:30", "2026-11-28T20:30", Reminder.HOURS_BEFORE, "2026-11-28T20:30"),
        ("2026-11-28T22:30", "2026-11-28T21:00", None, ""),
    ],
)
def test_what_is_due(starts: str, now: str, reminder: Reminder | None, send: str) -> None:
    due = find_due(at(starts), at(now))

    assert (due and due.reminder) == reminder
    assert (due and due.send_at) == (at(send) if send else None)


minutes = st.integers(0, 2 * 365 * 24 * 60)
within = st.integers(-120, 30 * 60)


@given(minutes, within)
def test_nothing_is_sent_in_the_night_after_its_end_or_after_the_start(
    start: int, ahead: int
) -> None:
    starts_at = datetime(2026, 1, 1, tzinfo=SHANGHAI) + start * MINUTE
    now = starts_at - ahead * MINUTE

    due = find_due(starts_at, now)

    if due is not None:
        assert now <= due.send_at < due.until < starts_at
        assert not is_quiet(due.send_at)
        assert moment_of(due.reminder, starts_at) <= due.send_at
        assert starts_at - due.send_at <= LONGEST_LEAD


@given(minutes, within, within)
def test_a_later_run_never_goes_back_to_the_earlier_reminder(
    start: int, ahead: int, less: int
) -> None:
    starts_at = datetime(2026, 1, 1, tzinfo=SHANGHAI) + start * MINUTE
    first = find_due(starts_at, starts_at - max(ahead, less) * MINUTE)
    second = find_due(starts_at, starts_at - min(ahead, less) * MINUTE)

    if first and second:
        assert (first.reminder, second.reminder) != (Reminder.HOURS_BEFORE, Reminder.DAY_BEFORE)
        assert first.reminder is second.reminder or first.until <= second.send_at


@pytest.mark.parametrize(
    "reminder, told, needed",
    [
        (Reminder.DAY_BEFORE, "2026-11-27T08:30", True),
        (Reminder.DAY_BEFORE, "2026-11-27T08:31", False),
        (Reminder.DAY_BEFORE, "2026-11-27T12:00", False),
        (Reminder.HOURS_BEFORE, "2026-11-28T07:00", True),
        (Reminder.HOURS_BEFORE, "2026-11-28T07:01", False),
    ],
)
def test_who_has_just_been_told_needs_no_reminding(
    reminder: Reminder, told: str, needed: bool
) -> None:
    assert needs(reminder, at(HALF_PAST_NINE), at(told)) is needed
