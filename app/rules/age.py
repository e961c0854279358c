"""Ages of children: completed months and days, and the corrected age of preterm children.

Every offset is counted from the birth date itself, never chained from another offset, so that a
child born on the 31st does not lose days on the way through February.
"""

from calendar import monthrange
from datetime import date, timedelta
from typing import Final

from app.errors import BornInFuture

TERM_WEEKS: Final = 37
"""A child born before 37+0 weeks is preterm and has a corrected age."""

FULL_GESTATION_DAYS: Final = 40 * 7
"""The due date is 40+0 weeks; the corrected age counts from there."""

CORRECTED_UNTIL_MONTHS: Final = 24
"""From this chronological age on, the corrected age is no longer used."""

SERVICE_UNTIL_MONTHS: Final = 36
"""The service is for children under three years."""


def add_months(born: date, months: int) -> date:
    """The day on which so many months complete; months may be negative.

    That is the same day of the month, or the month's last day where it has none:
    31 January plus one month is 28 (or 29) February.
    """
    month_index = born.year * 12 + (born.month - 1) + months
    year, month = divmod(month_index, 12)
    last_day = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(born.day, last_day))


def age_months(born: date, on: date) -> int:
    """Completed months of age on a day.

    A month completes on the birth day-of-month, or on the month's last day
    where it has none: born 31 Jan is one month old on 28 Feb.
    Raises BornInFuture if born > on.
    """
    _check_is_born(born, on)
    months = (on.year - born.year) * 12 + on.month - born.month
    return months if on >= add_months(born, months) else months - 1


def age_days(born: date, on: date) -> int:
    """Days of age on a day; 0 on the birth date. Raises BornInFuture if born > on."""
    _check_is_born(born, on)
    return (on - born).days


def is_preterm(gestation_weeks: int, gestation_days: int = 0) -> bool:
    """Whether a birth at weeks+days of gestation is before 37+0.

    Raises ValueError for days outside 0–6, which would be another week.
    """
    if not 0 <= gestation_days <= 6:
        raise ValueError(f"days of gestation must be 0 to 6, not {gestation_days}")
    return gestation_weeks < TERM_WEEKS


def corrected_birth_date(born: date, gestation_weeks: int, gestation_days: int = 0) -> date:
    """The date from which the corrected age counts: the due date of a preterm child.

    The birth date itself from 37+0 weeks on.
    """
    if not is_preterm(gestation_weeks, gestation_days):
        return born
    early_days = FULL_GESTATION_DAYS - (gestation_weeks * 7 + gestation_days)
    return born + timedelta(days=early_days)


def corrected_age_months(
    born: date, on: date, gestation_weeks: int, gestation_days: int = 0
) -> int:
    """Completed months of corrected age, 0 before the due date.

    Equal to the age in months for children born at term, and for everybody from 24 months of
    age on. For development and play only: vaccination, visits and eligibility go by the
    birth date. Raises BornInFuture if born > on.
    """
    months = age_months(born, on)
    if months >= CORRECTED_UNTIL_MONTHS:
        return months
    counted_from = corrected_birth_date(born, gestation_weeks, gestation_days)
    return age_months(counted_from, on) if on >= counted_from else 0


def is_under_three(born: date, on: date) -> bool:
    """Whether a child has not completed 36 months on a day. Raises BornInFuture if born > on."""
    return age_months(born, on) < SERVICE_UNTIL_MONTHS


def _check_is_born(born: date, on: date) -> None:
    if born > on:
        raise BornInFuture(born=born, on=on)
