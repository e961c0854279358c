"""The outbox: notices are queued with what they tell of, and sent by the deliverers.

queued → sending → sent, or → waiting (no channel is open: the person's next contact wakes it),
failed (a person has to look), skipped (not wanted any more) or unknown (it may have arrived).
What comes after the claim is in app/services/delivery.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from app import tracing
from app.clock import SHANGHAI
from app.models import Caregiver, InboxEntry, Notice
from app.models.notice_facts import NoticeFacts, dump_facts
from app.prepared import Prepared
from app.rules.channel_budget import AFTER_TAPPING, AFTER_WRITING, Budget, Channel
from app.rules.quiet_hours import first_loud
from app.services import pack_ledger

ANSWER = 0
BOOKING = 10
PACK = 30
"""Priorities; lower goes first: answers, then booking notices, before visits, before packs."""

PRIORITIES = {"late_reply": ANSWER, "staff_answer": ANSWER}

LATE_REPLY_GOOD_FOR = timedelta(hours=48)
"""After that the window which it needs has closed, and the question is forgotten."""


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """One notice to be written; what each field means is said at `queue`."""

    caregiver_id: int
    facts: NoticeFacts
    subject: str
    dedupe_key: str
    priority: int | None = None
    due_at: datetime | None = None
    expires_at: datetime | None = None
    can_wait: bool = False


def queue(
    db: Session,
    *,
    caregiver_id: int,
    facts: NoticeFacts,
    subject: str,
    dedupe_key: str,
    now: datetime,
    priority: int | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
    can_wait: bool = False,
) -> bool:
    """Write a notice to be sent; False, and nothing, where the dedupe key exists.

    What `can_wait` (packs, nudges, reminders, offers) waits for the morning in quiet hours;
    answers and staff decisions go out at once.
    """
    draft = NoticeDraft(
        caregiver_id=caregiver_id,
        facts=facts,
        subject=subject,
        dedupe_key=dedupe_key,
        priority=priority,
        due_at=due_at,
        expires_at=expires_at,
        can_wait=can_wait,
    )
    return queue_all(db, [draft], now) == 1


def queue_all(db: Session, drafts: Sequence[NoticeDraft], now: datetime) -> int:
    """Write many notices in one statement; how many of them were new."""
    if not drafts:
        return 0
    if len(drafts) == 1:
        db.flush()
        return len(_QUEUE_ONE.all(db, **_row(drafts[0], now)))
    insert = (postgresql if db.get_bind().dialect.name == "postgresql" else sqlite).insert
    statement = (
        insert(Notice)
        .values([_row(draft, now) for draft in drafts])
        .on_conflict_do_nothing(index_elements=[Notice.dedupe_key])
        .returning(Notice.id)
    )
    return len(db.execute(statement).all())


_ROW = (
    "caregiver_id",
    "kind",
    "subject",
    "dedupe_key",
    "facts",
    "state",
    "priority",
    "queued_at",
    "due_at",
    "expires_at",
    "attempts",
    "request_id",
)


def _insert_one(dialect: str) -> ReturningInsert[int]:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert
    statement: ReturningInsert[int] = (
        insert(Notice.__table__)
        .values({name: bindparam(name) for name in _ROW})
        .on_conflict_do_nothing(index_elements=["dedupe_key"])
        .returning(Notice.id)
    )
    return statement


_QUEUE_ONE = Prepared(_insert_one)


def _row(draft: NoticeDraft, now: datetime) -> dict[str, object]:
    kind, priority, expires_at = draft.facts.kind, draft.priority, draft.expires_at
    due = draft.due_at or now
    if draft.can_wait:
        due = first_loud(due.astimezone(SHANGHAI))
    if expires_at is None and kind == "late_reply":
        expires_at = now + LATE_REPLY_GOOD_FOR
    return {
        "caregiver_id": draft.caregiver_id,
        "kind": kind,
        "subject": draft.subject,
        "dedupe_key": draft.dedupe_key,
        "facts": dump_facts(draft.facts),
        "state": "queued",
        "priority": PRIORITIES.get(kind, BOOKING) if priority is None else priority,
        "queued_at": now,
        "due_at": due,
        "expires_at": expires_at,
        "attempts": 0,
        "request_id": tracing.current_id(),
    }


def has_due(db: Session, now: datetime) -> bool:
    """Whether anything could be claimed now: one look into an index."""
    # A literal: the partial index serves only a query that names its state.
    statement = (
        select(Notice.id)
        .where(Notice.state == literal_column("'queued'"), Notice.due_at <= now)
        .limit(1)
    )
    return db.execute(statement).first() is not None


def wake_waiting(db: Session, openid: str, now: datetime) -> int:
    """Make due what waited for this person's next contact; how many that were.

    Of packs only the newest: the contact is not to be drowned, and the word 资料 gives the rest.
    """
    caregiver = select(Caregiver.id).where(Caregiver.openid == openid).scalar_subquery()
    newest_pack = (
        select(func.max(Notice.id))
        .where(
            Notice.caregiver_id == caregiver,
            Notice.kind == "pack",
            Notice.state == "waiting",
            Notice.expires_at > now,
        )
        .scalar_subquery()
    )
    woken = db.execute(
        update(Notice)
        .where(
            Notice.caregiver_id == caregiver,
            Notice.state == "waiting",
            or_(Notice.kind != "pack", Notice.id == newest_pack),
        )
        .values(state="queued", due_at=now, reason=None, channel=None)
        .returning(Notice.id, Notice.kind)
        .execution_options(synchronize_session=False)
    ).all()
    pack_ledger.follow(db, [one.id for one in woken if one.kind == "pack"])
    return len(woken)


def budget(db: Session, openid: str, now: datetime) -> Budget:
    """What the platform still allows for this person, by what came in and went out."""
    since = now - AFTER_WRITING.lasts
    opened = db.execute(
        select(
            InboxEntry.window, func.max(InboxEntry.received_at, type_=InboxEntry.received_at.type)
        )
        .where(
            InboxEntry.openid == openid,
            InboxEntry.received_at > since,
            InboxEntry.window.is_not(None),
        )
        .group_by(InboxEntry.window)
    )
    latest = dict(opened.all())
    tapped_at = latest.get("tap")
    if tapped_at is not None and now - tapped_at > AFTER_TAPPING.lasts:
        tapped_at = None
    return Budget(
        wrote_at=latest.get("write"),
        tapped_at=tapped_at,
        sent_at=_customer_service_times(db, openid, since),
    )


def _customer_service_times(db: Session, openid: str, since: datetime) -> tuple[datetime, ...]:
    """When messages went, or may have gone: those at work and unknown ones count too."""
    times = db.execute(
        select(func.coalesce(Notice.sent_at, Notice.claimed_at, type_=Notice.claimed_at.type))
        .join(Caregiver, Caregiver.id == Notice.caregiver_id)
        .where(
            Caregiver.openid == openid,
            Notice.channel == Channel.CUSTOMER_SERVICE,
            Notice.state.in_(("sending", "sent", "unknown")),
            Notice.claimed_at > since,
        )
    )
    return tuple(times.scalars())
