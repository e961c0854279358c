"""The platform's callbacks: each is kept once, with its reply for the platform's retries.

The row is inserted at the end of the turn, in its transaction: a second delivery of the
same callback that slips past the queue of turns meets the unique key there, and all that
it did is rolled back. One statement a turn, instead of a claim before and a reply after.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from app.models import InboxEntry
from app.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier delivery of the same callback was answered."""

    reply: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One callback and what it is answered, to be kept."""

    key: str
    openid: str
    kind: str
    window: str | None
    received_at: datetime
    reply: str | None


_TYPES = {column.name: column.type for column in InboxEntry.__table__.columns}


@cache
def _keep_many(count: int) -> Prepared:
    """The statement that keeps so many; each count has its own."""

    def statement(dialect: str) -> ReturningInsert[str]:
        insert: Callable[..., postgresql.Insert | sqlite.Insert] = (
            postgresql.insert if dialect == "postgresql" else sqlite.insert
        )
        # Of several rows the columns' types are not taken over by themselves.
        rows = [
            {name: bindparam(f"{name}_{place}", type_=kind) for name, kind in _TYPES.items()}
            for place in range(count)
        ]
        kept: ReturningInsert[str] = (
            insert(InboxEntry.__table__)
            .values(rows)
            .on_conflict_do_nothing()
            .returning(InboxEntry.key)
        )
        return kept

    return Prepared(statement)


_FIND = Prepared(select(InboxEntry.reply).where(InboxEntry.key == bindparam("key")))


def keep(db: Session, entry: Entry) -> bool:
    """Whether this callback is new; False where it was handled before: then roll back.

    On PostgreSQL a second delivery waits here until the first has committed.
    """
    return bool(keep_together(db, [entry]))


def keep_together(db: Session, entries: Sequence[Entry]) -> frozenset[str]:
    """The keys of those that are new, in one statement for all of them."""
    # In one order: two who keep the same callbacks wait for one another, never both ways.
    ordered = sorted(entries, key=lambda entry: entry.key)
    values = {
        f"{name}_{place}": getattr(entry, name)
        for place, entry in enumerate(ordered)
        for name in _TYPES
    }
    return frozenset(key for (key,) in _keep_many(len(ordered)).all(db, **values))


def find_stored(db: Session, key: str) -> Stored | None:
    """What a callback was answered, where it has been handled."""
    row = _FIND.first(db, key=key)
    return None if row is None else Stored(row[0])
