from datetime import date

import pytest

from app.rules.calendar_days import DayKind, SetKind, is_announced, published_day, set_day


@pytest.mark.parametrize(
    "day, kind, is_off, is_skipped",
    [
        (date(2026, 9, 30), DayKind.WORKDAY, False, False),
        (date(2026, 10, 1), DayKind.HOLIDAY, True, True),
        (date(2026, 10, 3), DayKind.HOLIDAY, True, True),  # a Saturday within the holiday
        (date(2026, 10, 10), DayKind.MAKE_UP, False, False),  # the State Council's make-up Saturday
        (date(2026, 10, 17), DayKind.WEEKEND, True, False),
    ],
)
def test_the_published_calendar_of_2026(
    day: date, kind: DayKind, is_off: bool, is_skipped: bool
) -> None:
    found = published_day(day)

    assert (found.kind, found.is_off, found.is_skipped) == (kind, is_off, is_skipped)
    assert found.is_known
    assert bool(found.name) is (kind in (DayKind.HOLIDAY, DayKind.MAKE_UP))


def test_a_holiday_has_its_chinese_name() -> None:
    assert published_day(date(2026, 10, 1)).name == "国庆节"


@pytest.mark.parametrize(
    "day, kind", [(date(2050, 10, 1), DayKind.WEEKEND), (date(2050, 10, 3), DayKind.WORKDAY)]
)
def test_of_a_year_not_announced_only_the_weekends_are_known(day: date, kind: DayKind) -> None:
    found = published_day(day)
    assert (found.kind, found.is_known, found.is_skipped) == (kind, False, False)


def test_which_years_are_announced_is_said() -> None:
    assert is_announced(2026)
    assert not is_announced(2050)


@pytest.mark.parametrize(
    "day, kind, is_off, is_skipped",
    [
        (date(2050, 10, 3), SetKind.HOLIDAY, True, True),
        (date(2026, 11, 28), SetKind.BLACKOUT, False, True),
        (date(2026, 10, 1), SetKind.WORKDAY, False, False),
        (date(2026, 11, 28), SetKind.WORKDAY, False, False),
    ],
)
def test_what_staff_set_goes_before_the_published_calendar(
    day: date, kind: SetKind, is_off: bool, is_skipped: bool
) -> None:
    found = set_day(day, kind, "区里通知")
    assert (found.is_off, found.is_skipped, found.is_known) == (is_off, is_skipped, True)
    assert found.name == "区里通知"
