"""Real deliverers against a platform that is slow, refuses, talks nonsense and hangs up.

Two processes share the work. Whatever the platform does, nobody gets anything twice; what it took
is known as sent or as unknown, with a task for a person; what it did not take comes later.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select

from app.clock import now as clock_now
from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.models import Caregiver, JobRun, Notice
from app.services import timekeeping
from app.services.doctor import examine
from devtools.environment import ROOT
from devtools.tied import tied
from sandbox import credentials
from tests.bench.sandbox_process import Sandbox, playing
from tests.faults.conftest import breakable_redis
from tests.outbox import book, follow_ups, hear, put_notice

SEND = "/cgi-bin/message/custom/send"
TROUBLES: tuple[dict[str, object], ...] = (
    {"delay_seconds": 1.0, "times": 2},
    {"errcode": -1, "times": 2},
    {"http_status": 502, "times": 2},
    {"garbage": "before", "times": 2},
    {"garbage": "after", "times": 2},
    {"drop": "before", "times": 2},
    {"drop": "after", "times": 2},
    {"errcode": 45015, "times": 1},
    {"errcode": 47003, "times": 1},
)
MET = sum(int(str(trouble["times"])) for trouble in TROUBLES)
FAMILIES = MET + 6


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory() as folder, playing(Path(folder)) as playing_now:
        yield playing_now


@pytest.fixture
def environment(
    settings: Settings, environment: dict[str, str], sandbox: Sandbox
) -> dict[str, str]:
    return environment | {
        "WECHAT_APP_ID": credentials.APP_ID,
        "WECHAT_APP_SECRET": credentials.APP_SECRET,
        "WECHAT_TOKEN": credentials.TOKEN,
        "WECHAT_AES_KEY": credentials.AES_KEY,
        "WECHAT_API_URL": sandbox.url,
    }


@contextmanager
def at_work(
    module: str, environment: dict[str, str], log: Path, *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours, with its lines in a file; told to stop at the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            tied((sys.executable, "-m", module, *arguments)),
            cwd=ROOT,
            env={**os.environ, **environment},
            stderr=out,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def lay(sandbox: Sandbox, path: str, body: dict[str, object]) -> None:
    session = requests.Session()
    session.trust_env = False
    session.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=20).raise_for_status()
    session.close()


def settle(database: Database, sandbox: Sandbox) -> None:
    """Everybody wrote a moment ago, and is to hear that their place is confirmed."""
    people = sandbox.add_people(FAMILIES)
    now = clock_now()
    for openid in people:
        sandbox.act(openid, "text", content="你好")
    with database.transaction() as db:
        for openid in people:
            hear(db, openid, "write", now)
            put_notice(db, book(db, openid, now), now)


def check_notices(database: Database, cipher: Cipher) -> None:
    """What the doctor knows of notices holds."""
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=clock_now())
    broken = {each.name for each in report.checks if not each.ok}
    assert {name for name in broken if "notice" in name or "astray" in name} == set()


def wait_until_settled(database: Database, seconds: float = 60) -> Counter[str]:
    until = time.monotonic() + seconds
    while True:
        with database.reading() as db:
            rows = db.execute(select(Notice.state, func.count()).group_by(Notice.state))
            states = Counter[str]()
            for state, number in rows:
                states[state] = number
        if not states["queued"] and not states["sending"]:
            return states
        assert time.monotonic() < until, states
        time.sleep(0.2)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_hour_in_which_the_platform_does_everything_wrong(
    database: Database,
    sandbox: Sandbox,
    environment: dict[str, str],
    cipher: Cipher,
    tmp_path: Path,
) -> None:
    settle(database, sandbox)
    for trouble in TROUBLES:
        lay(sandbox, "faults", {"path": SEND, **trouble})

    with ExitStack() as processes:
        for number in range(2):
            log = tmp_path / f"deliverer-{number}.log"
            processes.enter_context(at_work("scheduler.deliverer", environment, log))
        # In the middle the account's token is revoked; whoever is refused first fetches another.
        time.sleep(1.5)
        lay(sandbox, "expire_tokens", {})
        states = wait_until_settled(database)

    taken = Counter(str(row["openid"]) for row in sandbox.accepted())
    assert max(taken.values()) == 1, "somebody got it twice"
    with database.reading() as db:
        rows = db.execute(
            select(Notice.state, Notice.reason, Caregiver.openid).join(
                Caregiver, Caregiver.id == Notice.caregiver_id
            )
        ).all()
    for state, reason, openid in rows:
        assert state == "sent" or reason, state
        if state == "sent":
            assert taken[openid or ""] == 1, "it says sent, and the platform has it not"
        elif taken[openid or ""]:
            assert state == "unknown", "the platform took it, and nobody is told to look"
    assert states["failed"] == 1
    assert states["waiting"] == 1
    assert 2 <= states["unknown"] <= MET
    assert len(follow_ups(database)) == states["unknown"] + states["failed"]
    check_notices(database, cipher)


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_redis_gone_and_back_while_two_deliverers_send(
    database: Database,
    sandbox: Sandbox,
    environment: dict[str, str],
    cipher: Cipher,
    tmp_path: Path,
) -> None:
    """The token, the pauses and the quotas lie there; what was sent is known without it."""
    settle(database, sandbox)
    lay(sandbox, "faults", {"path": SEND, "delay_seconds": 0.3, "times": FAMILIES})
    with breakable_redis(tmp_path / "redis") as redis, ExitStack() as processes:
        for number in range(2):
            log = tmp_path / f"deliverer-{number}.log"
            settings = environment | {"REDIS_URL": redis.url}
            processes.enter_context(at_work("scheduler.deliverer", settings, log))
        wait_for(lambda: len(sandbox.accepted()) > 0)
        redis.kill()
        time.sleep(1.5)
        redis.start()
        states = wait_until_settled(database)

    taken = Counter(str(row["openid"]) for row in sandbox.accepted())
    assert max(taken.values()) == 1, "somebody got it twice"
    assert states["sent"] + states["unknown"] == FAMILIES
    assert len(taken) >= states["sent"]
    assert len(follow_ups(database)) == states["unknown"]
    check_notices(database, cipher)


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_schedulers_tick_once_and_the_second_takes_over(
    database: Database, environment: dict[str, str], tmp_path: Path
) -> None:
    """What was missed is run at once by whoever holds the lease; told to stop, it lets it go."""
    yesterday = clock_now().replace(hour=1)
    with database.transaction() as db:
        for name in ("remind_sessions", "tidy"):
            timekeeping.record_start(db, name, yesterday.replace(year=yesterday.year - 1))
    logs = [tmp_path / "first.log", tmp_path / "second.log"]

    def held_by() -> list[bool]:
        return ["lease_taken" in log.read_text() for log in logs]

    with ExitStack() as processes:
        both = [
            processes.enter_context(at_work("scheduler.runner", environment, log)) for log in logs
        ]
        wait_for(lambda: any(held_by()))
        wait_for(lambda: all(has_run(database, name) for name in ("remind_sessions", "tidy")))
        wait_for(lambda: all("runner_started" in log.read_text() for log in logs))
        assert held_by().count(True) == 1
        holder = held_by().index(True)
        both[holder].send_signal(signal.SIGTERM)
        both[holder].wait(30)
        wait_for(lambda: held_by()[1 - holder])

    ran = Counter(line for log in logs for line in log.read_text().splitlines() if "tidy" in line)
    done = [line for line in ran if '"job_done"' in line]
    assert len(done) == 1, done
    # One run's lines bear one id, by which its notices are found again.
    assert '"request_id"' in done[0]


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_clock_is_stepped_while_everybody_is_at_work(
    database: Database,
    sandbox: Sandbox,
    environment: dict[str, str],
    cipher: Cipher,
    tmp_path: Path,
) -> None:
    """An hour on in the middle of sending, two back, and right again: all is said once."""
    settle(database, sandbox)
    lay(sandbox, "faults", {"path": SEND, "delay_seconds": 1.0, "times": 2 * FAMILIES})
    with ExitStack() as stack:
        processes: list[subprocess.Popen[bytes]] = []

        def start(module: str) -> Path:
            log = tmp_path / f"{len(processes)}.log"
            process = at_work("tests.faults.stepping", environment, log, module)
            processes.append(stack.enter_context(process))
            return log

        scheduler_log = start("scheduler.runner")
        wait_for(lambda: "runner_started" in scheduler_log.read_text())
        for _ in range(2):
            start("scheduler.deliverer")

        def step(*signals: signal.Signals) -> None:
            for each in signals:
                for process in processes:
                    process.send_signal(each)

        wait_for(lambda: len(sandbox.accepted()) > 0)
        assert len(sandbox.accepted()) < FAMILIES, "or nothing was left for the wrong hour"
        step(signal.SIGUSR1)
        time.sleep(1)
        step(signal.SIGUSR2, signal.SIGUSR2)
        time.sleep(1)
        step(signal.SIGUSR1)
        states = wait_until_settled(database)
        assert [process.poll() for process in processes] == [None, None, None]

    taken = Counter(str(row["openid"]) for row in sandbox.accepted())
    assert max(taken.values()) == 1, "somebody got it twice"
    # What was on its way when the clock jumped may be nobody's by it: a person is asked to look.
    assert states["sent"] + states["unknown"] == FAMILIES, states
    assert len(taken) >= states["sent"]
    # Some of them turn out to be sent afterwards; the task stays, and says what it was for.
    assert states["unknown"] <= len(follow_ups(database)) <= FAMILIES
    check_notices(database, cipher)


def has_run(database: Database, name: str) -> bool:
    with database.reading() as db:
        run = db.get(JobRun, name)
        return run is not None and run.finished_at is not None


def wait_for(happened: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.1)
