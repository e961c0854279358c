"""The runner: who ticks, what is caught up, and that one bad job stops nothing."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from app.config import Settings
from app.db import Database
from app.models import JobRun
from app.wiring import Job, Services, make_services
from handlers import HANDLERS
from scheduler.runner import LEASE_LASTS, Runner, run_recorded


@dataclass
class Clock:
    at: datetime

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def services(settings: Settings, database: Database) -> Services:
    return replace(make_services(settings, HANDLERS), database=database)


def note(ticked: list[str], name: str) -> Job:
    """A job that notes that it ran."""

    def run(_services: Services, _now: datetime) -> str:
        ticked.append(name)
        return name

    return job(run)


def job(run: Callable[[Services, datetime], str], schedule: str = "* * * * *") -> Job:
    return Job("counted", schedule, "counts", run)


def last_run(database: Database) -> JobRun | None:
    with database.reading() as db:
        return db.get(JobRun, "counted")


def test_only_the_holder_ticks(services: Services, clock: Clock) -> None:
    ticked: list[str] = []
    first, second = (Runner(services, holder=name, clock=clock) for name in "ab")
    for runner in (first, second):
        runner.renew()

    first.tick(note(ticked, "first"))
    second.tick(note(ticked, "second"))

    assert ticked == ["first"]


def test_another_takes_over_when_the_holder_is_gone_or_lets_go(
    services: Services, clock: Clock
) -> None:
    first, second, third = (Runner(services, holder=name, clock=clock) for name in "abc")
    first.renew()

    clock.at += LEASE_LASTS - timedelta(seconds=1)
    second.renew()
    assert first.holds_lease()
    assert not second.holds_lease()

    clock.at += timedelta(seconds=1)
    second.renew()
    assert not first.holds_lease()
    assert second.holds_lease()

    second.release()
    third.renew()
    assert third.holds_lease()


def test_who_takes_over_runs_what_was_missed_and_only_that(
    services: Services, clock: Clock
) -> None:
    daily = job(lambda s, n: "done", "0 9 * * *")
    runner = Runner(replace(services, jobs=(daily,)), holder="a", clock=clock)
    assert runner.renew() == []  # never ran: it has its first tick still to come
    run_recorded(services, daily, clock.at - timedelta(hours=2))
    runner.release()

    assert runner.renew() == [daily]
    assert runner.renew() == []  # held already
    run_recorded(services, daily, clock.at)
    runner.release()
    assert runner.renew() == []


def test_a_job_that_breaks_is_recorded_and_stops_nothing(
    services: Services, clock: Clock, database: Database
) -> None:
    def break_down(_services: Services, _now: datetime) -> str:
        raise ZeroDivisionError

    runner = Runner(services, holder="a", clock=clock)
    runner.renew()

    runner.tick(job(break_down))

    run = last_run(database)
    assert run is not None
    assert (run.started_at, run.outcome) == (clock.at, "failed")
    runner.tick(job(lambda s, n: "well"))
    run = last_run(database)
    assert run is not None
    assert run.outcome == "well"
    assert run.finished_at is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_a_database_nobody_ticks_and_nothing_breaks(
    services: Services, clock: Clock, database: Database
) -> None:
    ticked: list[str] = []
    runner = Runner(services, holder="a", clock=clock)
    with database.transaction() as db:
        db.connection().exec_driver_sql("DROP TABLE leases")

    assert runner.renew() == []
    runner.tick(note(ticked, "x"))
    runner.release()

    assert ticked == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_told_to_stop_it_finishes_the_job_in_hand_and_lets_go(
    services: Services, database: Database, now: datetime
) -> None:
    began, finished = threading.Event(), threading.Event()

    def work(_services: Services, _now: datetime) -> str:
        began.set()
        time.sleep(0.3)
        finished.set()
        return "done"

    slow = job(work)
    run_recorded(services, replace(slow, run=lambda s, n: ""), now - timedelta(days=400))
    runner = Runner(replace(services, jobs=(slow,)), holder="a")
    stopping = threading.Event()
    thread = threading.Thread(target=runner.run, args=(stopping,))
    thread.start()
    assert began.wait(10)

    stopping.set()
    thread.join(10)

    assert not thread.is_alive()
    assert finished.is_set()
    successor = Runner(services, holder="b")
    successor.renew()
    assert successor.holds_lease()
