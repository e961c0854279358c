"""One learner, another WeChat: whoever comes back through an invitation goes on where they were."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session

from app.errors import LearnerUnknown
from app.models import (
    Caregiver,
    Certificate,
    Invitation,
    Learner,
    Practice,
    QuizAttempt,
)
from app.services import audit
from app.services.registration import get_family


def find_movable(db: Session, caregiver: Caregiver) -> Sequence[Learner]:
    """Learners of the family that this caregiver may say to be: the oldest first.

    Those whose WeChat is gone, those of a paper list whom nobody has claimed yet, and the one
    who made the invitation by which this caregiver came: that telephone agreed to it.
    """
    family = get_family(caregiver)
    if not _is_free_to_move(db, caregiver):
        return []
    invited = exists().where(
        Invitation.used_by == caregiver.id, Invitation.created_by == Learner.caregiver_id
    )
    gone = exists().where(
        Caregiver.id == Learner.caregiver_id,
        or_(Caregiver.openid.is_(None), Caregiver.is_following.is_(False)),
    )
    return list(
        db.execute(
            select(Learner)
            .where(
                Learner.family_id == family.id,
                or_(Learner.caregiver_id.is_(None), Learner.caregiver_id != caregiver.id),
                or_(Learner.caregiver_id.is_(None), gone, invited),
            )
            .order_by(Learner.id)
        ).scalars()
    )


def _is_free_to_move(db: Session, caregiver: Caregiver) -> bool:
    """Whoever has steps of their own here is not somebody else."""
    own = db.execute(
        select(Learner.id).where(Learner.caregiver_id == caregiver.id)
    ).scalar_one_or_none()
    return own is None or not _has_steps(db, own)


def move(db: Session, *, caregiver: Caregiver, learner_id: int, now: datetime) -> Learner:
    """The learner goes on under this caregiver's WeChat; a fresh start of theirs gives way.

    Raises LearnerUnknown where find_movable does not offer the learner.
    """
    learner = next((one for one in find_movable(db, caregiver) if one.id == learner_id), None)
    if learner is None:
        raise LearnerUnknown()
    attach(db, learner, caregiver, audit.Actor("caregiver", caregiver.id), now)
    return learner


def attach(
    db: Session, learner: Learner, caregiver: Caregiver, actor: audit.Actor, now: datetime
) -> None:
    """Hang a learner's way on a caregiver, whose own must be without steps."""
    db.execute(
        select(Learner.id)
        .where(or_(Learner.id == learner.id, Learner.caregiver_id == caregiver.id))
        .order_by(Learner.id)
        .with_for_update()
    ).all()
    own = db.execute(
        select(Learner.id).where(Learner.caregiver_id == caregiver.id, Learner.id != learner.id)
    ).scalar_one_or_none()
    if own is not None:
        if _has_steps(db, own):
            raise LearnerUnknown()
        db.execute(delete(Learner).where(Learner.id == own))
    before = learner.caregiver_id
    learner.caregiver_id = caregiver.id
    learner.relation = learner.relation or caregiver.relation
    if caregiver.relation is None:
        caregiver.relation = learner.relation
    learner.left_at = None
    learner.moved_at, learner.nudges = now, 0
    db.flush()
    audit.record(
        db,
        actor=actor,
        action="move",
        subject_type="learner",
        subject_id=learner.id,
        now=now,
        before=str(before) if before is not None else None,
        after=str(caregiver.id),
    )


def _has_steps(db: Session, learner_id: int) -> bool:
    """Whether anything was answered, practised or earned. A lesson that lies open is no step."""
    counts = [
        select(func.count()).where(table.learner_id == learner_id).scalar_subquery()
        for table in (QuizAttempt, Practice, Certificate)
    ]
    return bool(db.execute(select(counts[0] + counts[1] + counts[2])).scalar_one())
