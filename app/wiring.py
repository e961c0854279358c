"""Joins settings, database, Redis and handlers into what the edges use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from app.clock import now
from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.dialogue.store import DialogueStore
from app.dialogue.turn import Desk, Handlers
from app.wechat.turns import Turns

REDIS_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """One line of the timetable; `run` returns a short account of what it did."""

    name: str
    schedule: str
    does: str
    run: Callable[["Services", datetime], str]


@dataclass(frozen=True)
class Services:
    """What an edge needs; made once a process."""

    settings: Settings
    cipher: Cipher
    database: Database
    redis: Redis
    turns: Turns
    jobs: Sequence[Job] = ()


def make_redis(url: str) -> Redis:
    """A client that gives up soon: a caregiver waits at the other end. Connects to nothing yet."""
    return Redis.from_url(
        url,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        health_check_interval=30,
    )


def make_services(
    settings: Settings,
    handlers: Handlers,
    jobs: Sequence[Job] = (),
    clock: Callable[[], datetime] = now,
) -> Services:
    """Everything wired; no connection is opened and no thread started yet."""
    threads = settings.web_threads
    cipher = Cipher(settings.data_keys)
    database = Database(make_engine(settings.database_url, cipher, pool_size=threads + 2))
    redis = make_redis(settings.redis_url)
    turns = Turns(
        database=database,
        store=DialogueStore(redis, cipher),
        handlers=handlers,
        desk=Desk(public_url=settings.public_url, service_phone=settings.service_phone),
        deadline_seconds=settings.turn_deadline_seconds,
        threads=threads,
        clock=clock,
    )
    return Services(settings, cipher, database, redis, turns, jobs)
