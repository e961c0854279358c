"""Files that staff have handed in, from the preview to the undoing."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, EncryptedText, Instant


class FileImport(Base):
    """One file: previewed, then taken whole, and perhaps undone."""

    __tablename__ = "file_imports"
    __table_args__ = (Index("ix_file_imports_made_at", "made_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    """stations, sessions, visitors, families or attendance."""
    file_name: Mapped[str] = mapped_column(EncryptedText)
    content: Mapped[str | None] = mapped_column(EncryptedText)
    """The file in base64; None once it was taken, or was left lying for days."""
    state: Mapped[str] = mapped_column(String(8))
    """checked, running, taken, failed or undone."""
    added: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    undo: Mapped[str | None] = mapped_column(EncryptedText)
    """What to do to take it back, as JSON; None where that cannot be done."""
    made_by: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)
    taken_at: Mapped[datetime | None] = mapped_column(Instant)
    undone_at: Mapped[datetime | None] = mapped_column(Instant)
