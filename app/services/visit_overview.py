"""A family's home visits as operators and its own page read them."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.models import Child, HomeVisit, VisitDue, VisitProposal


@dataclass(frozen=True, slots=True)
class FamilyVisit:
    """The field names are those of the published JSON."""

    id: int
    child: str
    kind: str
    """guidance, or medical: the health centre's own visit."""
    purpose: str
    state: str
    starts_at: datetime | None
    """The time that is held; None where a request has none yet."""
    ends_at: datetime | None
    visitor: str | None
    """The code."""
    visitor_name: str | None
    wished_on: date | None
    wished_half: str | None
    reason: str | None
    requested_at: datetime
    decided_at: datetime | None
    completed_at: datetime | None
    proposed_at: datetime | None
    """Another time that is talked about."""


def family_visits(db: Session, family_id: int) -> tuple[FamilyVisit, ...]:
    """All visits of a family, in the order they were asked for."""
    proposals = {
        proposal.visit_id: proposal.starts_at
        for proposal in db.scalars(
            select(VisitProposal)
            .join(HomeVisit, HomeVisit.id == VisitProposal.visit_id)
            .where(HomeVisit.family_id == family_id, VisitProposal.state == "open")
        )
    }
    visits = db.scalars(
        select(HomeVisit)
        .where(HomeVisit.family_id == family_id)
        .options(joinedload(HomeVisit.visitor), joinedload(HomeVisit.child))
        .order_by(HomeVisit.requested_at, HomeVisit.id)
    )
    return tuple(
        FamilyVisit(
            id=visit.id,
            child=visit.child.nickname,
            kind=visit.kind,
            purpose=visit.purpose,
            state=visit.state,
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            visitor=visit.visitor.code if visit.visitor else None,
            visitor_name=visit.visitor.name if visit.visitor else None,
            wished_on=visit.wished_on,
            wished_half=visit.wished_half,
            reason=visit.reason,
            requested_at=visit.requested_at,
            decided_at=visit.decided_at,
            completed_at=visit.completed_at,
            proposed_at=proposals.get(visit.id),
        )
        for visit in visits
    )


@dataclass(frozen=True, slots=True)
class OwedVisit:
    child: str
    purpose: str
    due_on: date
    is_high_risk: bool


def owed_visits(db: Session, family_id: int) -> list[OwedVisit]:
    """What the family is still owed, the most urgent first."""
    rows = db.execute(
        select(VisitDue, Child.nickname)
        .join(Child, Child.id == VisitDue.child_id)
        .where(VisitDue.family_id == family_id, VisitDue.closed_at.is_(None))
        .order_by(VisitDue.due_on, VisitDue.id)
    )
    return [OwedVisit(name, due.purpose, due.due_on, due.is_high_risk) for due, name in rows]
