"""What was reported, frozen."""

from datetime import date, datetime

from sqlalchemy import String, Text
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
