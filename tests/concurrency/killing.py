"""Deliverers that are killed at a chosen step: forked, so that five hundred deaths are quick."""

import os
import random
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis

from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.wechat import deliver
from app.wechat.deliver import Deliverer, make_deliverer

STEPS = ("claimed", "ready", "chosen", "sending", "sent", "recording", "recorded")
"""While what is due is locked; after claims were noted, and after channels were; before and after a
request; before and after the outcomes were written."""


@dataclass(frozen=True)
class Doom:
    """At which step a deliverer dies, and at the how manyeth time that it gets there."""

    step: str
    time: int


def dooms(seed: int) -> Callable[[], Doom]:
    """Every step in turn, each sooner or later."""
    chance = random.Random(seed)
    order = list(STEPS)

    def draw() -> Doom:
        step = order.pop(0)
        order.append(step)
        return Doom(step, chance.randint(1, 3))

    return draw


def run_doomed(settings: Settings, doom: Doom, now: datetime) -> int:
    """Fork a deliverer that works until nothing is due or its doom comes; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        _work(settings, doom, now)
    finally:
        os._exit(0)


def was_killed(process: int) -> bool:
    """Wait for a forked deliverer; whether it died by its doom."""
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _work(settings: Settings, doom: Doom, now: datetime) -> None:
    engine = make_engine(settings.database_url, Cipher(settings.data_keys), pool_size=12)
    deliverer = make_deliverer(
        settings,
        Database(engine),
        Redis.from_url(settings.redis_url),
        worker=f"doomed-{os.getpid()}",
        stopping=threading.Event(),
    )
    arm(deliverer, doom)
    while deliverer.run_once(now):
        pass


def arm(deliverer: Deliverer, doom: Doom) -> None:
    """Let the process die at the step."""
    left = doom.time
    lock = threading.Lock()

    def reach(step: str) -> None:
        nonlocal left
        with lock:
            if step != doom.step:
                return
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: object, name: str, before: str, after: str) -> None:
        inner: Any = getattr(owner, name)

        def outer(*args: Any, **kwargs: Any) -> Any:
            if before:
                reach(before)
            answer = inner(*args, **kwargs)
            if after:
                reach(after)
            return answer

        vars(owner)[name] = outer

    deliver.CHUNK = 4
    deliver.LOT = 8
    deliver.UNDER_WAY = 8
    deliver.UNRECORDED = 12
    deliver.HANDFUL = 2
    deliver.BATCH = 12
    around(deliverer, "_prepare", "claimed", "")
    around(deliverer, "_take", "", "ready")
    around(deliverer, "_note", "", "chosen")
    around(deliverer, "_send", "sending", "sent")
    around(vars(deliverer)["_outcomes"], "succeed_all", "recording", "recorded")
