"""Enters attended grandparents' classes as practice, and nudges learners who are stuck."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.db import Database
from app.services.course_nudges import Batch, nudge_stuck, settle_classes
from app.services.course_steps import withdraw_classes
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """One pass as of a time, in short transactions; says how many it was about."""
    course = services.library.course
    if not course.lessons:
        return "the course has no lessons"
    with services.database.transaction() as db:
        withdraw_classes(db, now)
    settled = _all_batches(
        services.database, lambda db, after: settle_classes(db, course, after=after, now=now)
    )
    nudged = _all_batches(
        services.database, lambda db, after: nudge_stuck(db, course, after=after, now=now)
    )
    return f"entered classes for {settled} learners, nudged {nudged} learners"


def _all_batches(database: Database, batch: Callable[[Session, int], Batch]) -> int:
    total, after = 0, 0
    while True:
        # A batch a transaction: caregivers' turns get in between.
        with database.transaction() as db:
            done = batch(db, after)
        total += done.count
        if done.last_id is None:
            return total
        after = done.last_id
