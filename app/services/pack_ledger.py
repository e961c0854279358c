"""The ledger follows the outbox: every push says what became of its message, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Select, Update, case, cast, func, select, update
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
from app.prepared import Prepared, among
from app.rules.pack_choice import TERM, Window, window_weeks

SUBJECT = "pack:"
"""Of a notice; the number of the lead row follows."""

SETTLED_A_RUN = 5_000


def _follow(dialect: str) -> Update:
    return (
        update(PackPush)
        .where(
            among(Notice.id, "notices", dialect),
            Notice.kind == "pack",
            PackPush.lead_id == cast(func.substr(Notice.subject, len(SUBJECT) + 1), BigInteger),
        )
        .values(
            state=case((Notice.state == "sending", "queued"), else_=Notice.state),
            reason=Notice.reason,
            sent_at=Notice.sent_at,
        )
    )


_FOLLOW = Prepared(_follow)


def lead_of(subject: str) -> int | None:
    """The number of the row that a notice stands for; None for other subjects."""
    number = subject.removeprefix(SUBJECT)
    return int(number) if subject.startswith(SUBJECT) and number.isdecimal() else None


def follow(db: Session, notice_ids: Iterable[int]) -> None:
    """Give the pushes behind these notices their state and reason."""
    db.flush()
    ids = list(notice_ids)
    if ids:
        _FOLLOW.run(db, notices=ids)


def find_refusal(pushes: str) -> str | None:
    """What a caregiver said of all pushes; None where they want them."""
    if pushes == "on":
        return None
    return "paused" if pushes == "paused" else "opted_out"


def find_objection(db: Session, lead_id: int, caregiver: Caregiver, now: datetime) -> str | None:
    """Why a message is not wanted any more; None where it still is for one child at least."""
    return find_refusal(caregiver.pushes) or look_up(db, [lead_id], now)[lead_id].objection


@dataclass(frozen=True, slots=True)
class Message:
    """What a message of a pack is about, as things stand now."""

    objection: str | None
    """Why it is not wanted any more, but for what the caregiver said."""
    nicknames: tuple[str, ...]
    """Of the living children."""


def _about(dialect: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            PackPush.lead_id,
            PackPush.pack_id,
            CataloguedPack.blocked_by,
            Child.lost_at,
            Child.birth_date,
            Child.gestation_weeks,
            Child.nickname,
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
        .where(among(PackPush.lead_id, "leads", dialect))
        .order_by(PackPush.lead_id, PackPush.child_id)
    )


_ABOUT = Prepared(_about)


def look_up(db: Session, lead_ids: Sequence[int], now: datetime) -> dict[int, Message]:
    """What the messages with these lead rows are about."""
    today = now.astimezone(SHANGHAI).date()
    rows = _ABOUT.all(db, leads=lead_ids)
    windows = _windows(db, {row[1] for row in rows})
    said: dict[int, list[str | None]] = {lead_id: [] for lead_id in lead_ids}
    living: dict[int, list[str]] = {lead_id: [] for lead_id in lead_ids}
    for lead_id, pack_id, blocked_by, lost_at, born, weeks, nickname, stopped_at, is_muted in rows:
        objection: str | None = None
        counted = window_weeks(weeks)
        window = windows.get((pack_id, counted)) or windows.get((pack_id, TERM))
        age = None if born is None else (today - born).days
        if lost_at is not None:
            objection = "loss"
        elif stopped_at is not None:
            objection = "family_stopped"
        elif blocked_by is not None:
            objection = f"pack_{blocked_by}"
        elif is_muted:
            objection = "topic_muted"
        elif age is None or (window is not None and age < window.opens):
            objection = "birth_date_changed"
        elif window is None or age >= window.closes:
            objection = "window_closed"
        said[lead_id].append(objection)
        if lost_at is None:
            living[lead_id].append(nickname)
    return {
        lead_id: Message(
            None if None in found else next(iter(found), "superseded"), tuple(living[lead_id])
        )
        for lead_id, found in said.items()
    }


def _opening(dialect: str) -> Select[*tuple[Any, ...]]:
    return select(PackWindow.pack_id, PackWindow.weeks, PackWindow.opens, PackWindow.closes).where(
        among(PackWindow.pack_id, "packs", dialect)
    )


_WINDOWS = Prepared(_opening)


def _windows(db: Session, packs: Iterable[str]) -> dict[tuple[str, int], Window]:
    rows = _WINDOWS.all(db, packs=sorted(packs))
    return {(pack_id, weeks): Window(opens, closes) for pack_id, weeks, opens, closes in rows}


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
