"""When a family is reminded of a home visit: the evening before, and two hours before.

    the evening before a visit on Thursday: Wednesday 18:00, until 21:00
    2 h before a 09:00 visit: 08:00 (07:00 is night), until 08:45

Times are Shanghai's, in and out.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from app.rules.quiet_hours import QUIET_FROM, first_loud

EVENING: Final = time(18)
HOURS_BEFORE: Final = timedelta(hours=2)
USEFUL_UNTIL: Final = timedelta(minutes=15)
"""Nearer to the visit a reminder tells nobody anything."""
LONGEST_LEAD: Final = timedelta(hours=48)
"""No reminder falls due earlier before a visit than this."""


class VisitReminder(StrEnum):
    EVENING_BEFORE = "visit_evening"
    HOURS_BEFORE = "visit_2h"


@dataclass(frozen=True, slots=True)
class DueVisitReminder:
    reminder: VisitReminder
    until: datetime


def bounds(reminder: VisitReminder, starts_at: datetime) -> tuple[datetime, datetime]:
    """From when a reminder is to go out, and from when on it is stale."""
    if reminder is VisitReminder.EVENING_BEFORE:
        day = starts_at.date() - timedelta(days=1)
        zone = starts_at.tzinfo
        return datetime.combine(day, EVENING, zone), datetime.combine(day, QUIET_FROM, zone)
    return first_loud(starts_at - HOURS_BEFORE), starts_at - USEFUL_UNTIL


def find_due(starts_at: datetime, now: datetime, told_at: datetime) -> DueVisitReminder | None:
    """The reminder that is due now; None where none is, or where the family was told the time
    after the reminder's moment."""
    for reminder in VisitReminder:
        since, until = bounds(reminder, starts_at)
        if since <= now < until and told_at < since:
            return DueVisitReminder(reminder, until)
    return None
