import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import MeasurementImplausible
from app.rules.growth import (
    Indicator,
    Level,
    Line,
    Measured,
    find_line,
    level_of,
    moved_much,
    place,
    wants_a_look,
)
from app.rules.people import Sex
from content.growth_standard import load_standard

STANDARD = load_standard()
# The facts sheet's samples of the printed standard: months, then P3 / P50 / P97.
SAMPLES = [
    (Indicator.WEIGHT, Sex.BOY, 0, 2.8, 3.5, 4.2),
    (Indicator.WEIGHT, Sex.GIRL, 3, 5.1, 6.2, 7.6),
    (Indicator.WEIGHT, Sex.BOY, 12, 8.3, 10.1, 12.3),
    (Indicator.WEIGHT, Sex.GIRL, 36, 11.5, 14.1, 17.7),
    (Indicator.LENGTH, Sex.BOY, 6, 64.2, 68.7, 73.2),
    (Indicator.LENGTH, Sex.GIRL, 24, 81.2, 87.0, 92.8),
    (Indicator.LENGTH, Sex.BOY, 36, 90.9, 97.5, 104.1),
    (Indicator.HEAD, Sex.GIRL, 8, 41.2, 43.5, 45.8),
    (Indicator.HEAD, Sex.BOY, 18, 45.1, 47.4, 49.8),
]


@pytest.mark.parametrize("indicator, sex, months, p3, p50, p97", SAMPLES)
def test_the_table_is_the_printed_one(
    indicator: Indicator, sex: Sex, months: int, p3: float, p50: float, p97: float
) -> None:
    line = find_line(STANDARD[indicator, sex], months)
    assert line is not None
    assert (line.values[0], line.values[3], line.values[-1]) == (p3, p50, p97)


def test_every_row_rises_from_the_third_percentile_to_the_last() -> None:
    for lines in STANDARD.values():
        assert [line.x for line in lines] == sorted({line.x for line in lines})
        assert all(list(line.values) == sorted(set(line.values)) for line in lines)


@pytest.mark.parametrize(
    "grams, level",
    [
        (6_300, Level.LOWEST),  # P3 of a girl of six months is 6.4
        (6_400, Level.LOWER),
        (7_100, Level.LOWER),
        (7_200, Level.MIDDLE),  # P25
        (8_300, Level.MIDDLE),
        (8_400, Level.UPPER),  # P75
        (9_500, Level.UPPER),
        (9_600, Level.HIGHEST),  # P97
    ],
)
def test_a_bound_belongs_to_the_upper_level(grams: int, level: Level) -> None:
    placed = place(STANDARD, sex=Sex.GIRL, age_months=6, measured=Measured(weight_grams=grams))
    assert [one.level for one in placed] == [level]
    assert wants_a_look(placed) is (level in (Level.LOWEST, Level.HIGHEST))


def test_weight_goes_with_length_lying_and_with_height_standing() -> None:
    measured = Measured(weight_grams=11_900, length_millimetres=870)
    kinds = {
        months: place(STANDARD, sex=Sex.GIRL, age_months=months, measured=measured)[-1].indicator
        for months in (23, 24)
    }
    assert kinds == {23: Indicator.WEIGHT_FOR_LENGTH, 24: Indicator.WEIGHT_FOR_HEIGHT}


def test_between_two_rows_the_line_is_in_proportion() -> None:
    line = find_line(STANDARD[Indicator.WEIGHT, Sex.BOY], 25)
    assert line is not None
    two, after = (find_line(STANDARD[Indicator.WEIGHT, Sex.BOY], x) for x in (24, 27))
    assert two is not None
    assert after is not None
    assert line.values[3] == pytest.approx(two.values[3] + (after.values[3] - two.values[3]) / 3)


def test_outside_of_the_table_nothing_is_said() -> None:
    assert find_line(STANDARD[Indicator.WEIGHT, Sex.BOY], 37) is None
    assert find_line((), 3) is None
    assert place(STANDARD, sex=Sex.BOY, age_months=40, measured=Measured(14_000)) == []


@pytest.mark.parametrize(
    "measured, what",
    [
        (Measured(weight_grams=72_000), "weight"),
        (Measured(weight_grams=720), "weight"),
        (Measured(length_millimetres=66), "length"),
        (Measured(head_millimetres=4350), "head"),
    ],
)
def test_what_no_child_measures_is_refused(measured: Measured, what: str) -> None:
    with pytest.raises(MeasurementImplausible) as refused:
        place(STANDARD, sex=Sex.BOY, age_months=6, measured=measured)
    assert refused.value.what == what


@given(st.integers(0, 36), st.sampled_from(list(Sex)), st.integers(1_500, 25_000))
def test_more_weight_is_never_a_lower_level(months: int, sex: Sex, grams: int) -> None:
    lines = STANDARD[Indicator.WEIGHT, sex]
    line = find_line(lines, months)
    assert line is not None
    assert level_of(grams / 1000, line) <= level_of((grams + 100) / 1000, line)


@pytest.mark.parametrize("before, after, much", [(1, 2, False), (1, 3, True), (4, 2, True)])
def test_two_levels_are_much(before: int, after: int, much: bool) -> None:
    assert moved_much(Level(before), Level(after)) is much


def test_a_value_a_float_below_its_bound_is_on_it() -> None:
    line = Line(0, (1.0, 2.0, 0.1 + 0.2, 4.0, 5.0, 6.0, 7.0))
    assert level_of(0.3, line) is level_of(0.1 + 0.2, line)
