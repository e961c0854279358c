"""When a family is reminded of a session: a day before and two hours before, never stale.

Each of the two has a moment, which depends on the session alone and is moved out of the night
(21:00–08:00) into the morning, and an end, after which it is not worth sending. So a job that
runs late sends what is still of use and drops the rest, and two runs come to the same result:

    24 h before a 09:30 session: 09:30 of the day before, until 06:30 of the day itself
     2 h before a 09:30 session: 08:00 (07:30 is night), until 09:15
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.rules.quiet_hours import first_loud


class Reminder(StrEnum):
    DAY_BEFORE = "reminder_24h"
    HOURS_BEFORE = "reminder_2h"


LEAD = {
    Reminder.DAY_BEFORE: timedelta(hours=24),
    Reminder.HOURS_BEFORE: timedelta(hours=2),
}
USEFUL_UNTIL = {
    Reminder.DAY_BEFORE: timedelta(hours=3),
    Reminder.HOURS_BEFORE: timedelta(minutes=15),
}
"""How long before the start each is of no more use: the one because the other is near, the
other because who has not left by then would not come in time."""

FRESH_FOR = timedelta(hours=1)
"""Who learned of the time less than this before a reminder's moment needs no reminding."""

LONGEST_LEAD = max(LEAD.values())


@dataclass(frozen=True, slots=True)
class DueReminder:
    """Which reminder is to go out, when, and from when on it would be stale."""

    reminder: Reminder
    send_at: datetime
    until: datetime


def moment_of(reminder: Reminder, starts_at: datetime) -> datetime:
    """When a reminder falls due: so long before the start, or the morning after that night.

    Times are Shanghai's, in and out.
    """
    return first_loud(starts_at - LEAD[reminder])


def find_due(starts_at: datetime, now: datetime) -> DueReminder | None:
    """The reminder that is due now, if any: never both. Times are Shanghai's, in and out.

    In the night the morning's first minute is given as the time to send, unless the reminder
    would be stale by then.
    """
    for reminder in Reminder:
        until = starts_at - USEFUL_UNTIL[reminder]
        if moment_of(reminder, starts_at) <= now < until:
            send_at = first_loud(now)
            return DueReminder(reminder, send_at, until) if send_at < until else None
    return None


def needs(reminder: Reminder, starts_at: datetime, told_at: datetime) -> bool:
    """Whether who was last told the session's time at `told_at` (confirmed, or moved) is to be
    reminded: not where that was after the reminder's moment or shortly before it."""
    return moment_of(reminder, starts_at) - told_at >= FRESH_FOR
