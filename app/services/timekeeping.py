"""Who ticks the timetable, and when each of its jobs last ran."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import JobRun, Lease

OUTCOME_LENGTH = 200


def hold_lease(db: Session, *, name: str, holder: str, lasts: timedelta, now: datetime) -> bool:
    """Take or renew a lease; False while somebody else holds it."""
    insert = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
    statement = insert(Lease).values(name=name, holder=holder, until=now + lasts)
    taken = statement.on_conflict_do_update(
        index_elements=[Lease.name],
        set_={"holder": statement.excluded.holder, "until": statement.excluded.until},
        where=or_(Lease.holder == holder, Lease.until <= now),
    ).returning(Lease.name)
    return db.execute(taken).scalar_one_or_none() is not None


def release_lease(db: Session, *, name: str, holder: str) -> None:
    """Let the next one have it at once."""
    db.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))


def record_start(db: Session, name: str, now: datetime) -> None:
    """A job begins."""
    db.merge(JobRun(name=name, started_at=now, finished_at=None, outcome=None))


def record_end(db: Session, name: str, outcome: str, now: datetime) -> None:
    """A job has ended, and how."""
    run = db.get(JobRun, name)
    if run is not None:
        run.finished_at, run.outcome = now, outcome[:OUTCOME_LENGTH]


def find_last_start(db: Session, name: str) -> datetime | None:
    """When a job last began; None where it never did."""
    return db.execute(select(JobRun.started_at).where(JobRun.name == name)).scalar_one_or_none()
