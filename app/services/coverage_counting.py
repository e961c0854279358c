"""The statement that the coverage report is counted from: a row a family of the year.

Everything is aggregated in the database, by what the report tells apart; the families behind a
number (coverage_families.py) are rows of the very same statement.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Subquery,
    and_,
    case,
    false,
    func,
    join,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import Family, FamilyYear
from app.rules.age import SERVICE_UNTIL_MONTHS, add_months
from app.rules.coverage import BARS, Cell
from app.services.coverage_kept import Kept, find_kept
from app.services.coverage_rows import bounds, rows_of
from app.services.pack_totals import has_changes, reach
from app.services.staff import StaffScope

MOST_COUNTED = BARS[-1]
"""Who attended more often is counted with these: the report has no higher bar."""

KEPT = 8
"""Statements: those of the places that are looked at over and over."""


@dataclass(frozen=True, slots=True)
class Counting:
    """Every family of a year that did not say "no need", and what is counted of it."""

    tables: FromClause
    wanted: tuple[ColumnElement[bool], ...]
    is_known: ColumnElement[bool]
    """By the end of the year, or entered afterwards from its paper sheets; the others have
    nothing but newborns."""
    attended: ColumnElement[int]
    """Sessions of the year, at most MOST_COUNTED."""
    months: ColumnElement[int]
    """Whole months of the year in which the duty towards the family lasted."""
    short: ColumnElement[int]
    """Sessions of the year still owed."""
    delivered: ColumnElement[int]
    """1 where a pack was delivered to somebody of the family in the year."""
    opened: ColumnElement[int]
    newborns: ColumnElement[int]
    newborns_visited: ColumnElement[int]


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
    newborns: int
    """Born in the year, up to now."""
    newborns_visited: int


def families_in(scope: StaffScope | None) -> ColumnElement[bool]:
    """The families that a scope's report is about: a condition on Family."""
    return true() if scope is None else scope.families()


def counting(
    db: Session, year: int, now: datetime, target: int, scope: StaffScope | None
) -> Counting:
    """The tables, joined, with a row a family; `target` is the year's entitlement to sessions."""
    today = now.astimezone(SHANGHAI).date()
    kept = find_kept(db, year, today)
    packs_changed = has_changes(db, year) if kept is None else kept.packs_changed
    return _counting(year, today, target, scope, kept, packs_changed)


# Putting the statement together takes as long as sending it.
@lru_cache(maxsize=KEPT)
def _counting(
    year: int,
    today: date,
    target: int,
    scope: StaffScope | None,
    kept: Kept | None,
    packs_changed: bool,
) -> Counting:
    families = families_in(scope)
    row = _rows(year, today, families, kept).c
    online = reach(
        year,
        None if scope is None or scope.sees_all else families,
        has_changes=packs_changed,
    )
    is_under_three = row.youngest > add_months(today, -SERVICE_UNTIL_MONTHS)
    _, end = bounds(year)
    is_known = or_(Family.created_at < end, row.attended > 0)
    return Counting(
        tables=join(Family, row.family_id.table, row.family_id == Family.id).outerjoin(
            online, online.c.family_id == Family.id
        ),
        wanted=(families, Family.need.is_distinct_from(false())),
        is_known=is_known,
        attended=case((row.attended > MOST_COUNTED, MOST_COUNTED), else_=row.attended),
        months=row.months,
        short=case(
            (and_(is_under_three, row.secured < target), target - row.secured),
            else_=0,
        ),
        delivered=func.coalesce(online.c.delivered, 0),
        opened=func.coalesce(online.c.opened, 0),
        newborns=row.newborns,
        newborns_visited=row.newborns_visited,
    )


def _rows(year: int, today: date, families: ColumnElement[bool], kept: Kept | None) -> Subquery:
    """The families' rows: kept ones, and of who changed since as counting gives them."""
    if kept is None:
        return rows_of(year, today, families).subquery()
    there = select(FamilyYear.__table__).where(FamilyYear.year == year)
    if not kept.changed:
        return there.subquery()
    counted = rows_of(year, today, and_(families, Family.id.in_(kept.changed)))
    return union_all(there.where(FamilyYear.family_id.not_in(kept.changed)), counted).subquery()


def count_groups(
    db: Session, year: int, now: datetime, target: int, scope: StaffScope | None
) -> list[Group]:
    """The families added up, one statement. Of them only who is in need has other sums than 0."""
    found = counting(db, year, now, target, scope)
    keys = (
        Family.township_id,
        Family.station_id,
        Family.need,
        found.is_known.label("is_known"),
        found.attended.label("attended"),
        found.months.label("months"),
    )
    rows = db.execute(
        select(
            *keys,
            func.count(),
            func.sum(found.short),
            func.sum(case((found.short > 0, 1), else_=0)),
            func.sum(found.delivered),
            func.sum(found.opened),
            func.sum(found.newborns),
            func.sum(found.newborns_visited),
        )
        .select_from(found.tables)
        .where(*found.wanted)
        .group_by(*keys)
    )
    groups = []
    for township, station, need, is_known, attended, months, families, *sums in rows:
        owed, short, sent, opened, newborns, visited = sums
        groups.append(
            Group(
                township_id=township,
                station_id=station,
                need=need,
                cell=Cell(families if is_known else 0, attended, months),
                owed=owed if is_known else 0,
                families_short=short if is_known else 0,
                families_sent=sent if is_known else 0,
                families_opened=opened if is_known else 0,
                newborns=newborns,
                newborns_visited=visited,
            )
        )
    return groups
