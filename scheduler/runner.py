"""The process that ticks the timetable: python -m scheduler.runner

Several may run, on several hosts; a lease in the database picks the one that ticks, and the
others take over within half a minute of its end.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import tracing
from app.clock import SHANGHAI
from app.clock import now as clock_now
from app.services import timekeeping
from app.telemetry import JOBS as JOBS_RUN
from app.wiring import Job, Services, check_content, make_services
from handlers import HANDLERS
from scheduler.process import begin, stop_on_signals, worker_name
from scheduler.timetable import JOBS

LEASE = "timetable"
LEASE_LASTS = timedelta(seconds=30)
RENEW_SECONDS = 10
STEPPED = timedelta(seconds=30)
"""More than that no clock is corrected by while it runs, but for one that was wrong."""
MISFIRE_GRACE_SECONDS = 300
"""A tick that is late by less, behind a long job or a sleeping machine, still counts."""

log = structlog.get_logger("scheduler.runner")  # not __main__


class Runner:
    """Ticks the jobs of one timetable while this process holds the lease."""

    def __init__(
        self, services: Services, *, holder: str, clock: Callable[[], datetime] = clock_now
    ) -> None:
        self._services = services
        self._holder = holder
        self._clock = clock
        self._held_until: datetime | None = None

    def run(self, stopping: Event) -> None:
        """Tick until told to stop; jobs under way are finished, then the lease is let go."""
        scheduler = BackgroundScheduler(
            timezone=SHANGHAI,
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": MISFIRE_GRACE_SECONDS,
            },
        )
        for job in self._services.jobs:
            scheduler.add_job(self.tick, trigger_of(job), args=[job], id=job.name)
        scheduler.start()
        log.info("runner_started", jobs=len(self._services.jobs))
        looked_at = self._clock()
        try:
            while not stopping.is_set():
                if self._clock() < looked_at - STEPPED:
                    self._wind_again(scheduler)
                looked_at = self._clock()
                for missed in self.renew():
                    scheduler.add_job(self.tick, args=[missed], id=f"{missed.name}:missed")
                stopping.wait(RENEW_SECONDS)
        finally:
            scheduler.shutdown(wait=True)
            self.release()
        log.info("runner_stopped")

    def _wind_again(self, scheduler: BackgroundScheduler) -> None:
        """The clock was set back: the next ticks lie as far ahead as it was wrong."""
        log.warning("clock_set_back")
        for job in self._services.jobs:
            scheduler.reschedule_job(job.name, trigger=trigger_of(job))

    def holds_lease(self) -> bool:
        """Whether the jobs are this process's to tick now."""
        return self._held_until is not None and self._clock() < self._held_until

    def renew(self) -> list[Job]:
        """Take or renew the lease. Gives the jobs that were missed where it is newly ours."""
        held_before, now = self.holds_lease(), self._clock()
        try:
            with self._services.database.transaction() as db:
                ours = timekeeping.hold_lease(
                    db, name=LEASE, holder=self._holder, lasts=LEASE_LASTS, now=now
                )
                missed = self._missed(db, now) if ours and not held_before else []
        except (DBAPIError, OSError) as error:
            log.error("lease_not_renewed", reason=type(error).__name__)
            return []
        self._held_until = now + LEASE_LASTS if ours else None
        if ours and not held_before:
            log.info("lease_taken", missed=[job.name for job in missed])
        return missed

    def release(self) -> None:
        """Let another process take over at once."""
        self._held_until = None
        try:
            with self._services.database.transaction() as db:
                timekeeping.release_lease(db, name=LEASE, holder=self._holder)
        except (DBAPIError, OSError) as error:
            log.error("lease_not_released", reason=type(error).__name__)

    def tick(self, job: Job) -> None:
        """Run a job if the lease is ours. Whatever goes wrong ends here: the others go on."""
        if not self.holds_lease():
            return
        tracing.begin(job=job.name)
        try:
            outcome = run_recorded(self._services, job, self._clock())
        except Exception:
            log.exception("job_broke")
            JOBS_RUN.labels(job.name, "broke").inc()
        else:
            log.info("job_done", outcome=outcome)
            JOBS_RUN.labels(job.name, "done").inc()

    def _missed(self, db: Session, now: datetime) -> list[Job]:
        """The jobs that should have run since they last did: nobody was there to tick them."""
        missed = []
        for job in self._services.jobs:
            last = timekeeping.find_last_start(db, job.name)
            if last is not None and timekeeping.next_tick(job.schedule, last) <= now:
                missed.append(job)
        return missed


def run_recorded(services: Services, job: Job, now: datetime) -> str:
    """Run a job once as of a time, with its beginning and end in the table of runs."""
    with services.database.transaction() as db:
        timekeeping.record_start(db, job.name, now)
    outcome = timekeeping.FAILED
    error: str | None = "Interrupted"
    try:
        outcome, error = job.run(services, now), None
    except Exception as broken:
        error = type(broken).__name__
        raise
    finally:
        with services.database.transaction() as db:
            timekeeping.record_end(db, job.name, outcome, clock_now(), error=error)
    return outcome


def trigger_of(job: Job) -> CronTrigger:
    """The ticks of a job's schedule, by Shanghai's time."""
    return CronTrigger.from_crontab(job.schedule, timezone=SHANGHAI)


def main() -> None:
    """Tick until told to stop."""
    settings = begin()
    stopping = stop_on_signals()
    services = make_services(settings, HANDLERS, JOBS)
    check_content(services)
    Runner(services, holder=worker_name()).run(stopping)
    services.database.engine.dispose()


if __name__ == "__main__":
    main()
