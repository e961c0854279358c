"""The lunar calendar: what solar day a lunar one is, 2020 to 2049."""

from datetime import date, timedelta
from typing import Final

FIRST_YEAR: Final = 2020
_FIRST_DAY: Final = date(2020, 1, 25)
"""New Year's Day of the first year."""
# A year a number, as almanacs print it: the lowest digit is the leap month, the next twelve bits
# say which months have 30 days, the bit above them whether the leap month has.
_YEARS: Final = (
    0x07954, 0x06AA0, 0x0AD50, 0x05B52, 0x04B60, 0x0A6E6, 0x0A4E0, 0x0D260, 0x0EA65, 0x0D530,
    0x05AA0, 0x076A3, 0x096D0, 0x04AFB, 0x04AD0, 0x0A4D0, 0x1D0B6, 0x0D250, 0x0D520, 0x0DD45,
    0x0B5A0, 0x056D0, 0x055B2, 0x049B0, 0x0A577, 0x0A4B0, 0x0AA50, 0x1B255, 0x06D20, 0x0ADA0,
)  # fmt: skip


def solar_day(year: int, month: int, day: int) -> date | None:
    """The solar day of a lunar year, month and day; None where there is none.

    Of a month that comes twice the first is meant. Day 0 is the last day of the month before: 除夕
    is day 0 of month 1.
    """
    if not FIRST_YEAR <= year < FIRST_YEAR + len(_YEARS) or not 1 <= month <= 12:
        return None
    if not 0 <= day <= _length(year, month):
        return None
    first = _FIRST_DAY + timedelta(days=sum(_days(y) for y in range(FIRST_YEAR, year)))
    before = sum(_length(year, earlier) for earlier in range(1, month))
    leap = _YEARS[year - FIRST_YEAR] & 0xF
    if leap and leap < month:
        before += _leap_length(year)
    return first + timedelta(days=before + day - 1)


def _length(year: int, month: int) -> int:
    return 30 if _YEARS[year - FIRST_YEAR] & (0x10000 >> month) else 29


def _leap_length(year: int) -> int:
    number = _YEARS[year - FIRST_YEAR]
    if not number & 0xF:
        return 0
    return 30 if number & 0x10000 else 29


def _days(year: int) -> int:
    return sum(_length(year, month) for month in range(1, 13)) + _leap_length(year)
