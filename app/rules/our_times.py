"""Days and moments as somebody wrote them into an address, a form or a file: of our times, or none.

Years 1 and 9999 are days as well, but nothing can be added to them, and no calendar shows them.
"""

from datetime import date, datetime
from typing import Final

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100


def read_day(text: str) -> date:
    """2026-12-06. Raises ValueError for anything else, and for days of other times."""
    return _ours(date.fromisoformat(text))


def read_moment(text: str) -> datetime:
    """2026-12-06T09:30, with an offset or without. Raises ValueError as read_day does."""
    found = datetime.fromisoformat(text)
    _ours(found)
    return found


def _ours(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(day.year)
    return day
