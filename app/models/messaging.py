"""What came in, what goes out, and what a person has to follow up."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, EncryptedText, Instant
from app.models.family import Caregiver

ASTRAY = "state IN ('failed', 'unknown') AND settled_at IS NULL"
"""Nobody but a person can settle these, and nobody has."""


class InboxEntry(Base):
    """One callback of the platform, claimed before the work; keeps the reply for retries."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index("ix_inbox_openid_received_at", "openid", "received_at"),
        Index("ix_inbox_received_at", "received_at"),
    )

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(40))
    window: Mapped[str | None] = mapped_column(String(8))
    """What it opens for customer-service messages: write, tap, or nothing."""
    received_at: Mapped[datetime] = mapped_column(Instant)
    reply: Mapped[str | None] = mapped_column(EncryptedText)
    """The Reply as JSON; None where the turn had none to give."""


class Notice(Base):
    """Something the service sends on its own initiative; the row is the truth about it."""

    __tablename__ = "notices"
    __table_args__ = (
        Index(
            "ix_notices_due",
            "priority",
            "due_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_notices_sending",
            "claimed_at",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index("ix_notices_caregiver_id_state", "caregiver_id", "state"),
        Index(
            "ix_notices_astray",
            "id",
            sqlite_where=text(ASTRAY),
            postgresql_where=text(ASTRAY),
        ),
        Index("ix_notices_subject", "subject"),
        Index("ix_notices_platform_id", "platform_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(60))
    """What it is about, such as sign_up:12."""
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    facts: Mapped[str] = mapped_column(EncryptedText)
    """NoticeFacts as JSON: values, never sentences."""
    text: Mapped[str | None] = mapped_column(EncryptedText)
    """The words as they were sent; None until then."""
    state: Mapped[str] = mapped_column(String(10))
    """queued, sending, waiting, sent, failed, skipped or unknown."""
    reason: Mapped[str | None] = mapped_column(String(120))
    channel: Mapped[str | None] = mapped_column(String(20))
    priority: Mapped[int]
    """Lower goes first: booking notices before visits before packs."""
    queued_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None] = mapped_column(Instant)
    claimed_by: Mapped[str | None] = mapped_column(String(60))
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    platform_id: Mapped[str | None] = mapped_column(String(40))
    receipt: Mapped[str | None] = mapped_column(Text)
    """What TEMPLATESENDJOBFINISH said."""
    words_erased_at: Mapped[datetime | None] = mapped_column(Instant)
    """When facts and text were emptied, because they had been kept long enough."""
    request_id: Mapped[str | None] = mapped_column(String(16))
    """The request, or the job's run, that queued it; the log lines of its sending bear it."""
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    """When a person had dealt with a failed or unknown one in some other way."""

    caregiver: Mapped[Caregiver] = relationship()


class FollowUp(Base):
    """Something a person has to look at: an emergency, a wish for a person, an unknown send."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        Index(
            "ix_follow_ups_open",
            "created_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    """One of FollowUpKind, notice_unknown or notice_failed."""
    caregiver_id: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"), index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)
    detail: Mapped[str] = mapped_column(EncryptedText)
    created_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    caregiver: Mapped[Caregiver | None] = relationship()
