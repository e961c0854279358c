"""Home visits asked for, moved and cancelled; what staff decide is in visit_decisions.

A request holds a visitor's time at once, so that a confirmation only says yes to it. Whoever
takes a slot locks its visitors, then the visit; whoever only changes a visit's state locks the
visit. Nobody locks a visitor after a visit.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from app.clock import SHANGHAI
from app.errors import (
    VisitAlreadyOpen,
    VisitDayOff,
    VisitDayPast,
    VisitDayTooFar,
    VisitHalfFull,
    VisitorAway,
    VisitorBusy,
    VisitorUnknown,
    VisitTooLateToCancel,
    VisitUnknown,
)
from app.models import Caregiver, Family, HomeVisit, Visitor, VisitProposal
from app.models.visit_facts import (
    VisitMoved,
)
from app.rules.calendar_days import DayKind
from app.rules.visit_slots import HORIZON_DAYS, Half, Slot, is_in_hours
from app.rules.visiting import OPEN, Kind, VisitState, check_step
from app.services import audit, visit_diaries
from app.services.audit import Actor
from app.services.registration import get_family
from app.services.visit_claims import Claim, find_claim, want_again
from app.services.visit_notices import tell, told

CODE_WORDS: Final = 32 * 32
"""How many words the visitor may be given to say."""


@dataclass(frozen=True, slots=True)
class Wish:
    """When a family would like to be visited: a day, perhaps its half, perhaps the minute."""

    day: date
    half: Half | None = None
    starts_at: datetime | None = None
    is_any: bool = False
    """Any time from the day on: kept for a person to arrange where the day has none."""


def record(
    db: Session,
    visit: HomeVisit,
    action: str,
    actor: Actor,
    now: datetime,
    *,
    before: str | None,
    reason: str | None = None,
) -> None:
    """The audit row of a step: the last one always tells the visit's state."""
    audit.record(
        db,
        actor=actor,
        action=action,
        subject_type="home_visit",
        subject_id=visit.id,
        now=now,
        before=before,
        after=visit.state,
        reason=reason,
    )


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()


def find_open(db: Session, family_id: int) -> HomeVisit | None:
    """The family's visit that is asked for or arranged; None where there is none."""
    return db.scalars(
        select(HomeVisit)
        .where(
            HomeVisit.family_id == family_id,
            HomeVisit.kind == Kind.GUIDANCE,
            HomeVisit.state.in_(OPEN),
        )
        .options(joinedload(HomeVisit.visitor))
        .execution_options(populate_existing=True)
    ).one_or_none()


def check_no_other(db: Session, family_id: int) -> None:
    """Raises VisitAlreadyOpen where the family has a visit that is asked for or arranged."""
    there = find_open(db, family_id)
    if there is not None:
        raise VisitAlreadyOpen(there.state, there.starts_at)


def request(
    db: Session, *, caregiver: Caregiver, wish: Wish, now: datetime, note: str = ""
) -> HomeVisit:
    """A family asks for a visit; the best visitor's time is held from now on.

    Where nobody goes to the family's township, or no time can be had at all, the request is kept
    without one, and a person finds it. Raises NoVisitClaim, VisitAlreadyOpen, and VisitDayPast,
    VisitDayTooFar, VisitDayOff or VisitHalfFull with the nearest half-days that can be had.
    """
    family = get_family(caregiver)
    visitors = db.scalars(visit_diaries.covering(family.township_id)).all()
    check_day(db, visitors, wish, now)
    claim = find_claim(db, family, wish.day, now)
    check_no_other(db, family.id)
    # Look before locking: who comes too late learns it without holding anybody up.
    find_slot(db, family.id, visitors, wish, now)
    visit_diaries.lock_visitors(db, [visitor.id for visitor in visitors])
    # Both parents at once: the one behind learns here, not from the unique key.
    check_no_other(db, family.id)
    slot = find_slot(db, family.id, visitors, wish, now)
    return write(
        db,
        family,
        claim,
        caregiver_id=caregiver.id,
        visitors=visitors,
        slot=slot,
        wish=wish,
        actor=Actor("caregiver", caregiver.id),
        now=now,
        note=note,
    )


def check_day(db: Session, visitors: Sequence[Visitor], wish: Wish, now: datetime) -> None:
    """Raises VisitDayPast or VisitDayTooFar, with what can be had instead."""
    today = _today(now)
    if wish.day < today:
        nearest = visit_diaries.nearest_offers(db, visitors, today, wish.half, now)
        raise VisitDayPast(wish.day, nearest)
    if wish.day > today + timedelta(days=HORIZON_DAYS):
        nearest = visit_diaries.nearest_offers(db, visitors, wish.day, wish.half, now)
        raise VisitDayTooFar(wish.day, HORIZON_DAYS, nearest)


def find_slot(
    db: Session,
    family_id: int,
    visitors: Sequence[Visitor],
    wish: Wish,
    now: datetime,
    *,
    leaving_out: int | None = None,
) -> Slot | None:
    """The slot to be suggested; None where a person has to find one: nobody goes there, or there
    is nothing else to offer. The visitors are locked.

    Raises VisitDayOff or VisitHalfFull with the nearest half-days.
    """
    if not visitors:
        return None
    try:
        return choose_slot(db, family_id, visitors, wish, now, leaving_out=leaving_out)
    except (VisitDayOff, VisitHalfFull) as refused:
        if refused.nearest and not wish.is_any:
            raise
        return None


def choose_slot(
    db: Session,
    family_id: int,
    visitors: Sequence[Visitor],
    wish: Wish,
    now: datetime,
    *,
    leaving_out: int | None = None,
) -> Slot:
    """The first free slot of the visitor to be suggested; the visitors are locked.

    Raises VisitDayOff or VisitHalfFull with the nearest half-days.
    """
    found = visit_diaries.find_available(db, visitors, wish.day, 1, now, leaving_out=leaving_out)
    slots = found.of_day(wish.day, wish.half)
    if wish.starts_at is not None:
        slots = [slot for slot in slots if slot.starts_at == wish.starts_at]
    if slots:
        order = visit_diaries.ranked(
            db,
            sorted({slot.visitor_id for slot in slots}),
            family_id=family_id,
            day=wish.day,
        )
        return min(slots, key=lambda slot: (order.index(slot.visitor_id), slot.starts_at))
    nearest = visit_diaries.nearest_offers(db, visitors, wish.day, wish.half, now)
    day = found.days[wish.day]
    if day.kind in (DayKind.HOLIDAY, DayKind.BLACKOUT) or wish.day not in found.working:
        raise VisitDayOff(wish.day, day.name, nearest)
    raise VisitHalfFull(wish.day, wish.half, nearest)


def write(
    db: Session,
    family: Family,
    claim: Claim,
    *,
    caregiver_id: int | None,
    visitors: Sequence[Visitor],
    slot: Slot | None,
    wish: Wish | None,
    actor: Actor,
    now: datetime,
    note: str,
) -> HomeVisit:
    """A new request, holding its slot where it has one; `visitors`, who are locked, include the
    slot's. Raises VisitAlreadyOpen."""
    visit = HomeVisit(
        family_id=family.id,
        child=claim.child,
        caregiver_id=caregiver_id,
        kind=Kind.GUIDANCE,
        purpose=claim.purpose,
        state=VisitState.REQUESTED,
        wished_on=wish.day if wish and not wish.is_any else None,
        wished_half=wish.half if wish else None,
        note=note.strip() or None,
        code_word=secrets.randbelow(CODE_WORDS),
        moves=0,
        requested_at=now,
        requested_by=actor.id if actor.type == "staff" else None,
    )
    if slot is not None:
        _occupy(visit, next(each for each in visitors if each.id == slot.visitor_id), slot)
    # The unique keys answer "already": one open visit a family, one beginning a visitor.
    try:
        with db.begin_nested():
            db.add(visit)
            db.flush()
    except IntegrityError:
        check_no_other(db, family.id)
        raise
    want_again(db, family, actor, now)
    record(db, visit, "request", actor, now, before=None)
    return visit


def _occupy(visit: HomeVisit, visitor: Visitor, slot: Slot) -> None:
    visit.visitor = visitor
    visit.visitor_id = visitor.id
    visit.starts_at, visit.ends_at = slot.starts_at, slot.ends_at
    visit.busy_until = slot.ends_at + timedelta(minutes=visitor.buffer_minutes)


def lock_visit(db: Session, visit_id: int) -> HomeVisit:
    """The visit as it is now, held. Raises VisitUnknown."""
    visit = db.scalars(
        select(HomeVisit)
        .where(HomeVisit.id == visit_id)
        .with_for_update(of=HomeVisit)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if visit is None:
        raise VisitUnknown()
    return visit


@dataclass(frozen=True, slots=True)
class Choice:
    """A visitor and a beginning that staff have chosen."""

    visitor_id: int
    starts_at: datetime


def decide(visit: HomeVisit, state: VisitState, staff_id: int | None, now: datetime) -> None:
    """A step that somebody decided. Raises VisitStepNotAllowed."""
    check_step(VisitState(visit.state), state)
    visit.state = state
    visit.decided_at, visit.decided_by = now, staff_id


def take(db: Session, visit: HomeVisit, choice: Choice, now: datetime) -> None:
    """Give the visit another visitor or time; the old slot is free only now that the new one
    holds. The new visitor is locked.

    Raises VisitorUnknown, VisitDayPast, VisitorAway, VisitorBusy.
    """
    visitor = get_visitor(db, choice.visitor_id)
    slot = check_slot(db, visitor, choice.starts_at, visit.id, now)
    with _refused_as_busy(db, visitor, choice.starts_at):
        _occupy(visit, visitor, slot)
        db.flush()


def get_visitor(db: Session, visitor_id: int) -> Visitor:
    """Raises VisitorUnknown, also for one who makes no visits any more."""
    visitor = db.get(Visitor, visitor_id)
    if visitor is None or not visitor.is_active:
        raise VisitorUnknown(str(visitor_id))
    return visitor


def check_slot(
    db: Session, visitor: Visitor, starts_at: datetime, visit_id: int, now: datetime
) -> Slot:
    """The visitor's slot that begins then, free. Raises VisitDayPast, VisitorAway, VisitorBusy."""
    local = starts_at.astimezone(SHANGHAI)
    if local <= now:
        raise VisitDayPast(local.date())
    start = visit_diaries.midnight(local.date())
    diary = visit_diaries.read_diaries(
        db, [visitor], start, start + timedelta(days=1), leaving_out=visit_id
    )[0]
    day = visit_diaries.days_from(db, local.date(), 1)[0]
    if not is_in_hours(diary, day, local):
        raise VisitorAway(visitor.name, local)
    slot = Slot(visitor.id, local, local + diary.hours.visit)
    if visit_diaries.overlapping(
        db, visitor.id, slot.starts_at, slot.ends_at + diary.hours.buffer, visit_id
    ):
        raise VisitorBusy(visitor.name, local)
    return slot


@contextmanager
def _refused_as_busy(db: Session, visitor: Visitor, starts_at: datetime) -> Iterator[None]:
    """The unique key of a beginning, behind the lock, says the same as the look before."""
    name = visitor.name
    try:
        with db.begin_nested():
            yield
    except IntegrityError:
        raise VisitorBusy(name, starts_at) from None


def move(db: Session, visit: HomeVisit, choice: Choice, actor: Actor, now: datetime) -> None:
    """Move a confirmed visit and tell the family once; nothing where nothing changes."""
    if (visit.visitor_id, visit.starts_at) == (choice.visitor_id, choice.starts_at):
        return
    was_at, was_visitor = visit.starts_at, visit.visitor.name if visit.visitor else ""
    take(db, visit, choice, now)
    withdraw_proposals(db, visit, now)
    visit.moves += 1
    visit.told_at = now
    record(db, visit, "move", actor, now, before=visit.state)
    facts = VisitMoved(**told(visit), was_at=was_at, was_visitor=was_visitor)
    tell(db, facts, visit, now, expires_at=visit.ends_at)


def withdraw_proposals(
    db: Session, visit: HomeVisit, now: datetime, state: str = "withdrawn"
) -> None:
    """Whatever other time was talked about is settled with the visit."""
    for proposal in db.scalars(
        select(VisitProposal).where(
            VisitProposal.visit_id == visit.id, VisitProposal.state == "open"
        )
    ):
        proposal.state, proposal.answered_at = state, now
    db.flush()


def cancel_by_family(
    db: Session, *, caregiver: Caregiver, now: datetime, even_if_over: bool = False
) -> HomeVisit:
    """The family's open visit is cancelled. Raises VisitUnknown, VisitTooLateToCancel.

    Once its time has come it may have been made, and its record is still to be written: then it
    is cancelled only where `even_if_over`, and nobody is on the way. The family goes for good.
    """
    family = get_family(caregiver)
    there = find_open(db, family.id)
    if there is None:
        raise VisitUnknown()
    visit = lock_visit(db, there.id)
    if visit.state not in OPEN:
        raise VisitUnknown()
    _check_may_cancel(visit, now, even_if_over)
    cancel(db, visit, Actor("caregiver", caregiver.id), now, None)
    return visit


def _check_may_cancel(visit: HomeVisit, now: datetime, even_if_over: bool) -> None:
    """Raises VisitTooLateToCancel."""
    if visit.visitor is None or visit.starts_at is None or visit.state == VisitState.REQUESTED:
        return
    is_over = _today(visit.starts_at) < _today(now)
    if even_if_over and (is_over or visit.state == VisitState.CONFIRMED):
        return
    if visit.state == VisitState.EN_ROUTE and not is_over:
        raise VisitTooLateToCancel(visit.visitor.name, visit.visitor.phone)
    if visit.starts_at <= now:
        raise VisitTooLateToCancel(visit.visitor.name, visit.visitor.phone, visit.starts_at)


def cancel(db: Session, visit: HomeVisit, actor: Actor, now: datetime, reason: str | None) -> None:
    """End an open visit, which is locked; nobody is told."""
    was = visit.state
    withdraw_proposals(db, visit, now)
    decide(visit, VisitState.CANCELLED, actor.id if actor.type == "staff" else None, now)
    visit.reason = reason
    record(db, visit, "cancel", actor, now, before=was, reason=reason)
