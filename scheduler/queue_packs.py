"""Plans packs and queues what is due, a batch a transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime

from app.db import Database
from app.services import pack_ledger, pack_planning
from app.services.pack_planning import Batch
from app.wiring import Services
from content.packs import Pack

Pass = Callable[..., Batch | None]


def run(services: Services, now: datetime) -> str:
    """One pass as of a time; late or twice, it queues each pack once, and none that is stale."""
    return plan_day(services.database, list(services.library.packs.values()), now)


def plan_day(database: Database, packs: Sequence[Pack], now: datetime) -> str:
    """The pass itself, with whatever packs; what it did."""
    with database.transaction() as db:
        pack_planning.end_pauses(db, now)
        opened = pack_planning.plan_openings(db, packs, now)
    planned, queued = opened.pushes, opened.messages
    for step in (
        pack_planning.replan_moved,
        pack_planning.plan_new_children,
        pack_planning.plan_new_caregivers,
    ):
        planned += _through(database, step, now)
    after = 0
    while True:
        # Turns get in between: a batch holds the writers up for moments only.
        with database.transaction() as db:
            upto = pack_planning.find_next_families(db, after=after, now=now)
            if upto is None:
                break
            queued += pack_planning.queue_due(db, after=after, upto=upto, now=now)
        after = upto
    with database.transaction() as db:
        ended = pack_ledger.end_waiting(db, now)
    return f"planned {planned} packs, queued {queued} messages, ended {ended} that waited"


def _through(database: Database, step: Pass, now: datetime) -> int:
    count, after = 0, 0
    while True:
        with database.transaction() as db:
            batch = step(db, after=after, now=now)
        if batch is None:
            return count
        count, after = count + batch.count, batch.upto
