"""Certificates: checked by anybody, named by their learner, revoked by staff with a reason."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.errors import (
    CertificateStepNotAllowed,
    CertificateUnknown,
    ReasonMissing,
)
from app.models import Caregiver, Certificate, Family, Learner
from app.models.notice_facts import CertificateChanged
from app.rules.lessons import mask_name
from app.services import audit, notices
from app.services.audit import Actor

CHECK_PATH = "/certificates/"
LONGEST_NAME = 16
_DASHES = re.compile(r"[^0-9A-Z]")


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """What anybody who knows the number may see."""

    code: str
    name: str | None
    """Masked; None where the learner gave none."""
    issued_at: datetime
    revoked_at: datetime | None
    course_version: str


def normal_code(text: str) -> str:
    """The number as it is stored, however it was typed: without dashes, in lower case."""
    plain = _DASHES.sub("", text.upper())[:24]
    return "-".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def check_url(public_url: str, code: str) -> str:
    """The page on which anybody checks a certificate."""
    return f"{public_url}{CHECK_PATH}{code}"


def find_public(db: Session, code: str) -> PublicCertificate | None:
    """The certificate of a number; None where there is none."""
    found = db.execute(
        select(Certificate).where(Certificate.code == normal_code(code))
    ).scalar_one_or_none()
    if found is None:
        return None
    return PublicCertificate(
        code=found.code,
        name=mask_name(found.name) if found.name else None,
        issued_at=found.issued_at,
        revoked_at=found.revoked_at,
        course_version=found.course_version,
    )


def set_name(
    db: Session, learner: Learner, name: str, actor: Actor, now: datetime
) -> Certificate | None:
    """The name for the learner's certificates, also those issued before; the latest of them.

    The learner gives it once (see may_set_name); after that staff correct it.
    """
    name = name.strip()[:LONGEST_NAME]
    learner.name = name
    certificates = db.execute(
        select(Certificate).where(Certificate.learner_id == learner.id).order_by(Certificate.id)
    ).scalars()
    latest = None
    for latest in certificates:
        latest.name = name
    audit.record(
        db,
        actor=actor,
        action="set_name",
        subject_type="learner",
        subject_id=learner.id,
        now=now,
    )
    return latest


def may_set_name(learner: Learner) -> bool:
    """A certificate is for who earned it: once named, only staff write another name."""
    return learner.name is None


def get_certificate(db: Session, certificate_id: int) -> Certificate:
    """Raises CertificateUnknown."""
    found = db.execute(
        select(Certificate)
        .where(Certificate.id == certificate_id)
        .options(
            joinedload(Certificate.learner).joinedload(Learner.family).joinedload(Family.station)
        )
        .with_for_update(of=Certificate)
    ).scalar_one_or_none()
    if found is None:
        raise CertificateUnknown(str(certificate_id))
    return found


def revoke(
    db: Session, *, certificate: Certificate, reason: str, staff_id: int, now: datetime
) -> None:
    """It counts no more, and its public page says so; the learner is told why.

    Raises ReasonMissing, CertificateStepNotAllowed.
    """
    reason = _reason(reason)
    if certificate.revoked_at is not None:
        raise CertificateStepNotAllowed(certificate.code, is_revoked=True)
    certificate.revoked_at, certificate.revoked_by = now, staff_id
    certificate.revoked_reason = reason
    _tell(db, certificate, "certificate_revoked", reason, staff_id, now)


def restore(
    db: Session, *, certificate: Certificate, reason: str, staff_id: int, now: datetime
) -> None:
    """A revocation that was a mistake is taken back. Raises as revoke does."""
    reason = _reason(reason)
    if certificate.revoked_at is None:
        raise CertificateStepNotAllowed(certificate.code, is_revoked=False)
    certificate.revoked_at = certificate.revoked_by = certificate.revoked_reason = None
    _tell(db, certificate, "certificate_restored", reason, staff_id, now)


def _reason(text: str) -> str:
    reason = text.strip()[:200]
    if not reason:
        raise ReasonMissing()
    return reason


def _tell(
    db: Session, certificate: Certificate, kind: str, reason: str, staff_id: int, now: datetime
) -> None:
    audit.record(
        db,
        actor=Actor("staff", staff_id),
        action="revoke" if kind == "certificate_revoked" else "restore",
        subject_type="certificate",
        subject_id=certificate.id,
        now=now,
        reason=reason,
    )
    learner = certificate.learner
    caregiver = db.get(Caregiver, learner.caregiver_id) if learner.caregiver_id else None
    if caregiver is None or caregiver.openid is None:
        return
    station = learner.family.station
    facts = CertificateChanged.model_validate(
        {
            "kind": kind,
            "code": certificate.code,
            "reason": reason,
            "phone": station.phone if station else "",
        }
    )
    notices.queue(
        db,
        caregiver_id=caregiver.id,
        facts=facts,
        subject=f"certificate:{certificate.id}",
        dedupe_key=f"{kind}:{certificate.id}:{int(now.timestamp())}",
        now=now,
    )
