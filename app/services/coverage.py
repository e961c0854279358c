"""The district's coverage report: one query layer for the command, the console and exports.

What each number means is written in docs/indicators.md, under DEFINITIONS_VERSION.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from sqlalchemy import ColumnElement, case, false, func, or_, select, true
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.models import GuidanceSession, Station, Township
from app.rules.coverage import BARS, DEFINITIONS_VERSION, share, tally, warns
from app.rules.sign_up import SessionState
from app.services.course_counts import CourseCount, count_learners
from app.services.course_counts import total as total_learners
from app.services.coverage_counting import Group, count_groups, families_in
from app.services.coverage_rows import bounds
from app.services.coverage_supply import Area, Held, bare_townships, offered
from app.services.sessions import DEFAULT_SESSIONS_A_YEAR, find_target
from app.services.special_needs_coverage import SpecialNeeds, count_special_needs
from app.services.staff import Role, StaffScope


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


class _Numbers(TypedDict):
    families_in_need: int
    families_not_answered: int
    attended_histogram: Mapping[str, int]
    share_reaching_6: float | None
    share_reaching_12: float | None
    share_reaching_6_prorated: float | None
    share_reaching_12_prorated: float | None
    newborns_in_need: int
    newborns_visited: int
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
    groups = count_groups(db, year, now, target, scope)
    seats = _seats_left(db, year, now, scope)
    start, end = bounds(year)
    learners = count_learners(db, families_in(scope), start, end)
    in_township: dict[int, list[CourseCount]] = {}
    in_station: dict[int | None, list[CourseCount]] = {}
    for (township_id, station_id), count in learners.items():
        in_township.setdefault(township_id, []).append(count)
        in_station.setdefault(station_id, []).append(count)
    of_township: dict[int, list[Group]] = {}
    of_station: dict[int | None, list[Group]] = {}
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
            forecast=_forecast(groups, sum(seats.values()), month),
        ),
        townships=tuple(
            TownshipRow(
                township=township.name,
                **_numbers(of_township.get(township.id, ()), in_township.get(township.id, ())),
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
            )
            for station in stations
        ),
        sessions_held=supply.held,
        areas=supply.areas,
        townships_without_station=(
            bare_townships(townships, stations) if scope is None or scope.sees_all else ()
        ),
        special_needs=count_special_needs(db, year, now, families_in(scope)),
    )


def _numbers(groups: Sequence[Group], learners: Iterable[CourseCount]) -> _Numbers:
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
        newborns_in_need=sum(g.newborns for g in groups if g.need),
        newborns_visited=sum(g.newborns_visited for g in groups if g.need),
        online_delivered=sum(g.families_sent for g in groups if g.need),
        online_opened=sum(g.families_opened for g in groups if g.need),
        course_enrolled=learning.enrolled,
        course_completed=learning.completed,
        course_grandparents=learning.grandparents,
        share_course_grandparents=share(learning.grandparents, learning.enrolled),
    )


def _forecast(groups: Sequence[Group], seats_left: int, month: int) -> Forecast:
    short = [group for group in groups if group.need and month]
    owed = sum(group.owed for group in short)
    return Forecast(
        sessions_owed=owed,
        families_short=sum(group.families_short for group in short),
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
