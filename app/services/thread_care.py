"""Conversations that nobody looks after: unanswered ones go up, silent ones end, old ones go."""

from datetime import datetime, timedelta

from sqlalchemy import String, and_, cast, delete, exists, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.models import Caregiver, FollowUp, HelpThread, Notice, Staff, Station, ThreadMessage
from app.models.notice_facts import ThreadLate
from app.rules.retention import DONE_TASKS
from app.rules.working_hours import working_minutes
from app.services import audit, notices
from app.services.working_days import days_off

LATE_MINUTES = 120
"""Of working time: who waits longer is told so, and the question goes up to the lead."""
SILENT = timedelta(days=3)
"""A conversation in which we spoke last ends after so long; the next word is the service's."""
BATCH = 500


def escalate(db: Session, now: datetime) -> int:
    """Questions unanswered for two working hours go up, once each; how many did.

    A task stands in the lists of station, township and district, and the family is told by what
    telephone somebody can be reached.
    """
    local = now.astimezone(SHANGHAI)
    waiting = db.scalars(
        select(HelpThread)
        .join(HelpThread.caregiver)
        .outerjoin(Caregiver.family)
        .where(
            HelpThread.closed_at.is_(None),
            HelpThread.escalated_at.is_(None),
            HelpThread.waiting_since <= now - timedelta(minutes=LATE_MINUTES),
        )
        .options(contains_eager(HelpThread.caregiver).contains_eager(Caregiver.family))
        .order_by(HelpThread.waiting_since)
        .limit(BATCH)
        .with_for_update(of=HelpThread, skip_locked=True)
    ).all()
    since = min((thread.waiting_since for thread in waiting if thread.waiting_since), default=now)
    off = days_off(db, since.astimezone(SHANGHAI).date(), local.date()) if waiting else frozenset()
    late = [
        thread
        for thread in waiting
        if thread.waiting_since
        and working_minutes(thread.waiting_since.astimezone(SHANGHAI), local, off) >= LATE_MINUTES
    ]
    for thread in late:
        _take_up(db, thread, now)
    db.flush()
    return len(late)


def _take_up(db: Session, thread: HelpThread, now: datetime) -> None:
    thread.escalated_at = now
    station = db.get(Station, thread.station_id) if thread.station_id else None
    db.add(
        FollowUp(
            kind="thread_late",
            caregiver_id=thread.caregiver_id,
            station_id=thread.station_id,
            detail=f"thread:{thread.id}",
            created_at=now,
        )
    )
    notices.queue(
        db,
        caregiver_id=thread.caregiver_id,
        facts=ThreadLate(thread_id=thread.id, phone=station.phone or "" if station else ""),
        subject=f"thread:{thread.id}",
        # Once a question, however often the job runs.
        dedupe_key=f"thread_late:{thread.id}:{thread.waiting_since:%Y%m%d%H%M%S}",
        now=now,
        expires_at=now + timedelta(hours=4),
        can_wait=True,
    )
    audit.record(
        db,
        actor=audit.SYSTEM,
        action="escalate",
        subject_type="thread",
        subject_id=thread.id,
        now=now,
    )


def end_silent(db: Session, now: datetime) -> int:
    """End a batch of conversations in which we spoke last, days ago; how many those were."""
    silent = db.scalars(
        select(HelpThread)
        .where(
            HelpThread.closed_at.is_(None),
            HelpThread.waiting_since.is_(None),
            HelpThread.last_at < now - SILENT,
        )
        .order_by(HelpThread.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    for thread in silent:
        thread.closed_at, thread.closed_how = now, "silence"
    db.flush()
    return len(silent)


def delete_old(db: Session, now: datetime) -> int:
    """Delete a batch of conversations that ended as long ago as tasks are kept; how many."""
    old = db.scalars(
        select(HelpThread.id)
        .where(HelpThread.closed_at < now - DONE_TASKS)
        .order_by(HelpThread.id)
        .limit(BATCH)
    ).all()
    if old:
        db.execute(delete(ThreadMessage).where(ThreadMessage.thread_id.in_(old)))
        db.execute(delete(HelpThread).where(HelpThread.id.in_(old)))
    return len(old)


# Invariants, for doctor


def doubled(db: Session) -> list[str]:
    """Caregivers with two open conversations."""
    found = db.scalars(
        select(HelpThread.caregiver_id)
        .where(HelpThread.closed_at.is_(None))
        .group_by(HelpThread.caregiver_id)
        .having(func.count() > 1)
    )
    return [f"caregiver:{one}" for one in found]


def untrue(db: Session) -> list[str]:
    """Conversations that say they wait although we spoke last, or the other way round."""
    newest = (
        select(func.max(ThreadMessage.id))
        .where(ThreadMessage.thread_id == HelpThread.id)
        .correlate(HelpThread)
        .scalar_subquery()
    )
    theirs_is_last = exists().where(ThreadMessage.id == newest, ThreadMessage.staff_id.is_(None))
    found = db.scalars(
        select(HelpThread.id)
        .where(
            or_(
                and_(HelpThread.closed_at.is_not(None), HelpThread.waiting_since.is_not(None)),
                and_(
                    HelpThread.closed_at.is_(None),
                    or_(
                        and_(HelpThread.waiting_since.is_(None), theirs_is_last),
                        and_(HelpThread.waiting_since.is_not(None), ~theirs_is_last),
                    ),
                ),
            )
        )
        .order_by(HelpThread.id)
    )
    return [f"thread:{one}" for one in found]


def unsigned(db: Session) -> list[str]:
    """Answers of nobody, and answers that never became a notice."""
    told = exists().where(Notice.dedupe_key == "staff_answer:" + cast(ThreadMessage.id, String))
    found = db.scalars(
        select(ThreadMessage.id)
        .outerjoin(Staff, Staff.id == ThreadMessage.staff_id)
        .where(ThreadMessage.staff_id.is_not(None), or_(Staff.id.is_(None), ~told))
        .order_by(ThreadMessage.id)
    )
    return [f"thread_message:{one}" for one in found]


CHECKS = (
    ("one_open_thread_a_caregiver", doubled),
    ("threads_know_whose_turn_it_is", untrue),
    ("answers_of_staff_are_told", unsigned),
)
