"""Age-tied packs as the planner sees them, the ledger of pushes, and what caregivers choose."""

from datetime import date, datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, EncryptedText, Instant

BigId = BigInteger().with_variant(Integer, "sqlite")


class CataloguedPack(Base):
    """A pack of the library, as last read: what SQL needs of it, and whether it is pushed."""

    __tablename__ = "pack_catalogue"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(60))
    topic: Mapped[str] = mapped_column(String(20))
    audience: Mapped[str] = mapped_column(String(20))
    from_days: Mapped[int]
    until_days: Mapped[int]
    is_corrected: Mapped[bool]
    facts: Mapped[str] = mapped_column(EncryptedText)
    """PackDue as JSON: what a notice of this pack knows; alike for everybody."""
    blocked_by: Mapped[str | None] = mapped_column(String(24))
    """Why it is not pushed: its own status, its review date, staff; None where it is."""
    planned_until: Mapped[date | None]
    """The last day whose openings are in the ledger; None where it was never planned."""
    synced_at: Mapped[datetime] = mapped_column(Instant)
    switched_off_at: Mapped[datetime | None] = mapped_column(Instant)
    switched_off_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    switched_off_why: Mapped[str | None] = mapped_column(String(120))


class PackWindow(Base):
    """When a pack's window opens and closes, in days after birth, by weeks of gestation."""

    __tablename__ = "pack_windows"

    pack_id: Mapped[str] = mapped_column(ForeignKey("pack_catalogue.id"), primary_key=True)
    weeks: Mapped[int] = mapped_column(primary_key=True)
    """40 for everybody whose age is not corrected."""
    opens: Mapped[int]
    closes: Mapped[int]


class PackPush(Base):
    """The ledger: one row for ever for a child, a pack and a caregiver, with state and reason."""

    __tablename__ = "pack_pushes"
    __table_args__ = (
        Index("uq_pack_pushes", "child_id", "pack_id", "caregiver_id", unique=True),
        Index(
            "ix_pack_pushes_planned",
            "family_id",
            "due_at",
            sqlite_where=text("state = 'planned'"),
            postgresql_where=text("state = 'planned'"),
        ),
        Index(
            "ix_pack_pushes_family_id_queued_at",
            "family_id",
            "queued_at",
            sqlite_where=text("queued_at IS NOT NULL"),
            postgresql_where=text("queued_at IS NOT NULL"),
        ),
        # Rows come in the order in which they fall due, or nearly: a few pages say where a month's
        # are, and planning pays nothing for it. SQLite has no such index and needs none.
        Index("ix_pack_pushes_due_at", "due_at", postgresql_using="brin").ddl_if("postgresql"),
        # What coverage counts, read off the index alone.
        Index(
            "ix_pack_pushes_sent",
            "family_id",
            "sent_at",
            "opened_at",
            sqlite_where=text("state = 'sent'"),
            postgresql_where=text("state = 'sent'"),
        ),
        Index(
            "ix_pack_pushes_lead_id",
            "lead_id",
            sqlite_where=text("lead_id IS NOT NULL"),
            postgresql_where=text("lead_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    family_id: Mapped[int]
    pack_id: Mapped[str] = mapped_column(String(32))
    version: Mapped[int]
    because: Mapped[str] = mapped_column(String(8))
    """age, welcome (a late joiner's band), moved (another birth date), or asked."""
    state: Mapped[str] = mapped_column(String(10))
    """planned, queued, waiting, sent, skipped, failed or unknown."""
    reason: Mapped[str | None] = mapped_column(String(120))
    due_at: Mapped[datetime] = mapped_column(Instant)
    closes_at: Mapped[datetime] = mapped_column(Instant)
    planned_at: Mapped[datetime] = mapped_column(Instant)
    replans: Mapped[int] = mapped_column(default=0)
    """How often it was planned anew, because the birth date was corrected before it was sent."""
    queued_at: Mapped[datetime | None] = mapped_column(Instant)
    lead_id: Mapped[int | None] = mapped_column(BigId)
    """The row whose number the notice bears: twins share one message."""
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    opened_at: Mapped[datetime | None] = mapped_column(Instant)
    rating: Mapped[int | None]
    """1 for 👍, -1 for 👎."""
    rated_at: Mapped[datetime | None] = mapped_column(Instant)


class PushPreference(Base):
    """What a caregiver chose for themself, beyond on, paused and off."""

    __tablename__ = "push_preferences"

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), primary_key=True)
    per_week: Mapped[int]
    paused_until: Mapped[date | None]
    """The first day on which pushes go on; None where a pause has no end."""
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]
    """Hours of a night of their own; None where the common one suits."""


class MutedTopic(Base):
    """A topic that a caregiver does not want pushed."""

    __tablename__ = "muted_topics"

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(String(20), primary_key=True)


class SavedPack(Base):
    """A pack that a caregiver wants to find again, by a tap on its page."""

    __tablename__ = "saved_packs"

    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), primary_key=True)
    pack_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    saved_at: Mapped[datetime] = mapped_column(Instant)


class SubscriptionConsent(Base):
    """What an openid allowed of one subscription template, as the platform's events say."""

    __tablename__ = "subscription_consents"

    openid: Mapped[str] = mapped_column(String(64), primary_key=True)
    template_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    sends_left: Mapped[int] = mapped_column(default=0)
    """One-time consents that were not spent."""
    is_lasting: Mapped[bool] = mapped_column(default=False)
    refused_at: Mapped[datetime | None] = mapped_column(Instant)
    asked_at: Mapped[datetime | None] = mapped_column(Instant)
    """When we last asked for it in the chat; None since a yes."""
    updated_at: Mapped[datetime] = mapped_column(Instant)
