"""The families behind a number of the coverage report, counted by the same statement."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from app.models import Family, Station, Township
from app.rules.coverage import BARS
from app.services.coverage_counting import counting
from app.services.sessions import DEFAULT_SESSIONS_A_YEAR, find_target
from app.services.staff import StaffScope

WHICH = (
    "in_need",
    *(str(count) for count in range(BARS[0])),
    *(f"{bar}+" for bar in BARS),
    "not_answered",
    "short",
)
"""A column of the report."""
NO_STATION = "-"


def _select(
    db: Session,
    *,
    year: int,
    now: datetime,
    scope: StaffScope | None,
    which: str,
    township: str,
    station: str,
) -> Select[int]:
    found = counting(db, year, now, find_target(db, year) or DEFAULT_SESSIONS_A_YEAR, scope)
    statement = select(Family.id).select_from(found.tables).where(*found.wanted, found.is_known)
    match which:
        case "not_answered":
            statement = statement.where(Family.need.is_(None))
        case "short":
            statement = statement.where(Family.need.is_(True), found.short > 0)
        case "in_need":
            statement = statement.where(Family.need.is_(True))
        case _ if which.endswith("+"):
            statement = statement.where(Family.need.is_(True), found.attended >= int(which[:-1]))
        case _:
            statement = statement.where(Family.need.is_(True), found.attended == int(which))
    if township:
        of_township = select(Township.id).where(Township.name == township)
        statement = statement.where(Family.township_id.in_(of_township))
    if station == NO_STATION:
        statement = statement.where(Family.station_id.is_(None))
    elif station:
        of_station = select(Station.id).where(Station.code == station)
        statement = statement.where(Family.station_id.in_(of_station))
    return statement


def behind(
    db: Session,
    *,
    year: int,
    now: datetime,
    scope: StaffScope | None,
    which: str,
    township: str = "",
    station: str = "",
) -> ColumnElement[bool]:
    """A condition on Family: those that the number counts. `which` is one of WHICH."""
    statement = _select(
        db, year=year, now=now, scope=scope, which=which, township=township, station=station
    )
    return Family.id.in_(statement)


def count(
    db: Session,
    *,
    year: int,
    now: datetime,
    scope: StaffScope | None,
    which: str,
    township: str = "",
    station: str = "",
) -> int:
    """How many families stand behind a number."""
    statement = _select(
        db, year=year, now=now, scope=scope, which=which, township=township, station=station
    )
    return db.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
