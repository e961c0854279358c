"""Answers that a station's staff keep at hand, beside those that everybody has."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from app.models import CannedAnswer
from app.services import audit
from app.services.audit import Actor
from app.services.staff import StaffScope

MOST_KEPT = 20
"""More than that nobody looks through while a family waits."""
LONGEST = 200


def at_hand(db: Session, scope: StaffScope) -> list[CannedAnswer]:
    """The station's own, and those that the district keeps for everybody."""
    return list(db.scalars(select(CannedAnswer).where(_usable(scope)).order_by(CannedAnswer.id)))


def keep(db: Session, scope: StaffScope, text: str, now: datetime) -> bool:
    """Keep a sentence for the station, or the district's for all; False where there are enough."""
    own = CannedAnswer.station_id.is_not_distinct_from(scope.station_id)
    kept = db.execute(select(func.count(CannedAnswer.id)).where(own)).scalar_one()
    if kept >= MOST_KEPT:
        return False
    row = CannedAnswer(
        station_id=scope.station_id, text=text[:LONGEST], made_by=scope.staff_id, made_at=now
    )
    db.add(row)
    db.flush()
    _record(db, scope, row, "keep_answer", now)
    return True


def drop(db: Session, scope: StaffScope, answer_id: int, now: datetime) -> bool:
    """Keep it no longer; False where it is not this station's own, or gone already."""
    own = CannedAnswer.station_id.is_not_distinct_from(scope.station_id)
    row = db.scalars(select(CannedAnswer).where(CannedAnswer.id == answer_id, own)).one_or_none()
    if row is None:
        return False
    _record(db, scope, row, "drop_answer", now)
    db.delete(row)
    db.flush()
    return True


def _usable(scope: StaffScope) -> ColumnElement[bool]:
    everybodys = CannedAnswer.station_id.is_(None)
    if scope.station_id is None:
        return everybodys
    return or_(everybodys, CannedAnswer.station_id == scope.station_id)


def _record(db: Session, scope: StaffScope, row: CannedAnswer, action: str, now: datetime) -> None:
    audit.record(
        db,
        actor=Actor("staff", scope.staff_id),
        action=action,
        subject_type="canned_answer",
        subject_id=row.id,
        now=now,
    )
