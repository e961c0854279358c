"""The hours in which nobody's phone should ring for what can wait: 21:00–08:00."""

from datetime import datetime, time, timedelta

QUIET_FROM = time(21)
QUIET_UNTIL = time(8)


def is_quiet(local: datetime) -> bool:
    """Whether a moment, given in Shanghai's time, lies in 21:00–08:00; 08:00 does not."""
    return not QUIET_UNTIL <= local.time() < QUIET_FROM


def first_loud(local: datetime) -> datetime:
    """The moment itself, or 08:00 of the morning that ends its night. Shanghai's time in and out.

    Shanghai has had no daylight saving since 1991: adding days to a local time is safe.
    """
    if not is_quiet(local):
        return local
    day = local.date() + timedelta(days=1 if local.time() >= QUIET_FROM else 0)
    return datetime.combine(day, QUIET_UNTIL, tzinfo=local.tzinfo)
