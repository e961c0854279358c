"""The safety net under the deliverers: settles what a crash left, delivers what is due."""

import os
import socket
from datetime import datetime
from threading import Event

from app.wiring import Services

MAX_ROUNDS = 20


def run(services: Services, now: datetime) -> str:
    """One pass as of a time; says how many notices it took in hand."""
    # Late: a web worker, which only names the jobs, calls nobody.
    from app.wechat.deliver import make_deliverer

    deliverer = make_deliverer(
        services.settings,
        services.database,
        services.redis,
        worker=f"job:{socket.gethostname()}:{os.getpid()}"[:60],
        stopping=Event(),
    )
    try:
        settled = deliverer.settle_orphans(now)
        taken = 0
        for _ in range(MAX_ROUNDS):
            batch = deliverer.run_once(now)
            taken += batch
            if not batch:
                break
    finally:
        deliverer.close()
    return f"took {taken} notices, settled {settled} that a crash had left"
