"""What staff decide about home visits: confirmed, declined, moved, taken back, arranged.

The order of locks is that of home_visits: a visitor that is to be taken, then the visit.
"""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import (
    NotYours,
    ReasonMissing,
    SlotMissing,
    VisitAlreadyDecided,
    VisitDayPast,
    VisitorAway,
)
from app.models import Caregiver, Child, HomeVisit, Staff
from app.models.visit_facts import VisitCancelledByStaff, VisitConfirmed, VisitDeclined
from app.rules.visit_slots import is_in_hours
from app.rules.visiting import Kind, Purpose, VisitState, check_step
from app.services import visit_diaries
from app.services.audit import Actor
from app.services.home_visits import (
    Choice,
    cancel,
    check_no_other,
    check_slot,
    decide,
    get_visitor,
    lock_visit,
    move,
    record,
    take,
    withdraw_proposals,
    write,
)
from app.services.staff import scope_of
from app.services.visit_claims import find_claim
from app.services.visit_notices import tell, told
from app.services.visit_scope import check_family, check_visit


def check_undecided(db: Session, visit: HomeVisit) -> None:
    """Raises VisitAlreadyDecided with who was faster, when, and what for."""
    if visit.state == VisitState.REQUESTED:
        return
    decider = db.get(Staff, visit.decided_by) if visit.decided_by else None
    raise VisitAlreadyDecided(
        state=visit.state,
        by=decider.username if decider else None,
        at=visit.decided_at,
        visitor=visit.visitor.name if visit.visitor else None,
        starts_at=visit.starts_at,
    )


def confirm(
    db: Session, *, visit_id: int, staff: Staff, now: datetime, choice: Choice | None = None
) -> HomeVisit:
    """The visit is arranged, at the time it holds or at another one, and the family is told.

    Raises VisitUnknown, NotYours, VisitAlreadyDecided, SlotMissing, VisitDayPast, VisitorBusy,
    VisitorAway, VisitorUnknown.
    """
    check_visit(db, scope_of(staff), visit_id)
    if choice is not None:
        visit_diaries.lock_visitors(db, [choice.visitor_id])
    visit = lock_visit(db, visit_id)
    check_undecided(db, visit)
    if choice is not None and (choice.visitor_id, choice.starts_at) != (
        visit.visitor_id,
        visit.starts_at,
    ):
        take(db, visit, choice, now)
    elif visit.visitor_id is None or visit.starts_at is None:
        raise SlotMissing()
    else:
        _check_still_there(db, visit, now)
    withdraw_proposals(db, visit, now)
    decide(visit, VisitState.CONFIRMED, staff.id, now)
    visit.told_at = now
    record(db, visit, "confirm", Actor("staff", staff.id), now, before=VisitState.REQUESTED)
    tell(db, VisitConfirmed(**told(visit)), visit, now, expires_at=visit.ends_at)
    return visit


def _check_still_there(db: Session, visit: HomeVisit, now: datetime) -> None:
    """A request may have lain for days: its time is past, or its visitor on leave."""
    assert visit.visitor is not None, "the slot is whole"
    assert visit.starts_at is not None, "the slot is whole"
    if visit.starts_at <= now:
        raise VisitDayPast(visit.starts_at.astimezone(SHANGHAI).date())
    day = visit.starts_at.astimezone(SHANGHAI).date()
    start = visit_diaries.midnight(day)
    diary = visit_diaries.read_diaries(
        db, [visit.visitor], start, start + timedelta(days=1), leaving_out=visit.id
    )[0]
    known = visit_diaries.days_from(db, day, 1)[0]
    if not visit.visitor.is_active or not is_in_hours(diary, known, visit.starts_at):
        raise VisitorAway(visit.visitor.name, visit.starts_at)


def decline(db: Session, *, visit_id: int, staff: Staff, reason: str, now: datetime) -> HomeVisit:
    """A request is turned down with a reason that the family is told; its time is free.

    Raises VisitUnknown, NotYours, VisitAlreadyDecided, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    check_visit(db, scope_of(staff), visit_id)
    visit = lock_visit(db, visit_id)
    check_undecided(db, visit)
    withdraw_proposals(db, visit, now)
    decide(visit, VisitState.DECLINED, staff.id, now)
    visit.reason = reason.strip()
    actor = Actor("staff", staff.id)
    record(db, visit, "decline", actor, now, before=VisitState.REQUESTED, reason=visit.reason)
    tell(db, VisitDeclined(**told(visit), reason=visit.reason), visit, now)
    return visit


def reassign(
    db: Session, *, visit_id: int, staff: Staff, choice: Choice, now: datetime
) -> HomeVisit:
    """An arranged visit gets another visitor or time, as agreed by telephone; the family is told.

    Raises VisitUnknown, NotYours, VisitStepNotAllowed, VisitorUnknown, VisitDayPast,
    VisitorAway, VisitorBusy.
    """
    check_visit(db, scope_of(staff), visit_id)
    visit_diaries.lock_visitors(db, [choice.visitor_id])
    visit = lock_visit(db, visit_id)
    if visit.state != VisitState.CONFIRMED:
        check_step(VisitState(visit.state), VisitState.EN_ROUTE)
    move(db, visit, choice, Actor("staff", staff.id), now)
    return visit


def cancel_by_staff(
    db: Session, *, visit_id: int, staff: Staff, reason: str, now: datetime
) -> HomeVisit:
    """An open visit is taken back with a reason that the family is told.

    Raises VisitUnknown, NotYours, VisitStepNotAllowed, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    check_visit(db, scope_of(staff), visit_id)
    visit = lock_visit(db, visit_id)
    cancel(db, visit, Actor("staff", staff.id), now, reason.strip())
    tell(db, VisitCancelledByStaff(**told(visit), reason=reason.strip()), visit, now)
    return visit


def arrange(
    db: Session, *, family_id: int, staff: Staff, choice: Choice, now: datetime, note: str = ""
) -> HomeVisit:
    """Staff arrange a visit for a family, from the due list or after a call: confirmed at once.

    Raises NotYours, NoVisitClaim, VisitAlreadyOpen, VisitorUnknown, VisitDayPast, VisitorAway,
    VisitorBusy.
    """
    family = check_family(db, scope_of(staff), family_id)
    day = choice.starts_at.astimezone(SHANGHAI).date()
    claim = find_claim(db, family, day, now)
    visit_diaries.lock_visitors(db, [choice.visitor_id])
    check_no_other(db, family.id)
    visitor = get_visitor(db, choice.visitor_id)
    slot = check_slot(db, visitor, choice.starts_at, 0, now)
    actor = Actor("staff", staff.id)
    visit = write(
        db,
        family,
        claim,
        caregiver_id=find_recipient(db, family.id),
        visitors=[visitor],
        slot=slot,
        wish=None,
        actor=actor,
        now=now,
        note=note,
    )
    decide(visit, VisitState.CONFIRMED, staff.id, now)
    visit.told_at = now
    record(db, visit, "confirm", actor, now, before=VisitState.REQUESTED)
    tell(db, VisitConfirmed(**told(visit)), visit, now, expires_at=visit.ends_at)
    return visit


def find_recipient(db: Session, family_id: int) -> int | None:
    """Who of the family is written to where nobody asked: the first one who follows."""
    return db.scalar(
        select(Caregiver.id)
        .where(
            Caregiver.family_id == family_id,
            Caregiver.is_following,
            Caregiver.openid.is_not(None),
        )
        .order_by(Caregiver.id)
        .limit(1)
    )


def note_medical(
    db: Session, *, child_id: int, staff: Staff, day: date, now: datetime
) -> HomeVisit:
    """Note that the health centre made its own 新生儿访视: kept and counted apart.

    Raises NotYours, VisitDayPast where the day is still to come.
    """
    child = db.get(Child, child_id)
    if child is None:
        raise NotYours()
    check_family(db, scope_of(staff), child.family_id)
    if day > now.astimezone(SHANGHAI).date():
        raise VisitDayPast(day)
    visit = HomeVisit(
        family_id=child.family_id,
        child=child,
        kind=Kind.MEDICAL,
        purpose=Purpose.NEWBORN,
        state=VisitState.COMPLETED,
        wished_on=day,
        code_word=0,
        moves=0,
        requested_at=now,
        requested_by=staff.id,
        decided_at=now,
        decided_by=staff.id,
        completed_at=visit_diaries.midnight(day),
    )
    db.add(visit)
    db.flush()
    record(db, visit, "note_medical", Actor("staff", staff.id), now, before=None)
    return visit
