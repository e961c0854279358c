"""What families wrote and we could not read, without them: kept to learn from."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, EncryptedText, Instant


class UnreadMessage(Base):
    """A message with names, numbers and addresses masked; nothing leads back to who wrote it."""

    __tablename__ = "unread_messages"
    __table_args__ = (
        Index(
            "ix_unread_messages_unlabelled",
            "met_at",
            sqlite_where=text("label IS NULL"),
            postgresql_where=text("label IS NULL"),
        ),
        Index("ix_unread_messages_met_at", "met_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    """unread: we asked back; unanswered: a question that no reviewed text answers."""
    text: Mapped[str] = mapped_column(EncryptedText)
    met_at: Mapped[datetime] = mapped_column(Instant)
    guesses: Mapped[str] = mapped_column(String(100))
    """The likeliest intents, separated by blanks."""
    chosen: Mapped[str | None] = mapped_column(String(24))
    """What the person then chose of what we offered."""
    label: Mapped[str | None] = mapped_column(String(24))
    """The intent that staff gave it; none where it is nothing to learn from."""
    labelled_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    labelled_at: Mapped[datetime | None] = mapped_column(Instant)
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reviewed_at: Mapped[datetime | None] = mapped_column(Instant)
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it went into the examples."""
