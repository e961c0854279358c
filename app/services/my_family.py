"""What the service holds about a family, for the family itself."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Caregiver, Consent


@dataclass(frozen=True, slots=True)
class AboutFamily:
    caregivers: int
    consent_given_at: datetime | None
    """The latest consent of the caregiver who asks."""


def about(db: Session, caregiver: Caregiver) -> AboutFamily:
    """How many caregivers the family has, and when this one last agreed."""
    caregivers = db.execute(
        select(func.count(Caregiver.id)).where(Caregiver.family_id == caregiver.family_id)
    ).scalar_one()
    consent = find_consent(db, caregiver)
    return AboutFamily(caregivers, consent.given_at if consent else None)


def find_consent(db: Session, caregiver: Caregiver) -> Consent | None:
    """The caregiver's latest consent to a child's data that was not withdrawn."""
    return db.execute(
        select(Consent)
        .where(
            Consent.caregiver_id == caregiver.id,
            Consent.child_id.is_not(None),
            Consent.withdrawn_at.is_(None),
        )
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(1)
    ).scalar_one_or_none()
