from datetime import date, datetime, time, timedelta
from itertools import product

import pytest

from app.clock import SHANGHAI
from app.errors import AttendanceTaken, CheckInTooEarly, SessionStepNotAllowed
from app.rules.session_life import (
    Stage,
    Timing,
    check_can_cancel_session,
    check_can_check_in,
    check_can_edit,
    check_can_hold,
    check_step,
    loses_eligibility,
    moved_to,
    order_faults,
    series_days,
    stage_of,
)
from app.rules.sign_up import SessionState, SessionTerms

S = SessionState
STARTS = datetime(2026, 12, 5, 9, 30, tzinfo=SHANGHAI)
ENDS = STARTS + timedelta(hours=1)
ALLOWED = {
    (S.DRAFT, S.PUBLISHED),
    (S.DRAFT, S.CANCELLED),
    (S.PUBLISHED, S.HELD),
    (S.PUBLISHED, S.CANCELLED),
}


def terms(
    state: SessionState = S.PUBLISHED, months: tuple[int, int] = (6, 12), at: datetime = STARTS
) -> SessionTerms:
    return SessionTerms(
        code="CQ-1",
        state=state,
        starts_at=at,
        opens_at=at - timedelta(days=30),
        closes_at=at - timedelta(hours=12),
        cancel_until=at - timedelta(hours=24),
        min_months=months[0],
        max_months=months[1],
    )


@pytest.mark.parametrize("was, wanted", list(product(S, S)))
def test_every_step_of_a_sessions_life_is_allowed_or_refused(was: S, wanted: S) -> None:
    if (was, wanted) in ALLOWED:
        check_step("CQ-1", was, wanted)
        return
    with pytest.raises(SessionStepNotAllowed):
        check_step("CQ-1", was, wanted)


@pytest.mark.parametrize(
    "at, stage",
    [
        (STARTS - timedelta(days=30, seconds=1), Stage.NOT_OPEN),
        (STARTS - timedelta(days=30), Stage.OPEN),
        (STARTS - timedelta(hours=12, seconds=1), Stage.OPEN),
        (STARTS - timedelta(hours=12), Stage.CLOSED),
        (STARTS - timedelta(seconds=1), Stage.CLOSED),
        (STARTS, Stage.RUNNING),
        (ENDS - timedelta(seconds=1), Stage.RUNNING),
        (ENDS, Stage.OVER),
    ],
)
def test_a_published_sessions_stage_follows_from_its_times(at: datetime, stage: Stage) -> None:
    assert stage_of(terms(), ENDS, at) is stage


@pytest.mark.parametrize("state", [S.DRAFT, S.HELD, S.CANCELLED])
def test_any_other_state_is_the_stage_at_every_time(state: S) -> None:
    for at in (STARTS - timedelta(days=90), STARTS, ENDS + timedelta(days=1)):
        assert stage_of(terms(state), ENDS, at) is Stage(state.value)


@pytest.mark.parametrize("state", list(S))
def test_only_a_draft_and_a_published_session_can_be_changed(state: S) -> None:
    if state in (S.DRAFT, S.PUBLISHED):
        check_can_edit("CQ-1", state)
        return
    with pytest.raises(SessionStepNotAllowed):
        check_can_edit("CQ-1", state)


def test_a_session_cannot_be_cancelled_once_attendance_was_taken() -> None:
    check_can_cancel_session("CQ-1", S.PUBLISHED, 0)
    with pytest.raises(AttendanceTaken):
        check_can_cancel_session("CQ-1", S.PUBLISHED, 1)


def test_a_session_is_held_from_its_end_on() -> None:
    check_can_hold("CQ-1", S.PUBLISHED, ENDS, ENDS)
    with pytest.raises(SessionStepNotAllowed):
        check_can_hold("CQ-1", S.PUBLISHED, ENDS, ENDS - timedelta(seconds=1))


def test_staff_check_in_from_the_first_minute_of_the_day_and_without_an_end() -> None:
    midnight = STARTS.replace(hour=0, minute=0)
    check_can_check_in("CQ-1", S.PUBLISHED, midnight, midnight)
    check_can_check_in("CQ-1", S.HELD, midnight, midnight + timedelta(days=300))
    with pytest.raises(CheckInTooEarly):
        check_can_check_in("CQ-1", S.PUBLISHED, midnight, midnight - timedelta(seconds=1))
    for state in (S.DRAFT, S.CANCELLED):
        with pytest.raises(SessionStepNotAllowed):
            check_can_check_in("CQ-1", state, midnight, midnight)


@pytest.mark.parametrize(
    "born, on, months, loses",
    [
        (date(2025, 11, 6), date(2026, 12, 5), (6, 12), False),  # 12 months on both days
        (date(2025, 11, 6), date(2026, 12, 6), (6, 12), True),  # 13 months on the new day
        (date(2025, 11, 6), date(2026, 12, 5), (6, 11), True),  # the ages were narrowed
        (date(2026, 6, 5), date(2026, 12, 4), (6, 12), True),  # too young a day earlier
        (date(2024, 1, 1), date(2026, 12, 6), (6, 12), False),  # never fitted: staff let it in
        (None, date(2026, 12, 6), (6, 12), False),
    ],
)
def test_who_fitted_and_fits_no_more_loses_eligibility(
    born: date | None, on: date, months: tuple[int, int], loses: bool
) -> None:
    assert loses_eligibility(born, terms(), date(2026, 12, 5), terms(months=months), on) is loses


def timing(**shifts: timedelta) -> Timing:
    moments = {
        "starts_at": STARTS,
        "ends_at": ENDS,
        "opens_at": STARTS - timedelta(days=30),
        "closes_at": STARTS - timedelta(hours=12),
        "cancel_until": STARTS - timedelta(hours=24),
    }
    for name, by in shifts.items():
        moments[name] += by
    return Timing(**moments)


@pytest.mark.parametrize(
    "shifts, faults",
    [
        ({}, []),
        ({"closes_at": timedelta(hours=12), "cancel_until": timedelta(hours=24)}, []),
        ({"ends_at": -timedelta(hours=1)}, [("ends_at", "ends_before_start")]),
        (
            {"opens_at": timedelta(days=30) - timedelta(hours=12)},
            [("closes_at", "closes_before_opening")],
        ),
        (
            {"closes_at": timedelta(hours=12, seconds=1)},
            [("closes_at", "closes_after_start")],
        ),
        (
            {"cancel_until": timedelta(hours=24, seconds=1)},
            [("cancel_until", "cancel_after_start")],
        ),
    ],
)
def test_moments_out_of_order_are_named(
    shifts: dict[str, timedelta], faults: list[tuple[str, str]]
) -> None:
    assert list(order_faults(timing(**shifts))) == faults


def test_a_moved_session_keeps_every_distance_from_its_start() -> None:
    moved = moved_to(timing(), date(2026, 12, 19), time(14, 0))

    assert moved.starts_at == datetime(2026, 12, 19, 14, 0, tzinfo=SHANGHAI)
    assert moved.ends_at - moved.starts_at == timedelta(hours=1)
    assert moved.starts_at - moved.opens_at == timedelta(days=30)
    assert moved.starts_at - moved.closes_at == timedelta(hours=12)
    assert moved.starts_at - moved.cancel_until == timedelta(hours=24)


def test_a_series_runs_to_its_last_day_included() -> None:
    first = date(2026, 12, 5)
    assert list(series_days(first, 2, date(2027, 1, 2))) == [
        date(2026, 12, 5),
        date(2026, 12, 19),
        date(2027, 1, 2),
    ]
    assert list(series_days(first, 2, date(2027, 1, 1)))[-1] == date(2026, 12, 19)
    assert list(series_days(first, 1, date(2026, 12, 4))) == []
