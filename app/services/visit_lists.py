"""Home visits as lists: requests that wait, and all others that staff look for.

Every query takes a StaffScope and shows nothing outside it. A list is two or three statements
whatever its length: the page's families first, then what is said of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from app.models import (
    Child,
    Family,
    HomeVisit,
    Station,
    Township,
    VisitDue,
    Visitor,
    VisitProposal,
)
from app.rules.visiting import OPEN, Kind, VisitState
from app.services.families import matching
from app.services.staff import StaffScope
from app.services.visit_diaries import midnight
from app.services.visit_scope import in_township, visits_in
from app.services.visit_unrecorded import is_unrecorded


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
    family_id: int
    nickname: str
    born: date | None
    kind: str
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
    is_stopped: bool
    """A loss was told in the family: a person speaks with it first."""


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


@dataclass(frozen=True, slots=True)
class VisitWork:
    waiting: int
    """Requests and wishes that wait for an answer."""
    unrecorded: int
    """Arranged visits whose day is over, and of which nobody has written anything down."""


def count_work(db: Session, scope: StaffScope, today: date) -> VisitWork:
    """How many visits staff have something to do about."""
    waiting, unrecorded = db.execute(
        select(
            func.count(case((_waiting(), 1))),
            func.count(case((is_unrecorded(today), 1))),
        )
        .select_from(HomeVisit)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(HomeVisit.kind == Kind.GUIDANCE, HomeVisit.state.in_(OPEN), visits_in(scope))
    ).one()
    return VisitWork(waiting, unrecorded)


@dataclass(frozen=True, slots=True)
class VisitQuery:
    """Which visits staff look for; a part that is empty asks for nothing."""

    show: str = "waiting"
    """waiting, arranged, unrecorded, completed, missed, ended (declined or cancelled), medical
    or all."""
    text: str = ""
    township: str = ""
    """A township's name."""
    month: str = ""
    """Such as 2026-11: of the visit's time, by Shanghai's clock."""


SHOWN_STATES: Final = {
    "arranged": (VisitState.CONFIRMED, VisitState.EN_ROUTE),
    "completed": (VisitState.COMPLETED,),
    "missed": (VisitState.MISSED,),
    "ended": (VisitState.DECLINED, VisitState.CANCELLED),
    "all": tuple(VisitState),
}


def find_visits(
    db: Session, scope: StaffScope, query: VisitQuery, today: date, *, limit: int, offset: int
) -> list[VisitRow]:
    """What waits: as `waiting`. Arranged ones: the next first; those that nobody has recorded:
    the oldest first. All others: the latest first."""
    conditions: list[ColumnElement[bool]] = [visits_in(scope)]
    if query.text:
        conditions.append(matching(query.text))
    if query.township:
        conditions.append(in_township(query.township))
    if query.show == "waiting":
        conditions.append(_waiting())
    elif query.show == "unrecorded":
        conditions.append(is_unrecorded(today))
    elif query.show == "medical":
        conditions.append(HomeVisit.kind == Kind.MEDICAL)
    else:
        conditions.append(HomeVisit.kind == Kind.GUIDANCE)
        conditions.append(HomeVisit.state.in_(SHOWN_STATES[query.show]))
    at = HomeVisit.completed_at if query.show == "medical" else HomeVisit.starts_at
    if query.month:
        first = date.fromisoformat(f"{query.month}-01")
        after = (first + timedelta(days=31)).replace(day=1)
        conditions += [at >= midnight(first), at < midnight(after)]
    order: tuple[Any, ...]
    match query.show:
        case "waiting":
            is_old = case((HomeVisit.escalated_at.is_not(None), 0), else_=1)
            order = (is_old, HomeVisit.requested_at, HomeVisit.id)
        case "arranged" | "unrecorded":
            order = (HomeVisit.starts_at, HomeVisit.id)
        case _:
            order = (func.coalesce(at, HomeVisit.requested_at).desc(), HomeVisit.id.desc())
    return _rows(db, conditions, order, limit, offset)


@dataclass(frozen=True, slots=True)
class DayVisit:
    """A visit of a day without whose it is: for a page that names no family."""

    visit_id: int
    starts_at: datetime
    state: str
    visitor: str
    township: str


def of_day(db: Session, scope: StaffScope, day: date, *, limit: int) -> list[DayVisit]:
    """What is arranged, or was made, on a day, in the order of time."""
    start = midnight(day)
    rows = db.execute(
        select(HomeVisit.id, HomeVisit.starts_at, HomeVisit.state, Visitor.name, Township.name)
        .join(Family, Family.id == HomeVisit.family_id)
        .join(Township, Township.id == Family.township_id)
        .join(Visitor, Visitor.id == HomeVisit.visitor_id)
        .where(
            visits_in(scope),
            HomeVisit.starts_at >= start,
            HomeVisit.starts_at < start + timedelta(days=1),
            HomeVisit.state.in_((*OPEN, VisitState.COMPLETED)),
        )
        .order_by(HomeVisit.starts_at, HomeVisit.id)
        .limit(limit)
    )
    return [
        DayVisit(visit_id, starts_at, state, visitor, township)
        for visit_id, starts_at, state, visitor, township in rows
        if starts_at is not None
    ]


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
    # The page's numbers first: what is shown of a visit comes from six wide tables.
    page = (
        select(HomeVisit.id)
        .join(Family, Family.id == HomeVisit.family_id)
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    rows = db.execute(
        select(HomeVisit, Child, Township.name, Station.name, Family.stopped_at)
        .join(page, page.c.id == HomeVisit.id)
        .join(Child, Child.id == HomeVisit.child_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .join(Township, Township.id == Family.township_id)
        .outerjoin(Station, Station.id == Family.station_id)
        .options(joinedload(HomeVisit.visitor))
        .order_by(*order)
    ).all()
    proposals = proposals_of(db, [visit.id for visit, *_ in rows])
    dues = _most_urgent(db, [visit.family_id for visit, *_ in rows])
    return [
        VisitRow(
            visit_id=visit.id,
            family_id=visit.family_id,
            nickname=child.nickname,
            born=child.birth_date,
            kind=visit.kind,
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
            is_stopped=stopped_at is not None,
        )
        for visit, child, township, station, stopped_at in rows
    ]


def proposals_of(db: Session, visit_ids: Sequence[int]) -> dict[int, ProposedTime]:
    """The other time that is talked about, by visit."""
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
