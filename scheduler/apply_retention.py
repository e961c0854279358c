"""Empties and deletes what is past its time, in short transactions, and reports what it was."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.db import Database
from app.services import retention, thread_care
from app.wiring import Services


def run(services: Services, now: datetime) -> str:
    """All of it, as of now."""
    database = services.database
    words = _all_batches(database, retention.empty_notices, now)
    tasks = _all_batches(database, retention.delete_tasks, now)
    threads = _all_batches(database, thread_care.delete_old, now)
    families = _retire(database, now)
    return (
        f"emptied {words} notices, deleted {tasks} done tasks and {threads} conversations,"
        f" retired {families} families"
    )


def _retire(database: Database, now: datetime) -> int:
    """A family a transaction, as its rows are locked."""
    total = 0
    while True:
        with database.reading() as db:
            found = retention.find_grown_out(db, now)
        for family_id in found:
            with database.transaction() as db:
                total += retention.retire(db, family_id, now)
        if len(found) < retention.BATCH:
            return total


def _all_batches(
    database: Database, apply: Callable[[Session, datetime], int], now: datetime
) -> int:
    total = 0
    while True:
        with database.transaction() as db:
            batch = apply(db, now)
        total += batch
        if batch < retention.BATCH:
            return total
