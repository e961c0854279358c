"""Rows of coverage_rows.py kept in family_years, so that a report need not count a year anew.

Nobody who books, checks in or sends anything knows of them. Triggers of the database add whoever
is concerned to changed_families, in the transaction of the change; a report counts those families
from the bookings, and a job brings their rows up to date. So a report is exact at every moment,
and quick while the job runs.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, except_, exists, insert, select, text, true, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import (
    CHANGED_FAMILIES,
    CHANGED_FAMILY_PACKS,
    CountedYear,
    Family,
    FamilyYear,
)
from app.services import pack_totals
from app.services.coverage_rows import rows_of

MOST_CHANGED = 1_000
"""Where more families are out of date, a report counts everybody: that is no slower then."""
BATCH = 2_000
"""Families a transaction of the job."""
WATCHED = ("children", "home_visits", "sign_ups", "visit_dues")
TRIGGERS = frozenset(
    {
        "guidance_sessions_move_families",
        *(f"{table}_change_families_{row}" for table in WATCHED for row in ("new", "old", "other")),
        *pack_totals.TRIGGERS,
    }
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A year that is kept."""

    changed: tuple[int, ...]
    """The families whose rows are out of date."""
    packs_changed: bool
    """Whether packs of the year were sent or opened that are not in the sums yet."""


def find_kept(db: Session, year: int, today: date) -> Kept | None:
    """Which rows of a year a report of that day may count; None where it may count none."""
    changed = select(CHANGED_FAMILIES.c.family_id).distinct().limit(MOST_CHANGED + 1).subquery()
    more_packs = exists().where(CHANGED_FAMILY_PACKS.c.year == year)
    rows = db.execute(
        select(changed.c.family_id, more_packs)
        .select_from(CountedYear)
        .outerjoin(changed, true())
        .where(CountedYear.year == year, CountedYear.counted_on <= today)
    ).all()
    if not rows or len(rows) > MOST_CHANGED:
        return None
    families = sorted(family_id for family_id, _ in rows if family_id is not None)
    return Kept(tuple(families), packs_changed=bool(rows[0][1]))


def bring_up_to_date(db: Session, now: datetime) -> int:
    """Count a batch of the changed families anew; how many it was.

    Years that reports are asked for and that are not kept yet are counted first: this one, and the
    one before it.
    """
    today = now.astimezone(SHANGHAI).date()
    _let_nobody_else_count(db)
    kept = dict(db.execute(select(CountedYear.year, CountedYear.counted_on)).all())
    if not kept:  # all are counted now; what changes from here on is named after this
        db.execute(delete(CHANGED_FAMILIES))
    for year in (today.year - 1, today.year):
        if year not in kept:
            _count_year(db, year, today)
            kept[year] = today
    # Deleted first and counted then: what changes in between adds a row that stays.
    some = select(CHANGED_FAMILIES.c.family_id).distinct().limit(BATCH)
    gone = db.execute(
        delete(CHANGED_FAMILIES)
        .where(CHANGED_FAMILIES.c.family_id.in_(some))
        .returning(CHANGED_FAMILIES.c.family_id)
    )
    families = sorted({family_id for (family_id,) in gone})
    if not families:
        return 0
    db.execute(delete(FamilyYear).where(FamilyYear.family_id.in_(families)))
    for year in kept:
        rows = rows_of(year, today, Family.id.in_(families))
        db.execute(insert(FamilyYear).from_select(_columns(), rows))
    late = update(CountedYear).where(CountedYear.counted_on < today)
    db.execute(late.values(counted_on=today))
    return len(families)


def forget(db: Session, family_id: int) -> None:
    """Nothing counted of the family is kept, its youngest child's birth least of all.

    Until the job has been by, a report counts it from what is left of its bookings.
    """
    db.execute(delete(FamilyYear).where(FamilyYear.family_id == family_id))
    db.execute(insert(CHANGED_FAMILIES).values(family_id=family_id))


def _let_nobody_else_count(db: Session) -> None:
    """Two at once could each leave the other's change out. SQLite's writers queue anyway."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(text("LOCK TABLE family_years IN SHARE ROW EXCLUSIVE MODE"))


def _count_year(db: Session, year: int, today: date) -> None:
    db.execute(insert(FamilyYear).from_select(_columns(), rows_of(year, today, true())))
    if db.get_bind().dialect.name == "postgresql":
        # Known as empty until its own housekeeping comes by, the table would be read whole for
        # every family: a report of 20,000 took half a minute.
        db.execute(text("ANALYZE family_years"))
    db.add(CountedYear(year=year, counted_on=today))
    db.flush()


def _columns() -> list[str]:
    return [column.name for column in FamilyYear.__table__.columns]


def wrong_rows(db: Session, now: datetime) -> list[str]:
    """Kept rows that are not what counting gives, and families that have none or too many."""
    today = now.astimezone(SHANGHAI).date()
    found: set[str] = set()
    changed = select(CHANGED_FAMILIES.c.family_id)
    for year in db.scalars(select(CountedYear.year).where(CountedYear.counted_on <= today)).all():
        kept = select(FamilyYear.__table__).join(Family, Family.id == FamilyYear.family_id)
        kept = kept.where(FamilyYear.year == year, FamilyYear.family_id.not_in(changed))
        counted = rows_of(year, today, Family.id.not_in(changed))
        for one, other in ((kept, counted), (counted, kept)):
            rows = db.execute(except_(one, other)).all()
            found |= {f"family_year:{row.family_id}:{row.year}" for row in rows}
    return sorted(found)


def missing_triggers(db: Session) -> list[str]:
    """Triggers without which a change goes unnoticed: a table made anew on SQLite loses its own."""
    if db.get_bind().dialect.name == "postgresql":
        there = text("SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'")
    else:
        there = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return sorted(f"trigger:{name}" for name in TRIGGERS - set(db.scalars(there)))
