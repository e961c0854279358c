"""Reminders of home visits, and what goes up to the township lead after three working days."""

from datetime import date, datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from app.clock import SHANGHAI
from app.models import Family, FollowUp, HomeVisit, VisitDue
from app.models.visit_facts import VisitReminded
from app.rules.calendar_days import DayKind
from app.rules.visit_reminders import LONGEST_LEAD, find_due
from app.rules.visiting import OPEN, UNANSWERED_WORKING_DAYS, Kind, VisitState, working_days_between
from app.services import visit_proposals
from app.services.audit import SYSTEM
from app.services.calendar_days import get_days
from app.services.home_visits import lock_visit, record
from app.services.visit_notices import tell, told

LONGEST_WAIT_DAYS = 60
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


def days_off(db: Session, since: date, until: date) -> frozenset[date]:
    """The days of a stretch on which offices do not work."""
    days = get_days(db, [since + timedelta(days=n) for n in range((until - since).days + 1)])
    return frozenset(
        day for day, known in days.items() if known.is_off or known.kind is DayKind.BLACKOUT
    )


def escalation_day(db: Session, today: date) -> date:
    """What began on this day or before has waited for three whole working days."""
    first = today - timedelta(days=LONGEST_WAIT_DAYS)
    off = days_off(db, first, today)
    day = today
    while working_days_between(day, today, off) < UNANSWERED_WORKING_DAYS and day > first:
        day -= timedelta(days=1)
    return day


def escalate_requests(db: Session, now: datetime) -> int:
    """Requests that nobody answered go up to the township lead, once; how many did."""
    today = now.astimezone(SHANGHAI).date()
    before = datetime.combine(
        escalation_day(db, today) + timedelta(days=1), datetime.min.time(), SHANGHAI
    )
    waiting = db.scalars(
        select(HomeVisit)
        .where(
            HomeVisit.state == VisitState.REQUESTED,
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
        db.add(
            FollowUp(
                kind="escalation",
                caregiver_id=visit.caregiver_id,
                station_id=visit.child.family.station_id,
                detail=f"home_visit:{visit.id}",
                created_at=now,
            )
        )
    db.flush()
    return len(waiting)


def escalate_dues(db: Session, now: datetime) -> int:
    """Visits overdue for three working days that nobody has arranged are marked for the township
    lead; how many were. They stand in the lead's work list: no task each."""
    today = now.astimezone(SHANGHAI).date()
    arranged = exists().where(
        HomeVisit.family_id == VisitDue.family_id,
        HomeVisit.kind == Kind.GUIDANCE,
        HomeVisit.state.in_(OPEN),
    )
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
            ~arranged,
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
