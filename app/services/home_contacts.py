"""Where a family lives and whom to call: kept for its visits alone, with a consent of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Consent, Family, HomeContact
from app.services import audit
from app.services.audit import Actor

CONTACT_PURPOSE: Final = "home_visit_contact"
CONTACT_VERSION: Final = "2026-11-2"
"""Raised with every change of the question that the family answers."""


@dataclass(frozen=True, slots=True)
class KnownContact:
    """Empty where it is not known."""

    address: str
    phone: str


def read_contact(db: Session, family_id: int) -> KnownContact:
    """What is kept for a family's visits."""
    contact = db.get(HomeContact, family_id)
    if contact is None:
        return KnownContact("", "")
    return KnownContact(contact.address or "", contact.phone or "")


def set_contact(
    db: Session,
    *,
    family_id: int,
    address: str | None,
    phone: str | None,
    actor: Actor,
    now: datetime,
    evidence: str = "",
) -> HomeContact:
    """Store where the family lives and whom to call; None stays as it is, empty is taken away.

    A caregiver who tells it has consented by that: it is kept as a consent. What staff write
    down as told on the telephone bears their name in the audit log.
    """
    # Both parents at once, or a teacher and a mother: one after the other.
    db.execute(select(Family.id).where(Family.id == family_id).with_for_update())
    contact = db.get(HomeContact, family_id, populate_existing=True)
    if contact is None:
        contact = HomeContact(family_id=family_id)
        db.add(contact)
    if address is not None:
        contact.address = address or None
    if phone is not None:
        contact.phone = phone or None
    contact.updated_at = now
    if actor.type == "caregiver" and (address or phone):
        db.add(
            Consent(
                caregiver_id=actor.id,
                purpose=CONTACT_PURPOSE,
                version=CONTACT_VERSION,
                given_at=now,
                evidence=evidence,
            )
        )
    audit.record(
        db,
        actor=actor,
        action="set_home_contact",
        subject_type="family",
        subject_id=family_id,
        now=now,
    )
    db.flush()
    return contact
