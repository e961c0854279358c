"""What a person has to look at: emergencies, wishes for a person, notices gone astray."""

from datetime import datetime
from typing import Literal

from sqlalchemy.orm import Session

from app.models import Caregiver, FollowUp

FollowUpKind = Literal[
    "emergency",
    "human",
    "complaint",
    "privacy",
    "loss",
    "referral",
    "mother",
    "escalation",
    "visit_wish",
    "visit_loss",
    "thread_late",
]


def open_follow_up(
    db: Session, *, kind: FollowUpKind, caregiver: Caregiver, detail: str, now: datetime
) -> FollowUp:
    """A task for the family's station; the district sees those that have no station."""
    family = caregiver.family
    follow_up = FollowUp(
        kind=kind,
        caregiver_id=caregiver.id,
        station_id=(family.station_id if family else None) or caregiver.scanned_station_id,
        detail=detail,
        created_at=now,
    )
    db.add(follow_up)
    return follow_up
