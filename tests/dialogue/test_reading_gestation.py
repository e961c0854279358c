"""Weeks of gestation, told from weeks of age."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.gestation import find_gestation, says_full_term


@pytest.mark.parametrize(
    "text, weeks, days",
    [
        ("孕32周", 32, 0),
        ("怀孕三十周", 30, 0),
        ("孕三十二周", 32, 0),
        ("32周早产", 32, 0),
        ("早产36周", 36, 0),
        ("三十四周早产", 34, 0),
        ("宝宝34周生的，补一下", 34, 0),
        ("28周就生了", 28, 0),
        ("36周+5", 36, 5),
        ("孕36+5周", 36, 5),
        ("36周5天出生", 36, 5),
        ("孕28周+3天", 28, 3),
        ("34w2d", 34, 2),
        ("胎龄：35周", 35, 0),
        ("孕周：36", 36, 0),
        ("三十四周", 34, 0),
        ("36", 36, 0),
        ("36+5", 36, 5),
        ("大概36周吧", 36, 0),
    ],
)
def test_gestation_is_read(text: str, weeks: int, days: int) -> None:
    found = find_gestation(text)
    assert found is not None
    assert (found.weeks, found.days) == (weeks, days)


@pytest.mark.parametrize(
    "text",
    [
        "32周大",
        "宝宝32周了",
        "12周",
        "十二周",
        "45周",
        "孕50周",
        "34周生日",
        "足月",
        "3",
        "你好",
        "",
    ],
)
def test_weeks_of_age_and_impossible_weeks_are_none(text: str) -> None:
    assert find_gestation(text) is None


@pytest.mark.parametrize(
    "text, is_term",
    [
        ("足月", True),
        ("足月生的", True),
        ("不是早产", True),
        ("没有早产", True),
        ("不足月", False),
        ("早产", False),
    ],
)
def test_full_term_is_said_without_weeks(text: str, is_term: bool) -> None:
    assert says_full_term(text) is is_term


@given(st.integers(22, 42), st.integers(0, 6))
def test_every_week_and_day_is_read_back(weeks: int, days: int) -> None:
    found = find_gestation(f"孕{weeks}周+{days}天")
    assert found is not None
    assert (found.weeks, found.days) == (weeks, days)
