"""The notices that a change of a home visit owes its family, each written once."""

from datetime import datetime
from typing import Final, TypedDict

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.models import Child, HomeVisit, VisitProposal
from app.models.visit_facts import VisitFacts, VisitProposed, VisitWishEnded
from app.rules.visiting import VisitState
from app.services import notices

VISIT: Final = 20
"""Priority: after booking notices, before packs."""

S = VisitState
WANTED_STATES: Final[dict[str, frozenset[VisitState]]] = {
    "visit_confirmed": frozenset({S.CONFIRMED}),
    "visit_moved": frozenset({S.CONFIRMED}),
    "visit_declined": frozenset({S.DECLINED}),
    "visit_cancelled": frozenset({S.CANCELLED}),
    "visit_wish_ended": frozenset({S.CONFIRMED}),
    "visit_evening": frozenset({S.CONFIRMED}),
    "visit_2h": frozenset({S.CONFIRMED}),
    "visit_on_the_way": frozenset({S.EN_ROUTE}),
    "visit_missed": frozenset({S.MISSED}),
    "visit_summary": frozenset({S.COMPLETED}),
}
"""A notice about a visit is true only while the visit is in one of these."""
OF_ITS_TIME: Final = frozenset(
    {"visit_confirmed", "visit_moved", "visit_wish_ended", "visit_evening", "visit_2h"}
)
"""Kinds that are untrue once the visit was moved again."""


class Told(TypedDict):
    """The fields that every record about a visit begins with."""

    nickname: str
    starts_at: datetime | None
    ends_at: datetime | None
    visitor: str
    visitor_phone: str
    visitor_code: str
    has_photo: bool
    code_word: int
    moves: int
    station_phone: str


def told(visit: HomeVisit) -> Told:
    """What every notice about a visit says of it."""
    visitor = visit.visitor
    station = visit.child.family.station
    return Told(
        nickname=visit.child.nickname,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        visitor=visitor.name if visitor else "",
        visitor_phone=visitor.phone if visitor else "",
        visitor_code=visitor.code if visitor else "",
        has_photo=visitor is not None and visitor.photo_type is not None,
        code_word=visit.code_word,
        moves=visit.moves,
        station_phone=(station.phone if station else "")
        or (visitor.station.phone if visitor else ""),
    )


def tell(
    db: Session,
    facts: VisitFacts,
    visit: HomeVisit,
    now: datetime,
    *,
    expires_at: datetime | None = None,
    can_wait: bool = False,
) -> bool:
    """Queue the one notice of its kind for this visit and its time; False where nobody can be
    written to, or it was written before."""
    if visit.caregiver_id is None:
        return False
    return notices.queue(
        db,
        caregiver_id=visit.caregiver_id,
        facts=facts,
        subject=f"home_visit:{visit.id}",
        dedupe_key=f"{facts.kind}:{visit.id}:{_number(facts, visit)}",
        now=now,
        priority=VISIT,
        expires_at=expires_at,
        can_wait=can_wait,
    )


def _number(facts: VisitFacts, visit: HomeVisit) -> int:
    """What tells two notices of one kind apart."""
    if isinstance(facts, VisitProposed | VisitWishEnded):
        return facts.proposal_id
    return visit.moves


def is_wanted(db: Session, facts: VisitFacts, visit_id: int) -> bool:
    """Whether a notice about a visit is still true."""
    if isinstance(facts, VisitProposed):
        state = db.scalar(select(VisitProposal.state).where(VisitProposal.id == facts.proposal_id))
        return state == "open"
    # Who lost a child is told nothing of a visit that was arranged, or made, before.
    is_lost = exists().where(
        Child.family_id == HomeVisit.family_id,
        Child.lost_at >= func.coalesce(HomeVisit.told_at, HomeVisit.requested_at),
    )
    row = db.execute(
        select(HomeVisit.state, HomeVisit.moves, is_lost.label("is_lost")).where(
            HomeVisit.id == visit_id
        )
    ).one_or_none()
    if row is None or row.is_lost or row.state not in WANTED_STATES[facts.kind]:
        return False
    return facts.kind not in OF_ITS_TIME or row.moves == facts.moves
