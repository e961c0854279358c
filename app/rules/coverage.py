"""What the district's coverage report counts: bars, parts of a year, and when to warn.

Every definition here is explained to its readers in docs/indicators.md, under the same version.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DEFINITIONS_VERSION: Final = "2026-11"
"""Raised whenever a number of the report would come out differently from the same rows."""

BARS: Final = (6, 12)
"""The district's promise (崇明区三年行动计划 2021—2023, 二(二)4) and the city's newer figure."""

MONTHS_A_YEAR: Final = 12

WARNS_FROM_MONTH: Final = 7
"""Before July too few of the year's sessions are published to say that seats are lacking."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Families in need that are alike in all that the report counts."""

    families: int
    attended: int
    """Distinct sessions of the year."""
    months: int
    """Whole calendar months of the year in which the duty towards them lasted, 0 to 12."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a group of families in need comes to."""

    families: int
    histogram: dict[str, int]
    reaching: dict[int, int]
    """By bar: families that attended as often as the bar says."""
    owed_anything: dict[int, int]
    """By bar: families whose part of it is at least one session."""
    reaching_part: dict[int, int]
    """By bar: families of those that attended their part of it."""


def part_of(bar: int, months: int) -> int:
    """Sessions out of `bar` a year that are owed for so many months, rounded half up.

    Six a year come to one for two months, and also to one for a single month.
    """
    return (bar * months * 2 + MONTHS_A_YEAR) // (2 * MONTHS_A_YEAR)


def tally(cells: Iterable[Cell]) -> Tally:
    """Sum up; "6+" holds the families of "12+" too, so that 0 to 6+ add up to all."""
    histogram = {str(count): 0 for count in range(BARS[0])} | {f"{bar}+": 0 for bar in BARS}
    families = 0
    reaching = dict.fromkeys(BARS, 0)
    owed_anything = dict.fromkeys(BARS, 0)
    reaching_part = dict.fromkeys(BARS, 0)
    for cell in cells:
        families += cell.families
        if cell.attended < BARS[0]:
            histogram[str(cell.attended)] += cell.families
        for bar in BARS:
            part = part_of(bar, cell.months)
            if cell.attended >= bar:
                histogram[f"{bar}+"] += cell.families
                reaching[bar] += cell.families
            if part:
                owed_anything[bar] += cell.families
            if part and cell.attended >= part:
                reaching_part[bar] += cell.families
    return Tally(families, histogram, reaching, owed_anything, reaching_part)


def share(part: int, whole: int) -> float | None:
    """A share between 0 and 1 to four digits; None of nothing, which is not the same as 0."""
    return round(part / whole, 4) if whole else None


def warns(sessions_owed: int, seats_left: int, month: int) -> bool:
    """Whether a township's seats will not do; never before July."""
    return month >= WARNS_FROM_MONTH and sessions_owed > seats_left
