"""The ledger follows the outbox: every push says what became of its message, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import (
    Caregiver,
    CataloguedPack,
    Child,
    Family,
    MutedTopic,
    Notice,
    PackPush,
    PackWindow,
)
from app.models.notice_facts import PackDue
from app.rules.pack_choice import window_weeks

SUBJECT = "pack:"
"""Of a notice; the number of the lead row follows."""

SETTLED_A_RUN = 5_000

_FOLLOW = text(
    "UPDATE pack_pushes SET state = CASE n.state WHEN 'sending' THEN 'queued' ELSE n.state END,"
    " reason = n.reason, sent_at = n.sent_at"
    " FROM notices n WHERE n.id = :notice AND n.kind = 'pack'"
    " AND pack_pushes.lead_id = CAST(SUBSTR(n.subject, 6) AS BIGINT)"
)


def lead_of(subject: str) -> int | None:
    """The number of the row that a notice stands for; None for other subjects."""
    number = subject.removeprefix(SUBJECT)
    return int(number) if subject.startswith(SUBJECT) and number.isdecimal() else None


def follow(db: Session, notice_ids: Iterable[int]) -> None:
    """Give the pushes behind these notices their state and reason."""
    db.flush()
    for notice_id in notice_ids:
        db.execute(_FOLLOW, {"notice": notice_id})


def follow_caregiver(db: Session, caregiver_id: int) -> None:
    """The same for whatever is on its way to one caregiver."""
    db.flush()
    ids = db.scalars(
        select(Notice.id).where(
            Notice.caregiver_id == caregiver_id,
            Notice.kind == "pack",
            Notice.state.in_(("queued", "waiting", "sending")),
        )
    )
    follow(db, ids.all())


def find_objection(db: Session, lead_id: int, caregiver: Caregiver, now: datetime) -> str | None:
    """Why a message is not wanted any more; None where it still is for one child at least."""
    if caregiver.pushes != "on":
        return "paused" if caregiver.pushes == "paused" else "opted_out"
    today = now.astimezone(SHANGHAI).date()
    rows = db.execute(
        select(
            PackPush,
            CataloguedPack.blocked_by,
            Child,
            Family.stopped_at,
            MutedTopic.topic.is_not(None),
        )
        .join(Child, Child.id == PackPush.child_id)
        .join(Family, Family.id == Child.family_id)
        .join(CataloguedPack, CataloguedPack.id == PackPush.pack_id)
        .outerjoin(
            MutedTopic,
            (MutedTopic.caregiver_id == PackPush.caregiver_id)
            & (MutedTopic.topic == CataloguedPack.topic),
        )
        .where(PackPush.lead_id == lead_id)
    ).all()
    objections = []
    for push, blocked_by, child, stopped_at, is_muted in rows:
        if child.lost_at is not None:
            objections.append("loss")
        elif stopped_at is not None:
            objections.append("family_stopped")
        elif blocked_by is not None:
            objections.append(f"pack_{blocked_by}")
        elif is_muted:
            objections.append("topic_muted")
        elif child.birth_date is None:
            objections.append("birth_date_changed")
        else:
            window = _window(db, push.pack_id, child)
            age = (today - child.birth_date).days
            if window is None or age >= window[1]:
                objections.append("window_closed")
            elif age < window[0]:
                objections.append("birth_date_changed")
            else:
                return None
    return objections[0] if objections else "superseded"


def _window(db: Session, pack_id: str, child: Child) -> tuple[int, int] | None:
    weeks = window_weeks(child.gestation_weeks)
    row = db.execute(
        select(PackWindow.opens, PackWindow.closes)
        .where(PackWindow.pack_id == pack_id, PackWindow.weeks.in_((weeks, 40)))
        # The corrected window where there is one; else everybody's.
        .order_by(PackWindow.weeks != weeks)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def personal(db: Session, lead_id: int, facts: PackDue, caregiver_id: int) -> PackDue:
    """The facts with the children's names, and whether this caregiver is sent the first one."""
    names = db.scalars(
        select(Child.nickname)
        .join(PackPush, PackPush.child_id == Child.id)
        .where(PackPush.lead_id == lead_id, Child.lost_at.is_(None))
        .order_by(Child.id)
    ).all()
    earlier = db.execute(
        select(Notice.id)
        .where(Notice.caregiver_id == caregiver_id, Notice.kind == "pack", Notice.state == "sent")
        .limit(1)
    ).first()
    return facts.model_copy(update={"nicknames": tuple(names), "is_welcome": earlier is None})


def skip_rows(db: Session, rows: Sequence[int], reason: str) -> int:
    """End what is planned, queued or waiting of these rows; their notices with them.

    What a deliverer holds at this moment is on its way: it is checked again before it leaves.
    """
    if not rows:
        return 0
    leads = db.scalars(
        update(PackPush)
        .where(PackPush.id.in_(rows), PackPush.state.in_(("planned", "queued", "waiting")))
        .values(state="skipped", reason=reason)
        .returning(func.coalesce(PackPush.lead_id, 0))
        .execution_options(synchronize_session="fetch")
    ).all()
    for lead_id in {lead for lead in leads if lead}:
        still_wanted = db.execute(
            select(PackPush.id)
            .where(PackPush.lead_id == lead_id, PackPush.state.in_(("queued", "waiting")))
            .limit(1)
        ).first()
        if still_wanted is None:
            db.execute(
                update(Notice)
                .where(
                    Notice.subject == f"{SUBJECT}{lead_id}",
                    Notice.state.in_(("queued", "waiting")),
                )
                .values(state="skipped", reason=reason)
                .execution_options(synchronize_session="fetch")
            )
    return len(leads)


@dataclass(frozen=True, slots=True)
class PushRow:
    """One row of the ledger, as operators and `family show` read it."""

    child: str
    pack: str
    title: str | None
    version: int
    caregiver: str | None
    """The openid; None where they no longer follow."""
    state: str
    reason: str | None
    because: str
    due_at: datetime
    sent_at: datetime | None
    opened_at: datetime | None
    rating: int | None


def pushes_of(db: Session, family_id: int) -> tuple[PushRow, ...]:
    """The family's ledger, in the order of due times."""
    rows = db.execute(
        select(PackPush, Child.nickname, Caregiver.openid, CataloguedPack.title)
        .join(Child, Child.id == PackPush.child_id)
        .join(Caregiver, Caregiver.id == PackPush.caregiver_id)
        .outerjoin(CataloguedPack, CataloguedPack.id == PackPush.pack_id)
        .where(Child.family_id == family_id)
        .order_by(PackPush.due_at, PackPush.id)
    )
    return tuple(
        PushRow(
            child=nickname,
            pack=push.pack_id,
            title=title,
            version=push.version,
            caregiver=openid,
            state=push.state,
            reason=push.reason,
            because=push.because,
            due_at=push.due_at,
            sent_at=push.sent_at,
            opened_at=push.opened_at,
            rating=push.rating,
        )
        for push, nickname, openid, title in rows
    )


def end_waiting(db: Session, now: datetime) -> int:
    """Skip what waited for a contact until its window closed; how many messages those were."""
    over = (
        select(Notice.id)
        .where(Notice.kind == "pack", Notice.state == "waiting", Notice.expires_at <= now)
        .limit(SETTLED_A_RUN)
    )
    ended = db.scalars(
        update(Notice)
        .where(Notice.id.in_(over), Notice.state == "waiting")
        .values(state="skipped", reason="window_closed")
        .returning(Notice.id)
        .execution_options(synchronize_session=False)
    ).all()
    follow(db, ended)
    return len(ended)
