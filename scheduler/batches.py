"""Much work in short transactions: caregivers' turns get in between."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.db import Database


def in_batches(
    database: Database, work: Callable[[Session, datetime], int], now: datetime, *, size: int
) -> int:
    """How much was done in all; `work` does up to `size` and says how much it was."""
    total = 0
    while True:
        with database.transaction() as db:
            done = work(db, now)
        total += done
        if done < size:
            return total


def one_by_one(
    database: Database,
    find: Callable[[Session, datetime], list[int]],
    settle: Callable[[Session, int, datetime], int],
    now: datetime,
    *,
    size: int,
) -> int:
    """The same, where each row found wants a transaction of its own, as it is locked."""
    total = 0
    while True:
        with database.reading() as db:
            found = find(db, now)
        for row_id in found:
            with database.transaction() as db:
                total += settle(db, row_id, now)
        if len(found) < size:
            return total
