"""What home visits know of children whose data is to be erased goes, and what is owed ends."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from app.models import (
    Caregiver,
    HomeContact,
    NewbornCare,
    Referral,
    SpecialNeed,
    VisitDue,
)
from app.services import home_visits


def forget(db: Session, *, caregiver: Caregiver, children: Collection[int], now: datetime) -> None:
    """The open visit of these children is cancelled, nothing more is owed to them, and where
    and why they were visited is gone. Raises VisitTooLateToCancel: the visitor is at the door.
    """
    family_id = caregiver.family_id
    assert family_id is not None, "asked of a family"
    visit = home_visits.find_open(db, family_id)
    if visit is not None and visit.child_id in children:
        home_visits.cancel_by_family(db, caregiver=caregiver, now=now, even_if_over=True)
    end(db, children=children, now=now)


def end(db: Session, *, children: Collection[int], now: datetime) -> None:
    """Nothing more is owed to these children, and where and why they were visited is gone."""
    db.execute(
        update(VisitDue)
        .where(VisitDue.child_id.in_(children), VisitDue.closed_at.is_(None))
        .values(closed_at=now, closed_as="ended")
    )
    db.execute(
        update(Referral)
        .where(Referral.child_id.in_(children), Referral.done_at.is_(None))
        .values(done_at=now)
    )
    for table in (SpecialNeed, NewbornCare):
        db.execute(delete(table).where(table.child_id.in_(children)))
    db.flush()


def forget_address(db: Session, family_id: int) -> None:
    """Nobody of the family is visited any more."""
    db.execute(delete(HomeContact).where(HomeContact.family_id == family_id))
