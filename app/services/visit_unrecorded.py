"""Arranged visits whose day is over and of which nobody has written down what became of them.

Such a visit hides nothing: its family is owed a visit until one is recorded, and staff and the
visitor see it until they have written the record, noted that nobody was there, or moved it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from app.models import Child, HomeVisit
from app.rules.visiting import OPEN, Kind, VisitState
from app.services.visit_diaries import midnight

ARRANGED = (VisitState.CONFIRMED, VisitState.EN_ROUTE)


def families_awaiting(today: date) -> Select[int]:
    """Families with a visit that is asked for or arranged, and whose day is not over."""
    return select(HomeVisit.family_id).where(
        HomeVisit.kind == Kind.GUIDANCE,
        HomeVisit.state.in_(OPEN),
        or_(HomeVisit.starts_at.is_(None), HomeVisit.starts_at >= midnight(today)),
    )


def is_unrecorded(today: date) -> ColumnElement[bool]:
    """A condition on HomeVisit: arranged for a day before, and nothing was noted."""
    return and_(HomeVisit.state.in_(ARRANGED), HomeVisit.starts_at < midnight(today))


@dataclass(frozen=True, slots=True)
class Unrecorded:
    visit_id: int
    family_id: int
    starts_at: datetime
    nickname: str


def of_visitor(db: Session, visitor_id: int, today: date) -> list[Unrecorded]:
    """What a visitor has still to write down, the oldest first."""
    rows = db.execute(
        _SELECTED.where(HomeVisit.visitor_id == visitor_id, is_unrecorded(today)).order_by(
            HomeVisit.starts_at, HomeVisit.id
        )
    )
    return [_unrecorded(row) for row in rows]


def of_families(db: Session, family_ids: Sequence[int], today: date) -> dict[int, Unrecorded]:
    """By family, its visit that nobody has written down."""
    rows = db.execute(_SELECTED.where(HomeVisit.family_id.in_(family_ids), is_unrecorded(today)))
    return {row.family_id: _unrecorded(row) for row in rows}


_SELECTED: Final = select(
    HomeVisit.id, HomeVisit.family_id, HomeVisit.starts_at, Child.nickname
).join(Child, Child.id == HomeVisit.child_id)


def _unrecorded(row: Any) -> Unrecorded:
    return Unrecorded(row.id, row.family_id, row.starts_at, row.nickname)
