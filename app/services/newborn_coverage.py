"""Newborns of a year and those whose home was visited: the district's guidance visits, never the
health centres' medical ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Child, Family, HomeVisit, VisitDue
from app.rules.visiting import Kind, Purpose, VisitState


@dataclass(frozen=True, slots=True)
class NewbornCount:
    """The newborns of the families of one township and station that are in need."""

    township_id: int
    station_id: int | None
    in_need: int
    visited: int


def count_newborns(
    db: Session, year: int, now: datetime, families: ColumnElement[bool]
) -> list[NewbornCount]:
    """Children born in a Shanghai calendar year up to now, by township and station.

    Visited is who had the first visit that every newborn is owed, whenever it took place; twins
    are two newborns, and one visit reaches both.
    """
    today = now.astimezone(SHANGHAI).date()
    was_visited = exists().where(
        VisitDue.child_id == Child.id,
        VisitDue.purpose == Purpose.NEWBORN,
        VisitDue.closed_as == "visited",
        HomeVisit.id == VisitDue.visit_id,
        HomeVisit.kind == Kind.GUIDANCE,
        HomeVisit.state == VisitState.COMPLETED,
    )
    rows = db.execute(
        select(
            Family.township_id,
            Family.station_id,
            func.count(Child.id),
            func.count(case((was_visited, Child.id))),
        )
        .join(Child, Child.family_id == Family.id)
        .where(
            families,
            Family.need.is_(True),
            Child.birth_date >= date(year, 1, 1),
            Child.birth_date <= min(today, date(year, 12, 31)),
        )
        .group_by(Family.township_id, Family.station_id)
    )
    return [NewbornCount(*row) for row in rows]


def add_up(counts: Iterable[NewbornCount]) -> tuple[int, int]:
    """Newborns in need and visited."""
    found = list(counts)
    return sum(one.in_need for one in found), sum(one.visited for one in found)
