"""The district's coverage report: one query layer for the command, the console and exports.

What each number means is written in docs/indicators.md, under DEFINITIONS_VERSION.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypedDict

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Subquery,
    case,
    cast,
    extract,
    false,
    func,
    join,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.models import Child, Family, GuidanceSession, SignUp, Station, Township
from app.rules.age import SERVICE_UNTIL_MONTHS, add_months
from app.rules.coverage import BARS, DEFINITIONS_VERSION, MONTHS_A_YEAR, Cell, share, tally, warns
from app.rules.sign_up import SessionState, SignUpState
from app.services.course_counts import CourseCount, count_learners
from app.services.course_counts import total as total_learners
from app.services.coverage_supply import Area, Held, bare_townships, offered
from app.services.newborn_coverage import NewbornCount, add_up, count_newborns
from app.services.pack_reports import of_families, reach
from app.services.sessions import DEFAULT_SESSIONS_A_YEAR, find_target
from app.services.special_needs_coverage import SpecialNeeds, count_special_needs
from app.services.staff import Role, StaffScope

MOST_COUNTED = BARS[-1]
"""Who attended more often is counted with these: the report has no higher bar."""

SECURED = (SignUpState.ATTENDED, SignUpState.REQUESTED, SignUpState.CONFIRMED)
"""Attended, or arranged with a seat that the family counts on: neither is owed any more."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still owed this year against the seats that are left of it."""

    sessions_owed: int
    """Neither attended nor arranged, summed over the families in need with a child under three."""
    families_short: int
    seats_left: int
    warns: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The numbers of one row; the field names are those of the published JSON."""

    families_in_need: int
    families_not_answered: int
    """有需求 not answered: counted as neither, and in no other number of the row."""
    attended_histogram: Mapping[str, int]
    """By 0 … 5, 6+ and 12+; the last is part of the one before."""
    share_reaching_6: float | None
    """None where no family is in need, which is not the same as 0."""
    share_reaching_12: float | None
    share_reaching_6_prorated: float | None
    share_reaching_12_prorated: float | None
    newborns_in_need: int = 0
    newborns_visited: int = 0
    online_delivered: int = 0
    online_opened: int = 0
    course_enrolled: int = 0
    course_completed: int = 0
    course_grandparents: int = 0
    """Of those enrolled."""
    share_course_grandparents: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalRow(Counts):
    forecast: Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class TownshipRow(Counts):
    township: str
    forecast: Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class StationRow(Counts):
    """The families that belong to a station, wherever they attended."""

    station: str | None
    """The code; None on the row of the families that belong to no station."""
    name: str | None
    township: str | None


@dataclass(frozen=True, slots=True)
class Report:
    year: int
    as_of: datetime
    definitions_version: str
    target: int
    """The year's entitlement to sessions; the forecast goes by it."""
    total: TotalRow
    townships: tuple[TownshipRow, ...]
    stations: tuple[StationRow, ...]
    sessions_held: tuple[Held, ...] = ()
    areas: tuple[Area, ...] = ()
    """The service's areas that sessions of the year were about."""
    townships_without_station: tuple[str, ...] = ()
    special_needs: SpecialNeeds | None = None
    """None in a report frozen before it was counted."""


@dataclass(frozen=True, slots=True)
class Counting:
    """The statement that everything is counted from: a row a family, and what it is counted by.

    The report adds its rows up; whoever asks for the families behind a number filters them.
    """

    keys: Sequence[Any]
    """Township, station, need, `attended`, whole months, `short`, sent, opened: of a select."""
    attended: ColumnElement[int]
    """Sessions of the year, at most MOST_COUNTED."""
    short: ColumnElement[int]
    """Sessions of the year still owed."""
    tables: FromClause
    wanted: tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """Families alike in everything that is counted, and how many they are."""

    township_id: int
    station_id: int | None
    need: bool | None
    cell: Cell
    short: int
    """Sessions that each of them is still owed."""
    was_sent: bool
    """A pack was delivered to somebody of the family in the year, by a push or on request."""
    has_opened: bool


class _Newborns(TypedDict):
    newborns_in_need: int
    newborns_visited: int


class _Numbers(TypedDict):
    families_in_need: int
    families_not_answered: int
    attended_histogram: Mapping[str, int]
    share_reaching_6: float | None
    share_reaching_12: float | None
    share_reaching_6_prorated: float | None
    share_reaching_12_prorated: float | None
    online_delivered: int
    online_opened: int
    course_enrolled: int
    course_completed: int
    course_grandparents: int
    share_course_grandparents: float | None


def report(db: Session, *, year: int, now: datetime, scope: StaffScope | None = None) -> Report:
    """The coverage of a Shanghai calendar year as of now: the district's, or a scope's part.

    A worker sees the families of their station and no township's row, a township lead the
    township's.
    """
    today = now.astimezone(SHANGHAI).date()
    # Only the running year can still be helped: the past is settled, the future unpublished.
    month = today.month if today.year == year else 0
    target = find_target(db, year) or DEFAULT_SESSIONS_A_YEAR
    groups = _groups(db, year, now, target, scope)
    seats = _seats_left(db, year, now, scope)
    newborns = count_newborns(db, year, now, _families_in(scope))
    start, end = bounds(year)
    learners = count_learners(db, _families_in(scope), start, end)
    in_township: dict[int, list[CourseCount]] = {}
    in_station: dict[int | None, list[CourseCount]] = {}
    for (township_id, station_id), count in learners.items():
        in_township.setdefault(township_id, []).append(count)
        in_station.setdefault(station_id, []).append(count)
    of_township: dict[int, list[_Group]] = {}
    of_station: dict[int | None, list[_Group]] = {}
    for group in groups:
        of_township.setdefault(group.township_id, []).append(group)
        of_station.setdefault(group.station_id, []).append(group)
    townships = _townships(db, scope)
    stations = _stations(db, scope, of_station.keys() | in_station.keys())
    supply = offered(db, start=start, end=end, now=now, scope=scope)
    return Report(
        year=year,
        as_of=now,
        definitions_version=DEFINITIONS_VERSION,
        target=target,
        total=TotalRow(
            **_numbers(groups, learners.values()),
            **_newborns(newborns),
            forecast=_forecast(groups, sum(seats.values()), month),
        ),
        townships=tuple(
            TownshipRow(
                township=township.name,
                **_numbers(of_township.get(township.id, ()), in_township.get(township.id, ())),
                **_newborns(one for one in newborns if one.township_id == township.id),
                forecast=_forecast(
                    of_township.get(township.id, ()), seats.get(township.id, 0), month
                ),
            )
            for township in townships
        ),
        stations=tuple(
            StationRow(
                station=station.code if station else None,
                name=station.name if station else None,
                township=station.township.name if station else None,
                **_numbers(
                    of_station.get(station.id if station else None, ()),
                    in_station.get(station.id if station else None, ()),
                ),
                **_newborns(
                    one for one in newborns if one.station_id == (station.id if station else None)
                ),
            )
            for station in stations
        ),
        sessions_held=supply.held,
        areas=supply.areas,
        townships_without_station=(
            bare_townships(townships, stations) if scope is None or scope.sees_all else ()
        ),
        special_needs=count_special_needs(db, year, now, _families_in(scope)),
    )


def bounds(year: int) -> tuple[datetime, datetime]:
    """The first instant of a Shanghai calendar year, and the first one after it."""
    return (
        datetime(year, 1, 1, tzinfo=SHANGHAI),
        datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
    )


def _families_in(scope: StaffScope | None) -> ColumnElement[bool]:
    """The families that a scope's report is about: a condition on Family."""
    return true() if scope is None else scope.families()


def _attendance(year: int, families: ColumnElement[bool]) -> Subquery:
    """By family: distinct sessions of the year that were attended, and those secured."""
    start, end = bounds(year)
    is_attended = SignUp.state == SignUpState.ATTENDED
    return (
        select(
            SignUp.family_id,
            func.count(func.distinct(case((is_attended, SignUp.session_id)))).label("attended"),
            func.count(func.distinct(SignUp.session_id)).label("secured"),
            func.min(case((is_attended, GuidanceSession.starts_at))).label("first"),
        )
        .join(SignUp.session)
        .where(
            SignUp.state.in_(SECURED),
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
            of_families(SignUp.family_id, families),
        )
        .group_by(SignUp.family_id)
        .subquery()
    )


def _childhood(year: int, today: date, families: ColumnElement[bool]) -> Subquery:
    """By family with a child under three in the year: the first and last whole month of that.

    The month of a birth is no whole one, nor is the month of a third birthday.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    three_by_the_end = add_months(last, -SERVICE_UNTIL_MONTHS)
    month = cast(extract("month", Child.birth_date), Integer)
    return (
        select(
            Child.family_id,
            func.min(case((Child.birth_date < first, 1), else_=month + 1)).label("first"),
            func.max(
                case((Child.birth_date > three_by_the_end, MONTHS_A_YEAR), else_=month - 1)
            ).label("last"),
            func.max(Child.birth_date).label("youngest"),
        )
        .where(
            Child.birth_date > add_months(first, -SERVICE_UNTIL_MONTHS),
            Child.birth_date <= min(today, last),
            of_families(Child.family_id, families),
        )
        .group_by(Child.family_id)
        .subquery()
    )


def counting(year: int, now: datetime, target: int, scope: StaffScope | None) -> Counting:
    """Every family of the year that did not say "no need", with what is counted of it."""
    today = now.astimezone(SHANGHAI).date()
    attendance = _attendance(year, _families_in(scope))
    childhood = _childhood(year, today, _families_in(scope))
    online = reach(*bounds(year), _families_in(scope))
    attended = func.coalesce(attendance.c.attended, 0)
    counted = case((attended > MOST_COUNTED, MOST_COUNTED), else_=attended)
    months = _whole_months(year, attendance, childhood)
    secured = func.coalesce(attendance.c.secured, 0)
    is_under_three = childhood.c.youngest > add_months(today, -SERVICE_UNTIL_MONTHS)
    short = case((is_under_three & (secured < target), target - secured), else_=0)
    keys = (
        Family.township_id,
        Family.station_id,
        Family.need,
        counted.label("counted"),
        months.label("months"),
        short.label("short"),
        func.coalesce(online.c.delivered, 0).label("was_sent"),
        func.coalesce(online.c.opened, 0).label("has_opened"),
    )
    _, end = bounds(year)
    families = join(Family, childhood, childhood.c.family_id == Family.id).outerjoin(
        attendance, attendance.c.family_id == Family.id
    )
    return Counting(
        keys=keys,
        attended=counted,
        short=short,
        tables=families.outerjoin(online, online.c.family_id == Family.id),
        wanted=(
            _families_in(scope),
            Family.need.is_distinct_from(false()),
            # Known by the end of the year, or entered afterwards from its paper sheets.
            or_(Family.created_at < end, attended > 0),
        ),
    )


def _groups(
    db: Session, year: int, now: datetime, target: int, scope: StaffScope | None
) -> list[_Group]:
    """The families added up by what is counted."""
    found = counting(year, now, target, scope)
    rows = db.execute(
        select(*[*found.keys, func.count(Family.id)])
        .select_from(found.tables)
        .where(*found.wanted)
        .group_by(*found.keys)
    )
    groups = []
    for row in rows:
        township, station, need, times, whole, short, was_sent, has_opened, families = row
        groups.append(
            _Group(
                township,
                station,
                need,
                Cell(families, times, whole),
                short,
                was_sent=bool(was_sent),
                has_opened=bool(has_opened),
            )
        )
    return groups


def _whole_months(year: int, attendance: Subquery, childhood: Subquery) -> ColumnElement[int]:
    """Whole months with a child under three since the service has known the family.

    It knows it from the registration on, or from a session that it attended before.
    """
    known = case(
        (attendance.c.first < Family.created_at, attendance.c.first), else_=Family.created_at
    )
    begun = [
        case((known > datetime(year, month, 1, tzinfo=SHANGHAI), 1), else_=0)
        for month in range(1, MONTHS_A_YEAR + 1)
    ]
    known_from = sum(begun[1:], begun[0]) + 1
    first = case((childhood.c.first > known_from, childhood.c.first), else_=known_from)
    return case((childhood.c.last >= first, childhood.c.last - first + 1), else_=0)


def _numbers(groups: Sequence[_Group], learners: Iterable[CourseCount]) -> _Numbers:
    learning = total_learners(learners)
    found = tally(group.cell for group in groups if group.need)
    six, twelve = BARS
    return _Numbers(
        families_in_need=found.families,
        families_not_answered=sum(g.cell.families for g in groups if g.need is None),
        attended_histogram=found.histogram,
        share_reaching_6=share(found.reaching[six], found.families),
        share_reaching_12=share(found.reaching[twelve], found.families),
        share_reaching_6_prorated=share(found.reaching_part[six], found.owed_anything[six]),
        share_reaching_12_prorated=share(found.reaching_part[twelve], found.owed_anything[twelve]),
        online_delivered=sum(g.cell.families for g in groups if g.need and g.was_sent),
        online_opened=sum(g.cell.families for g in groups if g.need and g.has_opened),
        course_enrolled=learning.enrolled,
        course_completed=learning.completed,
        course_grandparents=learning.grandparents,
        share_course_grandparents=share(learning.grandparents, learning.enrolled),
    )


def _newborns(counts: Iterable[NewbornCount]) -> _Newborns:
    in_need, visited = add_up(counts)
    return _Newborns(newborns_in_need=in_need, newborns_visited=visited)


def _forecast(groups: Sequence[_Group], seats_left: int, month: int) -> Forecast:
    short = [group for group in groups if group.need and group.short and month]
    owed = sum(group.short * group.cell.families for group in short)
    return Forecast(
        sessions_owed=owed,
        families_short=sum(group.cell.families for group in short),
        seats_left=seats_left,
        warns=warns(owed, seats_left, month),
    )


def _seats_left(db: Session, year: int, now: datetime, scope: StaffScope | None) -> dict[int, int]:
    """By township: free seats of the year's sessions that can still be signed up for."""
    start, end = bounds(year)
    free = GuidanceSession.places - GuidanceSession.places_taken
    rows = db.execute(
        select(Station.township_id, func.sum(case((free > 0, free), else_=0)))
        .join(GuidanceSession.station)
        .where(
            true() if scope is None else scope.stations(),
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.starts_at > now,
            GuidanceSession.closes_at > now,
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
        )
        .group_by(Station.township_id)
    )
    return {row[0]: row[1] for row in rows}


def _townships(db: Session, scope: StaffScope | None) -> Sequence[Township]:
    """In the official order; none for a worker, whose station is not the whole township."""
    if scope is None or scope.sees_all:
        condition: ColumnElement[bool] = true()
    elif scope.role is Role.TOWNSHIP:
        condition = Township.id == scope.township_id
    else:
        condition = false()
    return db.scalars(select(Township).where(condition).order_by(Township.id)).all()


def _stations(
    db: Session, scope: StaffScope | None, with_families: Iterable[int | None]
) -> list[Station | None]:
    """Active stations in scope and others that families belong to; None for "no station"."""
    wanted = set(with_families)
    belonging = Station.id.in_([station_id for station_id in wanted if station_id is not None])
    in_scope = true() if scope is None else scope.stations()
    found: list[Station | None] = list(
        db.scalars(
            select(Station)
            .join(Station.township)
            .options(contains_eager(Station.township))
            .where(or_(Station.is_active & in_scope, belonging))
            .order_by(Station.township_id, Station.code)
        )
    )
    return [*found, None] if None in wanted else found
