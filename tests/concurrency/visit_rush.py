"""A process that lets its share of families ask for a visit at the same moment."""

import contextlib
import json
import logging
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from unittest.mock import patch

import structlog
from sqlalchemy import text

from app.dialogue.message import Inbound, Kind, Reply, Window
from app.rules import visit_slots
from app.services import visit_diaries
from app.wiring import Services, make_services
from handlers import HANDLERS
from tests.concurrency.rush import CONNECTIONS, Answer, Message, Order, settings

THINKING_SECONDS = 0.2


def ask(services: Services, order: Order, message: Message, start: float) -> Answer:
    inbound = Inbound(
        key=message.key,
        openid=message.openid,
        kind=Kind.TEXT,
        received_at=datetime.fromisoformat(order.now),
        text=message.text,
        event_key="",
        window=Window.WRITE,
    )
    reply = services.turns.handle(inbound) or Reply()
    return Answer(message.openid, reply.text, time.time() - start)


def trusting(services: Services, stack: contextlib.ExitStack) -> None:
    """The mistakes that the lock prevents: to trust a diary read before, and nothing behind it."""
    with services.database.reading() as db:
        seen = db.execute(text("SELECT count(*) FROM home_visits")).scalar_one()
    assert seen == 0, "everybody has read an empty diary"
    stack.enter_context(patch.object(visit_diaries, "lock_visitors", lambda *_: None))
    stack.enter_context(patch.object(visit_slots, "is_free", lambda *_: True))


def main(said: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    raw = json.loads(said)
    order = Order(**raw | {"messages": tuple(Message(**each) for each in raw["messages"])})
    now = datetime.fromisoformat(order.now)
    services = make_services(
        settings(order.database_url, order.redis_url), HANDLERS, clock=lambda: now
    )
    with contextlib.ExitStack() as stack:
        if not order.guarded:
            trusting(services, stack)
        callers = stack.enter_context(ThreadPoolExecutor(CONNECTIONS))
        everybody = threading.Barrier(CONNECTIONS)
        list(callers.map(lambda _: everybody.wait(), range(CONNECTIONS)))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        start = float(sys.stdin.readline())
        time.sleep(max(0.0, start - time.time()))
        answers: Sequence[Answer] = list(
            callers.map(lambda each: ask(services, order, each, start), order.messages)
        )
    services.turns.close()
    services.database.engine.dispose()
    sys.stdout.write(json.dumps([asdict(answer) for answer in answers]) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
