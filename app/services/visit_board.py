"""The board: visitors by days, with every visit in its cell and what is wrong with it; routes."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.orm import Session, selectinload

from app.clock import SHANGHAI
from app.models import (
    Child,
    Family,
    HomeContact,
    HomeVisit,
    Station,
    Township,
    VisitDue,
    Visitor,
    VisitorLeave,
    VisitorTownship,
    VisitProposal,
)
from app.rules.calendar_days import Day, DayKind
from app.rules.visit_slots import Diary, Span, is_in_hours, works_on
from app.rules.visiting import HOLDS, VisitState
from app.services.staff import Role, StaffScope
from app.services.visit_diaries import days_from, hours_of, midnight
from app.services.visit_dues import twins_of
from app.services.visit_scope import families_in, own_visitor_id

DAYS = 7


class Conflict(StrEnum):
    """Why an arranged visit cannot take place as it stands."""

    OVERLAP = "overlap"
    LEAVE = "leave"
    DAY_OFF = "day_off"
    OUT_OF_HOURS = "out_of_hours"
    NOT_COVERED = "not_covered"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class BoardVisit:
    visit_id: int
    starts_at: datetime
    ends_at: datetime
    state: str
    nickname: str | None
    """None where the family is another station's: the time is taken, whose it is not told."""
    township: str
    is_proposal: bool
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class BoardCell:
    day: date
    works: bool
    is_away: bool
    """On leave for some of the working hours."""
    visits: tuple[BoardVisit, ...]


@dataclass(frozen=True, slots=True)
class BoardRow:
    visitor_id: int
    code: str
    name: str
    station: str
    cells: tuple[BoardCell, ...]


@dataclass(frozen=True, slots=True)
class Board:
    days: tuple[Day, ...]
    rows: tuple[BoardRow, ...]
    conflicts: int


def visitors_shown(scope: StaffScope) -> ColumnElement[bool]:
    """A condition on Visitor joined with Station: whose time somebody watches.

    The own station's or township's visitors, and whoever goes to one's families.
    """
    if scope.sees_all:
        return true()
    if scope.role is Role.VISITOR:
        return Visitor.id.in_(own_visitor_id(scope))
    goes_to_ours = (
        select(HomeVisit.visitor_id)
        .join(Family)
        .where(families_in(scope), HomeVisit.state.in_(HOLDS), HomeVisit.visitor_id.is_not(None))
    )
    return or_(scope.stations(), Visitor.id.in_(goes_to_ours))


def read_board(db: Session, scope: StaffScope, first: date) -> Board:
    """Seven days from one on, for the visitors whose time this staff member watches."""
    days = days_from(db, first, DAYS)
    since, until = midnight(first), midnight(first + timedelta(days=DAYS))
    visitors = db.scalars(
        select(Visitor)
        .join(Station, Station.id == Visitor.station_id)
        .where(
            visitors_shown(scope),
            or_(
                Visitor.is_active,
                Visitor.id.in_(
                    select(HomeVisit.visitor_id).where(
                        HomeVisit.state.in_(HOLDS),
                        HomeVisit.starts_at >= since,
                        HomeVisit.starts_at < until,
                    )
                ),
            ),
        )
        .options(selectinload(Visitor.station))
        .order_by(Visitor.code)
    ).all()
    ids = [visitor.id for visitor in visitors]
    taken = _taken(db, scope, ids, since, until)
    away = _away(db, ids, since, until)
    covers: dict[int, set[int]] = defaultdict(set)
    for visitor_id, township_id in db.execute(
        select(VisitorTownship.visitor_id, VisitorTownship.township_id).where(
            VisitorTownship.visitor_id.in_(ids)
        )
    ):
        covers[visitor_id].add(township_id)
    rows = tuple(
        _row(
            visitor,
            days,
            taken.get(visitor.id, []),
            tuple(away.get(visitor.id, ())),
            covers[visitor.id],
        )
        for visitor in visitors
    )
    conflicts = sum(
        bool(visit.conflicts) for row in rows for cell in row.cells for visit in cell.visits
    )
    return Board(tuple(days), rows, conflicts)


@dataclass(frozen=True, slots=True)
class _Taken:
    visit_id: int
    span: Span
    ends_at: datetime
    state: str
    nickname: str | None
    township_id: int
    township: str
    is_proposal: bool


def _taken(
    db: Session, scope: StaffScope, ids: list[int], since: datetime, until: datetime
) -> dict[int, list[_Taken]]:
    """Each visitor's visits and open proposals, in order; two statements."""
    ours = families_in(scope) if scope.role is not Role.VISITOR else true()
    found: dict[int, list[_Taken]] = defaultdict(list)
    for table, is_open, is_proposal in (
        (HomeVisit, HomeVisit.state.in_(HOLDS), False),
        (VisitProposal, VisitProposal.state == "open", True),
    ):
        statement = select(
            table.visitor_id,
            HomeVisit.id,
            table.starts_at,
            table.busy_until,
            table.ends_at,
            HomeVisit.state,
            Child.nickname,
            Family.township_id,
            Township.name,
            ours.label("is_ours"),
        ).select_from(HomeVisit)
        if is_proposal:
            statement = statement.join(VisitProposal, VisitProposal.visit_id == HomeVisit.id)
        statement = (
            statement.join(Child, Child.id == HomeVisit.child_id)
            .join(Family, Family.id == HomeVisit.family_id)
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
            start,
            busy,
            end,
            state,
            name,
            place,
            township,
            is_ours,
        ) in db.execute(statement):
            if not (visitor_id and start and busy and end):
                continue  # without a time it is on nobody's day
            found[visitor_id].append(
                _Taken(
                    visit_id,
                    Span(start, busy),
                    end,
                    state,
                    name if is_ours else None,
                    place,
                    township,
                    is_proposal,
                )
            )
    for each in found.values():
        each.sort(key=lambda one: one.span.starts_at)
    return found


def _away(db: Session, ids: list[int], since: datetime, until: datetime) -> dict[int, list[Span]]:
    found: dict[int, list[Span]] = defaultdict(list)
    for leave in db.scalars(
        select(VisitorLeave).where(
            VisitorLeave.visitor_id.in_(ids),
            VisitorLeave.starts_at < until,
            VisitorLeave.ends_at > since,
        )
    ):
        found[leave.visitor_id].append(Span(leave.starts_at, leave.ends_at))
    return found


def _row(
    visitor: Visitor,
    days: list[Day],
    taken: list[_Taken],
    away: tuple[Span, ...],
    covers: set[int],
) -> BoardRow:
    diary = Diary(visitor.id, hours_of(visitor), away=away)
    by_day: dict[date, list[_Taken]] = defaultdict(list)
    for one in taken:
        by_day[one.span.starts_at.astimezone(SHANGHAI).date()].append(one)
    cells = []
    for day in days:
        start = midnight(day.day)
        whole = Span(start, start + timedelta(days=1))
        cells.append(
            BoardCell(
                day=day.day,
                works=works_on(diary.hours, day),
                is_away=any(whole.overlaps(span) for span in away),
                visits=tuple(
                    BoardVisit(
                        visit_id=one.visit_id,
                        starts_at=one.span.starts_at,
                        ends_at=one.ends_at,
                        state=one.state,
                        nickname=one.nickname,
                        township=one.township,
                        is_proposal=one.is_proposal,
                        conflicts=_conflicts(visitor, diary, day, one, by_day[day.day], covers),
                    )
                    for one in by_day[day.day]
                ),
            )
        )
    return BoardRow(visitor.id, visitor.code, visitor.name, visitor.station.name, tuple(cells))


def _conflicts(
    visitor: Visitor,
    diary: Diary,
    day: Day,
    one: _Taken,
    others: list[_Taken],
    covers: set[int],
) -> tuple[Conflict, ...]:
    if one.state == VisitState.COMPLETED:
        return ()
    found = []
    if any(one.visit_id != other.visit_id and one.span.overlaps(other.span) for other in others):
        found.append(Conflict.OVERLAP)
    visit = Span(one.span.starts_at, one.ends_at)
    if any(visit.overlaps(span) for span in diary.away):
        found.append(Conflict.LEAVE)
    elif day.kind in (DayKind.HOLIDAY, DayKind.BLACKOUT) or not works_on(diary.hours, day):
        found.append(Conflict.DAY_OFF)
    elif not is_in_hours(diary, day, one.span.starts_at.astimezone(SHANGHAI)):
        found.append(Conflict.OUT_OF_HOURS)
    if one.township_id not in covers:
        found.append(Conflict.NOT_COVERED)
    if not visitor.is_active:
        found.append(Conflict.INACTIVE)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of a visitor's day, with what is needed at the door."""

    visit_id: int
    starts_at: datetime
    ends_at: datetime
    state: str
    purpose: str
    nicknames: tuple[str, ...]
    child_ids: tuple[int, ...]
    born: date | None
    township: str
    address: str | None
    phone: str | None
    code_word: int
    note: str | None
    arrived_at: datetime | None
    is_high_risk: bool


def read_route(db: Session, scope: StaffScope, visitor_id: int, day: date) -> list[Stop]:
    """A visitor's visits of a day in the order of their times; where to and whom to call are
    shown for those that are still to be made."""
    own = true() if scope.role is Role.VISITOR else families_in(scope)
    since, until = midnight(day), midnight(day + timedelta(days=1))
    rows = db.execute(
        select(HomeVisit, Child, Township.name, HomeContact)
        .join(Child, Child.id == HomeVisit.child_id)
        .join(Family, Family.id == HomeVisit.family_id)
        .join(Township, Township.id == Family.township_id)
        .outerjoin(HomeContact, HomeContact.family_id == HomeVisit.family_id)
        .where(
            HomeVisit.visitor_id == visitor_id,
            HomeVisit.state.in_(
                (
                    VisitState.CONFIRMED,
                    VisitState.EN_ROUTE,
                    VisitState.COMPLETED,
                    VisitState.MISSED,
                )
            ),
            HomeVisit.starts_at >= since,
            HomeVisit.starts_at < until,
            own,
        )
        .order_by(HomeVisit.starts_at, HomeVisit.id)
    ).all()
    families = [visit.family_id for visit, *_ in rows]
    siblings: dict[int, list[Child]] = defaultdict(list)
    for child in db.scalars(select(Child).where(Child.family_id.in_(families)).order_by(Child.id)):
        siblings[child.family_id].append(child)
    at_risk = set(
        db.scalars(
            select(VisitDue.family_id).where(
                VisitDue.family_id.in_(families),
                VisitDue.is_high_risk,
                VisitDue.closed_at.is_(None),
            )
        )
    )
    return [
        _stop(visit, child, township, contact, siblings[visit.family_id], at_risk)
        for visit, child, township, contact in rows
    ]


def _stop(
    visit: HomeVisit,
    child: Child,
    township: str,
    contact: HomeContact | None,
    siblings: list[Child],
    at_risk: set[int],
) -> Stop:
    is_open = visit.state in (VisitState.CONFIRMED, VisitState.EN_ROUTE)
    seen = twins_of(siblings, child)
    assert visit.starts_at is not None, "selected by its time"
    assert visit.ends_at is not None, "the slot is whole"
    return Stop(
        visit_id=visit.id,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        state=visit.state,
        purpose=visit.purpose,
        nicknames=tuple(each.nickname for each in seen),
        child_ids=tuple(each.id for each in seen),
        born=child.birth_date,
        township=township,
        address=contact.address if contact and is_open else None,
        phone=contact.phone if contact and is_open else None,
        code_word=visit.code_word,
        note=visit.note if is_open else None,
        arrived_at=visit.arrived_at,
        is_high_risk=visit.family_id in at_risk,
    )


def find_stop(db: Session, scope: StaffScope, visit_id: int) -> Stop | None:
    """One visit as its visitor sees it; None where it is not theirs, or has no time."""
    visit = db.get(HomeVisit, visit_id)
    if visit is None or visit.visitor_id is None or visit.starts_at is None:
        return None
    day = visit.starts_at.astimezone(SHANGHAI).date()
    if scope.role is Role.VISITOR and db.scalar(own_visitor_id(scope)) != visit.visitor_id:
        return None
    stops = read_route(db, scope, visit.visitor_id, day)
    return next((stop for stop in stops if stop.visit_id == visit_id), None)
