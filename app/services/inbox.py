"""The platform's callbacks: each is kept once, with its reply for the platform's retries.

The row is inserted at the end of the turn, in its transaction: a second delivery of the
same callback that slips past the queue of turns meets the unique key there, and all that
it did is rolled back. One statement a turn, instead of a claim before and a reply after.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Insert, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import InboxEntry
from app.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier delivery of the same callback was answered."""

    reply: str | None


def _keep(dialect: str) -> Insert:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert
    statement: Insert = (
        insert(InboxEntry.__table__)
        .values({column.name: bindparam(column.name) for column in InboxEntry.__table__.columns})
        .on_conflict_do_nothing()
    )
    return statement


_KEEP = Prepared(_keep)
_FIND = Prepared(select(InboxEntry.reply).where(InboxEntry.key == bindparam("key")))


def keep(
    db: Session,
    *,
    key: str,
    openid: str,
    kind: str,
    window: str | None,
    reply: str | None,
    now: datetime,
) -> bool:
    """Whether this callback is new; False where it was handled before: then roll back.

    On PostgreSQL a second delivery waits here until the first has committed.
    """
    kept = _KEEP.run(
        db, key=key, openid=openid, kind=kind, window=window, received_at=now, reply=reply
    )
    return kept == 1


def find_stored(db: Session, key: str) -> Stored | None:
    """What a callback was answered, where it has been handled."""
    row = _FIND.first(db, key=key)
    return None if row is None else Stored(row[0])
