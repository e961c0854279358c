"""Another time for a visit: offered by staff, or wished by the family, and answered by the other.

An open proposal holds its slot, and the visit keeps the one it has: only the answer moves it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from app.errors import NoVisitProposal, VisitorBusy, VisitUnknown
from app.models import Caregiver, HomeVisit, Staff, Visitor, VisitProposal
from app.models.visit_facts import VisitConfirmed, VisitProposed, VisitWishEnded
from app.rules.visit_slots import Slot
from app.rules.visiting import VisitState, check_step
from app.services import visit_diaries
from app.services.audit import Actor
from app.services.home_visits import (
    Choice,
    Wish,
    check_day,
    check_slot,
    find_open,
    find_slot,
    get_visitor,
    lock_visit,
    move,
    record,
    take,
    withdraw_proposals,
)
from app.services.registration import get_family
from app.services.staff import scope_of
from app.services.visit_notices import tell, told
from app.services.visit_scope import check_visit
from app.services.visit_tasks import open_task
from app.services.working_days import unanswered_at

ANSWER_WITHIN: Final = timedelta(hours=48)
"""So long a family may think about a time that staff offer."""
BEFORE_START: Final = timedelta(hours=2)
"""A proposal ends at the latest so long before the time that it is about."""


def propose(
    db: Session, *, visit_id: int, staff: Staff, choice: Choice, now: datetime
) -> VisitProposal:
    """Offer the family another time; it has two days to answer. Whatever was offered before ends.

    Raises VisitUnknown, NotYours, VisitStepNotAllowed, VisitorUnknown, VisitDayPast,
    VisitorAway, VisitorBusy.
    """
    check_visit(db, scope_of(staff), visit_id)
    visit_diaries.lock_visitors(db, [choice.visitor_id])
    visit = lock_visit(db, visit_id)
    _check_may_move(visit)
    visitor = get_visitor(db, choice.visitor_id)
    slot = check_slot(db, visitor, choice.starts_at, visit.id, now)
    proposal = _hold(db, visit, visitor, slot, staff.id, now)
    record(db, visit, "propose", Actor("staff", staff.id), now, before=visit.state)
    facts = told(visit) | {
        "starts_at": slot.starts_at,
        "ends_at": slot.ends_at,
        "visitor": visitor.name,
        "visitor_phone": visitor.phone,
        "visitor_code": visitor.code,
    }
    tell(
        db,
        VisitProposed(
            **facts,
            proposal_id=proposal.id,
            was_at=visit.starts_at if visit.state == VisitState.CONFIRMED else None,
            until=proposal.expires_at,
        ),
        visit,
        now,
        expires_at=proposal.expires_at,
    )
    return proposal


def _check_may_move(visit: HomeVisit) -> None:
    """Raises VisitStepNotAllowed once the visitor is on the way, or the visit is over."""
    if visit.state not in (VisitState.REQUESTED, VisitState.CONFIRMED):
        check_step(VisitState(visit.state), VisitState.CONFIRMED)


def _hold(
    db: Session,
    visit: HomeVisit,
    visitor: Visitor,
    slot: Slot,
    staff_id: int | None,
    now: datetime,
) -> VisitProposal:
    withdraw_proposals(db, visit, now)
    # A family has two days; staff have their working days, as for every request.
    answer_until = now + ANSWER_WITHIN if staff_id else unanswered_at(db, now)
    proposal = VisitProposal(
        visit_id=visit.id,
        visitor=visitor,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        busy_until=slot.ends_at + timedelta(minutes=visitor.buffer_minutes),
        state="open",
        proposed_by=staff_id,
        created_at=now,
        expires_at=max(
            now + timedelta(minutes=1), min(answer_until, slot.starts_at - BEFORE_START)
        ),
    )
    name = visitor.name
    try:
        with db.begin_nested():
            db.add(proposal)
            db.flush()
    except IntegrityError:
        raise VisitorBusy(name, slot.starts_at) from None
    return proposal


def find_proposal(db: Session, family_id: int, now: datetime) -> VisitProposal | None:
    """What staff offered the family and it has not answered, in its time."""
    return db.scalars(
        select(VisitProposal)
        .join(HomeVisit, HomeVisit.id == VisitProposal.visit_id)
        .where(
            HomeVisit.family_id == family_id,
            VisitProposal.state == "open",
            VisitProposal.proposed_by.is_not(None),
            VisitProposal.expires_at > now,
        )
        .options(joinedload(VisitProposal.visitor))
    ).first()


def answer_by_family(
    db: Session, *, caregiver: Caregiver, accepts: bool, now: datetime
) -> HomeVisit:
    """The family takes the time that staff offered, or turns it down.

    Taken, the visit is confirmed at the new time; turned down, it is as it was. Raises
    NoVisitProposal where nothing is open, or its time to answer is over.
    """
    family = get_family(caregiver)
    found = find_proposal(db, family.id, now)
    if found is None:
        raise NoVisitProposal()
    visit_diaries.lock_visitors(db, [found.visitor_id])
    visit = lock_visit(db, found.visit_id)
    db.refresh(found)
    if found.state != "open":
        raise NoVisitProposal()
    _check_may_move(visit)
    actor = Actor("caregiver", caregiver.id)
    if not accepts:
        found.state, found.answered_at = "declined", now
        db.flush()
        record(db, visit, "turn_down", actor, now, before=visit.state)
        return visit
    visit.caregiver_id = caregiver.id
    _apply(db, visit, found, actor, None, now)
    return visit


def _apply(
    db: Session,
    visit: HomeVisit,
    proposal: VisitProposal,
    actor: Actor,
    staff_id: int | None,
    now: datetime,
) -> None:
    """Move the visit to the proposed slot, which becomes its own, and tell the family."""
    proposal.state, proposal.answered_at = "accepted", now
    db.flush()
    choice = Choice(proposal.visitor_id, proposal.starts_at)
    if visit.state == VisitState.CONFIRMED:
        move(db, visit, choice, actor, now)
        return
    take(db, visit, choice, now)
    visit.state = VisitState.CONFIRMED
    visit.decided_at, visit.decided_by = now, staff_id or proposal.proposed_by
    visit.told_at = now
    record(db, visit, "confirm", actor, now, before=VisitState.REQUESTED)
    tell(db, VisitConfirmed(**told(visit)), visit, now, expires_at=visit.ends_at)


@dataclass(frozen=True, slots=True)
class Wished:
    """What became of a family's wish for another time."""

    visit: HomeVisit
    starts_at: datetime | None
    """The time that is held for it; None where a person has to find one."""
    keeps: datetime | None
    """The time that stands until staff agree; None where there is none, or it is past."""

    @property
    def is_request(self) -> bool:
        return self.visit.state == VisitState.REQUESTED


def wish_other_time(db: Session, *, caregiver: Caregiver, wish: Wish, now: datetime) -> Wished:
    """The family would like another time for its open visit; who asked is told from now on.

    A request that nobody has confirmed moves at once; a confirmed visit keeps its time until
    staff agree. Where no time can be had at all, the wish is kept, and a person finds one.
    Raises VisitUnknown, VisitStepNotAllowed, VisitDayPast, VisitDayTooFar, VisitDayOff,
    VisitHalfFull.
    """
    family = get_family(caregiver)
    there = find_open(db, family.id)
    if there is None:
        raise VisitUnknown()
    visitors = db.scalars(visit_diaries.covering(family.township_id)).all()
    check_day(db, visitors, wish, now)
    visit_diaries.lock_visitors(db, [visitor.id for visitor in visitors])
    visit = lock_visit(db, there.id)
    _check_may_move(visit)
    slot = find_slot(db, family.id, visitors, wish, now, leaving_out=visit.id)
    is_new = (visit.wished_on, visit.wished_half) != (wish.day, wish.half)
    visit.wished_on, visit.wished_half = wish.day, wish.half
    visit.caregiver_id = caregiver.id
    record(db, visit, "wish", Actor("caregiver", caregiver.id), now, before=visit.state)
    keeps = visit.starts_at if visit.starts_at and visit.starts_at > now else None
    if slot is None:
        if visit.state == VisitState.CONFIRMED and is_new:
            open_task(db, visit, "visit_wish", str(wish.day), now)
        return Wished(visit, None, keeps)
    if visit.state == VisitState.REQUESTED:
        withdraw_proposals(db, visit, now)
        take(db, visit, Choice(slot.visitor_id, slot.starts_at), now)
        return Wished(visit, slot.starts_at, None)
    visitor = next(each for each in visitors if each.id == slot.visitor_id)
    _hold(db, visit, visitor, slot, None, now)
    return Wished(visit, slot.starts_at, keeps)


def answer_by_staff(
    db: Session, *, visit_id: int, staff: Staff, accepts: bool, now: datetime
) -> HomeVisit:
    """Staff agree to the time that the family wishes, or leave the visit as it is.

    Raises VisitUnknown, NotYours, NoVisitProposal.
    """
    check_visit(db, scope_of(staff), visit_id)
    found = db.scalars(
        select(VisitProposal).where(
            VisitProposal.visit_id == visit_id,
            VisitProposal.state == "open",
            VisitProposal.proposed_by.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise NoVisitProposal()
    visit_diaries.lock_visitors(db, [found.visitor_id])
    visit = lock_visit(db, visit_id)
    db.refresh(found)
    if found.state != "open":
        raise NoVisitProposal()
    _check_may_move(visit)
    actor = Actor("staff", staff.id)
    if accepts:
        _apply(db, visit, found, actor, staff.id, now)
    else:
        found.state, found.answered_at = "declined", now
        db.flush()
        record(db, visit, "refuse_wish", actor, now, before=visit.state)
        _tell_end(db, visit, found, now, was_declined=True)
    return visit


def _tell_end(
    db: Session, visit: HomeVisit, wish: VisitProposal, now: datetime, *, was_declined: bool
) -> None:
    """The time that the family wished is not to be: what stands is said, once."""
    stands = visit.starts_at is not None and visit.starts_at > now
    facts = told(visit) if stands else told(visit) | {"starts_at": None, "ends_at": None}
    ended = VisitWishEnded(
        **facts, proposal_id=wish.id, wished_at=wish.starts_at, was_declined=was_declined
    )
    tell(db, ended, visit, now, can_wait=not was_declined)


def expire(db: Session, now: datetime) -> int:
    """End what nobody answered in time, so that its slots can be had; how many.

    A family that wished another time is told so, and somebody has it as a task.
    """
    late = db.scalars(
        select(VisitProposal)
        .where(VisitProposal.state == "open", VisitProposal.expires_at <= now)
        .with_for_update(skip_locked=True)
    ).all()
    for proposal in late:
        proposal.state, proposal.answered_at = "expired", now
    db.flush()
    for proposal in late:
        if proposal.proposed_by is None:
            # Not locked: whoever locks the visit goes on to its proposals.
            visit = db.get_one(HomeVisit, proposal.visit_id)
            _tell_end(db, visit, proposal, now, was_declined=False)
            open_task(db, visit, "escalation", "wish", now)
    return len(late)
