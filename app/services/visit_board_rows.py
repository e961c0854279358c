"""What the board is made of: visitors, their visits and open proposals, and when they are away."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, literal, or_, select, true, union_all
from sqlalchemy.orm import Session

from app.models import (
    Child,
    Family,
    HomeVisit,
    Station,
    Township,
    Visitor,
    VisitorLeave,
    VisitorTownship,
    VisitProposal,
)
from app.rules.visit_slots import Hours, Span
from app.rules.visiting import HOLDS
from app.services.staff import Role, StaffScope
from app.services.visit_scope import families_in, own_visitor_id


def visitors_shown(scope: StaffScope, since: datetime | None = None) -> ColumnElement[bool]:
    """A condition on Visitor joined with Station: whose time somebody watches.

    The own station's or township's visitors, and whoever goes to one's families, since a time
    where one is given.
    """
    if scope.sees_all:
        return true()
    if scope.role is Role.VISITOR:
        return Visitor.id.in_(own_visitor_id(scope))
    goes_to_ours = (
        select(HomeVisit.visitor_id)
        .join(Family)
        .where(
            families_in(scope),
            HomeVisit.state.in_(HOLDS),
            HomeVisit.visitor_id.is_not(None),
            HomeVisit.starts_at >= since if since else true(),
        )
    )
    return or_(scope.stations(), Visitor.id.in_(goes_to_ours))


@dataclass(frozen=True, slots=True)
class BoardVisitor:
    id: int
    code: str
    station: str
    is_active: bool
    hours: Hours


def find_visitors(
    db: Session, scope: StaffScope, since: datetime, until: datetime, township_id: int | None
) -> list[BoardVisitor]:
    """Who is at work, or was when something was arranged; without what is encrypted."""
    arranged = select(HomeVisit.visitor_id).where(
        HomeVisit.state.in_(HOLDS), HomeVisit.starts_at >= since, HomeVisit.starts_at < until
    )
    covering = select(VisitorTownship.visitor_id).where(VisitorTownship.township_id == township_id)
    found = db.execute(
        select(
            Visitor.id,
            Visitor.code,
            Station.name,
            Visitor.is_active,
            Visitor.weekdays,
            Visitor.starts,
            Visitor.ends,
            Visitor.visit_minutes,
            Visitor.buffer_minutes,
        )
        .join(Station, Station.id == Visitor.station_id)
        .where(
            visitors_shown(scope, since),
            or_(Visitor.is_active, Visitor.id.in_(arranged)),
            Visitor.id.in_(covering) if township_id is not None else true(),
        )
        .order_by(Visitor.code)
    )
    return [
        BoardVisitor(
            id=visitor_id,
            code=code,
            station=station,
            is_active=is_active,
            hours=Hours(
                weekdays=frozenset(int(each) for each in weekdays.split()),
                starts=starts,
                ends=ends,
                visit_minutes=visit_minutes,
                buffer_minutes=buffer_minutes,
            ),
        )
        for (
            visitor_id,
            code,
            station,
            is_active,
            weekdays,
            starts,
            ends,
            visit_minutes,
            buffer_minutes,
        ) in found
    ]


@dataclass(frozen=True, slots=True)
class Taken:
    visit_id: int
    family_id: int
    child_id: int
    span: Span
    ends_at: datetime
    state: str
    is_ours: bool
    is_stopped: bool
    township_id: int
    township: str
    is_proposal: bool


def find_taken(
    db: Session, scope: StaffScope, ids: list[int], since: datetime, until: datetime
) -> dict[int, list[Taken]]:
    """Each visitor's visits and open proposals, in order; one statement."""
    ours = families_in(scope) if scope.role is not Role.VISITOR else true()
    found: dict[int, list[Taken]] = defaultdict(list)
    statements = []
    for table, is_open, is_proposal in (
        (HomeVisit, HomeVisit.state.in_(HOLDS), False),
        (VisitProposal, VisitProposal.state == "open", True),
    ):
        statement = select(
            table.visitor_id,
            HomeVisit.id,
            HomeVisit.family_id,
            HomeVisit.child_id,
            table.starts_at,
            table.busy_until,
            table.ends_at,
            HomeVisit.state,
            Family.township_id,
            Township.name,
            Family.stopped_at.is_not(None).label("is_stopped"),
            ours.label("is_ours"),
            literal(is_proposal).label("is_proposal"),
        ).select_from(HomeVisit)
        if is_proposal:
            statement = statement.join(VisitProposal, VisitProposal.visit_id == HomeVisit.id)
        statements.append(
            statement.join(Family, Family.id == HomeVisit.family_id)
            .join(Township, Township.id == Family.township_id)
            .where(
                table.visitor_id.in_(ids),
                is_open,
                table.starts_at >= since,
                table.starts_at < until,
            )
        )
    for (
        visitor_id,
        visit_id,
        family_id,
        child_id,
        start,
        busy,
        end,
        state,
        place,
        township,
        is_stopped,
        is_ours,
        is_proposal,
    ) in db.execute(union_all(*statements)):
        if not (visitor_id and start and busy and end):
            continue  # without a time it is on nobody's day
        found[visitor_id].append(
            Taken(
                visit_id=visit_id,
                family_id=family_id,
                child_id=child_id,
                span=Span(start, busy),
                ends_at=end,
                state=state,
                is_ours=bool(is_ours),
                is_stopped=bool(is_stopped),
                township_id=place,
                township=township,
                is_proposal=bool(is_proposal),
            )
        )
    for each in found.values():
        each.sort(key=lambda one: one.span.starts_at)
    return found


def nicknames_of(db: Session, taken: Sequence[Taken]) -> dict[int, str]:
    """Of one's own families' children: by id."""
    ids = {one.child_id for one in taken if one.is_ours}
    if not ids:
        return {}
    return dict(db.execute(select(Child.id, Child.nickname).where(Child.id.in_(ids))).all())


def find_away(
    db: Session, ids: list[int], since: datetime, until: datetime
) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    for visitor_id, starts_at, ends_at in db.execute(
        select(VisitorLeave.visitor_id, VisitorLeave.starts_at, VisitorLeave.ends_at).where(
            VisitorLeave.visitor_id.in_(ids),
            VisitorLeave.starts_at < until,
            VisitorLeave.ends_at > since,
        )
    ):
        found[visitor_id].append(Span(starts_at, ends_at))
    return found
