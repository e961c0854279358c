"""Windows, high risk and states of home visits, at every boundary day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BirthReportUnlikely, NextVisitUnlikely, VisitStepNotAllowed
from app.rules.age import corrected_birth_date
from app.rules.visiting import (
    Newborn,
    RiskFactor,
    VisitState,
    again_window,
    check_birth,
    check_next,
    check_step,
    first_window,
    further_window,
    has_special_claim,
    is_high_risk,
    last_next_day,
    risk_factors,
    special_window,
    working_days_between,
)

BORN = date(2026, 11, 1)


def after(days: int) -> date:
    return BORN + timedelta(days=days)


@pytest.mark.parametrize(
    ("discharged", "due"),
    [
        (0, 7),
        (3, 10),
        (20, 27),
        (21, 28),
        (22, 28),
        (27, 28),
        (28, 35),
        (40, 47),
    ],
)
def test_a_newborn_is_due_a_week_after_discharge_and_by_day_28(discharged: int, due: int) -> None:
    window = first_window(Newborn(BORN, discharged=after(discharged)))
    assert (window.opens_on, window.due_on) == (after(discharged), after(due))


@pytest.mark.parametrize(
    ("discharged", "due"),
    [(0, 3), (3, 6), (24, 27), (25, 28), (26, 28), (27, 28), (28, 31), (60, 63)],
)
def test_at_high_risk_it_is_due_three_days_after_discharge(discharged: int, due: int) -> None:
    newborn = Newborn(BORN, discharged=after(discharged), gestation_weeks=36)
    assert first_window(newborn).due_on == after(due)


@pytest.mark.parametrize("weeks", [None, 36, 40])
def test_with_the_discharge_unknown_only_day_28_binds(weeks: int | None) -> None:
    window = first_window(Newborn(BORN, gestation_weeks=weeks))
    assert (window.opens_on, window.due_on) == (BORN, after(28))


@pytest.mark.parametrize(
    ("born", "due", "until"),
    [
        (date(2026, 3, 1), date(2026, 3, 29), date(2026, 12, 31)),
        (date(2026, 10, 4), date(2026, 11, 1), date(2026, 12, 31)),
        (date(2026, 10, 5), date(2026, 11, 2), date(2027, 1, 1)),
        (date(2026, 12, 3), date(2026, 12, 31), date(2027, 3, 1)),
        (date(2026, 12, 4), date(2027, 1, 1), date(2027, 12, 31)),
        (date(2028, 2, 1), date(2028, 2, 29), date(2028, 12, 31)),
    ],
)
def test_missed_in_time_it_is_owed_for_the_year(born: date, due: date, until: date) -> None:
    window = first_window(Newborn(born))
    assert (window.due_on, window.owed_until) == (due, until)


@pytest.mark.parametrize(
    ("newborn", "found"),
    [
        (Newborn(BORN), set()),
        (Newborn(BORN, gestation_weeks=37), set()),
        (Newborn(BORN, gestation_weeks=36), {RiskFactor.PRETERM}),
        (Newborn(BORN, weight_grams=2500), set()),
        (Newborn(BORN, weight_grams=2499), {RiskFactor.LOW_WEIGHT}),
        (Newborn(BORN, is_multiple=True), {RiskFactor.MULTIPLE}),
        (Newborn(BORN, factors=frozenset({RiskFactor.BIRTH_DEFECT})), {RiskFactor.BIRTH_DEFECT}),
        (
            Newborn(BORN, gestation_weeks=35, weight_grams=2100, is_multiple=True),
            {RiskFactor.PRETERM, RiskFactor.LOW_WEIGHT, RiskFactor.MULTIPLE},
        ),
    ],
)
def test_what_puts_a_newborn_at_high_risk(newborn: Newborn, found: set[RiskFactor]) -> None:
    assert risk_factors(newborn) == found
    assert is_high_risk(newborn) is bool(found)


def test_a_visit_goes_by_the_birth_date_and_never_by_the_corrected_age() -> None:
    preterm = Newborn(BORN, gestation_weeks=30)
    assert corrected_birth_date(BORN, 30) > BORN
    assert first_window(preterm).due_on == after(28)


@pytest.mark.parametrize(
    ("number", "visited", "opens", "due"),
    [(2, 5, 6, 12), (2, 28, 29, 35), (3, 10, 11, 28), (3, 21, 22, 28), (3, 22, 23, 29)],
)
def test_at_high_risk_more_visits_follow(number: int, visited: int, opens: int, due: int) -> None:
    window = further_window(Newborn(BORN, is_multiple=True), number, after(visited))
    assert window is not None
    assert (window.opens_on, window.due_on) == (after(opens), after(due))


@pytest.mark.parametrize(
    ("newborn", "number"),
    [
        (Newborn(BORN), 2),
        (Newborn(BORN, is_multiple=True), 4),
        (Newborn(BORN, is_multiple=True), 1),
    ],
)
def test_no_more_follow_at_no_risk_or_after_the_third(newborn: Newborn, number: int) -> None:
    assert further_window(newborn, number, after(5)) is None


@given(
    born=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    stay=st.none() | st.integers(0, 120),
    weeks=st.none() | st.integers(22, 44),
)
def test_a_window_is_always_in_order(born: date, stay: int | None, weeks: int | None) -> None:
    discharged = None if stay is None else born + timedelta(days=stay)
    window = first_window(Newborn(born, discharged=discharged, gestation_weeks=weeks))
    assert born <= window.opens_on <= window.due_on <= window.owed_until
    if stay is None or stay < 28:
        assert window.due_on <= born + timedelta(days=28)


@pytest.mark.parametrize(
    ("born", "on", "claims"),
    [
        (date(2023, 11, 22), date(2026, 11, 21), True),
        (date(2023, 11, 22), date(2026, 11, 22), False),
        (date(2024, 2, 29), date(2027, 2, 27), True),
        (date(2024, 2, 29), date(2027, 2, 28), False),
        (date(2026, 11, 22), date(2026, 11, 21), False),
    ],
)
def test_special_needs_count_until_36_months(born: date, on: date, claims: bool) -> None:
    assert has_special_claim(born, on) is claims


def test_a_family_with_special_needs_is_visited_within_two_weeks() -> None:
    assert special_window(BORN).due_on == after(14)


@pytest.mark.parametrize(
    ("newborn", "what"),
    [
        (Newborn(BORN, discharged=after(-1)), "discharged_before_birth"),
        (Newborn(BORN, discharged=after(11)), "discharged_in_future"),
        (Newborn(BORN, weight_grams=299), "weight"),
        (Newborn(BORN, weight_grams=8001), "weight"),
    ],
)
def test_a_birth_that_cannot_be_is_refused(newborn: Newborn, what: str) -> None:
    with pytest.raises(BirthReportUnlikely) as refused:
        check_birth(newborn, after(10))
    assert refused.value.what == what


@pytest.mark.parametrize(
    "newborn", [Newborn(BORN, after(0), 40, 300), Newborn(BORN, after(10), 40, 8000)]
)
def test_the_bounds_themselves_can_be(newborn: Newborn) -> None:
    check_birth(newborn, after(10))


S = VisitState
STEPS = {
    (S.REQUESTED, S.CONFIRMED),
    (S.REQUESTED, S.DECLINED),
    (S.REQUESTED, S.CANCELLED),
    (S.CONFIRMED, S.EN_ROUTE),
    (S.CONFIRMED, S.COMPLETED),
    (S.CONFIRMED, S.MISSED),
    (S.CONFIRMED, S.CANCELLED),
    (S.EN_ROUTE, S.COMPLETED),
    (S.EN_ROUTE, S.MISSED),
    (S.EN_ROUTE, S.CANCELLED),
}


@pytest.mark.parametrize("state", list(VisitState))
@pytest.mark.parametrize("wanted", list(VisitState))
def test_a_visit_takes_these_steps_and_no_others(state: VisitState, wanted: VisitState) -> None:
    if (state, wanted) in STEPS:
        check_step(state, wanted)
    else:
        with pytest.raises(VisitStepNotAllowed):
            check_step(state, wanted)


@pytest.mark.parametrize(
    ("next_on", "is_right"), [(5, False), (6, True), (5 + 92, True), (5 + 93, False)]
)
def test_another_visit_is_asked_for_within_three_months(next_on: int, is_right: bool) -> None:
    visited = after(5)
    if is_right:
        check_next(after(next_on), visited, BORN)
        return
    with pytest.raises(NextVisitUnlikely) as refused:
        check_next(after(next_on), visited, BORN)
    assert (refused.value.earliest, refused.value.latest) == (after(6), after(97))


def test_another_visit_is_not_asked_for_beyond_the_third_birthday() -> None:
    born = date(2023, 12, 1)
    assert last_next_day(date(2026, 11, 20), born) == date(2026, 11, 30)
    with pytest.raises(NextVisitUnlikely):
        check_next(date(2026, 12, 1), date(2026, 11, 20), born)


def test_a_visit_asked_for_late_in_the_year_is_owed_into_the_next() -> None:
    window = again_window(date(2026, 12, 1), date(2026, 12, 30))
    assert (window.opens_on, window.owed_until) == (date(2026, 12, 1), date(2027, 2, 28))


def test_working_days_leave_out_weekends_and_holidays() -> None:
    friday, off = date(2026, 11, 20), frozenset({date(2026, 11, 21), date(2026, 11, 22)})
    assert working_days_between(friday, date(2026, 11, 24), off) == 2
    assert working_days_between(friday, date(2026, 11, 25), off) == 3
    assert working_days_between(friday, friday, off) == 0
