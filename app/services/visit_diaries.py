"""Visitors' time: what they work, what is taken, and the slots that can be had.

Whoever takes a slot locks its visitors first, in the order of their ids, and reads their
diaries after: two who want the same slot come one after the other.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import HalfDayOffer
from app.models import (
    HomeVisit,
    Visitor,
    VisitorLeave,
    VisitorTownship,
    VisitProposal,
)
from app.rules.calendar_days import Day
from app.rules.visit_slots import (
    HORIZON_DAYS,
    MIN_LEAD,
    Candidate,
    Diary,
    Half,
    HalfDay,
    Hours,
    Slot,
    Span,
    free_slots,
    half_days,
    nearest,
    rank,
    works_on,
)
from app.rules.visiting import HOLDS, VisitState
from app.services.calendar_days import get_days

NEAREST = 3
"""So many other half-days are offered to whoever cannot have the one wished."""
NEAR_DAYS = 21
"""Within so many days after the wished one they are looked for; further off where none is."""


def midnight(day: date) -> datetime:
    """The first instant of a Shanghai day."""
    return datetime.combine(day, time(), SHANGHAI)


def covering(township_id: int) -> Select[Visitor]:
    """Active visitors who go to a township, by id."""
    return (
        select(Visitor)
        .join(VisitorTownship, VisitorTownship.visitor_id == Visitor.id)
        .where(VisitorTownship.township_id == township_id, Visitor.is_active)
        .order_by(Visitor.id)
    )


def lock_visitors(db: Session, visitor_ids: Iterable[int]) -> None:
    """Hold these visitors' time against everybody else who takes or moves a slot of theirs."""
    wanted = sorted(set(visitor_ids))
    if wanted:
        db.execute(
            select(Visitor.id).where(Visitor.id.in_(wanted)).order_by(Visitor.id).with_for_update()
        ).all()


def hours_of(visitor: Visitor) -> Hours:
    """What the rules know of a visitor's work."""
    return Hours(
        weekdays=frozenset(int(each) for each in visitor.weekdays.split()),
        starts=visitor.starts,
        ends=visitor.ends,
        visit_minutes=visitor.visit_minutes,
        buffer_minutes=visitor.buffer_minutes,
    )


def _within(since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return HomeVisit.starts_at < until, HomeVisit.busy_until > since


def read_diaries(
    db: Session,
    visitors: Sequence[Visitor],
    since: datetime,
    until: datetime,
    *,
    leaving_out: int | None = None,
) -> list[Diary]:
    """Each visitor's diary of a stretch of time; a visit may be left out, with its proposal."""
    ids = [visitor.id for visitor in visitors]
    visits = select(
        literal("busy"), HomeVisit.visitor_id, HomeVisit.starts_at, HomeVisit.busy_until
    ).where(
        HomeVisit.visitor_id.in_(ids),
        HomeVisit.state.in_(HOLDS),
        HomeVisit.id != (leaving_out or 0),
        *_within(since, until),
    )
    proposals = select(
        literal("busy"),
        VisitProposal.visitor_id,
        VisitProposal.starts_at,
        VisitProposal.busy_until,
    ).where(
        VisitProposal.visitor_id.in_(ids),
        VisitProposal.state == "open",
        VisitProposal.visit_id != (leaving_out or 0),
        VisitProposal.starts_at < until,
        VisitProposal.busy_until > since,
    )
    leaves = select(
        literal("away"), VisitorLeave.visitor_id, VisitorLeave.starts_at, VisitorLeave.ends_at
    ).where(
        VisitorLeave.visitor_id.in_(ids),
        VisitorLeave.starts_at < until,
        VisitorLeave.ends_at > since,
    )
    busy: dict[int, list[Span]] = defaultdict(list)
    away: dict[int, list[Span]] = defaultdict(list)
    rows: Iterable[Any] = db.execute(union_all(visits, proposals, leaves))
    for kind, visitor_id, starts_at, ends_at in rows:
        if visitor_id and starts_at and ends_at:
            (away if kind == "away" else busy)[visitor_id].append(Span(starts_at, ends_at))
    return [
        Diary(
            visitor.id,
            hours_of(visitor),
            away=tuple(away[visitor.id]),
            busy=tuple(sorted(busy[visitor.id], key=lambda span: span.starts_at)),
        )
        for visitor in visitors
    ]


def days_from(db: Session, first: date, count: int) -> list[Day]:
    """So many days from one on, as the calendar has them."""
    wanted = [first + timedelta(days=step) for step in range(count)]
    days = get_days(db, wanted)
    return [days[day] for day in wanted]


@dataclass(frozen=True, slots=True)
class Availability:
    """The free slots of a stretch of days, and on which of them anybody works at all."""

    slots: tuple[Slot, ...]
    working: frozenset[date]
    days: dict[date, Day]
    diaries: tuple[Diary, ...] = ()

    def of_day(self, day: date, half: Half | None = None) -> list[Slot]:
        return [
            slot
            for slot in self.slots
            if slot.starts_at.date() == day and (half is None or slot.half is half)
        ]


def find_available(
    db: Session,
    visitors: Sequence[Visitor],
    first: date,
    count: int,
    now: datetime,
    *,
    leaving_out: int | None = None,
    lead: timedelta = MIN_LEAD,
) -> Availability:
    """What these visitors can still take of so many days."""
    days = days_from(db, first, count)
    since, until = midnight(first), midnight(first + timedelta(days=count))
    diaries = read_diaries(db, visitors, since, until, leaving_out=leaving_out)
    local = (now + lead).astimezone(SHANGHAI)
    slots = [
        slot
        for day in days
        for diary in diaries
        for slot in free_slots(diary, day, SHANGHAI, local)
    ]
    working = {day.day for day in days if any(works_on(each.hours, day) for each in diaries)}
    return Availability(
        tuple(slots), frozenset(working), {day.day: day for day in days}, tuple(diaries)
    )


def offers(
    db: Session, township_id: int, now: datetime, *, first: date | None = None, count: int = 14
) -> list[HalfDay]:
    """Half-days with free slots in a township, from today or a later day on."""
    today = now.astimezone(SHANGHAI).date()
    visitors = db.scalars(covering(township_id)).all()
    if not visitors:
        return []
    start = max(first or today, today)
    return half_days(find_available(db, visitors, start, count, now).slots)


def nearest_offers(
    db: Session, visitors: Sequence[Visitor], wished: date, half: Half | None, now: datetime
) -> tuple[HalfDayOffer, ...]:
    """Up to three half-days nearest to the wished one that can still be had."""
    today = now.astimezone(SHANGHAI).date()
    last = today + timedelta(days=HORIZON_DAYS)
    centre = min(max(wished, today), last)
    first = max(today, centre - timedelta(days=7))
    found = half_days(find_available(db, visitors, first, NEAR_DAYS, now).slots)
    if not found:
        found = half_days(find_available(db, visitors, today, HORIZON_DAYS, now).slots)
    return tuple(
        HalfDayOffer(one.day, one.half, one.free) for one in nearest(found, centre, half)[:NEAREST]
    )


def came_last(db: Session, family_id: int) -> int | None:
    """The visitor who made the family's last visit."""
    return db.scalar(
        select(HomeVisit.visitor_id)
        .where(HomeVisit.family_id == family_id, HomeVisit.state == VisitState.COMPLETED)
        .order_by(HomeVisit.starts_at.desc())
        .limit(1)
    )


def ranked(db: Session, visitor_ids: Sequence[int], *, family_id: int, day: date) -> list[int]:
    """Visitors in the order of suggestion for a family and a day."""
    return ranked_after(db, visitor_ids, last=came_last(db, family_id), day=day)


def ranked_after(
    db: Session, visitor_ids: Sequence[int], *, last: int | None, day: date
) -> list[int]:
    """The same, where it is known who came last."""
    monday = day - timedelta(days=day.weekday())
    start, end = midnight(monday), midnight(monday + timedelta(days=7))
    that_day: dict[int, int] = defaultdict(int)
    that_week: dict[int, int] = defaultdict(int)
    for visitor_id, starts_at in db.execute(
        select(HomeVisit.visitor_id, HomeVisit.starts_at).where(
            HomeVisit.visitor_id.in_(visitor_ids),
            HomeVisit.state.in_(HOLDS),
            HomeVisit.starts_at >= start,
            HomeVisit.starts_at < end,
        )
    ):
        if visitor_id and starts_at:
            that_week[visitor_id] += 1
            that_day[visitor_id] += starts_at.astimezone(SHANGHAI).date() == day
    return rank(
        Candidate(each, each == last, that_day[each], that_week[each]) for each in visitor_ids
    )


def overlapping(
    db: Session, visitor_id: int, starts_at: datetime, busy_until: datetime, except_visit: int
) -> int:
    """How many other visits and proposals are in a slot's way; the visitor is locked."""
    visits = db.execute(
        select(func.count(HomeVisit.id)).where(
            HomeVisit.visitor_id == visitor_id,
            HomeVisit.state.in_(HOLDS),
            HomeVisit.id != except_visit,
            *_within(starts_at, busy_until),
        )
    ).scalar_one()
    proposals = db.execute(
        select(func.count(VisitProposal.id)).where(
            VisitProposal.visitor_id == visitor_id,
            VisitProposal.state == "open",
            VisitProposal.visit_id != except_visit,
            VisitProposal.starts_at < busy_until,
            VisitProposal.busy_until > starts_at,
        )
    ).scalar_one()
    return visits + proposals
