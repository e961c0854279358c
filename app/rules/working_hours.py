"""When somebody is there to answer: offices' days, 9:00 to 17:00 in Shanghai.

Days off (weekends, public holidays) are handed in; make-up workdays are simply not among them.
"""

from collections.abc import Set
from datetime import date, datetime, time, timedelta

OPENS = time(9)
CLOSES = time(17)
LOOKED_AHEAD = 30
"""Days within which offices open again; no holiday is longer."""


def is_open(at: datetime, off: Set[date]) -> bool:
    """Whether staff are at work; `at` in Shanghai's time."""
    return at.date() not in off and OPENS <= at.time() < CLOSES


def next_opening(at: datetime, off: Set[date]) -> datetime:
    """When staff are next at work: `at` itself while they are."""
    if is_open(at, off):
        return at
    day = at.date() if at.time() < OPENS else at.date() + timedelta(days=1)
    for _ in range(LOOKED_AHEAD):
        if day not in off:
            break
        day += timedelta(days=1)
    return datetime.combine(day, OPENS, at.tzinfo)


def working_minutes(since: datetime, until: datetime, off: Set[date]) -> int:
    """Minutes of office hours between two moments of Shanghai's time; 0 where until is earlier."""
    total = timedelta()
    day = since.date()
    while day <= until.date():
        if day not in off:
            opens = datetime.combine(day, OPENS, since.tzinfo)
            closes = datetime.combine(day, CLOSES, since.tzinfo)
            total += max(timedelta(), min(until, closes) - max(since, opens))
        day += timedelta(days=1)
    return int(total.total_seconds() // 60)
