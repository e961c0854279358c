"""Staff accounts, the audit trail, and the scheduler's marks."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, EncryptedText, Instant
from app.models.guidance import Station, Township


class Staff(Base):
    __tablename__ = "staff"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(40), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(12))
    """worker, visitor, township, district, editor or auditor."""
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"))
    township_id: Mapped[int | None] = mapped_column(ForeignKey("townships.id"))
    is_active: Mapped[bool] = mapped_column(default=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    login_epoch: Mapped[int] = mapped_column(default=0)
    """Raised to revoke every session cookie of this account."""
    totp_secret: Mapped[str | None] = mapped_column(EncryptedText)
    """The second factor's key in base32; of no effect until it was confirmed with a code."""
    totp_confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    totp_last_step: Mapped[int | None]
    """The 30 seconds whose code was taken last: no code works twice."""
    last_login_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)

    station: Mapped[Station | None] = relationship()
    township: Mapped[Township | None] = relationship()


class RecoveryCode(Base):
    """Works once in place of the second factor. Only its hash is kept: a code is random."""

    __tablename__ = "recovery_codes"
    __table_args__ = (UniqueConstraint("staff_id", "code_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class AuditEntry(Base):
    """Who changed what, when and why. Rows are only ever added."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("ix_audit_log_subject", "subject_type", "subject_id"),
        Index("ix_audit_log_at", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(10))
    """caregiver, staff, system or operator."""
    actor_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(40))
    subject_type: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int | None]
    before: Mapped[str | None] = mapped_column(String(40))
    after: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(EncryptedText)


class AuditedFamily(Base):
    """Whom a row of the audit log is about: a page may have shown fifty families at once."""

    __tablename__ = "audited_families"
    __table_args__ = (Index("ix_audited_families_family_id", "family_id"),)

    entry_id: Mapped[int] = mapped_column(
        ForeignKey("audit_log.id", ondelete="CASCADE"), primary_key=True
    )
    family_id: Mapped[int] = mapped_column(primary_key=True)
    """No foreign key: who looked at a family is still known when its rows are gone."""


class Lease(Base):
    """A named right that one process holds until a time, such as to tick the timetable."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(Instant)


class JobRun(Base):
    """The last run of each scheduled job."""

    __tablename__ = "job_runs"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(String(200))
    failures: Mapped[int] = mapped_column(default=0)
    """How often in a row it ended in an error."""
    failed_at: Mapped[datetime | None] = mapped_column(Instant)
    error: Mapped[str | None] = mapped_column(String(80))
    """The type of the last error, whenever that was."""
