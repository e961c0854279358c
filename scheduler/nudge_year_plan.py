"""Keeps year plans on track: signs up or proposes what is missing, and nudges who lags behind."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.db import Database
from app.services import plan_taking
from app.services.plan_keeping import Batch, propose_missing
from app.services.plan_nudges import nudge_behind
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """One pass as of a time, in short transactions; says how many families it wrote to."""
    taken = _take_all(services.database, now)
    proposed = _all_batches(
        services.database, lambda db, after: propose_missing(db, after=after, now=now)
    )
    nudged = _all_batches(
        services.database, lambda db, after: nudge_behind(db, after=after, now=now)
    )
    return (
        f"proposed sessions for {proposed} plans, nudged {nudged} families,"
        f" signed up for {taken} plans"
    )


def _take_all(database: Database, now: datetime) -> int:
    """Before anything is proposed: what a plan may take by itself is no question."""
    total, after = 0, 0
    while True:
        with database.reading() as db:
            found = plan_taking.find(db, after=after, now=now)
        for taking in found.takings:
            with database.transaction() as db:
                total += plan_taking.take(db, taking, now)
        if found.last_id is None:
            return total
        after = found.last_id


def _all_batches(database: Database, batch: Callable[[Session, int], Batch]) -> int:
    total, after = 0, 0
    while True:
        # A batch a transaction: caregivers' turns get in between.
        with database.transaction() as db:
            done = batch(db, after)
        total += done.count
        if done.last_id is None:
            return total
        after = done.last_id
