"""A loss: everything that we send on our own stops at once, and a person is told."""

from datetime import datetime

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.models import Caregiver, Child, Family, Notice, PackPush, VisitDue
from app.services import audit, giving_back, pack_ledger, visit_dues, visit_losses, waiting_list

KEPT_KINDS = ("late_reply",)
"""The answer to what was just asked; all else waits for a person's word."""


def stop_family(db: Session, family: Family, *, actor: audit.Actor, now: datetime) -> bool:
    """Stop everything for a family; False where it was stopped before.

    What lies in the outbox is skipped; what a deliverer holds is checked again before it leaves.
    """
    if family.stopped_at is not None:
        return False
    family.stopped_at = now
    # Nobody would hear of an offer: it would hold its seat in vain.
    waiting_list.leave_all(db, family.id, audit.SYSTEM, now)
    visit_losses.warn(db, family.id, now)
    _end_pushes(db, PackPush.family_id == family.id, "family_stopped")
    people = select(Caregiver.id).where(Caregiver.family_id == family.id)
    db.execute(
        update(Notice)
        .where(
            Notice.caregiver_id.in_(people),
            Notice.state.in_(("queued", "waiting")),
            Notice.kind.not_in(KEPT_KINDS),
        )
        .values(state="skipped", reason="family_stopped")
        .execution_options(synchronize_session="fetch")
    )
    _record(db, "stop_family", "family", family.id, actor, now)
    return True


def resume_family(db: Session, family: Family, *, actor: audit.Actor, now: datetime) -> None:
    """Go on with what opens from now on; nothing that was stopped is sent afterwards."""
    if family.stopped_at is None:
        return
    family.stopped_at = None
    _record(db, "resume_family", "family", family.id, actor, now)


def mark_lost(db: Session, child: Child, *, actor: audit.Actor, now: datetime) -> None:
    """Nothing about this child is ever sent again; its brothers and sisters go on."""
    if child.lost_at is not None:
        return
    child.lost_at = now
    # By the system and not by the staff: of what staff take back the family is told.
    giving_back.give_back(db, child.family_id, [child.id], audit.SYSTEM, now)
    _end_pushes(db, PackPush.child_id == child.id, "loss")
    # Nobody is to ring at the door, or on the telephone, about this child.
    db.execute(
        update(VisitDue)
        .where(VisitDue.child_id == child.id, VisitDue.closed_at.is_(None))
        .values(closed_at=now, closed_as="ended")
    )
    visit_losses.call_off(db, child, actor=actor, now=now)
    _record(db, "mark_lost", "child", child.id, actor, now)


def unmark_lost(db: Session, child: Child, *, actor: audit.Actor, now: datetime) -> None:
    """It was entered by mistake: packs are planned anew from now on."""
    if child.lost_at is None:
        return
    child.lost_at = None
    db.flush()
    visit_dues.plan_child(db, child, now)
    _record(db, "unmark_lost", "child", child.id, actor, now)


def _end_pushes(db: Session, whose: ColumnElement[bool], reason: str) -> None:
    ids = db.scalars(
        select(PackPush.id).where(whose, PackPush.state.in_(("planned", "queued", "waiting")))
    )
    pack_ledger.skip_rows(db, ids.all(), reason)


def _record(
    db: Session, action: str, kind: str, number: int, actor: audit.Actor, now: datetime
) -> None:
    audit.record(db, actor=actor, action=action, subject_type=kind, subject_id=number, now=now)
