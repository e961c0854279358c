"""One process of a rush: many people's messages at the same moment, through whole turns.

Run as a program with one argument, an Order as JSON. Says `ready`, waits for the moment to
start (epoch seconds, a line on its standard input), and prints its Answers as JSON.
"""

import contextlib
import gc
import json
import logging
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from unittest.mock import patch

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.dialogue.message import Inbound, Kind, Reply, Window
from app.models import GuidanceSession
from app.services import signing_up
from app.wiring import Services, make_services
from handlers import HANDLERS
from tests.conftest import DATA_KEY, WECHAT_AES_KEY, WECHAT_APP_ID, WECHAT_TOKEN

CONNECTIONS = 64
"""Requests that one web worker reads at once; the others stand before its door."""
THINKING_SECONDS = 0.05


@dataclass(frozen=True)
class Message:
    """What somebody sends; the same key again is the platform's repetition."""

    openid: str
    text: str
    key: str


@dataclass(frozen=True)
class Order:
    """What one process is to do."""

    database_url: str
    redis_url: str
    now: str
    code: str
    guarded: bool
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Answer:
    """What came back, and how long after the moment to start."""

    openid: str
    text: str
    seconds: float


Ask = Callable[[Services, Order, Message, float], Answer]
Trust = Callable[[Services, contextlib.ExitStack], None]


def settings(database_url: str, redis_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "secret_key": "a secret only for tests",
            "data_key": DATA_KEY,
            "wechat_app_id": WECHAT_APP_ID,
            "wechat_app_secret": "0123456789abcdef0123456789abcdef",
            "wechat_token": WECHAT_TOKEN,
            "wechat_aes_key": WECHAT_AES_KEY,
            "wechat_api_url": "http://127.0.0.1:9",
        }
    )


def trusting_take(db: Session, session: GuidanceSession, wanted: int) -> bool:
    """The mistake that the guarded update prevents: to trust a count that was read before."""
    db.execute(
        update(GuidanceSession)
        .where(GuidanceSession.id == session.id)
        .values(places_taken=GuidanceSession.places_taken + wanted)
        .execution_options(synchronize_session=False)
    )
    return True


def looks_full(database: Database, code: str) -> bool:
    """Count, then think for a moment."""
    with database.reading() as db:
        places, taken = db.execute(
            select(GuidanceSession.places, GuidanceSession.places_taken).where(
                GuidanceSession.code == code
            )
        ).one()
    time.sleep(THINKING_SECONDS)
    return bool(taken >= places)


def say(services: Services, order: Order, message: Message, start: float) -> Answer:
    """One message's way, from the moment when all were sent."""
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


def ask(services: Services, order: Order, message: Message, start: float) -> Answer:
    """A wish for the last places; without the guard, after a look at how many there are."""
    if not order.guarded and looks_full(services.database, order.code):
        return Answer(message.openid, "名额已满", time.time() - start)
    return say(services, order, message, start)


def trust(_services: Services, stack: contextlib.ExitStack) -> None:
    """The guard is off."""
    stack.enter_context(patch.object(signing_up, "take_at_once", trusting_take))


def _before(order: Order) -> list[Message]:
    """What these people wrote a while ago: the servers that a rush meets have been at work."""
    return [
        Message(each.openid, "报名 NOSUCH", f"before-{each.key}"[:64])
        for each in order.messages[:CONNECTIONS]
    ]


def play(said: str, ask: Ask, trust: Trust) -> None:
    """One process of a rush: what it is told to send, each message as `ask` has it."""
    # Standard output is for the answers.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    raw = json.loads(said)
    order = Order(**raw | {"messages": tuple(Message(**each) for each in raw["messages"])})
    now = datetime.fromisoformat(order.now)
    services = make_services(
        settings(order.database_url, order.redis_url), HANDLERS, clock=lambda: now
    )
    with contextlib.ExitStack() as stack:
        if not order.guarded:
            trust(services, stack)
        callers = stack.enter_context(ThreadPoolExecutor(CONNECTIONS))
        # The threads are there before the moment comes, as a server's are.
        everybody = threading.Barrier(CONNECTIONS)
        list(callers.map(lambda _: everybody.wait(), range(CONNECTIONS)))
        list(callers.map(lambda each: say(services, order, each, time.time()), _before(order)))
        # As the web server has it (deploy/gunicorn_conf.py): what was loaded is not looked through.
        gc.collect()
        gc.freeze()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        start = float(sys.stdin.readline())
        time.sleep(max(0.0, start - time.time()))
        answers = list(callers.map(lambda each: ask(services, order, each, start), order.messages))
    services.turns.close()
    services.database.engine.dispose()
    sys.stdout.write(json.dumps([asdict(answer) for answer in answers]) + "\n")


if __name__ == "__main__":
    play(sys.argv[1], ask, trust)
