"""The deliverer's loop, and the process around it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from threading import Event

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import OperationalError

from app.config import Settings
from app.db import Database
from devtools.environment import ROOT
from scheduler.deliverer import ORPHANS_EVERY, deliver_until
from tests.outbox import book, outbox, put_notice


@dataclass
class Scripted:
    """A deliverer whose every pass the test has written down."""

    passes: list[Callable[[], int]]
    stopping: Event
    settled_at: list[datetime] = field(default_factory=list)
    ran: int = 0

    def has_due(self, now: datetime) -> bool:
        if self.ran == len(self.passes):
            self.stopping.set()
            return False
        return True

    def run_once(self, now: datetime) -> int:
        self.ran += 1
        return self.passes[self.ran - 1]()

    def settle_orphans(self, now: datetime) -> int:
        self.settled_at.append(now)
        return 0


class Patient(Event):
    """A stop signal that only writes down how long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return self.is_set()


def fail(error: Exception) -> Callable[[], int]:
    def run() -> int:
        raise error

    return run


def test_whatever_breaks_it_goes_on_and_asks_less_often(now: datetime) -> None:
    stopping = Patient()
    broken = [
        OperationalError("select", {}, Exception("gone")),
        RedisConnectionError("gone"),
        OSError(24, "Too many open files"),
        ZeroDivisionError(),
        *(OSError() for _ in range(4)),
    ]
    deliverer = Scripted([*(fail(error) for error in broken), lambda: 3, lambda: 0], stopping)

    deliver_until(stopping, deliverer, lambda: now)

    assert deliverer.ran == 10
    assert stopping.waits == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0, 0.3, 0.3]


def test_orphans_are_looked_for_now_and_then(now: datetime) -> None:
    stopping = Patient()
    times = iter(now + timedelta(seconds=second) for second in range(60))
    deliverer = Scripted([lambda: 1] * 40, stopping)

    deliver_until(stopping, deliverer, lambda: next(times))

    gaps = [later - earlier for earlier, later in pairwise(deliverer.settled_at)]
    assert gaps == [ORPHANS_EVERY] * 2


def environment(settings: Settings) -> dict[str, str]:
    """The process's own: the settings as variables."""
    plain = settings.model_dump(exclude_none=True, exclude={"wechat_templates"})
    for name, value in plain.items():
        if hasattr(value, "get_secret_value"):
            plain[name] = value.get_secret_value()
    return {**os.environ, **{name.upper(): str(value) for name, value in plain.items()}}


def test_the_process_delivers_within_two_seconds_and_stops_when_told(
    settings: Settings, database: Database
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "scheduler.deliverer"],
        cwd=ROOT,
        env=environment(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "deliverer_started" in process.stderr.readline()
    now = datetime.now().astimezone()
    with database.transaction() as db:
        put_notice(db, book(db, "oMAMA", now), now)
    began = time.monotonic()
    while outbox(database)[0].state != "waiting":
        assert time.monotonic() - began < 2, outbox(database)[0].state
        time.sleep(0.02)

    process.send_signal(signal.SIGTERM)
    process.wait(5)
    said = process.stderr.read()
    process.stderr.close()

    assert process.returncode == 0
    assert "deliverer_stopped" in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("module", ["scheduler.deliverer", "scheduler.runner"])
def test_wrong_settings_are_one_line(settings: Settings, module: str) -> None:
    wrong = {**environment(settings), "WECHAT_MODE": "open"}

    done = subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, env=wrong, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "WECHAT_MODE" in done.stderr
