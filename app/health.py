"""Whether the service is alive, whether it is ready, and its metrics."""

import os
from collections.abc import Callable, Iterator
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
from app.db import Database
from app.migrating import head_revision, revision_of
from app.models import FollowUp, JobRun, Notice

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes add up their metrics; each must see it before it starts."""

log = structlog.get_logger(__name__)


class Parts(Protocol):
    """What has to work: two parts of app.wiring.Services."""

    @property
    def database(self) -> Database: ...

    @property
    def redis(self) -> Redis: ...


@cache
def _head() -> str | None:
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
        faults = find_faults(services.database, services.redis, _head())
        if not faults:
            return jsonify(ok=True), 200
        log.warning("not_ready", faults=sorted(faults))
        return jsonify(ok=False, reasons=faults), 503

    @blueprint.get("/metrics")
    def metrics() -> Response:
        return Response(collect(services.database), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def find_faults(database: Database, redis: Redis, head: str | None) -> dict[str, str]:
    """What keeps the service from working, by part; empty where it can."""
    faults = {}
    try:
        with database.reading() as db:
            revision = revision_of(db.connection())
        if revision != head:
            faults["schema"] = f"at {revision or 'nothing'}, should be at {head}: run db upgrade"
    except (SQLAlchemyError, OSError) as error:
        faults["database"] = type(error).__name__
    try:
        redis.ping()
    except (RedisError, OSError) as error:
        faults["redis"] = type(error).__name__
    return faults


def collect(database: Database) -> bytes:
    """The metrics of all processes, and what the database tells of outbox, tasks and jobs."""
    if os.environ.get(MULTIPROCESS_VARIABLE):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    else:
        counted = REGISTRY
    stored = CollectorRegistry()
    stored.register(_Stored(database, clock_now))
    return generate_latest(counted) + generate_latest(stored)


class _Stored:
    """What the database alone can tell, for all processes: the outbox, open tasks, the jobs."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            with self._database.reading() as db:
                yield from (_lying(db), _queue_age(db, self._now()), _open_tasks(db))
                yield _last_runs(db)
        except (SQLAlchemyError, OSError):
            # A scrape while the database is down still gives the counters.
            return


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


def _last_runs(db: Session) -> GaugeMetricFamily:
    runs = GaugeMetricFamily(
        "yuban_job_started_timestamp_seconds", "When a job last began.", labels=["name"]
    )
    for name, started_at in db.execute(select(JobRun.name, JobRun.started_at)):
        runs.add_metric([name], started_at.timestamp())
    return runs
