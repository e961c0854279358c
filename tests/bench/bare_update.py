"""A process that lets its share of callers take seats with nothing but the guarded update."""

import sys
import threading
import time

from app.wiring import Services
from tests.bench import guarded
from tests.concurrency.rush import Answer, Message, Order, play, trust

AT_ONCE = 8
"""As many as a web worker has turns at work."""
_ROOM = threading.BoundedSemaphore(AT_ONCE)


def take(services: Services, order: Order, message: Message, start: float) -> Answer:
    """One seat, in a transaction of its own, as the service takes it."""
    with _ROOM, services.database.transaction() as db:
        db.execute(guarded.one_seat(order.code))
    return Answer(message.openid, "", time.time() - start)


if __name__ == "__main__":
    play(sys.argv[1], take, trust)
