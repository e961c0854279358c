"""A visitor's day: on the way, there, the record, nobody at home; referrals and what follows.

Every step may come twice, late and out of order from a telephone with a bad connection: it is
done once, and the record is known by the key that the page gave it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import (
    NotYours,
    VisitAlreadyDecided,
    VisitFamilyStopped,
    VisitRecordUnlike,
    VisitTooEarly,
)
from app.models import (
    Child,
    Family,
    HomeVisit,
    Referral,
    Staff,
    VisitDue,
    VisitReport,
)
from app.models.visit_facts import (
    ChildSeen,
    VisitMissed,
    VisitorOnTheWay,
    VisitPack,
    VisitSummary,
)
from app.rules.visit_record import (
    ChildRecord,
    Mother,
    Urgency,
    Vaccinations,
    VisitRecord,
    advice_signs,
    check_on,
    danger_signs,
    urgency_of,
)
from app.rules.visiting import Kind, VisitState, check_next, check_step
from app.services import visit_dues
from app.services.audit import Actor
from app.services.home_visits import lock_visit, record, withdraw_proposals
from app.services.staff import scope_of
from app.services.visit_notices import tell, told
from app.services.visit_scope import check_visit, families_in
from app.services.visit_tasks import open_task


def _check_day(visit: HomeVisit, now: datetime) -> None:
    """Raises VisitTooEarly before the day of the visit."""
    starts_at = visit.starts_at
    if starts_at is not None and now.astimezone(SHANGHAI).date() < starts_at.date():
        raise VisitTooEarly(starts_at)


def _check_welcome(db: Session, visit: HomeVisit) -> None:
    """Raises VisitFamilyStopped after a loss: the page offers no such step, an old one may.

    A visit that was made all the same can be recorded, and that nobody was met.
    """
    # Not the row that was read with the page: staff may have stopped the family since.
    if db.scalar(select(Family.stopped_at).where(Family.id == visit.family_id)) is not None:
        raise VisitFamilyStopped()


def _step(
    db: Session, visit: HomeVisit, wanted: VisitState, action: str, staff: Staff, now: datetime
) -> None:
    was = visit.state
    check_step(VisitState(was), wanted)
    visit.state = wanted
    # Another time that was talked about is no question any more.
    withdraw_proposals(db, visit, now)
    record(db, visit, action, Actor("staff", staff.id), now, before=was)


def set_off(db: Session, *, visit_id: int, staff: Staff, now: datetime) -> HomeVisit:
    """The visitor is on the way, and the family is told; a second tap does nothing.

    Raises VisitUnknown, NotYours, VisitFamilyStopped, VisitStepNotAllowed, VisitTooEarly.
    """
    check_visit(db, scope_of(staff), visit_id)
    visit = lock_visit(db, visit_id)
    if visit.state == VisitState.EN_ROUTE:
        return visit
    _check_welcome(db, visit)
    _check_day(visit, now)
    _step(db, visit, VisitState.EN_ROUTE, "set_off", staff, now)
    visit.en_route_at = now
    tell(db, VisitorOnTheWay(**told(visit)), visit, now, expires_at=visit.busy_until)
    return visit


def arrive(db: Session, *, visit_id: int, staff: Staff, now: datetime) -> HomeVisit:
    """The visitor is at the door; also where setting off was not noted.

    Raises VisitUnknown, NotYours, VisitFamilyStopped, VisitStepNotAllowed, VisitTooEarly.
    """
    check_visit(db, scope_of(staff), visit_id)
    visit = lock_visit(db, visit_id)
    if visit.arrived_at is None:
        _check_welcome(db, visit)
    _check_day(visit, now)
    if visit.state != VisitState.EN_ROUTE:
        _step(db, visit, VisitState.EN_ROUTE, "set_off", staff, now)
        visit.en_route_at = now
    visit.arrived_at = visit.arrived_at or now
    db.flush()
    return visit


def miss(db: Session, *, visit_id: int, staff: Staff, now: datetime) -> HomeVisit:
    """Nobody could be reached; the family is told, and is on the telephone list from now on.

    Raises VisitUnknown, NotYours, VisitStepNotAllowed, VisitTooEarly.
    """
    check_visit(db, scope_of(staff), visit_id)
    visit = lock_visit(db, visit_id)
    if visit.state == VisitState.MISSED:
        return visit
    _check_day(visit, now)
    _step(db, visit, VisitState.MISSED, "miss", staff, now)
    visit.decided_at, visit.decided_by = now, staff.id
    visit_dues.note_try(
        db,
        family_id=visit.family_id,
        outcome="no_answer",
        actor=Actor("staff", staff.id),
        now=now,
    )
    tell(db, VisitMissed(**told(visit)), visit, now)
    return visit


@dataclass(frozen=True, slots=True)
class Completed:
    visit: HomeVisit
    is_new: bool
    """False where this very record was taken before."""


def complete(
    db: Session,
    *,
    visit_id: int,
    staff: Staff,
    key: str,
    written: VisitRecord,
    written_at: datetime,
    now: datetime,
    packs: Sequence[VisitPack] = (),
) -> Completed:
    """Take a visit's record, once: credit the visit, refer, open what follows, tell the family.

    Raises VisitUnknown, NotYours, VisitRecordUnlike, VisitTooEarly, NextVisitUnlikely,
    VisitStepNotAllowed, and VisitAlreadyDecided where another record was written of this visit.
    """
    check_visit(db, scope_of(staff), visit_id)
    visit = lock_visit(db, visit_id)
    there = db.scalars(select(VisitReport).where(VisitReport.key == key)).one_or_none()
    if there is not None:
        if there.visit_id != visit_id:
            raise VisitRecordUnlike()
        return Completed(visit, is_new=False)
    if visit.state == VisitState.COMPLETED:
        raise _recorded_before(db, visit)
    children = _children_of(db, visit, written)
    _check_day(visit, now)
    assert visit.starts_at is not None, "confirmed with its time"
    visited_on = visit.starts_at.astimezone(SHANGHAI).date()
    if written.next_on is not None:
        check_next(written.next_on, visited_on, visit.child.birth_date)
    _step(db, visit, VisitState.COMPLETED, "complete", staff, now)
    visit.decided_at, visit.decided_by = now, staff.id
    visit.completed_at = min(max(written_at, visit.requested_at), now)
    visit.arrived_at = visit.arrived_at or visit.completed_at
    db.add(
        VisitReport(
            visit_id=visit.id,
            key=key,
            record=written.model_dump_json(),
            written_by=staff.id,
            written_at=visit.completed_at,
            received_at=now,
        )
    )
    visit_dues.credit(db, visit, visited_on, now)
    if written.next_on is not None:
        visit_dues.owe_again(db, visit.child, written.next_on, now)
    seen = []
    for each in written.children:
        child = children[each.child_id]
        age = (visited_on - child.birth_date).days if child.birth_date else 0
        _refer(db, visit, each, age, written, now)
        seen.append(_seen(child, each, age))
    if written.mother is Mother.LOW:
        open_task(db, visit, "mother", "", now)
    _tell_summary(db, visit, written, seen, packs, now)
    db.flush()
    return Completed(visit, is_new=True)


def _recorded_before(db: Session, visit: HomeVisit) -> VisitAlreadyDecided:
    writer = db.get(Staff, visit.decided_by) if visit.decided_by else None
    return VisitAlreadyDecided(
        state=visit.state,
        by=writer.username if writer else None,
        at=visit.decided_at,
        visitor=visit.visitor.name if visit.visitor else None,
        starts_at=visit.starts_at,
    )


def _children_of(db: Session, visit: HomeVisit, written: VisitRecord) -> dict[int, Child]:
    """The family's children by id. Raises VisitRecordUnlike where the record names another."""
    found = {
        child.id: child
        for child in db.scalars(select(Child).where(Child.family_id == visit.family_id))
    }
    named = [each.child_id for each in written.children]
    if not named or len(set(named)) != len(named) or not set(named) <= found.keys():
        raise VisitRecordUnlike()
    return found


def _refer(
    db: Session,
    visit: HomeVisit,
    seen: ChildRecord,
    age_days: int,
    written: VisitRecord,
    now: datetime,
) -> None:
    urgency = urgency_of(seen, age_days)
    if urgency is None:
        return
    signs = danger_signs(seen, age_days) if urgency is Urgency.NOW else advice_signs(seen)
    day = check_on(urgency, now.astimezone(SHANGHAI).date())
    db.add(
        Referral(
            visit_id=visit.id,
            child_id=seen.child_id,
            urgency=urgency,
            signs=" ".join(sorted(signs)),
            referred_to=written.referred_to,
            check_on=day,
            created_at=now,
        )
    )
    open_task(db, visit, "referral", f"{urgency} {day}", now)


def _seen(child: Child, each: ChildRecord, age_days: int) -> ChildSeen:
    return ChildSeen(
        nickname=child.nickname,
        weight_grams=each.weight_grams,
        temperature=each.temperature,
        feeding=each.feeding,
        jaundice=each.jaundice,
        cord=each.cord,
        danger=tuple(sorted(danger_signs(each, age_days))),
        advised=tuple(sorted(advice_signs(each))),
    )


def _tell_summary(
    db: Session,
    visit: HomeVisit,
    written: VisitRecord,
    seen: Sequence[ChildSeen],
    packs: Sequence[VisitPack],
    now: datetime,
) -> None:
    next_due = db.scalar(
        select(VisitDue.due_on)
        .where(VisitDue.family_id == visit.family_id, VisitDue.closed_at.is_(None))
        .order_by(VisitDue.due_on)
        .limit(1)
    )
    summary = VisitSummary(
        **told(visit),
        children=tuple(seen),
        advice=tuple(written.advice),
        vaccinations_missing=written.vaccinations is Vaccinations.MISSING,
        referred_to=written.referred_to,
        next_on=next_due.isoformat() if next_due else None,
        packs=tuple(packs),
    )
    is_urgent = any(each.danger for each in seen)
    tell(db, summary, visit, now, can_wait=not is_urgent)


def read_record(db: Session, visit_id: int) -> VisitRecord | None:
    """What was written of a visit; None where nothing was."""
    stored = db.scalar(select(VisitReport.record).where(VisitReport.visit_id == visit_id))
    return VisitRecord.model_validate_json(stored) if stored else None


def finish_referral(
    db: Session, *, referral_id: int, staff: Staff, outcome: str, now: datetime
) -> Referral:
    """Note what came of a referral; a second time tells nothing new. Raises NotYours."""
    referral = db.scalars(
        select(Referral)
        .join(HomeVisit, HomeVisit.id == Referral.visit_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(Referral.id == referral_id, families_in(scope_of(staff)))
        .with_for_update(of=Referral)
    ).one_or_none()
    if referral is None:
        raise NotYours()
    if referral.done_at is None:
        referral.done_at, referral.done_by = now, staff.id
        referral.outcome = outcome.strip() or None
        db.flush()
    return referral


def rate(db: Session, *, family_id: int, score: int, said: str, now: datetime) -> HomeVisit | None:
    """Keep what the family says of its last visit; None where it had none."""
    visit = db.scalars(
        select(HomeVisit)
        .where(
            HomeVisit.family_id == family_id,
            HomeVisit.kind == Kind.GUIDANCE,
            HomeVisit.state == VisitState.COMPLETED,
        )
        .order_by(HomeVisit.starts_at.desc())
        .limit(1)
    ).one_or_none()
    if visit is None:
        return None
    visit.rating, visit.rating_words = score, said.strip() or None
    record(db, visit, "rate", Actor("caregiver", visit.caregiver_id), now, before=visit.state)
    return visit
