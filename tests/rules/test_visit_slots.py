"""Slots: working hours, visit length, buffer, leave, holidays, make-up days, suggestion."""

import itertools
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.calendar_days import Day, DayKind
from app.rules.visit_slots import (
    Candidate,
    Diary,
    Half,
    HalfDay,
    Hours,
    Span,
    free_slots,
    half_days,
    half_of,
    is_free,
    is_in_hours,
    nearest,
    rank,
    slots_of,
    works_on,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = Hours(frozenset({1, 2, 3, 4, 5}), time(9), time(16), 60, 30)
THURSDAY = date(2026, 11, 26)
DIARY = Diary(1, HOURS)


def day(on: date = THURSDAY, kind: DayKind = DayKind.WORKDAY) -> Day:
    return Day(on, kind, "", is_known=True)


def at(hour: int, minute: int = 0, on: date = THURSDAY) -> datetime:
    return datetime.combine(on, time(hour, minute), SHANGHAI)


def times(diary: Diary, on: Day) -> list[str]:
    return [f"{slot.starts_at:%H:%M}" for slot in slots_of(diary, on, SHANGHAI)]


def test_slots_follow_a_visit_and_a_buffer_apart() -> None:
    assert times(DIARY, day()) == ["09:00", "10:30", "12:00", "13:30", "15:00"]


@pytest.mark.parametrize(
    ("ends", "count"), [(time(9, 59), 0), (time(10), 1), (time(11, 29), 1), (time(11, 30), 2)]
)
def test_the_last_visit_ends_within_the_hours(ends: time, count: int) -> None:
    assert len(times(Diary(1, replace(HOURS, ends=ends)), day())) == count


@pytest.mark.parametrize(
    ("kind", "on", "weekdays", "works"),
    [
        (DayKind.WORKDAY, THURSDAY, {4}, True),
        (DayKind.WORKDAY, THURSDAY, {3}, False),
        (DayKind.HOLIDAY, THURSDAY, {4}, False),
        (DayKind.BLACKOUT, THURSDAY, {4}, False),
        (DayKind.WEEKEND, date(2026, 11, 28), {1, 2, 3, 4, 5}, False),
        (DayKind.WEEKEND, date(2026, 11, 28), {6}, True),
        (DayKind.MAKE_UP, date(2026, 11, 28), {1, 2, 3, 4, 5}, True),
        (DayKind.MAKE_UP, date(2026, 11, 28), {2, 4}, False),
        (DayKind.MAKE_UP, date(2026, 11, 28), {6}, True),
    ],
)
def test_who_works_on_which_day(kind: DayKind, on: date, weekdays: set[int], works: bool) -> None:
    assert works_on(replace(HOURS, weekdays=frozenset(weekdays)), day(on, kind)) is works


def test_leave_takes_the_slots_that_it_touches() -> None:
    diary = replace(DIARY, away=(Span(at(9, 59), at(12)),))
    assert times(diary, day()) == ["12:00", "13:30", "15:00"]
    diary = replace(DIARY, away=(Span(at(10), at(10, 30)),))
    assert len(times(diary, day())) == 5, "between two visits"


@pytest.mark.parametrize(
    ("starts", "free"),
    [
        ((9, 0), False),
        ((8, 30), True),
        ((8, 31), False),
        ((11, 29), False),
        ((11, 30), True),
        ((12, 0), True),
    ],
)
def test_exactly_the_buffer_apart_is_allowed_and_a_minute_less_is_not(
    starts: tuple[int, int], free: bool
) -> None:
    # A visit from 10:00 to 11:00, with the way after it until 11:30.
    diary = replace(DIARY, busy=(Span(at(10), at(11, 30)),))
    assert is_free(diary, at(*starts)) is free


def test_what_is_too_soon_or_taken_is_not_offered() -> None:
    diary = replace(DIARY, busy=(Span(at(12), at(13, 30)),))
    found = free_slots(diary, day(), SHANGHAI, not_before=at(10, 30))
    assert [f"{slot.starts_at:%H:%M}" for slot in found] == ["10:30", "13:30", "15:00"]


@pytest.mark.parametrize(
    ("starts", "inside"), [((8, 59), False), ((9, 0), True), ((15, 0), True), ((15, 1), False)]
)
def test_a_time_of_ones_own_lies_within_the_hours(starts: tuple[int, int], inside: bool) -> None:
    assert is_in_hours(DIARY, day(), at(*starts)) is inside
    assert not is_in_hours(DIARY, day(kind=DayKind.HOLIDAY), at(10))
    assert not is_in_hours(replace(DIARY, away=(Span(at(10), at(11)),)), day(), at(10, 59))


def test_a_slot_belongs_to_the_half_day_in_which_it_begins() -> None:
    assert half_of(at(11, 59)) is Half.MORNING
    assert half_of(at(12)) is Half.AFTERNOON


def test_half_days_are_counted_and_the_nearest_come_first() -> None:
    slots = [
        slot
        for on in (date(2026, 11, 25), THURSDAY, date(2026, 11, 30))
        for slot in slots_of(DIARY, day(on), SHANGHAI)
    ]
    offers = half_days(slots)
    assert offers[0] == HalfDay(date(2026, 11, 25), Half.MORNING, 2)
    wanted = date(2026, 11, 27)
    first, second, third, *_ = nearest(offers, wanted, Half.AFTERNOON)
    assert (first.day, first.half) == (THURSDAY, Half.AFTERNOON)
    assert (second.day, second.half) == (THURSDAY, Half.MORNING)
    assert third.day == date(2026, 11, 25)


def test_who_came_last_time_is_suggested_then_the_least_loaded() -> None:
    candidates = [
        Candidate(1, came_last_time=False, visits_that_day=0, visits_that_week=5),
        Candidate(2, came_last_time=True, visits_that_day=4, visits_that_week=9),
        Candidate(3, came_last_time=False, visits_that_day=0, visits_that_week=2),
        Candidate(4, came_last_time=False, visits_that_day=1, visits_that_week=1),
    ]
    assert rank(candidates) == [2, 3, 1, 4]


@given(
    starts=st.integers(6 * 60, 12 * 60),
    length=st.integers(0, 600),
    visit=st.integers(10, 180),
    buffer=st.integers(0, 120),
)
def test_slots_never_overlap_and_keep_the_hours(
    starts: int, length: int, visit: int, buffer: int
) -> None:
    end = min(starts + length, 23 * 60 + 59)
    hours = Hours(
        frozenset({4}),
        time(*divmod(starts, 60)),
        time(*divmod(end, 60)),
        visit,
        buffer,
    )
    slots = slots_of(Diary(1, hours), day(), SHANGHAI)
    for slot in slots:
        assert slot.ends_at - slot.starts_at == timedelta(minutes=visit)
        assert hours.starts <= slot.starts_at.time()
        assert slot.ends_at.time() <= hours.ends
    for before, later in itertools.pairwise(slots):
        assert later.starts_at - before.ends_at == timedelta(minutes=buffer)
