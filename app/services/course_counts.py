"""How many learn the seven-skills course: the course's part of the coverage report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from app.models import Family, Learner
from app.rules.lessons import GRANDPARENTS


@dataclass(frozen=True, slots=True)
class CourseCount:
    """Learners of a year: people, not families."""

    enrolled: int = 0
    """Enrolled within the year, whether they left again or not."""
    completed: int = 0
    """Passed the seventh module within the year, whenever they enrolled."""
    grandparents: int = 0
    """Of those enrolled."""


def total(counts: Iterable[CourseCount]) -> CourseCount:
    found = list(counts)
    return CourseCount(
        sum(one.enrolled for one in found),
        sum(one.completed for one in found),
        sum(one.grandparents for one in found),
    )


def count_learners(
    db: Session, families: ColumnElement[bool], start: datetime, end: datetime
) -> Mapping[tuple[int, int | None], CourseCount]:
    """By township and station of the family; `families` is a condition on Family."""
    is_enrolled = and_(Learner.enrolled_at >= start, Learner.enrolled_at < end)
    is_completed = and_(Learner.completed_at >= start, Learner.completed_at < end)
    is_grandparent = and_(is_enrolled, Learner.relation.in_(GRANDPARENTS))

    def counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    rows = db.execute(
        select(
            Family.township_id,
            Family.station_id,
            counted(is_enrolled),
            counted(is_completed),
            counted(is_grandparent),
        )
        .join(Family, Family.id == Learner.family_id)
        .where(families, or_(is_enrolled, is_completed))
        .group_by(Family.township_id, Family.station_id)
    )
    return {
        (township_id, station_id): CourseCount(enrolled, completed, grandparents)
        for township_id, station_id, enrolled, completed, grandparents in rows
    }
