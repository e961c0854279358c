"""What a caregiver chose of pushes, each for themself: topics, how often, pause, stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models import Caregiver, MutedTopic, PushPreference
from app.rules.pack_choice import PACKS_A_WEEK
from app.rules.quiet_hours import COMMON, Night, own_night


@dataclass(frozen=True, slots=True)
class Choices:
    state: str
    """on, paused or off."""
    per_week: int
    muted: frozenset[str]
    paused_until: date | None
    night: Night = COMMON


def find_choices(db: Session, caregiver: Caregiver) -> Choices:
    """How it stands; who never chose gets everything, three a week."""
    row = db.get(PushPreference, caregiver.id)
    muted = db.scalars(select(MutedTopic.topic).where(MutedTopic.caregiver_id == caregiver.id))
    return Choices(
        state=caregiver.pushes,
        per_week=row.per_week if row else PACKS_A_WEEK,
        muted=frozenset(muted),
        paused_until=row.paused_until if row and caregiver.pushes == "paused" else None,
        night=own_night(row.quiet_from, row.quiet_until) if row else COMMON,
    )


def set_per_week(db: Session, caregiver: Caregiver, number: int) -> int:
    """At most so many packs a week for this caregiver, 1 to 3; what was set."""
    row = _row(db, caregiver)
    row.per_week = max(1, min(PACKS_A_WEEK, number))
    db.flush()
    return row.per_week


def set_night(db: Session, caregiver: Caregiver, night: Night) -> None:
    """From now on nothing that can wait comes in these hours, to this caregiver."""
    row = _row(db, caregiver)
    is_common = night == COMMON
    row.quiet_from = None if is_common else night.starts
    row.quiet_until = None if is_common else night.ends
    db.flush()


def pause(db: Session, caregiver: Caregiver, until: date | None) -> None:
    """No pushes until a day, or until told otherwise."""
    caregiver.pushes = "paused"
    if until is not None or db.get(PushPreference, caregiver.id) is not None:
        _row(db, caregiver).paused_until = until
    db.flush()


def end_pause(db: Session, caregiver: Caregiver) -> None:
    """No day is kept on which an old pause would end."""
    row = db.get(PushPreference, caregiver.id)
    if row is not None:
        row.paused_until = None
        db.flush()


def toggle_topics(db: Session, caregiver: Caregiver, topics: Sequence[str]) -> None:
    """What was wanted is not any more, and the other way round."""
    muted = find_choices(db, caregiver).muted
    for topic in dict.fromkeys(topics):
        if topic in muted:
            db.execute(
                delete(MutedTopic).where(
                    MutedTopic.caregiver_id == caregiver.id, MutedTopic.topic == topic
                )
            )
        else:
            db.add(MutedTopic(caregiver_id=caregiver.id, topic=topic))
    db.flush()


def _row(db: Session, caregiver: Caregiver) -> PushPreference:
    row = db.get(PushPreference, caregiver.id)
    if row is None:
        row = PushPreference(
            caregiver_id=caregiver.id,
            per_week=PACKS_A_WEEK,
            paused_until=None,
            quiet_from=None,
            quiet_until=None,
        )
        db.add(row)
    return row
