"""A visitor's slots: computed from working hours, visit length, buffer, days off and leave.

Slots follow each other from the start of the working hours, a visit and a buffer apart; the
last one ends within the hours. The buffer is the way to the next family: two visits may be
exactly that far apart, and no nearer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from app.rules.calendar_days import Day, DayKind

NOON: Final = time(12)
MIN_LEAD: Final = timedelta(hours=2)
"""A family may ask for a slot that begins at least so far ahead: somebody has to confirm it."""
HORIZON_DAYS: Final = 60
"""So far ahead slots are offered."""
WEEK: Final = frozenset({1, 2, 3, 4, 5})
"""Monday is 1."""


class Half(StrEnum):
    """A half-day: which one a slot belongs to is decided by its beginning."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, its end not included."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Hours:
    """How a visitor works."""

    weekdays: frozenset[int]
    """Monday is 1."""
    starts: time
    ends: time
    visit_minutes: int
    buffer_minutes: int

    @property
    def visit(self) -> timedelta:
        return timedelta(minutes=self.visit_minutes)

    @property
    def buffer(self) -> timedelta:
        return timedelta(minutes=self.buffer_minutes)


@dataclass(frozen=True, slots=True)
class Slot:
    """One visit's time of one visitor."""

    visitor_id: int
    starts_at: datetime
    ends_at: datetime

    @property
    def half(self) -> Half:
        return half_of(self.starts_at)


@dataclass(frozen=True, slots=True)
class Diary:
    """A visitor with what is taken of their time."""

    visitor_id: int
    hours: Hours
    away: tuple[Span, ...] = ()
    """Leave."""
    busy: tuple[Span, ...] = ()
    """Visits with the buffer behind them."""


def half_of(at: datetime) -> Half:
    """The half-day of a moment given in Shanghai's time."""
    return Half.MORNING if at.time() < NOON else Half.AFTERNOON


def works_on(hours: Hours, day: Day) -> bool:
    """Whether somebody with these hours works on a day.

    Nobody works on a holiday or a closed day. On a make-up day those work who work all week,
    and those whose weekday it is anyway.
    """
    if day.kind in (DayKind.HOLIDAY, DayKind.BLACKOUT):
        return False
    if day.day.isoweekday() in hours.weekdays:
        return True
    return day.kind is DayKind.MAKE_UP and hours.weekdays >= WEEK


def slots_of(diary: Diary, day: Day, zone: tzinfo) -> list[Slot]:
    """Every slot of a visitor on a day that leave does not touch, free or taken, in order."""
    hours = diary.hours
    if not works_on(hours, day):
        return []
    starts = datetime.combine(day.day, hours.starts, zone)
    last_end = datetime.combine(day.day, hours.ends, zone)
    found = []
    while starts + hours.visit <= last_end:
        ends = starts + hours.visit
        if not any(Span(starts, ends).overlaps(away) for away in diary.away):
            found.append(Slot(diary.visitor_id, starts, ends))
        starts = ends + hours.buffer
    return found


def is_free(diary: Diary, starts_at: datetime) -> bool:
    """Whether a visit of the visitor's usual length may begin then: no other one, its buffer
    included, is in the way before or after. Leave and working hours are not looked at."""
    wanted = Span(starts_at, starts_at + diary.hours.visit + diary.hours.buffer)
    return not any(wanted.overlaps(busy) for busy in diary.busy)


def free_slots(diary: Diary, day: Day, zone: tzinfo, not_before: datetime) -> list[Slot]:
    """The slots of a day that can still be had, in order."""
    return [
        slot
        for slot in slots_of(diary, day, zone)
        if slot.starts_at >= not_before and is_free(diary, slot.starts_at)
    ]


def is_in_hours(diary: Diary, day: Day, starts_at: datetime) -> bool:
    """Whether a visit that begins then lies within working hours and outside of leave."""
    hours = diary.hours
    ends_at = starts_at + hours.visit
    return (
        works_on(hours, day)
        and starts_at.time() >= hours.starts
        and ends_at.date() == starts_at.date()
        and ends_at.time() <= hours.ends
        and not any(Span(starts_at, ends_at).overlaps(away) for away in diary.away)
    )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A visitor as the suggestion sees them."""

    visitor_id: int
    came_last_time: bool
    visits_that_day: int
    visits_that_week: int


def rank(candidates: Iterable[Candidate]) -> list[int]:
    """Visitors in the order of suggestion: who came last time, then the least loaded."""
    ordered = sorted(
        candidates,
        key=lambda one: (
            not one.came_last_time,
            one.visits_that_day,
            one.visits_that_week,
            one.visitor_id,
        ),
    )
    return [one.visitor_id for one in ordered]


@dataclass(frozen=True, slots=True)
class HalfDay:
    """What is offered of a half-day: how many slots are free, over all visitors."""

    day: date
    half: Half
    free: int


def half_days(slots: Iterable[Slot]) -> list[HalfDay]:
    """Free slots counted by half-day, in order of time."""
    counts: dict[tuple[date, Half], int] = {}
    for slot in slots:
        key = (slot.starts_at.date(), slot.half)
        counts[key] = counts.get(key, 0) + 1
    order = list(Half)
    return [
        HalfDay(day, half, free)
        for (day, half), free in sorted(
            counts.items(), key=lambda item: (item[0][0], order.index(item[0][1]))
        )
    ]


def nearest(offers: Sequence[HalfDay], wanted: date, half: Half | None) -> list[HalfDay]:
    """Offers by their distance from a wished day: the same half-day first, earlier before later."""
    return sorted(
        offers,
        key=lambda one: (
            abs((one.day - wanted).days),
            half is not None and one.half is not half,
            one.day,
        ),
    )
