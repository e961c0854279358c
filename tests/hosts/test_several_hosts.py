"""Two hosts with web, deliverer and scheduler each, over one PostgreSQL and one Redis.

Families write to both at once while confirmations go out. One host is cut off in the middle and
comes back; then the other dies. Nothing is lost, nothing comes twice, one scheduler ticks.
"""

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Interface
from pathlib import Path
from threading import Thread
from zlib import crc32

import pytest
import requests
from sqlalchemy import func, select
from werkzeug.serving import make_server

from app.clock import now as clock_now
from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.migrating import upgrade
from app.models import Caregiver, Child, Family, GuidanceSession, Lease, Notice, SignUp
from app.services.doctor import examine
from devtools import embedded_postgres, embedded_redis
from devtools.environment import ROOT
from devtools.tied import tied
from sandbox import credentials
from sandbox.settings import Settings as SandboxSettings
from sandbox.web import create_app_over
from sandbox.world import World
from tests.concurrency.crowd import CODE, settle
from tests.conftest import DATA_KEY
from tests.engines import make_own_engine
from tests.hosts.network import Host, NoNetwork, bridge, host
from tests.outbox import book, hear, put_notice
from tests.wechat.callbacks import message_xml, safe_callback

FAMILIES, PLACES, CONFIRMATIONS = 60, 20, 90
REDIS_PORT = 6379
TAKEN_OVER_SECONDS = 60
"""A lease lasts thirty; who waits for it looks every ten."""
SEND = "/cgi-bin/message/custom/send"


@dataclass
class Two:
    """Two hosts, the district's data, and the platform's own books."""

    first: Host
    second: Host
    database: Database
    world: World
    settings: Settings


def wait_until(what: Callable[[], bool], seconds: float, means: str) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, means
        time.sleep(0.2)


@contextmanager
def redis_at(address: str, folder: Path) -> Iterator[None]:
    command = embedded_redis.server_command(
        embedded_redis.find_server(), folder, folder / "redis.sock"
    )
    listening = ("--port", str(REDIS_PORT), "--bind", address, "--protected-mode", "no")
    process = subprocess.Popen(tied((*command, *listening)), stdin=subprocess.DEVNULL)
    try:
        embedded_redis.wait_until_ready(folder / "redis.sock", folder)
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def platform_at(address: str, world: World) -> Iterator[str]:
    server = make_server(address, 0, create_app_over(world), threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://{address}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def two(tmp_path: Path, cipher: Cipher) -> Iterator[Two]:
    tag = f"yb{os.getpid() % 10_000}"
    network = IPv4Interface(f"10.77.{os.getpid() % 250}.1/24")
    world = World(SandboxSettings(callback="http://127.0.0.1:9/wechat"))
    with ExitStack() as stack:
        try:
            stack.enter_context(bridge(tag, network))
        except NoNetwork as error:
            pytest.skip(f"no hosts of their own here: {error}")
        server = stack.enter_context(embedded_postgres.serving(ROOT, network=network))
        server.create_database("hosts")
        stack.enter_context(redis_at(str(network.ip), tmp_path))
        platform = stack.enter_context(platform_at(str(network.ip), world))
        environment = {
            "DATABASE_URL": f"postgresql+psycopg://postgres@{network.ip}:{server.port}/hosts",
            "REDIS_URL": f"redis://{network.ip}:{REDIS_PORT}/0",
            "SECRET_KEY": "a secret only for tests",
            "DATA_KEY": DATA_KEY,
            "CONSOLE_SECOND_FACTOR": "optional",
            "WECHAT_APP_ID": credentials.APP_ID,
            "WECHAT_APP_SECRET": credentials.APP_SECRET,
            "WECHAT_TOKEN": credentials.TOKEN,
            "WECHAT_AES_KEY": credentials.AES_KEY,
            "WECHAT_API_URL": platform,
            "WEB_WORKERS": "1",
        }
        engine = make_own_engine(server.url("hosts"), cipher)
        stack.callback(engine.dispose)
        upgrade(engine)
        hosts = [
            stack.enter_context(host(tag, number, network, environment, tmp_path))
            for number in (1, 2)
        ]
        settings = Settings.model_validate(
            {name.lower(): value for name, value in environment.items() if name != "WEB_WORKERS"}
        )
        for each in hosts:
            config = ("gunicorn", "--config", "deploy/gunicorn_conf.py")
            each.start("web", *config, "--bind", f"{each.address}:8000", "wsgi:app")
        for each in hosts:
            wait_until(partial(answers, each), 120, f"web answers on {each.name}")
        yield Two(hosts[0], hosts[1], Database(engine), world, settings)


def answers(each: Host) -> bool:
    try:
        return ask(f"http://{each.address}:8000/healthz") == "ok"
    except requests.RequestException:
        return False


def ask(url: str) -> str:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, timeout=5)
        return "ok" if answer.status_code == 200 else answer.text


def say(two: Two, each: Host, number: int, words: str) -> str | None:
    """A family's message to one host, as the platform posts it; None where nobody answers."""
    openid, key = f"o-{number}", 24_000_000_000_000_000 + crc32(f"{number} {words}".encode())
    inner = message_xml(FromUserName=openid, Content=words, MsgId=str(key))
    callback = safe_callback(two.settings, inner, clock_now()).asking(openid=openid)
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.post(
                f"http://{each.address}:8000/wechat",
                params=callback.query,
                data=callback.body,
                timeout=8,
            )
        except requests.RequestException:
            return None
    assert answer.status_code == 200, answer.text
    return answer.text


def count_on(database: Database) -> None:
    """Families were laid with numbers of their own: the next ones are counted from there."""
    with database.transaction() as db:
        for model in (Family, Caregiver, Child):
            numbers = func.pg_get_serial_sequence(model.__tablename__, "id")
            newest = select(func.max(model.id)).scalar_subquery()
            db.execute(select(func.setval(numbers, newest)))


def confirm_all(two: Two) -> None:
    """So many families wrote a moment ago, and are to hear that their place is confirmed."""
    at = clock_now()
    openids = [f"o-told-{number}" for number in range(CONFIRMATIONS)]
    for openid in openids:
        person = two.world.add_person("人", openid)
        with two.world.lock:
            person.following = True
        with requests.Session() as session:
            session.trust_env = False
            url = f"{two.settings.wechat_api_url}/_sandbox/people/{openid}/text"
            session.post(url, json={"content": "你好", "wait": False}, timeout=20)
    with two.database.transaction() as db:
        for openid in openids:
            hear(db, openid, "write", at)
            put_notice(db, book(db, openid, at), at)


def states(two: Two) -> Counter[str]:
    with two.database.reading() as db:
        told = select(Notice.state, func.count()).join(Caregiver)
        rows = db.execute(told.where(Caregiver.openid.like("o-told-%")).group_by(Notice.state))
        return Counter({str(state): int(number) for state, number in rows})


def holder(two: Two) -> str | None:
    with two.database.reading() as db:
        return db.scalar(select(Lease.holder).where(Lease.until > clock_now()))


def faults(two: Two, cipher: Cipher) -> dict[str, tuple[str, ...]]:
    """What the doctor finds: the families that are told were laid without consent or audit."""
    with two.database.reading() as db:
        report = examine(db, cipher=cipher, now=clock_now())
    return {each.name: each.broken for each in report.checks if not each.ok}


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.allow_hosts(["127.0.0.1", "10.77.0.0/16"])
def test_one_host_cut_off_and_one_killed_lose_nothing_and_say_nothing_twice(
    two: Two, cipher: Cipher
) -> None:
    now = clock_now()
    settle(two.database, now, families=FAMILIES, places=PLACES, waits="no")
    count_on(two.database)
    first, second = two.first, two.second
    first.start("scheduler", "scheduler.runner")
    wait_until(lambda: holder(two) is not None, 60, "the first scheduler ticks")
    held_by_first = holder(two)
    second.start("scheduler", "scheduler.runner")

    # Everybody writes to one host, and the platform repeats it to the other.
    with ThreadPoolExecutor(16) as callers:
        asked = [
            callers.submit(say, two, each, number, f"报名 {CODE}")
            for number in range(1, FAMILIES + 1)
            for each in ((first, second) if number % 2 else (second, first))
        ]
        told = [each.result() for each in asked]
    assert None not in told
    with two.database.reading() as db:
        seats = select(func.count(SignUp.id)).where(SignUp.state == "confirmed")
        taken = db.scalar(select(GuidanceSession.places_taken).where(GuidanceSession.code == CODE))
        assert (db.scalar(seats), taken) == (PLACES, PLACES)

    # Confirmations go out by both; in their middle the first host's cable is pulled.
    confirm_all(two)
    laid = faults(two, cipher)
    for each in (first, second):
        each.start("deliverer", "scheduler.deliverer")
    wait_until(lambda: states(two)["sent"] >= 10, 90, "some are sent")
    first.cut_off()
    assert say(two, first, 1, "我的预约") is None
    wait_until(
        lambda: holder(two) not in (held_by_first, None), TAKEN_OVER_SECONDS, "another ticks"
    )
    assert say(two, second, 2, "我的预约") is not None
    first.plug_in()
    wait_until(lambda: answers(first), 60, "the first host is back")

    # And the second dies.
    second.die()
    wait_until(lambda: holder(two) == held_by_first, TAKEN_OVER_SECONDS, "the first ticks again")
    wait_until(lambda: not {"queued", "sending"} & set(states(two)), 150, "every notice ends")

    accepted = Counter(
        row.openid for row in two.world.state.accepted if row.openid.startswith("o-told-")
    )
    ended = states(two)
    assert [openid for openid, times in accepted.items() if times > 1] == []
    # What the platform took is known as sent, or as unknown with a task for a person.
    assert ended["sent"] <= len(accepted) <= ended["sent"] + ended["unknown"]
    assert ended["sent"] + ended["unknown"] == CONFIRMATIONS
    assert ended["unknown"] < CONFIRMATIONS / 2
    # One token for all: two hosts fetched it once, and once more at the most.
    assert len(two.world.state.stable_tokens) <= 2
    assert faults(two, cipher) == laid
