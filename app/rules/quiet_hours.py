"""The hours in which nobody's phone should ring for what can wait: 21:00–08:00, or a family's own.

A family's own night holds the common one: it may begin earlier and end later, never the other way
round. Hours are full ones of Shanghai's time.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from app.errors import QuietHoursOutOfRange

QUIET_FROM = time(21)
QUIET_UNTIL = time(8)
EARLIEST_FROM: Final = 18
LATEST_UNTIL: Final = 12
"""Six hours a day are left in which something may come, or nothing ever would."""


@dataclass(frozen=True, slots=True)
class Night:
    """From an hour of the evening until one of the next morning."""

    starts: int = QUIET_FROM.hour
    ends: int = QUIET_UNTIL.hour


COMMON: Final = Night()


def check_night(starts: int, ends: int) -> Night:
    """A family's own night. Raises QuietHoursOutOfRange: 18 to 21, until 8 to 12."""
    begins_well = EARLIEST_FROM <= starts <= QUIET_FROM.hour
    if not begins_well or not QUIET_UNTIL.hour <= ends <= LATEST_UNTIL:
        raise QuietHoursOutOfRange(EARLIEST_FROM, QUIET_FROM.hour, QUIET_UNTIL.hour, LATEST_UNTIL)
    return Night(starts, ends)


def own_night(starts: int | None, ends: int | None) -> Night:
    """A night as it was kept; the common one where nothing was."""
    return COMMON if starts is None or ends is None else Night(starts, ends)


def is_quiet(local: datetime, night: Night = COMMON) -> bool:
    """Whether a moment, given in Shanghai's time, lies in the night; its last instant does not."""
    return not time(night.ends) <= local.time() < time(night.starts)


def first_loud(local: datetime, night: Night = COMMON) -> datetime:
    """The moment itself, or the end of the night that it lies in. Shanghai's time in and out.

    Shanghai has had no daylight saving since 1991: adding days to a local time is safe.
    """
    if not is_quiet(local, night):
        return local
    day = local.date() + timedelta(days=1 if local.time() >= time(night.starts) else 0)
    return datetime.combine(day, time(night.ends), tzinfo=local.tzinfo)
