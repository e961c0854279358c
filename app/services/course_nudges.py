"""Nudges for learners who do not go on: weekly, four at most, then a pause until the next step."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session, contains_eager, selectinload

from app.models import Caregiver, Learner
from app.models.notice_facts import CourseNudge
from app.rules import lessons as rules
from app.rules.lessons import MOST_NUDGES, NUDGE_EVERY, Stillness
from app.services import course_steps, notices
from content.lessons import Course

BATCH = 200
NUDGE_PRIORITY = 50
NUDGE_GOOD_FOR = NUDGE_EVERY
"""One that waited for a week has been overtaken by the next."""


@dataclass(frozen=True, slots=True)
class Batch:
    last_id: int | None
    """Where the next batch starts; None where this was the last."""
    count: int


def nudge_stuck(
    db: Session, course: Course, *, after: int, now: datetime, limit: int = BATCH
) -> Batch:
    """One batch of learners without a step for a week; how many were nudged.

    Those who left, who are through, who want no pushes or cannot be reached are left alone.
    """
    learners = list(
        db.execute(
            select(Learner)
            .join(Learner.caregiver)
            .options(contains_eager(Learner.caregiver), selectinload(Learner.passes))
            .where(
                Learner.id > after,
                # Spelled as the partial index spells it.
                Learner.completed_at.is_(None),
                Learner.left_at.is_(None),
                Learner.moved_at <= now - NUDGE_EVERY,
                Learner.nudges < MOST_NUDGES,
                or_(Learner.nudged_at.is_(None), Learner.nudged_at <= now - NUDGE_EVERY),
                Caregiver.openid.is_not(None),
                Caregiver.is_following,
                Caregiver.family_id.is_not(None),
                Caregiver.pushes == "on",
            )
            .order_by(Learner.id)
            .limit(limit)
        ).scalars()
    )
    if not learners:
        return Batch(None, 0)
    return Batch(learners[-1].id, sum(_nudge(db, course, one, now) for one in learners))


def _nudge(db: Session, course: Course, learner: Learner, now: datetime) -> bool:
    stillness = Stillness(learner.moved_at, learner.nudged_at, learner.nudges)
    caregiver_id = learner.caregiver_id
    if caregiver_id is None or not rules.is_nudge_due(stillness, now):
        return False
    if not _take_turn(db, learner, now):
        return False
    passed = frozenset(one.lesson for one in learner.passes)
    lesson_id = rules.next_lesson(course.outline, passed)
    number = rules.current_module(course.outline, passed, course_steps.module_ids(db, learner.id))
    facts = CourseNudge(
        learner_id=learner.id,
        nudge=stillness.nudges + 1,
        lessons_passed=learner.lessons_passed,
        lesson=course.by_id[lesson_id].title if lesson_id else None,
        module=course.module(number).name,
    )
    return notices.queue(
        db,
        caregiver_id=caregiver_id,
        facts=facts,
        subject=f"learner:{learner.id}",
        dedupe_key=f"{facts.kind}:{learner.id}:{learner.moved_at.isoformat()}:{facts.nudge}",
        now=now,
        priority=NUDGE_PRIORITY,
        expires_at=now + NUDGE_GOOD_FOR,
        can_wait=True,
    )


def _take_turn(db: Session, learner: Learner, now: datetime) -> bool:
    """Count the nudge; False where another run, or a step of the learner's, was faster."""
    taken = db.execute(
        update(Learner)
        .where(
            Learner.id == learner.id,
            Learner.nudges == learner.nudges,
            Learner.moved_at == learner.moved_at,
            Learner.left_at.is_(None),
        )
        .values(nudges=learner.nudges + 1, nudged_at=now)
        .execution_options(synchronize_session=False)
    )
    return isinstance(taken, CursorResult) and taken.rowcount == 1


def settle_classes(
    db: Session, course: Course, *, after: int, now: datetime, limit: int = BATCH
) -> Batch:
    """One batch of learners whose attendance of a grandparents' class is not entered yet.

    The learner's own next step would enter it too: this is for who waits at home for it.
    """
    ids, last_id = course_steps.find_uncredited(db, after=after, now=now, limit=limit)
    if not ids:
        return Batch(last_id, 0)  # others of the batch attended what counts for somebody else
    learners = db.execute(
        select(Learner)
        .where(Learner.id.in_(ids))
        .options(selectinload(Learner.passes))
        .order_by(Learner.id)
        .with_for_update()
    ).scalars()
    for learner in learners:
        course_steps.settle(db, course, learner, now)
    return Batch(last_id, len(ids))


def is_true(db: Session, learner_id: int, since: datetime) -> bool:
    """Whether a nudge that was queued then still meets somebody who has not gone on."""
    found = db.execute(
        select(Learner.id).where(
            Learner.id == learner_id,
            Learner.left_at.is_(None),
            Learner.completed_at.is_(None),
            Learner.moved_at < since,
        )
    )
    return found.first() is not None
