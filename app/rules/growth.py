"""Where a child's weight and length lie in the national standard: a band, never a verdict.

The standard is WS/T 423—2022, which names five levels by percentiles (its table 1): below P3,
P3–P25, P25–P75, P75–P97, P97 and above. Ages are completed months, corrected for children born
early until 24 months.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from app.errors import MeasurementImplausible
from app.rules.people import Sex

PERCENTILES: Final = (3, 10, 25, 50, 75, 90, 97)
LEVEL_PERCENTILES: Final = (3, 25, 75, 97)
"""Where one level ends and the next begins; the upper one includes the bound."""

HEIGHT_FROM_MONTHS: Final = 24
"""From then on a child is measured standing; before, lying."""

PLAUSIBLE_GRAMS: Final = (800, 40_000)
PLAUSIBLE_MILLIMETRES: Final = (300, 1_300)
PLAUSIBLE_HEAD_MILLIMETRES: Final = (200, 600)
"""Beyond these somebody has mistyped: bounds of our own, far outside the standard's."""


class Indicator(StrEnum):
    """What is compared; the names of the standard's tables."""

    WEIGHT = "weight_for_age"
    LENGTH = "length_height_for_age"
    HEAD = "head_for_age_0_3y"
    WEIGHT_FOR_LENGTH = "weight_for_length_0_2y"
    WEIGHT_FOR_HEIGHT = "weight_for_height_2_7y"


class Level(IntEnum):
    """The standard's five levels, the lowest first."""

    LOWEST = 0
    LOWER = 1
    MIDDLE = 2
    UPPER = 3
    HIGHEST = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: at `x` (months or centimetres), the value of each percentile."""

    x: float
    values: tuple[float, ...]
    """In the order of PERCENTILES; kilograms or centimetres."""


Standard = Mapping[tuple[Indicator, Sex], Sequence[Line]]
"""Each table's rows, by rising x."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured on one day; None where it was not."""

    weight_grams: int | None = None
    length_millimetres: int | None = None
    head_millimetres: int | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """One measure with its level."""

    indicator: Indicator
    value: float
    """Kilograms or centimetres."""
    level: Level


def check_is_plausible(measured: Measured) -> None:
    """Raises MeasurementImplausible for the first measure that no child under three has."""
    for what, value, (lowest, highest) in (
        ("weight", measured.weight_grams, PLAUSIBLE_GRAMS),
        ("length", measured.length_millimetres, PLAUSIBLE_MILLIMETRES),
        ("head", measured.head_millimetres, PLAUSIBLE_HEAD_MILLIMETRES),
    ):
        if value is not None and not lowest <= value <= highest:
            raise MeasurementImplausible(what, value)


def find_line(lines: Sequence[Line], x: float) -> Line | None:
    """The table's row at x, between two rows in proportion; None outside of the table."""
    if not lines or not lines[0].x <= x <= lines[-1].x:
        return None
    after = bisect_right(lines, x, key=lambda line: line.x)
    before = lines[after - 1]
    if before.x == x:
        return before
    following = lines[after]
    share = (x - before.x) / (following.x - before.x)
    between = zip(before.values, following.values, strict=True)
    return Line(x, tuple(low + share * (high - low) for low, high in between))


def level_of(value: float, line: Line) -> Level:
    """The level of a value; on a bound it is the upper one."""
    bounds = [line.values[PERCENTILES.index(percentile)] for percentile in LEVEL_PERCENTILES]
    # The tables have one decimal: what is equal to it must not fall below it by a float's breath.
    return Level(sum(value + 1e-9 >= bound for bound in bounds))


def place(standard: Standard, *, sex: Sex, age_months: int, measured: Measured) -> list[Placed]:
    """Each measure with its level: weight, length, head, then weight for length.

    What the standard has no row for is left out.
    """
    check_is_plausible(measured)
    weight = None if measured.weight_grams is None else measured.weight_grams / 1000
    length = None if measured.length_millimetres is None else measured.length_millimetres / 10
    head = None if measured.head_millimetres is None else measured.head_millimetres / 10
    by_length = (
        Indicator.WEIGHT_FOR_LENGTH
        if age_months < HEIGHT_FROM_MONTHS
        else Indicator.WEIGHT_FOR_HEIGHT
    )
    asked = (
        (Indicator.WEIGHT, weight, float(age_months)),
        (Indicator.LENGTH, length, float(age_months)),
        (Indicator.HEAD, head, float(age_months)),
        (by_length, weight, length),
    )
    placed = []
    for indicator, value, x in asked:
        if value is None or x is None:
            continue
        line = find_line(standard.get((indicator, sex), ()), x)
        if line is not None:
            placed.append(Placed(indicator, value, level_of(value, line)))
    return placed


def moved_much(before: Level, after: Level) -> bool:
    """Whether a child went two levels up or down: worth a look by a doctor, no more."""
    return abs(after - before) >= 2


def wants_a_look(placed: Sequence[Placed]) -> bool:
    """Whether any measure is outside P3–P97, where the national guide sends to child health."""
    return any(one.level in (Level.LOWEST, Level.HIGHEST) for one in placed)
