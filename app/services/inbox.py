"""The platform's callbacks: each is kept once, with its reply for the platform's retries.

The row is inserted at the end of the turn, in its transaction: a second delivery of the
same callback that slips past the queue of turns meets the unique key there, and all that
it did is rolled back. One statement a turn, instead of a claim before and a reply after.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from app.models import InboxEntry


@dataclass(frozen=True, slots=True)
class Stored:
    """What an earlier delivery of the same callback was answered."""

    reply: str | None


def _keep(dialect: str) -> ReturningInsert[str]:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert
    statement: ReturningInsert[str] = (
        insert(InboxEntry.__table__)
        .values({column.name: bindparam(column.name) for column in InboxEntry.__table__.columns})
        .on_conflict_do_nothing()
        .returning(InboxEntry.key)
    )
    return statement


# Built once: making a statement costs more than running it.
_KEEP = {dialect: _keep(dialect) for dialect in ("postgresql", "sqlite")}
_FIND = select(InboxEntry.reply).where(InboxEntry.key == bindparam("key"))


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
    values = {
        "key": key,
        "openid": openid,
        "kind": kind,
        "window": window,
        "received_at": now,
        "reply": reply,
    }
    result = db.connection().execute(_KEEP[db.get_bind().dialect.name], values)
    return result.scalar_one_or_none() is not None


def find_stored(db: Session, key: str) -> Stored | None:
    """What a callback was answered, where it has been handled."""
    row = db.connection().execute(_FIND, {"key": key}).one_or_none()
    return None if row is None else Stored(row[0])
