"""Home visits: who is owed one and by when, who is at high risk, and a visit's states.

The windows are those of the national newborn visiting standard (2012) and of the district's
plan: within 7 days of discharge and at the latest on day 28; a newborn at high risk within 3
days of discharge, and more often. The day of birth is day 0. All of it goes by the birth date:
a corrected age has no part in visits.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.errors import BirthReportUnlikely, NextVisitUnlikely, VisitStepNotAllowed
from app.rules.age import TERM_WEEKS, is_under_three

NORMAL_DAYS: Final = 7
HIGH_RISK_DAYS: Final = 3
"""Days after discharge within which the first visit is due, the last of them included."""

LATEST_DAY: Final = 28
"""Day of life by which the first visit is due whenever the discharge was, or where it is not
known."""

GRACE_DAYS: Final = 60
"""Who was born in the last weeks of a year is not worse off than the others."""

LOW_WEIGHT_GRAMS: Final = 2_500
"""Below this a birth weight is low."""

HIGH_RISK_VISITS: Final = 3
AGAIN_AFTER_DAYS: Final = 7
THIRD_ON_DAY: Final = 28
"""The standard asks for "more visits" at high risk and leaves their number open: a second one
within a week of the first, and one at the end of the first month, or a week after the second."""

LIGHTEST_GRAMS: Final = 300
HEAVIEST_GRAMS: Final = 8_000
"""Outside of these a birth weight is a slip of the hand."""

AGAIN_WITHIN_DAYS: Final = 92
"""So long after a visit the visitor may ask for another one at the latest. The national standard
for children's health (2017) has check-ups at 1, 3, 6 and 8 months: three months at most lie
between two of them in a baby's first months, so by then the next one has taken over."""

TWIN_DAYS: Final = 1
"""Twins may be born on both sides of midnight."""

SPECIAL_NEEDS_DAYS: Final = 14
"""A family with special needs is visited within two weeks of having asked: the district's
default, the policy names no number."""


class VisitState(StrEnum):
    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    EN_ROUTE = "en_route"
    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Purpose(StrEnum):
    NEWBORN = "newborn"
    """The first visit of a newborn, owed to every family that wants it."""
    HIGH_RISK = "high_risk"
    """A further visit of a newborn at high risk."""
    SPECIAL_NEEDS = "special_needs"
    AGAIN = "again"
    """The visitor asked for another one when the record was written."""


class Kind(StrEnum):
    GUIDANCE = "guidance"
    """The education service's home guidance, which this service arranges and counts."""
    MEDICAL = "medical"
    """The health centre's 新生儿访视: noted here, counted apart."""


class RiskFactor(StrEnum):
    """What makes a newborn one at high risk; any one of them is enough."""

    PRETERM = "preterm"
    LOW_WEIGHT = "low_weight"
    MULTIPLE = "multiple"
    BIRTH_DEFECT = "birth_defect"
    ASPHYXIA = "asphyxia"
    JAUNDICE = "jaundice"
    INFECTION = "infection"
    MOTHER = "mother"
    """An abnormal pregnancy or birth, or a mother whose illness or disability hampers care."""


S = VisitState

OPEN: Final = frozenset({S.REQUESTED, S.CONFIRMED, S.EN_ROUTE})
"""States of which a family has at most one visit."""

HOLDS: Final = frozenset({S.REQUESTED, S.CONFIRMED, S.EN_ROUTE, S.COMPLETED})
"""States in which the visitor's time is taken."""

TRANSITIONS: Final[dict[VisitState, frozenset[VisitState]]] = {
    S.REQUESTED: frozenset({S.CONFIRMED, S.DECLINED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.EN_ROUTE, S.COMPLETED, S.MISSED, S.CANCELLED}),
    S.EN_ROUTE: frozenset({S.COMPLETED, S.MISSED, S.CANCELLED}),
    S.DECLINED: frozenset(),
    S.COMPLETED: frozenset(),
    S.MISSED: frozenset(),
    S.CANCELLED: frozenset(),
}


def check_step(state: VisitState, wanted: VisitState) -> None:
    """Raises VisitStepNotAllowed unless the state machine has this step."""
    if wanted not in TRANSITIONS[state]:
        raise VisitStepNotAllowed(state=state, wanted=wanted)


@dataclass(frozen=True, slots=True)
class Newborn:
    """What the windows go by."""

    born: date
    discharged: date | None = None
    gestation_weeks: int | None = None
    weight_grams: int | None = None
    is_multiple: bool = False
    factors: frozenset[RiskFactor] = frozenset()
    """Those that somebody told us; what weeks, weight and twins say is added to them."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a visit is owed; all bounds inclusive."""

    opens_on: date
    due_on: date
    """The last day on which it is in time."""
    owed_until: date
    """A family missed in time is still owed its visit: until the end of that calendar year, or
    for GRACE_DAYS where that is longer."""


def risk_factors(newborn: Newborn) -> frozenset[RiskFactor]:
    """Everything that puts this newborn at high risk; empty where nothing does."""
    found = set(newborn.factors)
    if newborn.gestation_weeks is not None and newborn.gestation_weeks < TERM_WEEKS:
        found.add(RiskFactor.PRETERM)
    if newborn.weight_grams is not None and newborn.weight_grams < LOW_WEIGHT_GRAMS:
        found.add(RiskFactor.LOW_WEIGHT)
    if newborn.is_multiple:
        found.add(RiskFactor.MULTIPLE)
    return frozenset(found)


def is_high_risk(newborn: Newborn) -> bool:
    """Whether any risk factor is known."""
    return bool(risk_factors(newborn))


def first_window(newborn: Newborn) -> Window:
    """When the first visit of a newborn is owed.

    Where the discharge is not known only day 28 binds. Who left hospital on day 28 or later
    has the days that follow the discharge: nobody can be visited at home before.
    """
    latest = newborn.born + timedelta(days=LATEST_DAY)
    if newborn.discharged is None:
        return _window(newborn.born, latest)
    days = HIGH_RISK_DAYS if is_high_risk(newborn) else NORMAL_DAYS
    by_discharge = newborn.discharged + timedelta(days=days)
    due = by_discharge if newborn.discharged >= latest else min(by_discharge, latest)
    return _window(newborn.discharged, due)


def further_window(newborn: Newborn, number: int, visited_on: date) -> Window | None:
    """When visit `number` (2, 3, …) is owed after the one before took place on a day.

    None where no more are owed: at no risk, or after the last of them.
    """
    if not is_high_risk(newborn) or not 2 <= number <= HIGH_RISK_VISITS:
        return None
    week = visited_on + timedelta(days=AGAIN_AFTER_DAYS)
    if number == 2:
        return _window(visited_on + timedelta(days=1), week)
    month = newborn.born + timedelta(days=THIRD_ON_DAY)
    return _window(visited_on + timedelta(days=1), max(week, month))


def special_window(asked_on: date) -> Window:
    """When a family with special needs is to be visited after it asked."""
    return _window(asked_on, asked_on + timedelta(days=SPECIAL_NEEDS_DAYS))


def last_next_day(visited_on: date, born: date | None) -> date:
    """The latest day by which another visit may be asked for in a visit's record."""
    latest = visited_on + timedelta(days=AGAIN_WITHIN_DAYS)
    if born is None:
        return latest
    while not is_under_three(born, latest):
        latest -= timedelta(days=1)
    return latest


def check_next(next_on: date, visited_on: date, born: date | None) -> None:
    """Raises NextVisitUnlikely unless the day is after the visit and near enough."""
    latest = last_next_day(visited_on, born)
    if not visited_on < next_on <= latest:
        raise NextVisitUnlikely(next_on, visited_on + timedelta(days=1), latest)


def again_window(asked_on: date, due_on: date) -> Window:
    """When the visit that a visitor asked for is owed: from now on."""
    return _window(min(asked_on, due_on), due_on)


def _window(opens_on: date, due_on: date) -> Window:
    year_ends = date(due_on.year, 12, 31)
    grace_ends = due_on + timedelta(days=GRACE_DAYS)
    return Window(opens_on, due_on, owed_until=max(year_ends, grace_ends))


def has_special_claim(born: date, on: date) -> bool:
    """Whether a child with special needs may have a visit on a day: under 36 months."""
    return born <= on and is_under_three(born, on)


def check_birth(newborn: Newborn, today: date) -> None:
    """Raises BirthReportUnlikely where discharge or weight cannot be as told."""
    discharged = newborn.discharged
    if discharged is not None and discharged < newborn.born:
        raise BirthReportUnlikely("discharged_before_birth", discharged.isoformat())
    if discharged is not None and discharged > today:
        raise BirthReportUnlikely("discharged_in_future", discharged.isoformat())
    weight = newborn.weight_grams
    if weight is not None and not LIGHTEST_GRAMS <= weight <= HEAVIEST_GRAMS:
        raise BirthReportUnlikely("weight", str(weight))


def working_days_between(since: date, until: date, days_off: frozenset[date]) -> int:
    """Working days after `since`, up to and including `until`; `days_off` are those that none
    are: weekends, holidays and closed days."""
    count = (until - since).days
    days = (since + timedelta(days=step) for step in range(1, count + 1))
    return sum(day not in days_off for day in days)


UNANSWERED_WORKING_DAYS: Final = 3
"""A request unanswered, or a visit overdue, for so long goes up to the township lead."""
