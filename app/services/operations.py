"""What an operator looks at: how much waits to be sent, and what became of the last day's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, literal_column, select
from sqlalchemy.orm import Session

from app.models import Notice

LATELY = timedelta(hours=24)
LOOKED_AT = 20_000
"""Of the newest notices: a rush of a city may not make this page slow."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits to be sent now."""

    due: int
    later: int
    """Whose time has not come: a morning, the end of a pause."""
    sending: int
    oldest: timedelta
    """How long the oldest that is due has waited."""


@dataclass(frozen=True, slots=True)
class Result:
    """How many of the last day's notices are in a state, by channel."""

    state: str
    channel: str | None
    count: int


def queue(db: Session, now: datetime) -> Queue:
    """Through the partial indexes of these two states."""
    queued = Notice.state == literal_column("'queued'")
    is_due = Notice.due_at <= now
    due, later, oldest = db.execute(
        select(
            func.count(case((is_due, Notice.id))),
            func.count(case((~is_due, Notice.id))),
            func.min(case((is_due, Notice.due_at)), type_=Notice.due_at.type),
        ).where(queued)
    ).one()
    sending = db.execute(
        select(func.count(Notice.id)).where(Notice.state == literal_column("'sending'"))
    ).scalar_one()
    return Queue(due, later, sending, now - oldest if oldest else timedelta(0))


def results(db: Session, now: datetime) -> Sequence[Result]:
    """Of the notices queued within a day, of the newest LOOKED_AT at most."""
    newest = (
        select(Notice.state, Notice.channel, Notice.queued_at)
        .order_by(Notice.id.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    rows = db.execute(
        select(newest.c.state, newest.c.channel, func.count())
        .where(newest.c.queued_at > now - LATELY)
        .group_by(newest.c.state, newest.c.channel)
    )
    return [Result(state, channel, count) for state, channel, count in rows]
