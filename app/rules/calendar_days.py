"""Weekends, public holidays, make-up workdays, and the days that staff have set otherwise.

The State Council publishes a year's holidays in the autumn before it. Of a year that it has
not announced yet nothing but the weekends is known, and `is_known` says so.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import chinese_calendar

SATURDAY = 5


class DayKind(StrEnum):
    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"
    """A Saturday or Sunday on which people work for a holiday."""
    BLACKOUT = "blackout"
    """Staff have said that nothing is held."""


class SetKind(StrEnum):
    """What staff may make of a day."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"
    BLACKOUT = "blackout"


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    kind: DayKind
    name: str
    """The holiday's, or the note that staff gave; empty for an ordinary day."""
    is_known: bool
    """False where the year's holidays are not announced and nobody has set this day."""

    @property
    def is_off(self) -> bool:
        """Whether people are off work."""
        return self.kind in (DayKind.WEEKEND, DayKind.HOLIDAY)

    @property
    def is_skipped(self) -> bool:
        """Whether a series leaves the day out."""
        return self.kind in (DayKind.HOLIDAY, DayKind.BLACKOUT)


def is_announced(year: int) -> bool:
    """Whether the holidays of this year are in the published calendar."""
    return _announced(date(year, 6, 1)) is not None


def published_day(day: date) -> Day:
    """The day by the published calendar alone."""
    is_weekend = day.weekday() >= SATURDAY
    ordinary = DayKind.WEEKEND if is_weekend else DayKind.WORKDAY
    announced = _announced(day)
    if announced is None:
        return Day(day, ordinary, name="", is_known=False)
    is_off, name = announced
    if is_off and name:
        return Day(day, DayKind.HOLIDAY, name, is_known=True)
    if is_weekend and not is_off:
        return Day(day, DayKind.MAKE_UP, name, is_known=True)
    return Day(day, ordinary, name="", is_known=True)


def set_day(day: date, kind: SetKind, note: str) -> Day:
    """The day as staff have set it, whatever the published calendar says."""
    if kind is SetKind.WORKDAY:
        is_weekend = day.weekday() >= SATURDAY
        return Day(day, DayKind.MAKE_UP if is_weekend else DayKind.WORKDAY, note, is_known=True)
    return Day(day, DayKind(kind), note, is_known=True)


def _announced(day: date) -> tuple[bool, str] | None:
    """Whether people are off, and the holiday it belongs to; None for an unannounced year."""
    try:
        is_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    return bool(is_off), chinese_calendar.Holiday(name).chinese if name else ""
