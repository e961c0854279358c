"""Reminders of home visits, and what goes up to the township lead after three working days."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.clock import SHANGHAI
from app.models import Family, HomeVisit, VisitDue
from app.models.visit_facts import VisitReminded
from app.rules.visit_reminders import LONGEST_LEAD, find_due
from app.rules.visiting import VisitState
from app.services import visit_proposals
from app.services.audit import SYSTEM
from app.services.home_visits import lock_visit, record
from app.services.visit_notices import tell, told
from app.services.visit_tasks import open_task
from app.services.visit_unrecorded import families_awaiting
from app.services.working_days import escalation_day

BATCH = 200


def find_near(db: Session, now: datetime) -> list[int]:
    """Confirmed visits that a reminder may be due of, the nearest first."""
    return list(
        db.scalars(
            select(HomeVisit.id)
            .where(
                HomeVisit.state == VisitState.CONFIRMED,
                HomeVisit.starts_at > now,
                HomeVisit.starts_at <= now + LONGEST_LEAD,
            )
            .order_by(HomeVisit.starts_at, HomeVisit.id)
        )
    )


def remind(db: Session, visit_ids: list[int], now: datetime) -> int:
    """Write the reminders that these visits are due now, each once for its time; how many."""
    queued = 0
    for visit_id in visit_ids:
        visit = lock_visit(db, visit_id)
        if visit.state != VisitState.CONFIRMED or visit.starts_at is None:
            continue
        told_at = visit.told_at or visit.requested_at
        due = find_due(visit.starts_at, now.astimezone(SHANGHAI), told_at)
        if due is None:
            continue
        facts = VisitReminded(kind=due.reminder.value, **told(visit))
        queued += tell(db, facts, visit, now, expires_at=due.until, can_wait=True)
    return queued


def escalate_requests(db: Session, now: datetime) -> int:
    """Requests that nobody answered go up to the township lead, once; how many did. Where a loss
    was told nobody is hurried."""
    today = now.astimezone(SHANGHAI).date()
    before = datetime.combine(
        escalation_day(db, today) + timedelta(days=1), datetime.min.time(), SHANGHAI
    )
    waiting = db.scalars(
        select(HomeVisit)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(
            HomeVisit.state == VisitState.REQUESTED,
            Family.stopped_at.is_(None),
            HomeVisit.requested_at < before,
            HomeVisit.escalated_at.is_(None),
        )
        .options(joinedload(HomeVisit.child))
        .order_by(HomeVisit.id)
        .with_for_update(of=HomeVisit, skip_locked=True)
    ).all()
    for visit in waiting:
        visit.escalated_at = now
        record(db, visit, "escalate", SYSTEM, now, before=visit.state)
        open_task(db, visit, "escalation", "", now)
    db.flush()
    return len(waiting)


def escalate_dues(db: Session, now: datetime) -> int:
    """Visits overdue for three working days that nobody has arranged, or whose visit nobody has
    recorded, are marked for the township lead; how many were. They stand in the lead's work
    list: no task each."""
    today = now.astimezone(SHANGHAI).date()
    late = db.scalars(
        select(VisitDue)
        .join(Family, Family.id == VisitDue.family_id)
        .where(
            VisitDue.closed_at.is_(None),
            VisitDue.due_on <= escalation_day(db, today),
            VisitDue.owed_until >= today,
            VisitDue.escalated_at.is_(None),
            Family.need.is_distinct_from(False),
            Family.stopped_at.is_(None),
            VisitDue.family_id.not_in(families_awaiting(today)),
        )
        .order_by(VisitDue.id)
        .limit(BATCH)
        .with_for_update(of=VisitDue, skip_locked=True)
    ).all()
    for due in late:
        due.escalated_at = now
    db.flush()
    return len(late)


def settle(db: Session, now: datetime) -> int:
    """End proposals that nobody answered in time; how many."""
    return visit_proposals.expire(db, now)
