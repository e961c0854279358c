"""What the coverage report counts, at its boundaries."""

import pytest

from app.rules.coverage import Cell, part_of, share, tally, warns


@pytest.mark.parametrize(
    "bar, months, owed",
    [
        (6, 0, 0),
        (6, 1, 1),  # half a session is rounded up
        (6, 2, 1),
        (6, 6, 3),
        (6, 11, 6),
        (6, 12, 6),
        (12, 0, 0),
        (12, 1, 1),
        (12, 11, 11),
        (12, 12, 12),
    ],
)
def test_a_part_of_the_year_owes_its_part_of_the_bar(bar: int, months: int, owed: int) -> None:
    assert part_of(bar, months) == owed


def test_zero_to_six_and_more_add_up_to_all_families() -> None:
    found = tally(Cell(families=10 + times, attended=times, months=12) for times in range(13))

    exact = [found.histogram[str(times)] for times in range(6)]
    assert exact == [10, 11, 12, 13, 14, 15]
    assert found.histogram["6+"] == sum(range(16, 23))
    assert found.histogram["12+"] == 22
    assert sum(exact) + found.histogram["6+"] == found.families


def test_a_family_of_half_a_year_reaches_its_part_and_not_the_bar() -> None:
    found = tally([Cell(families=2, attended=3, months=6), Cell(families=1, attended=2, months=6)])

    assert found.reaching == {6: 0, 12: 0}
    assert found.reaching_part == {6: 2, 12: 0}
    assert found.owed_anything == {6: 3, 12: 3}


def test_a_family_without_a_whole_month_is_left_out_of_the_parts() -> None:
    found = tally([Cell(families=4, attended=1, months=0)])

    assert (found.owed_anything[6], found.reaching_part[6]) == (0, 0)
    assert found.families == 4


def test_a_share_of_nothing_is_not_zero() -> None:
    assert share(0, 0) is None
    assert share(0, 3) == 0
    assert share(1, 3) == 0.3333


@pytest.mark.parametrize(
    "owed, left, month, expected",
    [
        (10, 9, 6, False),
        (10, 9, 7, True),
        (10, 10, 7, False),
        (1, 0, 12, True),
        (0, 0, 12, False),
        (10, 0, 0, False),
    ],
)
def test_it_warns_from_july_on_where_more_is_owed_than_left(
    owed: int, left: int, month: int, expected: bool
) -> None:
    assert warns(owed, left, month) is expected
