"""A caregiver's conversation with a person: opened in the chat, answered in the console.

The row in `help_threads` is locked before its messages are read or written. What staff say is a
notice like any other, so that it goes out by the outbox; its row tells what became of it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.errors import NotYours
from app.models import Caregiver, Family, HelpThread, Notice, Staff, Station, ThreadMessage
from app.models.notice_facts import StaffAnswer
from app.rules.channel_budget import AFTER_WRITING
from app.rules.working_hours import is_open, next_opening, working_minutes
from app.services import audit, notices
from app.services.audit import Actor
from app.services.staff import Role, StaffScope
from app.services.working_days import days_off

ThreadKind = Literal["person", "complaint"]
LONGEST_SAID = 2000
"""Characters of one message of a caregiver that are kept: more than the platform lets through."""
LONGEST_ANSWER = 500
"""Characters of an answer: the platform takes 2,000 bytes, and who it is from is said, too."""
LOOKED_BACK = timedelta(days=30)
FEW = 3
"""With fewer answers than this in the past month, nothing is said of the wait but a promise."""
PROMISED_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Wait:
    """How long it will probably take, and when somebody is there."""

    is_open: bool
    opens_at: datetime
    """When somebody is next at work; now, while somebody is."""
    minutes: int
    """Of working time, as answers of the past month took."""


def expected_wait(db: Session, station_id: int | None, now: datetime) -> Wait:
    """What to tell somebody who asks for a person."""
    local = now.astimezone(SHANGHAI)
    off = days_off(db, (now - LOOKED_BACK).date(), local.date() + timedelta(days=30))
    rows = db.execute(
        select(HelpThread.opened_at, HelpThread.answered_at)
        .where(
            HelpThread.opened_at > now - LOOKED_BACK,
            HelpThread.answered_at.is_not(None),
            HelpThread.station_id == station_id if station_id else true(),
        )
        .order_by(HelpThread.opened_at.desc())
        .limit(50)
    ).all()
    took = [
        working_minutes(opened.astimezone(SHANGHAI), answered.astimezone(SHANGHAI), off)
        for opened, answered in rows
        if answered is not None
    ]
    minutes = int(median(took)) if len(took) >= FEW else PROMISED_MINUTES
    return Wait(is_open(local, off), next_opening(local, off), minutes)


def open_thread(
    db: Session, *, caregiver: Caregiver, kind: ThreadKind, text: str, now: datetime
) -> HelpThread:
    """The caregiver's conversation with these words in it: the open one, or a new one."""
    thread = _find_open(db, caregiver.id)
    if thread is None:
        family = caregiver.family
        thread = HelpThread(
            caregiver_id=caregiver.id,
            station_id=(family.station_id if family else None) or caregiver.scanned_station_id,
            kind=kind,
            opened_at=now,
            last_at=now,
        )
        try:
            with db.begin_nested():
                db.add(thread)
                db.flush()
        except IntegrityError:
            # Two of this caregiver's turns at once: the unique index let one of them open it.
            found = _find_open(db, caregiver.id)
            assert found is not None, "the index says that there is one"
            thread = found
    if kind == "complaint":
        thread.kind = kind
    _add(db, thread, text, now)
    return thread


def say(db: Session, *, caregiver: Caregiver, text: str, now: datetime) -> HelpThread | None:
    """The open conversation with these words of the caregiver in it; None where none is open."""
    thread = _find_open(db, caregiver.id)
    if thread is not None:
        _add(db, thread, text, now)
    return thread


def end_by_family(db: Session, *, caregiver: Caregiver, now: datetime) -> HelpThread | None:
    """The conversation, which the caregiver has ended; None where none was open."""
    thread = _find_open(db, caregiver.id)
    if thread is not None:
        _close(db, thread, "family", None, now)
        audit.record(
            db,
            actor=Actor("caregiver", caregiver.id),
            action="close",
            subject_type="thread",
            subject_id=thread.id,
            now=now,
        )
    return thread


def _find_open(db: Session, caregiver_id: int) -> HelpThread | None:
    return db.scalars(
        select(HelpThread)
        .where(HelpThread.caregiver_id == caregiver_id, HelpThread.closed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _add(db: Session, thread: HelpThread, text: str, now: datetime) -> None:
    db.add(ThreadMessage(thread_id=thread.id, text=text.strip()[:LONGEST_SAID], at=now))
    thread.waiting_since = thread.waiting_since or now
    thread.last_at = now
    db.flush()


def _close(db: Session, thread: HelpThread, how: str, staff_id: int | None, now: datetime) -> None:
    thread.closed_at, thread.closed_how, thread.closed_by = now, how, staff_id
    thread.waiting_since = None
    db.flush()


# What staff see and do


@dataclass(frozen=True, slots=True)
class Said:
    """One message, and what became of it where it is ours."""

    id: int
    text: str
    at: datetime
    by: str | None
    """The username of who answered; None for the caregiver."""
    state: str
    """The notice's: queued, sending, sent, waiting, failed, unknown, skipped; empty for theirs."""
    reason: str


@dataclass(frozen=True, slots=True)
class OpenedThread:
    """A conversation with all that staff need to answer."""

    thread: HelpThread
    station: str | None
    said: tuple[Said, ...]
    last_answer_id: int
    """Of the newest of our answers; 0 where there is none. A form sends it back as `seen`."""
    window_until: datetime | None
    """Until then the platform lets us answer; None where it does not now."""
    messages_left: int
    closed_by: str | None


def in_scope(scope: StaffScope) -> ColumnElement[bool]:
    """The station's own; for a township also what its families without a station ask."""
    if scope.sees_all:
        return true()
    ours = HelpThread.station_id.in_(select(Station.id).where(scope.stations()))
    if scope.role is Role.TOWNSHIP:
        homeless = select(Caregiver.id).join(Caregiver.family).where(scope.families())
        return or_(
            ours, and_(HelpThread.station_id.is_(None), HelpThread.caregiver_id.in_(homeless))
        )
    return ours


def get(db: Session, scope: StaffScope, thread_id: int, now: datetime) -> OpenedThread:
    """One conversation. Raises NotYours, also where there is none."""
    found = db.execute(
        select(HelpThread, Station.name, Staff.username)
        .join(HelpThread.caregiver)
        .outerjoin(Caregiver.family)
        .outerjoin(Station, Station.id == HelpThread.station_id)
        .outerjoin(Staff, Staff.id == HelpThread.closed_by)
        .where(HelpThread.id == thread_id, in_scope(scope))
        .options(
            contains_eager(HelpThread.caregiver)
            .contains_eager(Caregiver.family)
            .joinedload(Family.children)
        )
    )
    row = found.unique().one_or_none()
    if row is None:
        raise NotYours()
    thread, station, closed_by = row
    said = _said(db, thread_id)
    openid = thread.caregiver.openid
    budget = notices.budget(db, openid, now) if openid and thread.caregiver.is_following else None
    left = budget.messages_left(now) if budget else 0
    wrote_at = budget.wrote_at if budget else None
    return OpenedThread(
        thread=thread,
        station=station,
        said=said,
        last_answer_id=max((each.id for each in said if each.by is not None), default=0),
        window_until=wrote_at + AFTER_WRITING.lasts if wrote_at and left else None,
        messages_left=left,
        closed_by=closed_by,
    )


def _said(db: Session, thread_id: int) -> tuple[Said, ...]:
    sent = {
        key: (state, reason or "")
        for key, state, reason in db.execute(
            select(Notice.dedupe_key, Notice.state, Notice.reason).where(
                Notice.subject == _subject(thread_id), Notice.kind == "staff_answer"
            )
        )
    }
    rows = db.execute(
        select(ThreadMessage, Staff.username)
        .outerjoin(Staff, Staff.id == ThreadMessage.staff_id)
        .where(ThreadMessage.thread_id == thread_id)
        .order_by(ThreadMessage.id)
    )
    return tuple(
        Said(message.id, message.text, message.at, username, *sent.get(_key(message.id), ("", "")))
        for message, username in rows
    )


def _subject(thread_id: int) -> str:
    return f"thread:{thread_id}"


def _key(message_id: int) -> str:
    return f"staff_answer:{message_id}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act, or who was there before."""

    done: bool
    by: str | None = None
    at: datetime | None = None
    is_closed: bool = False
    """The conversation had ended already."""


def answer(
    db: Session, scope: StaffScope, thread_id: int, *, text: str, seen: int, now: datetime
) -> Outcome:
    """Say this to the family, by the outbox.

    `seen` is the newest answer that was on the page: where a colleague has answered since, or the
    same form came twice, nothing is said again. An ended conversation opens anew. Raises NotYours.
    """
    thread = _lock(db, scope, thread_id)
    newest = db.execute(
        select(ThreadMessage.id, ThreadMessage.at, Staff.username)
        .join(Staff, Staff.id == ThreadMessage.staff_id)
        .where(ThreadMessage.thread_id == thread_id)
        .order_by(ThreadMessage.id.desc())
        .limit(1)
    ).one_or_none()
    if newest is not None and newest.id > seen:
        return Outcome(done=False, by=newest.username, at=newest.at)
    if thread.closed_at is not None:
        return Outcome(done=False, at=thread.closed_at, is_closed=True)
    message = ThreadMessage(thread_id=thread_id, staff_id=scope.staff_id, text=text, at=now)
    db.add(message)
    db.flush()
    station = db.get(Station, thread.station_id) if thread.station_id else None
    notices.queue(
        db,
        caregiver_id=thread.caregiver_id,
        facts=StaffAnswer(thread_id=thread_id, text=text, who=station.name if station else ""),
        subject=_subject(thread_id),
        dedupe_key=_key(message.id),
        now=now,
    )
    thread.answered_at = thread.answered_at or now
    thread.waiting_since = thread.escalated_at = None
    thread.last_at = now
    _record(db, scope, thread, "answer", now)
    return Outcome(done=True, at=now)


def close(db: Session, scope: StaffScope, thread_id: int, now: datetime) -> Outcome:
    """Hand the caregiver back to the service. Raises NotYours."""
    thread = _lock(db, scope, thread_id)
    if thread.closed_at is not None:
        by = db.scalar(select(Staff.username).where(Staff.id == thread.closed_by))
        return Outcome(done=False, by=by, at=thread.closed_at, is_closed=True)
    _close(db, thread, "staff", scope.staff_id, now)
    _record(db, scope, thread, "close", now)
    return Outcome(done=True, at=now)


def _lock(db: Session, scope: StaffScope, thread_id: int) -> HelpThread:
    thread = db.scalars(
        select(HelpThread)
        .where(HelpThread.id == thread_id, in_scope(scope))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if thread is None:
        raise NotYours()
    return thread


def _record(db: Session, scope: StaffScope, thread: HelpThread, action: str, now: datetime) -> None:
    family_id = db.scalar(select(Caregiver.family_id).where(Caregiver.id == thread.caregiver_id))
    audit.record(
        db,
        actor=Actor("staff", scope.staff_id),
        action=action,
        subject_type="thread",
        subject_id=thread.id,
        now=now,
        families=[family_id] if family_id else (),
    )


def forget(db: Session, caregiver_ids: Collection[int], now: datetime) -> None:
    """End the conversations of caregivers whose data is erased; their words go with the rest."""
    db.execute(
        update(HelpThread)
        .where(HelpThread.caregiver_id.in_(caregiver_ids), HelpThread.closed_at.is_(None))
        .values(closed_at=now, closed_how="erased", waiting_since=None)
    )
