"""Whether the service is alive, whether it is ready, and its metrics."""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Protocol

import structlog
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import func, literal_column, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.clock import now as clock_now
from app.config import Settings
from app.db import Database
from app.migrating import head_revision, revision_of
from app.models import FollowUp, Notice
from app.rules.channel_budget import Channel
from app.services import dead_letters, timekeeping
from app.services.timekeeping import JobState
from app.wechat.standing import find_standing

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes add up their metrics; each must see it before it starts."""

READY_KEY = "ready"

log = structlog.get_logger(__name__)


class Timed(Protocol):
    """A job of the timetable."""

    @property
    def name(self) -> str: ...

    @property
    def schedule(self) -> str: ...


class Parts(Protocol):
    """What has to work, and what is told of it: parts of app.wiring.Services."""

    @property
    def settings(self) -> Settings: ...

    @property
    def database(self) -> Database: ...

    @property
    def redis(self) -> Redis: ...

    @property
    def jobs(self) -> Sequence[Timed]: ...


@cache
def head() -> str | None:
    """The newest revision of the schema."""
    # Asked for once, at the first look: it takes Alembic, which a web worker else never loads.
    return head_revision()


def make_blueprint(services: Parts) -> Blueprint:
    """/healthz, /readyz and /metrics."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def alive() -> Response:
        return jsonify(ok=True)

    @blueprint.get("/readyz")
    def ready() -> tuple[Response, int]:
        faults = find_faults(services.database, services.redis, head())
        if not faults:
            return jsonify(ok=True), 200
        log.warning("not_ready", faults=sorted(faults))
        return jsonify(ok=False, reasons=faults), 503

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(collect(services), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def find_faults(database: Database, redis: Redis, head: str | None) -> dict[str, str]:
    """What keeps the service from working, by part; empty where it can."""
    faults = {}
    try:
        with database.reading() as db:
            connection = db.connection()
            revision = revision_of(connection)
            is_copy = connection.dialect.name == "postgresql" and bool(
                db.execute(select(func.pg_is_in_recovery())).scalar_one()
            )
        if revision != head:
            faults["schema"] = f"at {revision or 'nothing'}, should be at {head}: run db upgrade"
        if is_copy:
            faults["database"] = "read only: a standby, or one that is being restored"
    except (SQLAlchemyError, OSError) as error:
        faults["database"] = type(error).__name__
    try:
        # Written, not only reached: a full disk or a replica still answers a ping.
        redis.set(READY_KEY, "1", ex=60)
    except (RedisError, OSError) as error:
        faults["redis"] = type(error).__name__
    return faults


def collect(services: Parts) -> bytes:
    """The metrics of all processes, and what database and Redis tell for all of them."""
    if os.environ.get(MULTIPROCESS_VARIABLE):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    else:
        counted = REGISTRY
    stored = CollectorRegistry()
    stored.register(_Stored(services, clock_now))
    stored.register(_Platform(services, clock_now))
    return generate_latest(counted) + generate_latest(stored)


class _Stored:
    """What the database alone can tell, for all processes: the outbox, open tasks, the jobs."""

    def __init__(self, services: Parts, now: Callable[[], datetime]) -> None:
        self._database = services.database
        self._timetable = [(job.name, job.schedule) for job in services.jobs]
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = self._now()
        try:
            with self._database.reading() as db:
                yield from (_lying(db), _queue_age(db, now), _open_tasks(db), _astray(db))
                yield from _jobs(timekeeping.job_states(db, self._timetable, now))
        except (SQLAlchemyError, OSError) as error:
            # A scrape while the database is down still gives the counters.
            log.warning("metrics_without_database", reason=type(error).__name__)


def _lying(db: Session) -> GaugeMetricFamily:
    """Through the partial indexes of these two states."""
    lying = GaugeMetricFamily("yuban_notices_lying", "Notices not sent yet.", labels=["state"])
    for state in ("queued", "sending"):
        count = select(func.count(Notice.id)).where(Notice.state == literal_column(f"'{state}'"))
        lying.add_metric([state], db.execute(count).scalar_one())
    return lying


def _queue_age(db: Session, now: datetime) -> GaugeMetricFamily:
    age = GaugeMetricFamily(
        "yuban_notices_overdue_seconds", "How long the oldest notice that is due has waited."
    )
    due = select(func.min(Notice.due_at)).where(Notice.state == literal_column("'queued'"))
    oldest = db.execute(due).scalar_one()
    age.add_metric([], max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
    return age


def _open_tasks(db: Session) -> GaugeMetricFamily:
    tasks = GaugeMetricFamily(
        "yuban_follow_ups_open", "Tasks that wait for a person.", labels=["kind"]
    )
    counts = select(FollowUp.kind, func.count()).where(FollowUp.done_at.is_(None))
    for kind, number in db.execute(counts.group_by(FollowUp.kind)):
        tasks.add_metric([kind], number)
    return tasks


def _astray(db: Session) -> GaugeMetricFamily:
    astray = GaugeMetricFamily(
        "yuban_notices_astray",
        "Failed or uncertain notices that nobody has dealt with.",
        labels=["state"],
    )
    counts = dict.fromkeys(("failed", "unknown"), 0)
    for group in dead_letters.groups(db):
        counts[group.state] += group.count
    for state, count in counts.items():
        astray.add_metric([state], count)
    return astray


def _jobs(states: Sequence[JobState]) -> Iterator[GaugeMetricFamily]:
    began = GaugeMetricFamily(
        "yuban_job_started_timestamp_seconds", "When a job last began.", labels=["name"]
    )
    lag = GaugeMetricFamily(
        "yuban_job_lag_seconds", "How long a job should have begun again.", labels=["name"]
    )
    failures = GaugeMetricFamily(
        "yuban_job_failures", "How often in a row a job ended in an error.", labels=["name"]
    )
    for job in states:
        if job.started_at is not None:
            began.add_metric([job.name], job.started_at.timestamp())
            lag.add_metric([job.name], job.lag.total_seconds())
            failures.add_metric([job.name], job.failures)
    yield from (began, lag, failures)


class _Platform:
    """How we stand with the platform, as Redis has it for all processes."""

    def __init__(self, services: Parts, now: Callable[[], datetime]) -> None:
        self._redis = services.redis
        self._app_id = services.settings.wechat_app_id
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            standing = find_standing(self._redis, self._app_id, self._now())
        except (RedisError, OSError):
            return
        yield GaugeMetricFamily(
            "yuban_token_seconds_left",
            "How long the access token lasts; 0 where there is none.",
            value=standing.token.seconds_left,
        )
        left = GaugeMetricFamily(
            "yuban_quota_left", "Messages that today still allows, by our count.", labels=["api"]
        )
        a_day = GaugeMetricFamily("yuban_quota_a_day", "Messages of a whole day.", labels=["api"])
        for quota in standing.quotas:
            left.add_metric([quota.api], quota.left)
            a_day.add_metric([quota.api], quota.a_day)
        paused = GaugeMetricFamily(
            "yuban_channel_paused_seconds", "How long a channel still rests.", labels=["channel"]
        )
        for channel in Channel:
            pause = standing.pauses.get(channel)
            paused.add_metric([channel], pause.seconds_left if pause else 0)
        yield from (left, a_day, paused)
