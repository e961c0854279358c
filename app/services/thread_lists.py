"""Conversations with a person as lists: who waits, and who was answered."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.orm import Session, contains_eager

from app.models import Caregiver, Family, HelpThread, Station, ThreadMessage
from app.services.families import matching
from app.services.staff import StaffScope
from app.services.threads import in_scope


@dataclass(frozen=True, slots=True)
class ListedThread:
    """One conversation in the list."""

    id: int
    kind: str
    relation: str | None
    nicknames: tuple[str, ...]
    station: str | None
    last_words: str
    is_last_ours: bool
    opened_at: datetime
    waiting_since: datetime | None
    escalated_at: datetime | None
    closed_at: datetime | None
    family_id: int | None


@dataclass(frozen=True, slots=True)
class ThreadQuery:
    """Which conversations staff look for; a part that is empty asks for nothing."""

    show: str = ""
    """"" for what waits, open, closed or all."""
    text: str = ""
    """Of the family: a name, its pinyin, the end of a telephone number."""
    kind: str = ""
    """person or complaint."""
    station: str = ""
    """A station's code."""


def list_threads(
    db: Session, scope: StaffScope, query: ThreadQuery, *, limit: int = 50, offset: int = 0
) -> list[ListedThread]:
    """What waits comes first, the longest wait on top; what is closed, the latest on top."""
    is_over = query.show in ("closed", "all")
    order = (
        HelpThread.closed_at.desc() if is_over else HelpThread.waiting_since.is_(None),
        HelpThread.waiting_since,
        HelpThread.last_at.desc() if is_over else HelpThread.last_at,
        HelpThread.id,
    )
    rows = db.execute(
        select(HelpThread, Station.name)
        .join(HelpThread.caregiver)
        .outerjoin(Caregiver.family)
        .outerjoin(Station, Station.id == HelpThread.station_id)
        .where(in_scope(scope), *_wanted(query))
        .options(
            contains_eager(HelpThread.caregiver)
            .contains_eager(Caregiver.family)
            .selectinload(Family.children)
        )
        .order_by(*order)
        .limit(limit)
        .offset(offset)
    ).all()
    last = _last_messages(db, [thread.id for thread, _ in rows])
    return [_listed(thread, station, last.get(thread.id)) for thread, station in rows]


def _wanted(query: ThreadQuery) -> tuple[ColumnElement[bool], ...]:
    return (
        _shown(query.show),
        matching(query.text) if query.text else true(),
        HelpThread.kind == query.kind if query.kind else true(),
        Station.code == query.station if query.station else true(),
    )


def _shown(show: str) -> ColumnElement[bool]:
    match show:
        case "":
            return and_(HelpThread.closed_at.is_(None), HelpThread.waiting_since.is_not(None))
        case "open":
            return HelpThread.closed_at.is_(None)
        case "closed":
            return HelpThread.closed_at.is_not(None)
        case _:
            return true()


def _last_messages(db: Session, ids: Collection[int]) -> dict[int, ThreadMessage]:
    newest = (
        select(func.max(ThreadMessage.id))
        .where(ThreadMessage.thread_id.in_(ids))
        .group_by(ThreadMessage.thread_id)
    )
    found = db.scalars(select(ThreadMessage).where(ThreadMessage.id.in_(newest)))
    return {message.thread_id: message for message in found}


def _listed(thread: HelpThread, station: str | None, last: ThreadMessage | None) -> ListedThread:
    family = thread.caregiver.family
    return ListedThread(
        id=thread.id,
        kind=thread.kind,
        relation=thread.caregiver.relation,
        nicknames=tuple(child.nickname for child in family.children) if family else (),
        station=station,
        last_words=last.text if last else "",
        is_last_ours=last is not None and last.staff_id is not None,
        opened_at=thread.opened_at,
        waiting_since=thread.waiting_since,
        escalated_at=thread.escalated_at,
        closed_at=thread.closed_at,
        family_id=thread.caregiver.family_id,
    )


@dataclass(frozen=True, slots=True)
class ThreadCount:
    waiting: int
    late: int
    """Of these, how many have waited too long."""


def count_waiting(db: Session, scope: StaffScope) -> ThreadCount:
    """How many conversations wait for an answer of ours."""
    waiting, late = db.execute(
        select(func.count(HelpThread.id), func.count(HelpThread.escalated_at)).where(
            in_scope(scope), _shown("")
        )
    ).one()
    return ThreadCount(waiting, late)
