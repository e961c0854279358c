"""The lunar calendar against known festivals."""

from datetime import date

import pytest
from chinese_calendar.constants import holidays

from app.rules.lunar import solar_day


@pytest.mark.parametrize(
    "year, new_year",
    [
        (2020, "01-25"), (2023, "01-22"), (2026, "02-17"), (2027, "02-06"), (2028, "01-26"),
        (2033, "01-31"), (2034, "02-19"), (2040, "02-12"), (2044, "01-30"), (2049, "02-02"),
    ],
)  # fmt: skip
def test_new_year_falls_on_its_day(year: int, new_year: str) -> None:
    assert solar_day(year, 1, 1) == date.fromisoformat(f"{year}-{new_year}")


@pytest.mark.parametrize("year", range(2021, 2027))
def test_festivals_fall_into_the_published_holidays(year: int) -> None:
    assert holidays[solar_day(year, 5, 5)] == "Dragon Boat Festival"
    assert holidays[solar_day(year, 8, 15)] == "Mid-autumn Festival"


@pytest.mark.parametrize(
    "year, month, day", [(2019, 1, 1), (2050, 1, 1), (2026, 13, 1), (2026, 0, 1), (2026, 1, 31)]
)
def test_what_is_no_lunar_day_has_no_solar_one(year: int, month: int, day: int) -> None:
    assert solar_day(year, month, day) is None


def test_the_eve_is_the_day_before_the_new_year() -> None:
    assert solar_day(2027, 1, 0) == date(2027, 2, 5)
