"""Servers that stop in the middle: everybody is answered, nothing is lost, nothing twice."""

import os
import resource
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from app.clock import now as clock_now
from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.models import GuidanceSession, SignUp
from app.rules.sign_up import SEATED
from app.services.doctor import examine
from devtools.embedded_postgres import PostgresServer
from tests.concurrency.crowd import CODE, openid, settle
from tests.conftest import MIGRATED
from tests.deploy.serving import serving
from tests.faults.conftest import breakable_redis
from tests.faults.town import Town

PLACES = 20
WISH = f"报名 {CODE}"
DECIDED = ("报名成功", "已报名", "名额已满")
TRIES = 6


def is_decided(answer: str) -> bool:
    return any(word in answer for word in DECIDED)


def ask_until_decided(town: Town, families: int) -> dict[str, str]:
    """Who was asked for patience tries again, as people do; the last answers."""
    answers: dict[str, str] = {}
    waiting = [openid(number) for number in range(1, families + 1)]
    for _ in range(TRIES):
        answers |= town.all_say(waiting, WISH)
        waiting = [each for each in waiting if not is_decided(answers[each])]
        if not waiting:
            break
        time.sleep(0.5)
    return answers


def check_places(database: Database, cipher: Cipher) -> set[str]:
    """Exactly twenty, and every invariant holds; the openids of the winners."""
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=clock_now())
        assert {check.name: check.broken for check in report.checks if not check.ok} == {}
        assert db.execute(select(GuidanceSession.places_taken)).scalar_one() == PLACES
        seated = db.execute(select(SignUp).where(SignUp.state.in_(SEATED))).scalars().all()
        assert len(seated) == PLACES
        return {openid(each.child_id) for each in seated}


def kill_a_backend(server: PostgresServer) -> None:
    """A server process dies: PostgreSQL ends all the others and starts over from its log."""
    connection = psycopg.connect(server.conninfo(MIGRATED))
    os.kill(connection.info.backend_pid, signal.SIGKILL)
    connection.close()


def rush_with_a_crash(
    families: int,
    database: Database,
    settings: Settings,
    environment: dict[str, str],
    server: PostgresServer,
    cipher: Cipher,
) -> None:
    settle(database, clock_now(), families=families, places=PLACES, waits="no")
    # The tests' server is careless: with its own setting a crash takes the last commits along.
    keeping = environment["DATABASE_URL"] + "&options=-csynchronous_commit%3Don"
    with serving(environment | {"DATABASE_URL": keeping}) as site:
        town = Town(settings, site.port)
        breaking = threading.Timer(0.7, kill_a_backend, [server])
        breaking.start()
        answers = ask_until_decided(town, families)
        breaking.join()
    database.engine.dispose()
    winners = check_places(database, cipher)

    assert town.statuses == {200}
    # Nobody was met with silence, and everybody could try again until it was decided.
    assert all(text for texts in town.heard.values() for text in texts)
    assert {each for each, answer in answers.items() if not is_decided(answer)} == set()
    told = {each for each, answer in answers.items() if "名额已满" not in answer}
    assert told == winners


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_crashing_in_a_rush(
    database: Database,
    settings: Settings,
    environment: dict[str, str],
    postgres_server: PostgresServer,
    cipher: Cipher,
) -> None:
    rush_with_a_crash(60, database, settings, environment, postgres_server, cipher)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_crashing_in_a_rush_of_three_hundred(
    database: Database,
    settings: Settings,
    environment: dict[str, str],
    postgres_server: PostgresServer,
    cipher: Cipher,
) -> None:
    rush_with_a_crash(300, database, settings, environment, postgres_server, cipher)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_redis_gone_and_back(
    database: Database,
    settings: Settings,
    environment: dict[str, str],
    cipher: Cipher,
    tmp_path: Path,
) -> None:
    """Without Redis everybody gets a sentence, and an emergency its answer; with it back, all."""
    settle(database, clock_now(), families=40, places=PLACES, waits="no")
    with (
        breakable_redis(tmp_path / "redis") as redis,
        serving(environment | {"REDIS_URL": redis.url}) as site,
    ):
        town = Town(settings, site.port)
        assert "报名成功" in town.say(openid(1), WISH)
        redis.kill()
        refused = town.all_say([openid(number) for number in range(2, 8)], WISH)
        emergency = town.say(openid(9), "宝宝抽搐了没有意识")
        redis.start()
        answers = ask_until_decided(town, 40)

    assert all(refused.values())
    assert "120" in emergency
    assert town.statuses == {200}
    assert {each for each, answer in answers.items() if not is_decided(answer)} == set()
    check_places(database, cipher)


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_new_version_is_taken_in_in_the_middle_of_a_rush(
    database: Database, settings: Settings, environment: dict[str, str], cipher: Cipher
) -> None:
    """`systemctl reload` three times while everybody wants the same places."""
    settle(database, clock_now(), families=120, places=PLACES, waits="no")
    with serving(environment) as site:
        town = Town(settings, site.port)
        before = set(site.workers())
        reloads = [threading.Timer(each, site.reload) for each in (0.1, 1.0, 2.0)]
        for each in reloads:
            each.start()
        answers = ask_until_decided(town, 120)
        # Who was told stays told, by the new workers too.
        for each in reloads:
            each.join()
        until = time.monotonic() + 60
        while not before.isdisjoint(site.workers()):
            assert time.monotonic() < until, "the old workers never left"
            time.sleep(0.1)
        answers |= ask_until_decided(town, 120)
    winners = check_places(database, cipher)

    assert town.statuses == {200}
    assert all(text for texts in town.heard.values() for text in texts)
    assert {each for each, answer in answers.items() if "名额已满" not in answer} == winners


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_loses_nothing(
    database: Database,
    settings: Settings,
    environment: dict[str, str],
    cipher: Cipher,
) -> None:
    """No file may grow: everybody hears a sentence, and what was there before is whole."""
    settle(database, clock_now(), families=40, places=PLACES, waits="no")
    with serving(environment) as site:
        town = Town(settings, site.port)
        assert "报名成功" in town.say(openid(1), WISH)
        size = Path(settings.database_url.removeprefix("sqlite:///")).stat().st_size
        for process in (site.process.pid, *site.workers()):
            # Smaller than the log of changes already is: the next write fails.
            resource.prlimit(process, resource.RLIMIT_FSIZE, (min(size, 4096), 4096))
        refused = town.all_say([openid(number) for number in range(2, 12)], WISH)
        emergency = town.say(openid(9), "宝宝抽搐了没有意识")
    assert town.statuses == {200}
    assert all(refused.values())
    assert not any(is_decided(answer) for answer in refused.values())
    assert "120" in emergency

    with serving(environment) as site:
        again = Town(settings, site.port)
        answers = ask_until_decided(again, 40)
    assert {each for each, answer in answers.items() if not is_decided(answer)} == set()
    check_places(database, cipher)
