"""What a person has to look at about a home visit."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import FollowUp, HomeVisit
from app.services.follow_ups import FollowUpKind


def open_task(
    db: Session, visit: HomeVisit, kind: FollowUpKind, detail: str, now: datetime
) -> None:
    """A task of the family's station; the district's where it has none. It names the visit."""
    db.add(
        FollowUp(
            kind=kind,
            caregiver_id=visit.caregiver_id,
            station_id=visit.child.family.station_id,
            detail=f"home_visit:{visit.id} {detail}".rstrip(),
            created_at=now,
        )
    )
