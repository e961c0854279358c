"""What was reported, frozen; and what reports are added up from, counted beforehand."""

from datetime import date, datetime

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, Instant


class CoverageSnapshot(Base):
    """The district's coverage as it stood at the end of a month. Written once."""

    __tablename__ = "coverage_snapshots"

    month: Mapped[date] = mapped_column(primary_key=True)
    """The first day of the month that it is about."""
    taken_at: Mapped[datetime] = mapped_column(Instant)
    definitions_version: Mapped[str] = mapped_column(String(20))
    report: Mapped[str] = mapped_column(Text)
    """The Report as JSON: counts of families, nobody's name."""


class FamilyYear(Base):
    """What the coverage report counts of a family in a year, as it was when it last changed.

    Of families with a child under three in the year; only of years that are in counted_years. What
    stands here of a family that is in changed_families is out of date: nobody may count it.
    """

    __tablename__ = "family_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    family_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """No foreign key: a row that outlives its family is joined to nothing."""
    attended: Mapped[int]
    secured: Mapped[int]
    """Attended, or a place that is requested or confirmed."""
    months: Mapped[int]
    youngest: Mapped[date]
    """The birth of the youngest child."""
    newborns: Mapped[int]
    newborns_visited: Mapped[int]

    __table_args__ = (Index("ix_family_years_family_id", "family_id"),)


class CountedYear(Base):
    """A year whose families all have their row in family_years, or are in changed_families."""

    __tablename__ = "counted_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    counted_on: Mapped[date]
    """The latest day that a row was counted for: who reports for an earlier one counts anew."""


CHANGED_FAMILIES = Table(
    "changed_families",
    Base.metadata,
    Column("family_id", Integer, nullable=False),
    Index("ix_changed_families_family_id", "family_id"),
)
"""Families of which something changed that reports count; written by the database's triggers.

Without a key, on purpose: whoever changes something only adds a row, and waits for nobody.
"""


class PackDay(Base):
    """How many pushes of the ledger fell due on a day, by what became of them.

    As changed_pack_days has not changed it yet: only the two together are what counting gives.
    """

    __tablename__ = "pack_days"

    pack_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    """Shanghai's day of due_at."""
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(String(120), primary_key=True)
    """"" where the push has none."""
    is_opened: Mapped[bool] = mapped_column(primary_key=True)
    rating: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, -1, or 0 where nobody said."""
    pushes: Mapped[int]

    __table_args__ = (Index("ix_pack_days_day", "day"),)


class FamilyPacks(Base):
    """How many pushes were sent to a family in a Shanghai year, and how many of them opened.

    As changed_family_packs has not changed it yet.
    """

    __tablename__ = "family_packs"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    family_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """No foreign key: a row that outlives its family is joined to nothing."""
    delivered: Mapped[int]
    opened: Mapped[int]

    __table_args__ = (Index("ix_family_packs_family_id", "family_id"),)


CHANGED_PACK_DAYS = Table(
    "changed_pack_days",
    Base.metadata,
    Column("pack_id", String(32), nullable=False),
    Column("day", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", String(10), nullable=False),
    Column("reason", String(120), nullable=False),
    Column("is_opened", Boolean, nullable=False),
    Column("rating", Integer, nullable=False),
    Column("pushes", Integer, nullable=False),
)
"""By how much sums of pack_days have changed; written by the database's triggers, without a key."""

CHANGED_FAMILY_PACKS = Table(
    "changed_family_packs",
    Base.metadata,
    Column("year", Integer, nullable=False),
    Column("family_id", Integer, nullable=False),
    Column("delivered", Integer, nullable=False),
    Column("opened", Integer, nullable=False),
)
"""Likewise of family_packs."""
