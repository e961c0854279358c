"""The statement that the coverage report is counted from: a row a family of the year.

Everything is aggregated in the database, by what the report tells apart; the families behind a
number (coverage_families.py) are rows of the very same statement.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar

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
    literal,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.clock import SHANGHAI
from app.models import Child, Family, GuidanceSession, SignUp
from app.rules.age import SERVICE_UNTIL_MONTHS, add_months
from app.rules.coverage import BARS, MONTHS_A_YEAR, Cell
from app.rules.sign_up import SignUpState
from app.services.pack_reports import of_families, reach
from app.services.staff import StaffScope

MOST_COUNTED = BARS[-1]
"""Who attended more often is counted with these: the report has no higher bar."""

SECURED = (SignUpState.ATTENDED, SignUpState.REQUESTED, SignUpState.CONFIRMED)
"""Attended, or arranged with a seat that the family counts on: neither is owed any more."""


KEPT = 8
"""Statements: those of the places that are looked at over and over."""


class _Larger(FunctionElement[Any]):
    """The larger of two values that are both there."""

    inherit_cache = True
    names: ClassVar = {"sqlite": "max"}
    usual = "greatest"


class _Smaller(FunctionElement[Any]):
    """The smaller of two values that are both there."""

    inherit_cache = True
    names: ClassVar = {"sqlite": "min"}
    usual = "least"


@compiles(_Larger)
@compiles(_Smaller)
def _by_its_name(element: _Larger | _Smaller, compiler: SQLCompiler, **options: Any) -> str:
    name = element.names.get(compiler.dialect.name, element.usual)
    return f"{name}{compiler.process(element.clause_expr, **options)}"


@dataclass(frozen=True, slots=True)
class Counting:
    """Every family of a year that did not say "no need", and what is counted of it."""

    tables: FromClause
    wanted: tuple[ColumnElement[bool], ...]
    attended: ColumnElement[int]
    """Sessions of the year, at most MOST_COUNTED."""
    months: ColumnElement[int]
    """Whole months of the year in which the duty towards the family lasted."""
    short: ColumnElement[int]
    """Sessions of the year still owed."""
    was_sent: ColumnElement[int]
    """1 where a pack was delivered to somebody of the family in the year."""
    has_opened: ColumnElement[int]


@dataclass(frozen=True, slots=True)
class Group:
    """Families alike in place, answer and attendance, and what they come to together."""

    township_id: int
    station_id: int | None
    need: bool | None
    cell: Cell
    owed: int
    """Sessions that they are still owed, summed."""
    families_short: int
    """Of them, those that are owed any."""
    families_sent: int
    """Of them, those to whom a pack was delivered in the year."""
    families_opened: int


def bounds(year: int) -> tuple[datetime, datetime]:
    """The first instant of a Shanghai calendar year, and the first one after it."""
    return (
        datetime(year, 1, 1, tzinfo=SHANGHAI),
        datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
    )


def families_in(scope: StaffScope | None) -> ColumnElement[bool]:
    """The families that a scope's report is about: a condition on Family."""
    return true() if scope is None else scope.families()


def counting(year: int, now: datetime, target: int, scope: StaffScope | None) -> Counting:
    """The tables, joined, with a row a family; `target` is the year's entitlement to sessions."""
    return _counting(year, now.astimezone(SHANGHAI).date(), target, scope)


# Putting the statement together takes as long as sending it.
@lru_cache(maxsize=KEPT)
def _counting(year: int, today: date, target: int, scope: StaffScope | None) -> Counting:
    families = families_in(scope)
    attendance = _attendance(year, families)
    childhood = _childhood(year, today, families)
    online = reach(*bounds(year), families)
    attended = func.coalesce(attendance.c.attended, 0)
    secured = func.coalesce(attendance.c.secured, 0)
    is_under_three = childhood.c.youngest > add_months(today, -SERVICE_UNTIL_MONTHS)
    _, end = bounds(year)
    joined = join(Family, childhood, childhood.c.family_id == Family.id).outerjoin(
        attendance, attendance.c.family_id == Family.id
    )
    return Counting(
        tables=joined.outerjoin(online, online.c.family_id == Family.id),
        wanted=(
            families,
            Family.need.is_distinct_from(false()),
            # Known by the end of the year, or entered afterwards from its paper sheets.
            or_(Family.created_at < end, attended > 0),
        ),
        attended=case((attended > MOST_COUNTED, MOST_COUNTED), else_=attended),
        months=_whole_months(year, attendance, childhood),
        short=case((is_under_three & (secured < target), target - secured), else_=0),
        was_sent=func.coalesce(online.c.delivered, 0),
        has_opened=func.coalesce(online.c.opened, 0),
    )


def count_groups(
    db: Session, year: int, now: datetime, target: int, scope: StaffScope | None
) -> list[Group]:
    """The families added up, one statement. Of them only who is in need has other sums than 0."""
    found = counting(year, now, target, scope)
    keys = (
        Family.township_id,
        Family.station_id,
        Family.need,
        found.attended.label("attended"),
        found.months.label("months"),
    )
    rows = db.execute(
        select(
            *keys,
            func.count(),
            func.sum(found.short),
            func.sum(case((found.short > 0, 1), else_=0)),
            func.sum(found.was_sent),
            func.sum(found.has_opened),
        )
        .select_from(found.tables)
        .where(*found.wanted)
        .group_by(*keys)
    )
    return [
        Group(township, station, need, Cell(families, attended, months), owed, short, sent, opened)
        for township, station, need, attended, months, families, owed, short, sent, opened in rows
    ]


def _attendance(year: int, families: ColumnElement[bool]) -> Subquery:
    """By family: sessions of the year that were attended, those secured, and the first attended.

    Siblings in one session count once. Adding up by session first and by family then is twice as
    fast as counting distinct sessions, which would sort all sign-ups.
    """
    start, end = bounds(year)
    is_attended = case((SignUp.state == SignUpState.ATTENDED, 1), else_=0)
    visited = (
        select(
            SignUp.family_id,
            func.max(is_attended).label("attended"),
            func.min(GuidanceSession.starts_at).label("starts_at"),
        )
        .join(SignUp.session)
        .where(
            SignUp.state.in_(SECURED),
            GuidanceSession.starts_at >= start,
            GuidanceSession.starts_at < end,
            of_families(SignUp.family_id, families),
        )
        .group_by(SignUp.family_id, SignUp.session_id)
        .subquery()
    )
    return (
        select(
            visited.c.family_id,
            cast(func.sum(visited.c.attended), Integer).label("attended"),
            cast(func.count(), Integer).label("secured"),
            func.min(case((visited.c.attended == 1, visited.c.starts_at))).label("first"),
        )
        .group_by(visited.c.family_id)
        .subquery()
    )


def _childhood(year: int, today: date, families: ColumnElement[bool]) -> Subquery:
    """By family with a child under three in the year: the first birth and the last."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    return (
        select(
            Child.family_id,
            func.min(Child.birth_date).label("oldest"),
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


def _whole_months(year: int, attendance: Subquery, childhood: Subquery) -> ColumnElement[int]:
    """Whole months with a child under three since the service has known the family.

    It knows it from the registration on, or from a session that it attended before. The month of
    a birth is no whole one, nor is the month of a third birthday.
    """
    oldest, youngest = childhood.c.oldest, childhood.c.youngest
    three_by_the_end = add_months(date(year, 12, 31), -SERVICE_UNTIL_MONTHS)
    first = case((oldest < date(year, 1, 1), 1), else_=_month(oldest) + 1)
    last = case((youngest > three_by_the_end, MONTHS_A_YEAR), else_=_month(youngest) - 1)
    known = _Smaller(func.coalesce(attendance.c.first, Family.created_at), Family.created_at)
    known.type = Family.created_at.type
    # Most families were known before the year: the first branch answers for them.
    known_from = case(
        *[
            (known <= datetime(year, month, 1, tzinfo=SHANGHAI), month)
            for month in range(1, MONTHS_A_YEAR + 1)
        ],
        else_=MONTHS_A_YEAR + 1,
    )
    return _Larger(last - type_coerce(_Larger(first, known_from), Integer) + 1, literal(0))


def _month(day: ColumnElement[date]) -> ColumnElement[int]:
    return cast(extract("month", day), Integer)
