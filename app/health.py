"""Whether the service is alive, whether it is ready, and its metrics."""

import os
from collections.abc import Iterator
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

from app.db import Database
from app.migrating import head_revision, revision_of
from app.models import Notice

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
    """The metrics of all processes, and how many notices lie in the outbox now."""
    if os.environ.get(MULTIPROCESS_VARIABLE):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)
    else:
        counted = REGISTRY
    outbox = CollectorRegistry()
    outbox.register(_Outbox(database))
    return generate_latest(counted) + generate_latest(outbox)


class _Outbox:
    """Counts what lies in the outbox, by state, through the indexes of these states."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        lying = GaugeMetricFamily("yuban_notices_lying", "Notices not sent yet.", labels=["state"])
        try:
            with self._database.reading() as db:
                for state in ("queued", "sending"):
                    count = select(func.count(Notice.id)).where(
                        Notice.state == literal_column(f"'{state}'")
                    )
                    lying.add_metric([state], db.execute(count).scalar_one())
        except (SQLAlchemyError, OSError):
            # A scrape while the database is down still gives the counters.
            return
        yield lying
