"""The work list of owed visits: due, overdue, telephone list, referrals, expected births.

Every query takes a StaffScope and shows nothing outside it, and is a few statements whatever
its length: the page's families first, then what is said of them.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, case, exists, func, or_, select
from sqlalchemy.orm import Session

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
)
from app.services import visit_unrecorded
from app.services.families import matching
from app.services.staff import StaffScope
from app.services.visit_dues import expected_overdue
from app.services.visit_scope import families_in, in_township, sees_home
from app.services.visit_unrecorded import Unrecorded


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
    unrecorded: Unrecorded | None
    """A visit that was arranged for a day before, and of which nothing was written down."""


def _owed(scope: StaffScope, today: date) -> tuple[ColumnElement[bool], ...]:
    """Open dues of families in scope that nobody has arranged yet, or whose visit was never
    recorded."""
    return (
        VisitDue.closed_at.is_(None),
        VisitDue.opens_on <= today,
        VisitDue.owed_until >= today,
        Family.need.is_distinct_from(False),
        Family.stopped_at.is_(None),
        families_in(scope),
        # One list of families, looked into for each row: on PostgreSQL EXISTS would be a loop
        # until its statistics know the tables.
        VisitDue.family_id.not_in(visit_unrecorded.families_awaiting(today)),
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
    # First a row a family, then the sums: four counts of distinct families would be four sorts.
    of_family = (
        select(*(func.max(case((_tab(tab, today), 1), else_=0)).label(tab) for tab in DueTab))
        .select_from(VisitDue)
        .join(Family, Family.id == VisitDue.family_id)
        .where(*_owed(scope, today))
        .group_by(VisitDue.family_id)
        .subquery()
    )
    row = db.execute(
        select(*(func.coalesce(func.sum(of_family.c[tab]), 0) for tab in DueTab))
    ).one()
    return {tab: int(count) for tab, count in zip(DueTab, row, strict=True)}


@dataclass(frozen=True, slots=True)
class DueQuery:
    """What staff look for on the due list; a part that is empty asks for nothing."""

    text: str = ""
    risk: str = ""
    """high: newborns at high risk alone."""
    purpose: str = ""
    township: str = ""
    """A township's name."""


EVERY_DUE: Final = DueQuery()


def _wanted(query: DueQuery) -> tuple[ColumnElement[bool], ...]:
    conditions: list[ColumnElement[bool]] = list(_of_families(query))
    if query.risk:
        conditions.append(VisitDue.is_high_risk.is_(True))
    if query.purpose:
        conditions.append(VisitDue.purpose == query.purpose)
    return tuple(conditions)


def _of_families(query: DueQuery) -> tuple[ColumnElement[bool], ...]:
    conditions: list[ColumnElement[bool]] = []
    if query.text:
        conditions.append(matching(query.text))
    if query.township:
        conditions.append(in_township(query.township))
    return tuple(conditions)


def list_dues(
    db: Session,
    scope: StaffScope,
    today: date,
    tab: DueTab,
    *,
    limit: int,
    offset: int,
    query: DueQuery = EVERY_DUE,
) -> list[DueRow]:
    """A page of families that are owed a visit: the nearest due day first."""
    due_on = func.min(VisitDue.due_on, type_=VisitDue.due_on.type)
    ids = list(
        db.scalars(
            select(VisitDue.family_id)
            .join(Family, Family.id == VisitDue.family_id)
            .where(*_owed(scope, today), _tab(tab, today), *_wanted(query))
            .group_by(VisitDue.family_id)
            .order_by(due_on, VisitDue.family_id)
            .limit(limit)
            .offset(offset)
        )
    )
    return _due_rows(db, ids, today, shows_home=sees_home(scope))


def _due_rows(
    db: Session, family_ids: Sequence[int], today: date, *, shows_home: bool
) -> list[DueRow]:
    """Four statements: the families with whom to call, what is owed, to which children, and the
    visits that were never recorded."""
    if not family_ids:
        return []
    follows = exists().where(
        Caregiver.family_id == Family.id, Caregiver.is_following, Caregiver.openid.is_not(None)
    )
    families = {
        family.id: (family, township, station, contact, has_follower)
        for family, township, station, contact, has_follower in db.execute(
            select(Family, Township.name, Station.name, HomeContact, follows)
            .join(Township, Township.id == Family.township_id)
            .outerjoin(Station, Station.id == Family.station_id)
            .outerjoin(HomeContact, HomeContact.family_id == Family.id)
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
        child_id: (nickname, born, discharged)
        for child_id, nickname, born, discharged in db.execute(
            select(Child.id, Child.nickname, Child.birth_date, NewbornCare.discharged_on)
            .outerjoin(NewbornCare, NewbornCare.child_id == Child.id)
            .where(Child.id.in_([due.child_id for each in dues.values() for due in each]))
        )
    }
    unrecorded = visit_unrecorded.of_families(db, family_ids, today)
    rows = []
    for family_id in family_ids:
        family, township, station, home, has_follower = families[family_id]
        contact = home if shows_home else None
        owed = dues[family_id]
        first = owed[0]
        _, born, discharged = children[first.child_id]
        rows.append(
            DueRow(
                family_id=family_id,
                nicknames=tuple(dict.fromkeys(children[due.child_id][0] for due in owed)),
                born=born,
                township=township,
                station=station,
                purpose=first.purpose,
                due_on=first.due_on,
                is_high_risk=any(due.is_high_risk for due in owed),
                discharge_known=discharged is not None,
                need=family.need,
                tried=max(due.tried for due in owed),
                tried_at=max((due.tried_at for due in owed if due.tried_at), default=None),
                unreachable_at=first.unreachable_at,
                is_escalated=any(due.escalated_at for due in owed),
                has_follower=bool(has_follower),
                phone=(contact.phone if contact else None) or family.phone,
                address=contact.address if contact else None,
                unrecorded=unrecorded.get(family_id),
            )
        )
    return rows


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """A pregnancy whose due date is over, and of which no birth was reported."""

    family_id: int
    nickname: str
    due_date: date
    township: str
    phone: str | None


def list_expected(
    db: Session,
    scope: StaffScope,
    today: date,
    *,
    limit: int,
    offset: int = 0,
    query: DueQuery = EVERY_DUE,
) -> list[ExpectedRow]:
    """Whom to ask whether the child is born, the longest overdue first."""
    since, until = expected_overdue(today)
    rows = db.execute(
        select(
            Family.id,
            Child.nickname,
            Child.due_date,
            Township.name,
            HomeContact.phone,
            Family.phone,
        )
        .join(Child, Child.family_id == Family.id)
        .join(Township, Township.id == Family.township_id)
        .outerjoin(HomeContact, HomeContact.family_id == Family.id)
        .where(
            Child.due_date >= since,
            Child.due_date <= until,
            Child.lost_at.is_(None),
            Family.stopped_at.is_(None),
            families_in(scope),
            *_of_families(query),
        )
        .order_by(Child.due_date, Child.id)
        .limit(limit)
        .offset(offset)
    )
    return [
        ExpectedRow(family_id, nickname, due_date, township, at_home or phone)
        for family_id, nickname, due_date, township, at_home, phone in rows
        if due_date is not None
    ]


@dataclass(frozen=True, slots=True)
class ReferralRow:
    id: int
    visit_id: int
    family_id: int
    nickname: str
    urgency: str
    signs: tuple[str, ...]
    referred_to: str
    check_on: date
    township: str


def list_referrals(
    db: Session,
    scope: StaffScope,
    *,
    limit: int,
    offset: int = 0,
    query: DueQuery = EVERY_DUE,
) -> list[ReferralRow]:
    """Referrals of which nobody has asked yet what came of them, by the day to ask."""
    rows = db.execute(
        select(Referral, HomeVisit.family_id, Child.nickname, Township.name)
        .join(HomeVisit, HomeVisit.id == Referral.visit_id)
        .join(Child, Child.id == Referral.child_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .join(Township, Township.id == Family.township_id)
        .where(Referral.done_at.is_(None), families_in(scope), *_of_families(query))
        .order_by(Referral.check_on, Referral.id)
        .limit(limit)
        .offset(offset)
    )
    return [
        ReferralRow(
            referral.id,
            referral.visit_id,
            family_id,
            nickname,
            referral.urgency,
            tuple(referral.signs.split()),
            referral.referred_to,
            referral.check_on,
            township,
        )
        for referral, family_id, nickname, township in rows
    ]


def count_referrals(db: Session, scope: StaffScope, today: date) -> int:
    """Referrals that somebody should ask about by today."""
    return db.execute(
        select(func.count(Referral.id))
        .join(HomeVisit, HomeVisit.id == Referral.visit_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(Referral.done_at.is_(None), Referral.check_on <= today, families_in(scope))
    ).scalar_one()
