"""Who ticks the timetable, and when each of its jobs last ran."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import JobRun, Lease

AHEAD = timedelta(minutes=5)
"""More than the clocks of two hosts differ by."""
OUTCOME_LENGTH = 200
ERROR_LENGTH = 80
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class JobState:
    """How a job of the timetable fares."""

    name: str
    schedule: str
    started_at: datetime | None
    """None where it never ran."""
    finished_at: datetime | None
    """None while it is at work, or where its process was killed."""
    outcome: str | None
    failures: int
    """In a row, up to now."""
    failed_at: datetime | None
    error: str | None
    lag: timedelta
    """How long it should have begun again by now; nothing where it is on time."""


def next_tick(schedule: str, after: datetime) -> datetime:
    """The first tick of a schedule, in cron's form by Shanghai's time, later than a time."""
    # Late: a web worker loads it only when somebody asks how the jobs fare.
    from apscheduler.triggers.cron import CronTrigger

    tick = CronTrigger.from_crontab(schedule, timezone=SHANGHAI).get_next_fire_time(after, after)
    assert isinstance(tick, datetime)
    return tick


def job_states(db: Session, timetable: Sequence[tuple[str, str]], now: datetime) -> list[JobState]:
    """How each job, by name and schedule, fares; in the timetable's order."""
    runs = {run.name: run for run in db.scalars(select(JobRun))}
    return [_job_state(name, schedule, runs.get(name), now) for name, schedule in timetable]


def _job_state(name: str, schedule: str, run: JobRun | None, now: datetime) -> JobState:
    if run is None:
        return JobState(name, schedule, None, None, None, 0, None, None, timedelta(0))
    return JobState(
        name=name,
        schedule=schedule,
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=run.outcome,
        failures=run.failures,
        failed_at=run.failed_at,
        error=run.error,
        lag=max(timedelta(0), now - next_tick(schedule, run.started_at)),
    )


def hold_lease(db: Session, *, name: str, holder: str, lasts: timedelta, now: datetime) -> bool:
    """Take or renew a lease; False while somebody else holds it.

    One that would last longer than any is given was taken before the clock was set back.
    """
    insert = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
    statement = insert(Lease).values(name=name, holder=holder, until=now + lasts)
    taken = statement.on_conflict_do_update(
        index_elements=[Lease.name],
        set_={"holder": statement.excluded.holder, "until": statement.excluded.until},
        where=or_(Lease.holder == holder, Lease.until <= now, Lease.until > now + lasts + AHEAD),
    ).returning(Lease.name)
    return db.execute(taken).scalar_one_or_none() is not None


def release_lease(db: Session, *, name: str, holder: str) -> None:
    """Let the next one have it at once."""
    db.execute(delete(Lease).where(Lease.name == name, Lease.holder == holder))


def record_start(db: Session, name: str, now: datetime) -> None:
    """A job begins."""
    db.merge(JobRun(name=name, started_at=now, finished_at=None, outcome=None))


def record_end(
    db: Session, name: str, outcome: str, now: datetime, *, error: str | None = None
) -> None:
    """A job has ended, and how; `error` is the type of what it ended in."""
    run = db.get(JobRun, name)
    if run is None:
        return
    run.finished_at, run.outcome = now, outcome[:OUTCOME_LENGTH]
    if error is None:
        run.failures = 0
    else:
        run.failures += 1
        run.failed_at, run.error = now, error[:ERROR_LENGTH]


def find_last_start(db: Session, name: str) -> datetime | None:
    """When a job last began; None where it never did."""
    return db.execute(select(JobRun.started_at).where(JobRun.name == name)).scalar_one_or_none()
