"""What follows from not coming: a later start of sign-up for repeated ones, never a ban."""

from collections.abc import Iterable
from datetime import datetime, timedelta

REPEATED = 2
"""So many missed sessions are repeated; one may happen to anybody."""
REMEMBERED_FOR = timedelta(days=180)
OPENS_LATER_BY = timedelta(hours=12)
MARKED_AFTER = timedelta(days=3)
"""How long staff may still enter the paper sheet before a missing check-in is a no-show."""


def sign_up_delay(
    no_shows: Iterable[datetime], now: datetime, waived_at: datetime | None
) -> timedelta:
    """How much later than for others sign-up opens for a family: 12 h, or nothing.

    `no_shows` are the starts of the sessions that the family was marked as having missed,
    each session once however many siblings were missed. Those of the last 180 days count,
    the 180th day included; those that started up to the moment of a waiver do not.
    """
    counted = {
        missed
        for missed in no_shows
        if now - REMEMBERED_FOR <= missed <= now and (waived_at is None or missed > waived_at)
    }
    return OPENS_LATER_BY if len(counted) >= REPEATED else timedelta(0)
