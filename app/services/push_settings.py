"""What one caregiver wants to be sent, chosen in one go as a page or an app does it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Caregiver
from app.rules.quiet_hours import Night
from app.services import audit, losses, push_choices


@dataclass(frozen=True, slots=True)
class Wish:
    """None leaves a thing as it is."""

    state: str | None = None
    """on, paused or off; booking notices come all the same."""
    per_week: int | None = None
    muted: Collection[str] | None = None
    """Topics that are not to be sent: all of them, not only the new ones."""
    night: Night | None = None
    """Hours in which what can wait does."""


def choose(db: Session, *, caregiver: Caregiver, wish: Wish, now: datetime) -> None:
    """Store the wish. Sending again after a stop also ends the quiet after a loss."""
    actor = audit.Actor("caregiver", caregiver.id)
    before = caregiver.pushes
    if wish.state == "paused" and before != "paused":
        push_choices.pause(db, caregiver, None)
    elif wish.state in ("on", "off") and before != wish.state:
        caregiver.pushes = wish.state
        push_choices.end_pause(db, caregiver)
        if wish.state == "on" and caregiver.family is not None:
            losses.resume_family(db, caregiver.family, actor=actor, now=now)
    if wish.per_week is not None:
        push_choices.set_per_week(db, caregiver, wish.per_week)
    if wish.night is not None:
        push_choices.set_night(db, caregiver, wish.night)
    if wish.muted is not None:
        muted = push_choices.find_choices(db, caregiver).muted
        push_choices.toggle_topics(db, caregiver, sorted(muted.symmetric_difference(wish.muted)))
    audit.record(
        db,
        actor=actor,
        action="choose_pushes",
        subject_type="caregiver",
        subject_id=caregiver.id,
        now=now,
        before=before,
        after=caregiver.pushes,
    )
