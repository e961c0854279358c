"""The work lists of home visits: requests, what is due, telephone list, referrals.

Every query takes a StaffScope and shows nothing outside it. A list is two or three statements
whatever its length: the page's families first, then what is said of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import Session, joinedload

from app.models import (
    Caregiver,
    Child,
    Family,
    HomeContact,
    HomeVisit,
    NewbornCare,
    Referral,
    Station,
    Township,
    VisitDue,
    Visitor,
    VisitProposal,
)
from app.rules.visiting import OPEN, Kind, VisitState
from app.services.staff import StaffScope
from app.services.visit_dues import expected_overdue
from app.services.visit_scope import families_in, visits_in


@dataclass(frozen=True, slots=True)
class ProposedTime:
    starts_at: datetime
    visitor: str
    is_by_family: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit as the lists show it."""

    visit_id: int
    nickname: str
    born: date | None
    purpose: str
    state: str
    township: str
    station: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    visitor: str | None
    wished_on: date | None
    wished_half: str | None
    requested_at: datetime
    is_escalated: bool
    due_on: date | None
    is_high_risk: bool
    proposal: ProposedTime | None


def _waiting() -> ColumnElement[bool]:
    """Requests, and arranged visits for which the family wishes another time."""
    wished = exists().where(
        VisitProposal.visit_id == HomeVisit.id,
        VisitProposal.state == "open",
        VisitProposal.proposed_by.is_(None),
    )
    return or_(
        HomeVisit.state == VisitState.REQUESTED,
        and_(HomeVisit.state == VisitState.CONFIRMED, wished),
    )


def count_waiting(db: Session, scope: StaffScope) -> int:
    """How many requests and wishes wait for an answer."""
    return db.execute(
        select(func.count(HomeVisit.id))
        .join(Family, Family.id == HomeVisit.family_id)
        .where(_waiting(), visits_in(scope))
    ).scalar_one()


def waiting(db: Session, scope: StaffScope, *, limit: int, offset: int) -> list[VisitRow]:
    """What waits for an answer: taken up first, then the oldest."""
    is_old = case((HomeVisit.escalated_at.is_not(None), 0), else_=1)
    return _rows(
        db,
        (_waiting(), visits_in(scope)),
        (is_old, HomeVisit.requested_at, HomeVisit.id),
        limit,
        offset,
    )


def find_row(db: Session, scope: StaffScope, visit_id: int) -> VisitRow | None:
    """One visit; None where there is none or it is not theirs."""
    found = _rows(db, (HomeVisit.id == visit_id, visits_in(scope)), (HomeVisit.id,), 1, 0)
    return found[0] if found else None


def _rows(
    db: Session,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[Any],
    limit: int,
    offset: int,
) -> list[VisitRow]:
    rows = db.execute(
        select(HomeVisit, Child, Township.name, Station.name)
        .join(Child, Child.id == HomeVisit.child_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .join(Township, Township.id == Family.township_id)
        .outerjoin(Station, Station.id == Family.station_id)
        .options(joinedload(HomeVisit.visitor))
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    ).all()
    proposals = _proposals(db, [visit.id for visit, *_ in rows])
    dues = _most_urgent(db, [visit.family_id for visit, *_ in rows])
    return [
        VisitRow(
            visit_id=visit.id,
            nickname=child.nickname,
            born=child.birth_date,
            purpose=visit.purpose,
            state=visit.state,
            township=township,
            station=station,
            starts_at=visit.starts_at,
            ends_at=visit.ends_at,
            visitor=visit.visitor.name if visit.visitor else None,
            wished_on=visit.wished_on,
            wished_half=visit.wished_half,
            requested_at=visit.requested_at,
            is_escalated=visit.escalated_at is not None,
            due_on=dues[visit.family_id].due_on if visit.family_id in dues else None,
            is_high_risk=visit.family_id in dues and dues[visit.family_id].is_high_risk,
            proposal=proposals.get(visit.id),
        )
        for visit, child, township, station in rows
    ]


def _proposals(db: Session, visit_ids: Sequence[int]) -> dict[int, ProposedTime]:
    if not visit_ids:
        return {}
    return {
        proposal.visit_id: ProposedTime(
            proposal.starts_at,
            proposal.visitor.name,
            proposal.proposed_by is None,
            proposal.expires_at,
        )
        for proposal in db.scalars(
            select(VisitProposal)
            .where(VisitProposal.visit_id.in_(visit_ids), VisitProposal.state == "open")
            .options(joinedload(VisitProposal.visitor))
        )
    }


def _most_urgent(db: Session, family_ids: Sequence[int]) -> dict[int, VisitDue]:
    if not family_ids:
        return {}
    found: dict[int, VisitDue] = {}
    for due in db.scalars(
        select(VisitDue)
        .where(VisitDue.family_id.in_(family_ids), VisitDue.closed_at.is_(None))
        .order_by(VisitDue.due_on, VisitDue.id)
    ):
        found.setdefault(due.family_id, due)
    return found


class DueTab(StrEnum):
    """The parts of the due list."""

    DUE = "due"
    OVERDUE = "overdue"
    ESCALATED = "escalated"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class DueRow:
    """A family that is owed a visit, with what one wants to know before calling."""

    family_id: int
    nicknames: tuple[str, ...]
    born: date | None
    township: str
    station: str | None
    purpose: str
    due_on: date
    is_high_risk: bool
    discharge_known: bool
    need: bool | None
    tried: int
    tried_at: datetime | None
    unreachable_at: datetime | None
    is_escalated: bool
    has_follower: bool
    """Whether somebody of the family can be written to."""
    phone: str | None
    address: str | None


def _owed(scope: StaffScope, today: date) -> tuple[ColumnElement[bool], ...]:
    """Open dues of families in scope that nobody has arranged yet."""
    # One list of families, looked into for each row: on PostgreSQL EXISTS would be a loop until
    # its statistics know the tables.
    arranged = select(HomeVisit.family_id).where(
        HomeVisit.kind == Kind.GUIDANCE, HomeVisit.state.in_(OPEN)
    )
    return (
        VisitDue.closed_at.is_(None),
        VisitDue.opens_on <= today,
        VisitDue.owed_until >= today,
        Family.need.is_distinct_from(False),
        Family.stopped_at.is_(None),
        families_in(scope),
        VisitDue.family_id.not_in(arranged),
    )


def _tab(tab: DueTab, today: date) -> ColumnElement[bool]:
    match tab:
        case DueTab.DUE:
            return VisitDue.due_on >= today
        case DueTab.OVERDUE:
            return VisitDue.due_on < today
        case DueTab.ESCALATED:
            return VisitDue.escalated_at.is_not(None)
        case DueTab.UNREACHABLE:
            reachable = select(Caregiver.family_id).where(
                Caregiver.is_following,
                Caregiver.openid.is_not(None),
                Caregiver.family_id.is_not(None),
            )
            is_cut_off = VisitDue.family_id.not_in(reachable)
            return or_(VisitDue.unreachable_at.is_not(None), is_cut_off)


def count_dues(db: Session, scope: StaffScope, today: date) -> dict[DueTab, int]:
    """How many families stand in each part of the list."""
    counted = [
        func.count(func.distinct(case((_tab(tab, today), VisitDue.family_id)))).label(tab)
        for tab in DueTab
    ]
    row = db.execute(
        select(*counted).join(Family, Family.id == VisitDue.family_id).where(*_owed(scope, today))
    ).one()
    return dict(zip(DueTab, row, strict=True))


def list_dues(
    db: Session, scope: StaffScope, today: date, tab: DueTab, *, limit: int, offset: int
) -> list[DueRow]:
    """A page of families that are owed a visit: the nearest due day first."""
    due_on = func.min(VisitDue.due_on, type_=VisitDue.due_on.type)
    ids = list(
        db.scalars(
            select(VisitDue.family_id)
            .join(Family, Family.id == VisitDue.family_id)
            .where(*_owed(scope, today), _tab(tab, today))
            .group_by(VisitDue.family_id)
            .order_by(due_on, VisitDue.family_id)
            .limit(limit)
            .offset(offset)
        )
    )
    return _due_rows(db, ids)


def _due_rows(db: Session, family_ids: Sequence[int]) -> list[DueRow]:
    if not family_ids:
        return []
    families = {
        family.id: (family, township, station)
        for family, township, station in db.execute(
            select(Family, Township.name, Station.name)
            .join(Township, Township.id == Family.township_id)
            .outerjoin(Station, Station.id == Family.station_id)
            .where(Family.id.in_(family_ids))
        )
    }
    dues: dict[int, list[VisitDue]] = defaultdict(list)
    for due in db.scalars(
        select(VisitDue)
        .where(VisitDue.family_id.in_(family_ids), VisitDue.closed_at.is_(None))
        .order_by(VisitDue.due_on, VisitDue.id)
    ):
        dues[due.family_id].append(due)
    children = {
        child.id: child
        for child in db.scalars(
            select(Child).where(
                Child.id.in_([due.child_id for each in dues.values() for due in each])
            )
        )
    }
    known = _discharge_known(db, children.keys())
    following = set(
        db.scalars(
            select(Caregiver.family_id).where(
                Caregiver.family_id.in_(family_ids),
                Caregiver.is_following,
                Caregiver.openid.is_not(None),
            )
        )
    )
    contacts = {
        contact.family_id: contact
        for contact in db.scalars(select(HomeContact).where(HomeContact.family_id.in_(family_ids)))
    }
    rows = []
    for family_id in family_ids:
        family, township, station = families[family_id]
        owed = dues[family_id]
        first = owed[0]
        contact = contacts.get(family_id)
        rows.append(
            DueRow(
                family_id=family_id,
                nicknames=tuple(dict.fromkeys(children[due.child_id].nickname for due in owed)),
                born=children[first.child_id].birth_date,
                township=township,
                station=station,
                purpose=first.purpose,
                due_on=first.due_on,
                is_high_risk=any(due.is_high_risk for due in owed),
                discharge_known=first.child_id in known,
                need=family.need,
                tried=max(due.tried for due in owed),
                tried_at=max((due.tried_at for due in owed if due.tried_at), default=None),
                unreachable_at=first.unreachable_at,
                is_escalated=any(due.escalated_at for due in owed),
                has_follower=family_id in following,
                phone=(contact.phone if contact else None) or family.phone,
                address=contact.address if contact else None,
            )
        )
    return rows


def _discharge_known(db: Session, child_ids: Iterable[int]) -> set[int]:
    return set(
        db.scalars(
            select(NewbornCare.child_id).where(
                NewbornCare.child_id.in_(list(child_ids)),
                NewbornCare.discharged_on.is_not(None),
            )
        )
    )


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """A pregnancy whose due date is over, and of which no birth was reported."""

    family_id: int
    nickname: str
    due_date: date
    township: str
    phone: str | None


def list_expected(db: Session, scope: StaffScope, today: date, *, limit: int) -> list[ExpectedRow]:
    """Whom to ask whether the child is born, the longest overdue first."""
    since, until = expected_overdue(today)
    rows = db.execute(
        select(Family.id, Child.nickname, Child.due_date, Township.name, HomeContact.phone)
        .join(Child, Child.family_id == Family.id)
        .join(Township, Township.id == Family.township_id)
        .outerjoin(HomeContact, HomeContact.family_id == Family.id)
        .where(
            Child.due_date >= since,
            Child.due_date <= until,
            Family.stopped_at.is_(None),
            families_in(scope),
        )
        .order_by(Child.due_date, Child.id)
        .limit(limit)
    )
    return [
        ExpectedRow(family_id, nickname, due_date, township, phone)
        for family_id, nickname, due_date, township, phone in rows
        if due_date is not None
    ]


@dataclass(frozen=True, slots=True)
class ReferralRow:
    id: int
    visit_id: int
    nickname: str
    urgency: str
    signs: tuple[str, ...]
    referred_to: str
    check_on: date
    township: str


def list_referrals(db: Session, scope: StaffScope, *, limit: int) -> list[ReferralRow]:
    """Referrals of which nobody has asked yet what came of them, by the day to ask."""
    rows = db.execute(
        select(Referral, Child.nickname, Township.name)
        .join(HomeVisit, HomeVisit.id == Referral.visit_id)
        .join(Child, Child.id == Referral.child_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .join(Township, Township.id == Family.township_id)
        .where(Referral.done_at.is_(None), families_in(scope))
        .order_by(Referral.check_on, Referral.id)
        .limit(limit)
    )
    return [
        ReferralRow(
            referral.id,
            referral.visit_id,
            nickname,
            referral.urgency,
            tuple(referral.signs.split()),
            referral.referred_to,
            referral.check_on,
            township,
        )
        for referral, nickname, township in rows
    ]


def count_referrals(db: Session, scope: StaffScope, today: date) -> int:
    """Referrals that somebody should ask about by today."""
    return db.execute(
        select(func.count(Referral.id))
        .join(HomeVisit, HomeVisit.id == Referral.visit_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(Referral.done_at.is_(None), Referral.check_on <= today, families_in(scope))
    ).scalar_one()


def active_visitors(db: Session, condition: ColumnElement[bool] | None = None) -> list[Visitor]:
    """Visitors at work, by code."""
    return list(
        db.scalars(
            select(Visitor)
            .where(Visitor.is_active, condition if condition is not None else true())
            .order_by(Visitor.code)
        )
    )
