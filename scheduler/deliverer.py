"""A process that delivers notices as they become due: python -m scheduler.deliverer"""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from app.clock import now as clock_now
from app.crypto import Cipher
from app.db import Database, make_engine
from app.wechat.deliver import THREADS, make_deliverer
from app.wiring import make_redis
from scheduler.process import begin, stop_on_signals, worker_name

IDLE_SECONDS = 0.3
"""A staff decision is to reach the phone within 2 s."""
ORPHANS_EVERY = timedelta(seconds=15)
FIRST_BACK_OFF_SECONDS = 0.5
LONGEST_BACK_OFF_SECONDS = 10.0

log = structlog.get_logger("scheduler.deliverer")  # not __main__


class Delivery(Protocol):
    """What the loop drives: app.wechat.deliver.Deliverer."""

    def has_due(self, now: datetime) -> bool: ...

    def run_once(self, now: datetime) -> int: ...

    def settle_orphans(self, now: datetime) -> int: ...


def main() -> None:
    """Deliver until told to stop."""
    settings = begin()
    stopping = stop_on_signals()
    engine = make_engine(settings.database_url, Cipher(settings.data_keys), pool_size=THREADS + 2)
    deliverer = make_deliverer(
        settings,
        Database(engine),
        make_redis(settings.redis_url),
        worker=worker_name(),
        stopping=stopping,
    )
    log.info("deliverer_started")
    try:
        deliver_until(stopping, deliverer, clock_now)
    finally:
        deliverer.close()
        engine.dispose()
    log.info("deliverer_stopped")


def deliver_until(stopping: Event, deliverer: Delivery, clock: Callable[[], datetime]) -> None:
    """Look for due notices a few times a second; outlive whatever goes wrong."""
    failures = 0
    orphans_at = clock()
    while not stopping.is_set():
        try:
            now = clock()
            # Also where the clock was set back: else nobody looks until it is that late again.
            if not orphans_at - ORPHANS_EVERY <= now < orphans_at:
                deliverer.settle_orphans(now)
                orphans_at = now + ORPHANS_EVERY
            busy = deliverer.has_due(now) and deliverer.run_once(now) > 0
        except (DBAPIError, RedisError, OSError) as error:
            log.error("delivery_interrupted", reason=type(error).__name__)
        except Exception:
            log.exception("delivery_broke")
        else:
            failures = 0
            if not busy:
                stopping.wait(IDLE_SECONDS)
            continue
        failures += 1
        stopping.wait(min(FIRST_BACK_OFF_SECONDS * 2**failures, LONGEST_BACK_OFF_SECONDS))


if __name__ == "__main__":
    main()
