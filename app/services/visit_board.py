"""The board: visitors by days, with every visit in its cell and what is wrong with it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, literal, or_, select, true, union_all
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
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
from app.rules.calendar_days import Day, DayKind
from app.rules.visit_slots import Diary, Hours, Span, is_in_hours, works_on
from app.rules.visiting import HOLDS, VisitState
from app.services.staff import Role, StaffScope
from app.services.visit_diaries import days_from, midnight
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
    MOURNING = "mourning"
    """A loss was told in the family: a person speaks with it first."""


@dataclass(frozen=True, slots=True)
class BoardVisit:
    visit_id: int
    family_id: int
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
class Troubled:
    """A visitor with a visit that cannot take place as it stands."""

    name: str
    number: int
    """Where they stand among all visitors of the board, from 0."""


@dataclass(frozen=True, slots=True)
class Board:
    days: tuple[Day, ...]
    rows: tuple[BoardRow, ...]
    """Of the page that was asked for."""
    conflicts: int
    """Of all visitors, as the two that follow."""
    visitors: int
    troubled: tuple[Troubled, ...]

    @property
    def families(self) -> set[int]:
        """Whose names are shown."""
        return {
            visit.family_id
            for row in self.rows
            for cell in row.cells
            for visit in cell.visits
            if visit.nickname is not None
        }


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


def read_board(
    db: Session,
    scope: StaffScope,
    first: date,
    *,
    days: int = DAYS,
    township_id: int | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Board:
    """Some days from one on, for the visitors whose time this staff member watches, by code.

    Only those of the page are read with their names, which costs a decryption each; conflicts
    are looked for with everybody, so that none hides on another page.
    """
    calendar = days_from(db, first, days)
    since, until = midnight(first), midnight(first + timedelta(days=days))
    visitors = _visitors(db, scope, since, until, township_id)
    ids = [visitor.id for visitor in visitors]
    taken = _taken(db, scope, ids, since, until)
    away = _away(db, ids, since, until)
    covers: dict[int, set[int]] = defaultdict(set)
    for visitor_id, covered in db.execute(
        select(VisitorTownship.visitor_id, VisitorTownship.township_id).where(
            VisitorTownship.visitor_id.in_(ids)
        )
    ):
        covers[visitor_id].add(covered)
    found = [
        _conflicts_of(
            visitor,
            calendar,
            taken.get(visitor.id, []),
            tuple(away.get(visitor.id, ())),
            covers[visitor.id],
        )
        for visitor in visitors
    ]
    until_row = None if limit is None else offset + limit
    shown = list(zip(visitors, found, strict=True))[offset:until_row]
    troubled = [
        (number, visitor.id) for number, visitor in enumerate(visitors) if any(found[number])
    ]
    named = {visitor.id for visitor, _ in shown} | {each for _, each in troubled}
    names = dict(db.execute(select(Visitor.id, Visitor.name).where(Visitor.id.in_(named))).all())
    nicknames = _nicknames(db, [one for v, _ in shown for one in taken.get(v.id, ())])
    rows = tuple(
        _row(
            visitor,
            names[visitor.id],
            calendar,
            list(zip(taken.get(visitor.id, ()), conflicts, strict=True)),
            tuple(away.get(visitor.id, ())),
            nicknames,
        )
        for visitor, conflicts in shown
    )
    return Board(
        days=tuple(calendar),
        rows=rows,
        conflicts=sum(bool(each) for conflicts in found for each in conflicts),
        visitors=len(visitors),
        troubled=tuple(Troubled(names[each], number) for number, each in troubled),
    )


@dataclass(frozen=True, slots=True)
class _Visitor:
    id: int
    code: str
    station: str
    is_active: bool
    hours: Hours


def _visitors(
    db: Session, scope: StaffScope, since: datetime, until: datetime, township_id: int | None
) -> list[_Visitor]:
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
        _Visitor(
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
class _Taken:
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


def _taken(
    db: Session, scope: StaffScope, ids: list[int], since: datetime, until: datetime
) -> dict[int, list[_Taken]]:
    """Each visitor's visits and open proposals, in order; one statement."""
    ours = families_in(scope) if scope.role is not Role.VISITOR else true()
    found: dict[int, list[_Taken]] = defaultdict(list)
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
            _Taken(
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


def _nicknames(db: Session, taken: Sequence[_Taken]) -> dict[int, str]:
    """Of one's own families' children: by id."""
    ids = {one.child_id for one in taken if one.is_ours}
    if not ids:
        return {}
    return dict(db.execute(select(Child.id, Child.nickname).where(Child.id.in_(ids))).all())


def _away(db: Session, ids: list[int], since: datetime, until: datetime) -> dict[int, list[Span]]:
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


def _conflicts_of(
    visitor: _Visitor,
    days: list[Day],
    taken: list[_Taken],
    away: tuple[Span, ...],
    covers: set[int],
) -> list[tuple[Conflict, ...]]:
    """Of each visit, in the order of `taken`, what is wrong with it."""
    diary = Diary(visitor.id, visitor.hours, away=away)
    by_day: dict[date, list[_Taken]] = defaultdict(list)
    for one in taken:
        by_day[one.span.starts_at.astimezone(SHANGHAI).date()].append(one)
    calendar = {day.day: day for day in days}
    found = []
    for one in taken:
        day = calendar[one.span.starts_at.astimezone(SHANGHAI).date()]
        found.append(_conflicts(visitor, diary, day, one, by_day[day.day], covers))
    return found


def _row(
    visitor: _Visitor,
    name: str,
    days: list[Day],
    visits: list[tuple[_Taken, tuple[Conflict, ...]]],
    away: tuple[Span, ...],
    nicknames: Mapping[int, str],
) -> BoardRow:
    by_day: dict[date, list[BoardVisit]] = defaultdict(list)
    for one, conflicts in visits:
        by_day[one.span.starts_at.astimezone(SHANGHAI).date()].append(
            BoardVisit(
                visit_id=one.visit_id,
                family_id=one.family_id,
                starts_at=one.span.starts_at,
                ends_at=one.ends_at,
                state=one.state,
                nickname=nicknames.get(one.child_id) if one.is_ours else None,
                township=one.township,
                is_proposal=one.is_proposal,
                conflicts=conflicts,
            )
        )
    cells = []
    for day in days:
        start = midnight(day.day)
        whole = Span(start, start + timedelta(days=1))
        cells.append(
            BoardCell(
                day=day.day,
                works=works_on(visitor.hours, day),
                is_away=any(whole.overlaps(span) for span in away),
                visits=tuple(by_day[day.day]),
            )
        )
    return BoardRow(visitor.id, visitor.code, name, visitor.station, tuple(cells))


def _conflicts(
    visitor: _Visitor,
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
    if one.is_stopped and one.is_ours:
        found.append(Conflict.MOURNING)
    return tuple(found)
