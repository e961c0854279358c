"""What was not understood: kept without its writer, labelled by staff, reviewed, learnt from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from app.models import Caregiver, Staff, UnreadMessage
from app.rules.likeness import grouped
from app.rules.masking import mask
from app.services import audit
from app.services.audit import Actor
from app.services.staff import StaffScope

UnreadKind = Literal["unread", "unanswered"]
NOTHING = "none"
"""The label of what nobody can learn from."""
LOOKED_AT = 400
"""The latest that are grouped at a time."""
SHOWN = 40
KEPT_UNLABELLED = timedelta(days=90)
KEPT_LABELLED = timedelta(days=365)
BATCH = 500


def keep(
    db: Session,
    *,
    caregiver: Caregiver,
    text: str,
    kind: UnreadKind,
    likeliest: Sequence[str],
    now: datetime,
) -> int:
    """Keep a message, masked; its id. Who wrote it is not kept."""
    row = UnreadMessage(
        kind=kind,
        text=mask(text, _names(caregiver)),
        met_at=now,
        guesses=" ".join(likeliest[:3]),
    )
    db.add(row)
    db.flush()
    return row.id


def _names(caregiver: Caregiver) -> list[str]:
    family = caregiver.family
    if family is None:
        return []
    return [child.nickname for child in family.children] + [family.contact_name or ""]


def note_choice(db: Session, unread_id: int, chosen: str) -> None:
    """What the person chose of what we offered: a hint for whoever labels it."""
    db.execute(
        update(UnreadMessage)
        .where(UnreadMessage.id == unread_id, UnreadMessage.label.is_(None))
        .values(chosen=chosen)
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that say much the same."""

    ids: tuple[int, ...]
    texts: tuple[str, ...]
    """Each once, the latest first."""
    likeliest: tuple[str, ...]
    """What people chose, then what we guessed; most often first, at most four."""
    last_at: datetime


def groups(db: Session, kind: UnreadKind) -> list[Group]:
    """The latest that nobody has labelled, like ones together, the largest group first."""
    rows = db.scalars(
        select(UnreadMessage)
        .where(UnreadMessage.label.is_(None), UnreadMessage.kind == kind)
        .order_by(UnreadMessage.met_at.desc(), UnreadMessage.id.desc())
        .limit(LOOKED_AT)
    ).all()
    return [_group(members) for members in grouped(rows, lambda row: row.text)[:SHOWN]]


def _group(members: Sequence[UnreadMessage]) -> Group:
    counted: dict[str, float] = {}
    for row in members:
        if row.chosen:
            counted[row.chosen] = counted.get(row.chosen, 0) + 3
        for place, guess in enumerate(row.guesses.split()):
            counted[guess] = counted.get(guess, 0) + 1 / (1 + place)
    return Group(
        ids=tuple(row.id for row in members),
        texts=tuple(dict.fromkeys(row.text for row in members)),
        likeliest=tuple(sorted(counted, key=lambda label: -counted[label])[:4]),
        last_at=members[0].met_at,
    )


@dataclass(frozen=True, slots=True)
class Count:
    unlabelled: int
    to_review: int


def count(db: Session) -> Count:
    """How many wait for a label, and how many for a second pair of eyes."""
    is_labelled = and_(UnreadMessage.label.is_not(None), UnreadMessage.label != NOTHING)
    unlabelled, to_review = db.execute(
        select(
            func.count(UnreadMessage.id).filter(UnreadMessage.label.is_(None)),
            func.count(UnreadMessage.id).filter(is_labelled, UnreadMessage.reviewed_at.is_(None)),
        )
    ).one()
    return Count(unlabelled, to_review)


def put_label(
    db: Session, scope: StaffScope, ids: Collection[int], label: str, now: datetime
) -> int:
    """Give these a label, where nobody has; how many those were."""
    labelled = db.execute(
        update(UnreadMessage)
        .where(UnreadMessage.id.in_(ids), UnreadMessage.label.is_(None))
        .values(label=label, labelled_by=scope.staff_id, labelled_at=now)
        .returning(UnreadMessage.id)
        .execution_options(synchronize_session=False)
    ).all()
    for (unread_id,) in labelled:
        _record(db, scope, "label", unread_id, now, after=label)
    return len(labelled)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One that waits for its review."""

    id: int
    text: str
    label: str
    by: str
    at: datetime
    is_own: bool
    """Labelled by whoever looks: another has to review it."""


def to_review(db: Session, scope: StaffScope) -> list[Labelled]:
    """What is labelled and not reviewed, the oldest first."""
    labeller = aliased(Staff)
    rows = db.execute(
        select(UnreadMessage, labeller.username)
        .join(labeller, labeller.id == UnreadMessage.labelled_by)
        .where(UnreadMessage.label != NOTHING, UnreadMessage.reviewed_at.is_(None))
        .order_by(UnreadMessage.labelled_at, UnreadMessage.id)
        .limit(LOOKED_AT)
    )
    return [
        Labelled(
            id=row.id,
            text=row.text,
            label=row.label or "",
            by=username,
            at=row.labelled_at or row.met_at,
            is_own=row.labelled_by == scope.staff_id,
        )
        for row, username in rows
    ]


def review(
    db: Session, scope: StaffScope, unread_id: int, *, accepted: bool, now: datetime
) -> bool:
    """Accept a label, or put it back; False where it is one's own, or was reviewed before."""
    values = (
        {"reviewed_by": scope.staff_id, "reviewed_at": now}
        if accepted
        else {"label": None, "labelled_by": None, "labelled_at": None}
    )
    changed = db.execute(
        update(UnreadMessage)
        .where(
            UnreadMessage.id == unread_id,
            UnreadMessage.label.is_not(None),
            UnreadMessage.label != NOTHING,
            UnreadMessage.reviewed_at.is_(None),
            # Putting one's own back is a correction, and needs nobody.
            UnreadMessage.labelled_by != scope.staff_id if accepted else UnreadMessage.id > 0,
        )
        .values(values)
        .returning(UnreadMessage.id)
        .execution_options(synchronize_session=False)
    ).all()
    if changed:
        _record(db, scope, "accept" if accepted else "put_back", unread_id, now)
    return bool(changed)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A reviewed message on its way into the examples."""

    id: int
    text: str
    label: str


def accepted(db: Session) -> list[Accepted]:
    """What was reviewed and is not among the examples yet, the oldest first."""
    rows = db.scalars(
        select(UnreadMessage)
        .where(UnreadMessage.reviewed_at.is_not(None), UnreadMessage.taken_at.is_(None))
        .order_by(UnreadMessage.reviewed_at, UnreadMessage.id)
        .limit(LOOKED_AT)
    )
    return [Accepted(row.id, row.text, row.label or "") for row in rows]


def mark_taken(db: Session, ids: Collection[int], now: datetime) -> None:
    db.execute(update(UnreadMessage).where(UnreadMessage.id.in_(ids)).values(taken_at=now))


def forget(db: Session, now: datetime) -> int:
    """Delete a batch of what nobody labelled in three months, or what was labelled a year ago."""
    old = (
        select(UnreadMessage.id)
        .where(
            or_(
                and_(UnreadMessage.label.is_(None), UnreadMessage.met_at < now - KEPT_UNLABELLED),
                UnreadMessage.met_at < now - KEPT_LABELLED,
            )
        )
        .limit(BATCH)
    )
    gone = db.execute(
        delete(UnreadMessage)
        .where(UnreadMessage.id.in_(old))
        .returning(UnreadMessage.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _record(
    db: Session,
    scope: StaffScope,
    action: str,
    unread_id: int,
    now: datetime,
    after: str | None = None,
) -> None:
    audit.record(
        db,
        actor=Actor("staff", scope.staff_id),
        action=action,
        subject_type="unread_message",
        subject_id=unread_id,
        after=after,
        now=now,
    )


def unreviewed_examples(db: Session) -> list[str]:
    """What went into the examples without a second pair of eyes; for doctor."""
    found = db.scalars(
        select(UnreadMessage.id).where(
            UnreadMessage.taken_at.is_not(None),
            or_(
                UnreadMessage.reviewed_by.is_(None),
                UnreadMessage.reviewed_by == UnreadMessage.labelled_by,
            ),
        )
    )
    return [f"unread_message:{one}" for one in found]
