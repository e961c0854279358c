"""The coverage as it stood at each month's end, frozen with its definitions' version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import CoverageSnapshot
from app.services.coverage import Report, report


@dataclass(frozen=True, slots=True)
class Taken:
    month: date
    taken_at: datetime
    definitions_version: str


@cache
def _reports() -> TypeAdapter[Report]:
    return TypeAdapter(Report)


def take(db: Session, now: datetime) -> date | None:
    """Freeze the month before this one; None where that was done already.

    Run daily: a scheduler that was down on the first of the month makes up for it, and the
    snapshot says when it was taken.
    """
    first = now.astimezone(SHANGHAI).date().replace(day=1)
    month = (first - timedelta(days=1)).replace(day=1)
    if db.get(CoverageSnapshot, month) is not None:
        return None
    found = report(db, year=month.year, now=now)
    try:
        with db.begin_nested():
            db.add(
                CoverageSnapshot(
                    month=month,
                    taken_at=now,
                    definitions_version=found.definitions_version,
                    report=_reports().dump_json(found).decode(),
                )
            )
            db.flush()
    except IntegrityError:  # another scheduler was faster
        return None
    return month


def taken(db: Session) -> Sequence[Taken]:
    """The months that are frozen, the latest first."""
    rows = db.execute(
        select(
            CoverageSnapshot.month, CoverageSnapshot.taken_at, CoverageSnapshot.definitions_version
        ).order_by(CoverageSnapshot.month.desc())
    )
    return [Taken(month, at, version) for month, at, version in rows]


def find(db: Session, month: date) -> Report | None:
    """A month's report as it was frozen; None where it was not."""
    text = db.scalars(
        select(CoverageSnapshot.report).where(CoverageSnapshot.month == month)
    ).one_or_none()
    return None if text is None else _reports().validate_json(text)
