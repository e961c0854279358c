"""What is counted of each family in a year, from what was booked, given and visited.

A row a family. Reports add up these rows as they were when something of the family last changed
(coverage_kept.py); what is counted here is what they must be.
"""

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    True_,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.clock import SHANGHAI
from app.models import Child, Family, GuidanceSession, HomeVisit, SignUp, VisitDue
from app.rules.age import SERVICE_UNTIL_MONTHS, add_months
from app.rules.coverage import MONTHS_A_YEAR
from app.rules.sign_up import SignUpState
from app.rules.visiting import Kind, Purpose, VisitState

SECURED = (SignUpState.ATTENDED, SignUpState.REQUESTED, SignUpState.CONFIRMED)
"""Attended, or arranged with a seat that the family counts on: neither is owed any more."""


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


def bounds(year: int) -> tuple[datetime, datetime]:
    """The first instant of a Shanghai calendar year, and the first one after it."""
    return (
        datetime(year, 1, 1, tzinfo=SHANGHAI),
        datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
    )


def rows_of(year: int, today: date, families: ColumnElement[bool]) -> Select[Any]:
    """The rows of the families that a condition on Family names, in the order of FamilyYear.

    Whoever has no child under three in the year has none.
    """
    attendance = _attendance(year, families)
    childhood = _childhood(year, today, families)
    return (
        select(
            literal(year, Integer).label("year"),
            Family.id.label("family_id"),
            func.coalesce(attendance.c.attended, 0).label("attended"),
            func.coalesce(attendance.c.secured, 0).label("secured"),
            type_coerce(_whole_months(year, attendance, childhood), Integer).label("months"),
            childhood.c.youngest,
            childhood.c.newborns,
            childhood.c.newborns_visited,
        )
        .select_from(Family)
        .join(childhood, childhood.c.family_id == Family.id)
        .outerjoin(attendance, attendance.c.family_id == Family.id)
        .where(families)
    )


def of_families(
    family_id: InstrumentedAttribute[int], families: ColumnElement[bool]
) -> ColumnElement[bool]:
    """That a row is of these families; nothing is asked where they are all."""
    if isinstance(families, True_):
        return true()
    return family_id.in_(select(Family.id).where(families))


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
    """By family with a child under three in the year: the first birth and the last, newborns.

    A newborn is who was born in the year; twins are two.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    is_newborn = Child.birth_date >= first
    return (
        select(
            Child.family_id,
            func.min(Child.birth_date).label("oldest"),
            func.max(Child.birth_date).label("youngest"),
            _how_many(is_newborn).label("newborns"),
            _how_many(and_(is_newborn, _was_visited())).label("newborns_visited"),
        )
        .where(
            Child.birth_date > add_months(first, -SERVICE_UNTIL_MONTHS),
            Child.birth_date <= min(today, last),
            of_families(Child.family_id, families),
        )
        .group_by(Child.family_id)
        .subquery()
    )


def _was_visited() -> ColumnElement[bool]:
    """That a child had the first visit that every newborn is owed, whenever it took place.

    The district's guidance visits, never the health centres' medical ones. A visit to twins
    reaches both.
    """
    return exists().where(
        VisitDue.child_id == Child.id,
        VisitDue.purpose == Purpose.NEWBORN,
        VisitDue.closed_as == "visited",
        HomeVisit.id == VisitDue.visit_id,
        HomeVisit.kind == Kind.GUIDANCE,
        HomeVisit.state == VisitState.COMPLETED,
    )


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


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
