"""What the mini-service API remembers of its callers."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, EncryptedText, Instant


class ApiAnswer(Base):
    """The answer to a request with an Idempotency-Key: the same request again gets the same."""

    __tablename__ = "api_answers"
    __table_args__ = (
        Index("uq_api_answers_caregiver_id_key", "caregiver_id", "key", unique=True),
        Index("ix_api_answers_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    key: Mapped[str] = mapped_column(String(64))
    request: Mapped[str] = mapped_column(String(64))
    """A digest of method, address and body: the key of another request is refused."""
    status: Mapped[int]
    body: Mapped[str] = mapped_column(EncryptedText)
    created_at: Mapped[datetime] = mapped_column(Instant)


class CaregiverLogIn(Base):
    """One device on which a caregiver is logged in, to the app or to the pages.

    The app's token and the pages' cookie name a row, and are worth nothing once it has ended.
    """

    __tablename__ = "caregiver_log_ins"
    __table_args__ = (
        Index("ix_caregiver_log_ins_caregiver_id", "caregiver_id"),
        Index("ix_caregiver_log_ins_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    way: Mapped[str] = mapped_column(String(8))
    """app or pages."""
    device: Mapped[str] = mapped_column(String(12))
    """What the browser said of itself, in one of a few words: app.rules.identity.Device."""
    logged_in_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    """Ended before its time."""
