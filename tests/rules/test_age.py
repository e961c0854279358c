"""Ages at the ends of months, in leap years, and before the due date."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BornInFuture
from app.rules.age import (
    add_months,
    age_days,
    age_months,
    corrected_age_months,
    corrected_birth_date,
    is_preterm,
    is_under_three,
)

BIRTHS = st.dates(date(2000, 1, 1), date(2060, 12, 31))
MONTHS = st.integers(0, 60)


@pytest.mark.parametrize(
    "born, on, months",
    [
        ("2026-05-01", "2026-05-01", 0),
        ("2026-05-01", "2026-05-31", 0),
        ("2026-05-01", "2026-06-01", 1),
        ("2026-05-15", "2026-06-14", 0),
        ("2026-05-15", "2026-06-15", 1),
        ("2026-01-31", "2026-02-27", 0),
        ("2026-01-31", "2026-02-28", 1),
        ("2026-01-31", "2026-03-30", 1),
        ("2026-01-31", "2026-03-31", 2),
        ("2026-01-31", "2026-04-29", 2),
        ("2026-01-31", "2026-04-30", 3),
        ("2024-01-31", "2024-02-28", 0),
        ("2024-01-31", "2024-02-29", 1),
        ("2026-01-30", "2026-02-28", 1),
        ("2026-01-29", "2026-02-28", 1),
        ("2026-01-28", "2026-02-27", 0),
        ("2024-02-29", "2024-03-28", 0),
        ("2024-02-29", "2024-03-29", 1),
        ("2024-02-29", "2025-02-27", 11),
        ("2024-02-29", "2025-02-28", 12),
        ("2024-02-29", "2027-02-28", 36),
        ("2024-02-29", "2028-02-28", 47),
        ("2024-02-29", "2028-02-29", 48),
        ("2025-12-31", "2026-01-30", 0),
        ("2025-12-31", "2026-01-31", 1),
        ("2025-08-31", "2025-09-30", 1),
        ("2023-11-22", "2026-11-21", 35),
        ("2023-11-22", "2026-11-22", 36),
    ],
)
def test_a_month_completes_on_the_birth_day_or_on_the_months_last(
    born: str, on: str, months: int
) -> None:
    assert age_months(date.fromisoformat(born), date.fromisoformat(on)) == months


@pytest.mark.parametrize(
    "born, months, day",
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-05-15", 0, "2026-05-15"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-01-15", -13, "2024-12-15"),
    ],
)
def test_adding_months_counts_from_the_birth_date(born: str, months: int, day: str) -> None:
    assert add_months(date.fromisoformat(born), months) == date.fromisoformat(day)


@given(BIRTHS, MONTHS)
def test_a_month_is_complete_on_its_day_and_not_the_day_before(born: date, months: int) -> None:
    completes = add_months(born, months)
    assert age_months(born, completes) == months
    if months:
        assert age_months(born, completes - timedelta(days=1)) == months - 1


@given(BIRTHS, st.integers(0, 1500))
def test_age_never_falls_as_days_pass(born: date, days: int) -> None:
    on = born + timedelta(days=days)
    assert 0 <= age_months(born, on + timedelta(days=1)) - age_months(born, on) <= 1
    assert age_days(born, on) == days


@given(BIRTHS, MONTHS, st.integers(1, 31))
def test_a_child_born_later_is_never_older(born: date, months: int, days: int) -> None:
    on = add_months(born, months) + timedelta(days=40)
    assert age_months(born + timedelta(days=days), on) <= age_months(born, on)


@given(BIRTHS, st.integers(1, 400))
def test_nobody_has_an_age_before_birth(born: date, days: int) -> None:
    before = born - timedelta(days=days)
    for reckon in (age_months, age_days, is_under_three):
        with pytest.raises(BornInFuture) as refused:
            reckon(born, before)
        assert (refused.value.born, refused.value.on) == (born, before)


@pytest.mark.parametrize(
    "weeks, days, corrected",
    [
        (28, 0, "2026-07-24"),
        (32, 0, "2026-06-26"),
        (32, 3, "2026-06-23"),
        (36, 6, "2026-05-23"),
        (37, 0, "2026-05-01"),
        (40, 0, "2026-05-01"),
        (42, 0, "2026-05-01"),
    ],
)
def test_a_preterm_childs_corrected_birth_date_is_its_due_date(
    weeks: int, days: int, corrected: str
) -> None:
    assert corrected_birth_date(date(2026, 5, 1), weeks, days) == date.fromisoformat(corrected)


@pytest.mark.parametrize(
    "on, months",
    [
        ("2026-05-01", 0),
        ("2026-06-25", 0),
        ("2026-06-26", 0),
        ("2026-07-25", 0),
        ("2026-07-26", 1),
        ("2027-05-01", 10),
        ("2028-04-30", 22),
        ("2028-05-01", 24),
        ("2028-06-01", 25),
    ],
)
def test_corrected_age_lags_until_24_months_and_then_is_the_age(on: str, months: int) -> None:
    assert corrected_age_months(date(2026, 5, 1), date.fromisoformat(on), 32) == months


def test_corrected_age_at_term_is_the_age() -> None:
    assert corrected_age_months(date(2026, 5, 1), date(2026, 11, 1), 37) == 6


@given(BIRTHS, st.integers(0, 1400), st.integers(22, 43))
def test_corrected_age_is_never_above_the_age(born: date, days: int, weeks: int) -> None:
    on = born + timedelta(days=days)
    assert 0 <= corrected_age_months(born, on, weeks) <= age_months(born, on)


def test_seven_days_of_gestation_are_another_week() -> None:
    with pytest.raises(ValueError, match="0 to 6"):
        is_preterm(36, 7)


@pytest.mark.parametrize(
    "born, is_under",
    [("2023-11-23", True), ("2023-11-22", False), ("2023-11-21", False), ("2026-11-22", True)],
)
def test_the_third_birthday_ends_the_service(born: str, is_under: bool) -> None:
    assert is_under_three(date.fromisoformat(born), date(2026, 11, 22)) is is_under
