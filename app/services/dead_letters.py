"""Notices that went astray: failed, or unknown whether they arrived; and what operators do.

One is given to the deliverers again, or put aside because somebody has dealt with it in another
way. Either ends the tasks that staff have about it. What it became stays in its row and in the
audit log; a notice that was put aside keeps its state.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal_column, select, text, update
from sqlalchemy.orm import Session, contains_eager

from app.errors import NoticeNotAstray
from app.models import Caregiver, Family, FollowUp, Notice
from app.models.messaging import ASTRAY
from app.services import audit, pack_ledger
from app.services.audit import Actor

AT_ONCE = 200
"""Of one act: each notice is a row locked and a row of the audit log."""
ABOUT_NOTICES = ("notice_unknown", "notice_failed")
_ASTRAY = text(ASTRAY)
_why: ColumnElement[str] = func.coalesce(Notice.reason, literal_column("''"))
_SUBJECT = "notice:"
"""Of a task's detail; the notice's number and why follow."""


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Those that went astray in the same way."""

    state: str
    reason: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One of them; of whom, only what finds the family."""

    id: int
    caregiver_id: int
    relation: str | None
    nickname: str | None
    """Of the family's first child; None where no family is known."""
    kind: str
    state: str
    reason: str
    channel: str | None
    queued_at: datetime
    tried_at: datetime | None
    attempts: int
    request_id: str | None
    objection: str | None
    """Why it cannot be sent again: expired, erased or not_following."""


@dataclass(frozen=True, slots=True)
class Acted:
    """What became of an act."""

    done: int
    refused: int
    """Which could not be sent again: too old, emptied, or nobody follows."""


def groups(db: Session) -> list[DeadGroup]:
    """By state and reason, the largest first."""
    number = func.count(Notice.id)
    rows = db.execute(
        select(
            Notice.state,
            _why,
            number,
            func.min(Notice.queued_at, type_=Notice.queued_at.type),
        )
        .where(_ASTRAY)
        .group_by(Notice.state, _why)
        .order_by(number.desc())
    )
    return [DeadGroup(*row) for row in rows]


def find(db: Session, *, limit: int, offset: int, now: datetime) -> list[DeadLetter]:
    """Those that nobody has dealt with, the newest first."""
    rows = db.scalars(
        select(Notice)
        .join(Notice.caregiver)
        .outerjoin(Caregiver.family)
        .options(
            contains_eager(Notice.caregiver)
            .contains_eager(Caregiver.family)
            .selectinload(Family.children)
        )
        .where(_ASTRAY)
        .order_by(Notice.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    return [_letter(notice, now) for notice in rows]


def _letter(notice: Notice, now: datetime) -> DeadLetter:
    family = notice.caregiver.family
    return DeadLetter(
        id=notice.id,
        caregiver_id=notice.caregiver_id,
        relation=notice.caregiver.relation,
        nickname=next((child.nickname for child in family.children), None) if family else None,
        kind=notice.kind,
        state=notice.state,
        reason=notice.reason or "",
        channel=notice.channel,
        queued_at=notice.queued_at,
        tried_at=notice.claimed_at,
        attempts=notice.attempts,
        request_id=notice.request_id,
        objection=_objection(notice, now),
    )


def _objection(notice: Notice, now: datetime) -> str | None:
    """Whether what it tells is still true, the deliverer asks again before it sends."""
    if notice.expires_at is not None and notice.expires_at <= now:
        return "expired"
    if notice.words_erased_at is not None or notice.reason == "erased":
        return "erased"
    if notice.caregiver.openid is None or not notice.caregiver.is_following:
        return "not_following"
    return None


def in_group(db: Session, *, state: str, reason: str) -> list[int]:
    """The ids of up to AT_ONCE of a group, the oldest first."""
    return list(
        db.scalars(
            select(Notice.id)
            .where(
                _ASTRAY,
                Notice.state == state,
                _why == reason,
            )
            .order_by(Notice.id)
            .limit(AT_ONCE)
        )
    )


def retry(
    db: Session,
    notice_ids: Sequence[int],
    *,
    actor: Actor,
    now: datetime,
    even_if_arrived: bool = False,
) -> Acted:
    """Give them to the deliverers again, on whatever channel is open then.

    One that may have arrived may so arrive twice: only who says so gets that. Raises
    NoticeNotAstray where none of them is astray any more: somebody was there before.
    """
    found = _lock(db, notice_ids)
    again = [
        notice
        for notice in found
        if _objection(notice, now) is None and (even_if_arrived or notice.state != "unknown")
    ]
    for notice in again:
        before, notice.state = notice.state, "queued"
        notice.due_at, notice.attempts = now, 0
        notice.reason = notice.channel = notice.platform_id = notice.receipt = None
        notice.claimed_at = notice.claimed_by = None
        _record(db, notice, "retry_notice", before, "queued", actor, now)
    pack_ledger.follow(db, [notice.id for notice in again if notice.kind == "pack"])
    _end_tasks(db, again, actor, now)
    return Acted(done=len(again), refused=len(found) - len(again))


def put_aside(db: Session, notice_ids: Sequence[int], *, actor: Actor, now: datetime) -> Acted:
    """Somebody has dealt with them: rung the family, or found that nothing is to be done.

    Raises NoticeNotAstray where none of them is astray any more.
    """
    found = _lock(db, notice_ids)
    for notice in found:
        notice.settled_at = now
        _record(db, notice, "close_notice", notice.state, notice.state, actor, now)
    _end_tasks(db, found, actor, now)
    return Acted(done=len(found), refused=0)


def settle_by_task(db: Session, detail: str, now: datetime) -> None:
    """A task about a notice was done: so is the notice, where it still is astray."""
    notice_id = _notice_of(detail)
    if notice_id is not None:
        db.execute(update(Notice).where(Notice.id == notice_id, _ASTRAY).values(settled_at=now))


def misplaced_marks(db: Session) -> list[str]:
    """For the doctor: notices that were put aside and are not astray."""
    statement = select(Notice.id).where(
        Notice.settled_at.is_not(None), Notice.state.not_in(("failed", "unknown", "sent"))
    )
    return [f"notice:{each}" for each in db.scalars(statement.order_by(Notice.id))]


def _lock(db: Session, notice_ids: Sequence[int]) -> Sequence[Notice]:
    found = db.scalars(
        select(Notice)
        .join(Notice.caregiver)
        .options(contains_eager(Notice.caregiver))
        .where(Notice.id.in_(notice_ids), _ASTRAY)
        .order_by(Notice.id)
        .with_for_update(of=Notice)
        .execution_options(populate_existing=True)
    ).all()
    if not found:
        raise NoticeNotAstray()
    return found


def _record(
    db: Session,
    notice: Notice,
    action: str,
    before: str,
    after: str,
    actor: Actor,
    now: datetime,
) -> None:
    family_id = notice.caregiver.family_id
    audit.record(
        db,
        actor=actor,
        action=action,
        subject_type="notice",
        subject_id=notice.id,
        before=before,
        after=after,
        now=now,
        families=() if family_id is None else (family_id,),
    )


def _end_tasks(db: Session, notices: Collection[Notice], actor: Actor, now: datetime) -> None:
    """What the task is about stands in its encrypted words: read, not asked for."""
    ids = {notice.id for notice in notices}
    tasks = db.scalars(
        select(FollowUp).where(
            FollowUp.done_at.is_(None),
            FollowUp.kind.in_(ABOUT_NOTICES),
            FollowUp.caregiver_id.in_({notice.caregiver_id for notice in notices}),
        )
    )
    for task in tasks:
        if _notice_of(task.detail) in ids:
            task.done_at, task.done_by = now, actor.id


def _notice_of(detail: str) -> int | None:
    number = detail.partition(" ")[0].removeprefix(_SUBJECT)
    return int(number) if detail.startswith(_SUBJECT) and number.isdecimal() else None
