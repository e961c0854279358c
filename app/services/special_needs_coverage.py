"""Families with special needs, and how long they waited for the first visit at home."""

from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Child, Family, HomeVisit, SpecialNeed
from app.rules.age import SERVICE_UNTIL_MONTHS, add_months
from app.rules.visiting import Kind, VisitState


@dataclass(frozen=True, slots=True)
class SpecialNeeds:
    """A year's families with special needs, without saying which needs."""

    families: int
    served: int
    """Visited at home by the education service in the year, after the need was noted."""
    median_wait_days: float | None
    """From the note to the first visit after it, of the families served; None where none was."""


def count_special_needs(
    db: Session, year: int, now: datetime, families: ColumnElement[bool]
) -> SpecialNeeds:
    """Of a Shanghai calendar year up to now: a child under three, its need noted and not ended."""
    start = datetime(year, 1, 1, tzinfo=SHANGHAI)
    end = datetime(year + 1, 1, 1, tzinfo=SHANGHAI)
    noted = (
        select(Child.family_id, func.min(SpecialNeed.noted_at).label("at"))
        .join(Child, Child.id == SpecialNeed.child_id)
        .join(Family, Family.id == Child.family_id)
        .where(
            families,
            Child.birth_date > add_months(date(year, 1, 1), -SERVICE_UNTIL_MONTHS),
            SpecialNeed.noted_at < min(end, now),
            or_(SpecialNeed.ended_at.is_(None), SpecialNeed.ended_at >= start),
        )
        .group_by(Child.family_id)
        .subquery()
    )
    was_made = and_(
        HomeVisit.family_id == noted.c.family_id,
        HomeVisit.kind == Kind.GUIDANCE,
        HomeVisit.state == VisitState.COMPLETED,
        HomeVisit.completed_at >= noted.c.at,
        HomeVisit.completed_at < min(end, now),
    )
    rows = db.execute(
        select(
            noted.c.family_id,
            noted.c.at,
            func.min(HomeVisit.completed_at),
            func.max(HomeVisit.completed_at),
        )
        .outerjoin(HomeVisit, was_made)
        .group_by(noted.c.family_id, noted.c.at)
    ).all()
    waits = [
        _days(noted_at, first)
        for _, noted_at, first, last in rows
        if first is not None and last >= start
    ]
    return SpecialNeeds(len(rows), len(waits), float(median(waits)) if waits else None)


def _days(since: datetime, until: datetime) -> int:
    return (until.astimezone(SHANGHAI).date() - since.astimezone(SHANGHAI).date()).days
