"""Conversations of a caregiver with a person: what was said, and who has to answer."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, EncryptedText, Instant
from app.models.family import Caregiver


class HelpThread(Base):
    """A caregiver's conversation with staff; never more than one open at a time."""

    __tablename__ = "help_threads"
    __table_args__ = (
        Index(
            "uq_help_threads_open",
            "caregiver_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_help_threads_waiting",
            "waiting_since",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_help_threads_opened_at", "opened_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)
    """Whose staff answer; None where the family has no station: then the district does."""
    kind: Mapped[str] = mapped_column(String(10))
    """person: somebody was asked for; complaint: something went wrong."""
    opened_at: Mapped[datetime] = mapped_column(Instant)
    waiting_since: Mapped[datetime | None] = mapped_column(Instant)
    """The first word that nobody has answered; None while it is the caregiver's turn."""
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    """The first answer."""
    last_at: Mapped[datetime] = mapped_column(Instant)
    """The last word of either side."""
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since then the present question has waited too long; None again with the answer."""
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_how: Mapped[str | None] = mapped_column(String(10))
    """staff, family, silence or erased."""
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))

    caregiver: Mapped[Caregiver] = relationship()
    messages: Mapped[list["ThreadMessage"]] = relationship(order_by="ThreadMessage.id")


class ThreadMessage(Base):
    """One message of a conversation; what staff say goes out as the notice of its key."""

    __tablename__ = "thread_messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("help_threads.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """Who answered; None for the caregiver's own words."""
    text: Mapped[str] = mapped_column(EncryptedText)
    at: Mapped[datetime] = mapped_column(Instant)


class CannedAnswer(Base):
    """A sentence that a station's staff keep at hand."""

    __tablename__ = "canned_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)
    """Whose it is; None for everybody's."""
    text: Mapped[str] = mapped_column(String(400))
    made_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)
