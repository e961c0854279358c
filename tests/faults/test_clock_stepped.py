"""The clock is set an hour forward or back: nothing is said twice, and nobody waits an hour."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest
import time_machine
from redis import Redis
from sqlalchemy import select

from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.demo.loading import load
from app.models import JobRun, Notice
from app.services import timekeeping
from app.services.doctor import examine
from app.wechat.platform import Platform
from app.wechat.token import AccessTokens
from app.wiring import Job, Services, make_services
from handlers import HANDLERS
from scheduler import deliverer, runner
from scheduler.runner import LEASE_LASTS, Runner
from scheduler.timetable import JOBS

HOUR = timedelta(hours=1)
AWAY = frozenset({"learn_people"})
"""Asks the platform, which is not there."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def services(settings: Settings, database: Database) -> Iterator[Services]:
    services = replace(make_services(settings, HANDLERS, JOBS), database=database)
    yield services
    services.turns.close()
    services.redis.close()


def test_jobs_run_at_any_hour_in_any_order_say_nothing_twice(
    services: Services, database: Database, cipher: Cipher, now: datetime
) -> None:
    load(database, now)
    for step in (0, 1, 0, -1, 1, 24, 0):
        at = now + step * HOUR
        with time_machine.travel(at, tick=False):
            for job in JOBS:
                if job.name not in AWAY:
                    job.run(services, at)

    with database.reading() as db:
        said = Counter(
            tuple(row)
            for row in db.execute(select(Notice.caregiver_id, Notice.kind, Notice.subject))
        )
        report = examine(db, cipher=cipher, now=now + 24 * HOUR)
    assert said, "or the clock would have nothing to double"
    # A family is reminded of a session once; whatever else is said of it, too.
    assert [what for what, times in said.items() if times > 1] == []
    assert {each.name: each.broken for each in report.checks if not each.ok} == {}


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_the_token_is_as_good_as_before(settings: Settings, now: datetime, step: timedelta) -> None:
    redis = Redis.from_url(settings.redis_url)
    redis.set(f"wechat:{settings.wechat_app_id}:token", "good", ex=7_000)
    with time_machine.travel(now, tick=False) as traveller:
        # Nobody listens there: a token that were thrown away could not be had again.
        tokens = AccessTokens(settings, Platform("http://127.0.0.1:9", "wx"), redis)
        assert tokens.current() == "good"
        traveller.move_to(now + step)
        assert tokens.current() == "good"
    redis.close()


def test_a_lease_from_before_the_step_back_is_nobodys(database: Database, now: datetime) -> None:
    def hold(holder: str, at: datetime) -> bool:
        with database.transaction() as db:
            return timekeeping.hold_lease(
                db, name="timetable", holder=holder, lasts=LEASE_LASTS, now=at
            )

    assert hold("dead", now)

    assert hold("living", now - HOUR)
    # A host whose clock is a minute behind is no reason to take it away.
    assert not hold("late", now - HOUR - timedelta(minutes=1))


def test_orphans_are_looked_for_though_the_clock_was_set_back(now: datetime) -> None:
    times = iter([now, now, now - HOUR, now - HOUR + timedelta(seconds=1)])
    stopping = Event()
    settled: list[datetime] = []

    class Noting:
        def has_due(self, at: datetime) -> bool:
            if at > now - HOUR and at < now:
                stopping.set()
            return True

        def run_once(self, at: datetime) -> int:
            return 1

        def settle_orphans(self, at: datetime) -> int:
            settled.append(at)
            return 0

    deliverer.deliver_until(stopping, Noting(), lambda: next(times))

    assert settled == [now, now - HOUR]


def test_the_timetable_is_wound_again_when_the_clock_was_set_back(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "RENEW_SECONDS", 0.02)
    wound = Event()
    at = datetime.now().astimezone()
    times = iter([at, at, at, at])
    every_minute = Job("counted", "* * * * *", "counts", lambda s, n: "done")
    stopping = Event()
    turning = Runner(
        replace(services, jobs=(every_minute,)),
        holder="a",
        clock=lambda: next(times, at - HOUR),
    )
    monkeypatch.setattr(turning, "_wind_again", lambda scheduler: wound.set())
    thread = Thread(target=turning.run, args=(stopping,))
    thread.start()

    was_wound = wound.wait(10)
    stopping.set()
    thread.join(10)

    assert was_wound
    with database.reading() as db:
        assert db.get(JobRun, "counted") is None
