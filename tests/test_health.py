"""Alive, ready, and the metrics: on both engines, with parts of the service missing."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text, update

from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.health import make_blueprint
from app.migrating import head_revision
from app.models import Notice
from app.rules.channel_budget import Channel
from app.services import timekeeping
from app.telemetry import NOTICES
from app.wechat.pauses import Pauses
from app.wechat.quotas import DailyQuotas
from app.wiring import Job, Services
from tests.outbox import book, put_notice


@dataclass(frozen=True)
class Parts:
    """What health asks after."""

    database: Database
    redis: Redis
    jobs: Sequence[Job] = ()
    settings: Settings = field(
        default_factory=lambda: Settings.model_construct(wechat_app_id="wxhealth")
    )


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    client.close()


def ask(parts: Parts) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(make_blueprint(parts))
    return app.test_client()


@pytest.fixture
def nowhere(cipher: Cipher, tmp_path: Path) -> Iterator[Database]:
    """A database that cannot be opened."""
    folder = tmp_path / "is-a-folder.db"
    folder.mkdir()
    engine = make_engine(f"sqlite:///{folder}", cipher)
    yield Database(engine)
    engine.dispose()


def test_with_all_its_parts_the_service_is_ready(database: Database, redis: Redis) -> None:
    client = ask(Parts(database, redis))

    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200


def test_without_a_database_it_lives_and_says_what_is_missing(
    nowhere: Database, redis: Redis
) -> None:
    client = ask(Parts(nowhere, redis))

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == {"database": "OperationalError"}
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 200


def test_without_redis_it_lives_and_says_what_is_missing(database: Database) -> None:
    gone = Redis.from_url("unix:///nowhere/redis.sock")

    answer = ask(Parts(database, gone)).get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == {"redis": "ConnectionError"}
    gone.close()


def test_behind_its_schema_it_says_what_to_run(database: Database, redis: Redis) -> None:
    with database.transaction() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    try:
        reasons = ask(Parts(database, redis)).get("/readyz").get_json()["reasons"]
    finally:
        # PostgreSQL's test database outlives the test.
        with database.transaction() as db:
            db.execute(
                text("UPDATE alembic_version SET version_num = :head"), {"head": head_revision()}
            )

    assert "db upgrade" in reasons["schema"]


def test_an_empty_database_is_not_ready(
    bare_database_url: str, cipher: Cipher, redis: Redis
) -> None:
    engine = make_engine(bare_database_url, cipher)

    answer = ask(Parts(Database(engine), redis)).get("/readyz")

    engine.dispose()
    assert answer.get_json()["reasons"]["schema"].startswith("at nothing")


def test_metrics_count_what_lies_in_the_outbox(
    database: Database, redis: Redis, now: datetime
) -> None:
    with database.transaction() as db:
        put_notice(db, book(db, "oMAMA", now), now)

    NOTICES.labels("sent", "template").inc()

    answer = ask(Parts(database, redis)).get("/metrics")

    assert answer.content_type.startswith("text/plain")
    assert 'yuban_notices_lying{state="queued"} 1.0' in answer.text
    assert 'yuban_notices_lying{state="sending"} 0.0' in answer.text
    assert 'yuban_notices_total{channel="template",state="sent"}' in answer.text


def daily(_services: Services, _now: datetime) -> str:
    return ""


def test_metrics_tell_of_jobs_that_are_late_or_fail_and_of_what_went_astray(
    database: Database, redis: Redis, now: datetime
) -> None:
    jobs = (Job("tidy", "20 3 * * *", "tidies", daily), Job("escalate", "10 * * * *", "", daily))
    with database.transaction() as db:
        put_notice(db, book(db, "oMAMA", now), now)
        db.execute(update(Notice).values(state="unknown", reason="answer_lost:timeout"))
        timekeeping.record_start(db, "tidy", now - timedelta(days=2))
        for _ in range(2):
            timekeeping.record_end(db, "tidy", "failed", now, error="DiskFull")
    with time_machine.travel(now, tick=False):
        told = ask(Parts(database, redis, jobs)).get("/metrics").text

    # Two days ago at ten; the next tick was at 3:20, thirty hours and forty minutes ago.
    assert f'yuban_job_lag_seconds{{name="tidy"}} {30 * 3600 + 40 * 60}.0' in told
    assert 'yuban_job_failures{name="tidy"} 2.0' in told
    assert 'name="escalate"' not in told  # it never ran: it has its first tick still to come
    assert 'yuban_notices_astray{state="unknown"} 1.0' in told
    assert 'yuban_notices_astray{state="failed"} 0.0' in told


def test_metrics_tell_how_we_stand_with_the_platform(
    database: Database, redis: Redis, now: datetime
) -> None:
    DailyQuotas(redis, "wxhealth").note_sent(Channel.TEMPLATE, 30, now)
    DailyQuotas(redis, "wxhealth").note_sent(Channel.ONE_TIME, 2, now)
    Pauses(redis, "wxhealth").begin(Channel.TEMPLATE, "refused:45009", 600)
    redis.set("wechat:wxhealth:token", "a token", ex=7000)
    with time_machine.travel(now, tick=False):
        told = ask(Parts(database, redis)).get("/metrics").text

    assert 'yuban_quota_left{api="template"} 99970.0' in told
    assert 'yuban_quota_left{api="subscription"} 99998.0' in told
    assert 'yuban_channel_paused_seconds{channel="template"} 0.0' not in told
    assert 'yuban_channel_paused_seconds{channel="customer_service"} 0.0' in told
    assert "yuban_token_seconds_left 0.0" not in told
    assert "a token" not in told


def test_without_redis_metrics_tell_the_rest(database: Database) -> None:
    gone = Redis.from_url("unix:///nowhere/redis.sock")

    told = ask(Parts(database, gone)).get("/metrics").text

    assert "yuban_notices_lying" in told
    assert "yuban_quota_left" not in told
    gone.close()


def test_a_redis_that_takes_nothing_is_not_ready(database: Database, redis: Redis) -> None:
    """As with a full disk, or as a replica: a ping is answered all the same."""
    redis.config_set("maxmemory", "1")
    try:
        answer = ask(Parts(database, redis)).get("/readyz")
    finally:
        redis.config_set("maxmemory", "0")

    assert answer.status_code == 503
    assert answer.get_json()["reasons"] == {"redis": "OutOfMemoryError"}


COUNT = "from app.telemetry import JOBS; JOBS.labels('tidy', 'done').inc()"
SHOW = """
from app.crypto import Cipher
from app.db import Database, make_engine
from app.health import collect
from tests.test_health import Parts
from redis import Redis
import sys
database = Database(make_engine(sys.argv[1], Cipher((sys.argv[2],))))
print(collect(Parts(database, Redis.from_url(sys.argv[3]))).decode())
"""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_metrics_of_several_processes_are_added_up(settings: Settings, tmp_path: Path) -> None:
    counts = tmp_path / "metrics"
    counts.mkdir()
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(counts)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", COUNT], env=environment, check=True)

    shown = subprocess.run(
        [
            *(sys.executable, "-c", SHOW, settings.database_url),
            *(settings.data_key.get_secret_value(), settings.redis_url),
        ],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )

    assert 'yuban_jobs_total{name="tidy",outcome="done"} 2.0' in shown.stdout
