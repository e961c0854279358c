"""Families, the people in them, and what they agreed to."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from app.db import Base, EncryptedText, Instant
from app.models.guidance import Station, Township

MOVED = "birth_date <> packs_born OR COALESCE(gestation_weeks, 40) <> packs_weeks"
"""The dates of a child have changed since its packs were planned."""


class Family(Base):
    """The unit of entitlement."""

    __tablename__ = "families"
    # The order of the console's list: its later pages are found without reading the earlier ones.
    __table_args__ = (Index("ix_families_created_at", "created_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    township_id: Mapped[int] = mapped_column(ForeignKey("townships.id"), index=True)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)
    need: Mapped[bool | None]
    """有需求: yes, no, or not answered (None), which counts as neither."""
    need_answered_at: Mapped[datetime | None] = mapped_column(Instant)
    contact_name: Mapped[str | None] = mapped_column(EncryptedText)
    """Whom staff ask for on the telephone, such as 王阿姨; None where nobody told."""
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    no_shows_waived_at: Mapped[datetime | None] = mapped_column(Instant)
    """Missed sessions before then no longer delay this family's sign-ups: staff's decision."""
    nudged_at: Mapped[datetime | None] = mapped_column(Instant)
    """The last nudge about the year's sessions: never more than one a month."""
    stopped_at: Mapped[datetime | None] = mapped_column(Instant)
    """A loss was told: from then on we send nothing on our own, until somebody lifts it."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since then nobody is behind it: only what the service must account for is kept."""

    township: Mapped[Township] = relationship()
    station: Mapped[Station | None] = relationship()
    children: Mapped[list["Child"]] = relationship(
        back_populates="family",
        order_by="Child.id",
        primaryjoin="and_(Family.id == Child.family_id, Child.erased_at.is_(None))",
    )
    """Without those whose data was erased."""

    @property
    def living(self) -> list["Child"]:
        """The children whom something may be offered for: none that was lost."""
        return [child for child in self.children if child.lost_at is None]

    caregivers: Mapped[list["Caregiver"]] = relationship(
        back_populates="family", order_by="Caregiver.id"
    )


class Caregiver(Base):
    """One WeChat openid. Unfollowing takes the openid away and leaves the rest."""

    __tablename__ = "caregivers"
    __table_args__ = (
        Index(
            "ix_caregivers_unplanned",
            "id",
            sqlite_where=text("packs_from IS NULL AND family_id IS NOT NULL"),
            postgresql_where=text("packs_from IS NULL AND family_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    openid: Mapped[str | None] = mapped_column(String(64), unique=True)
    unionid: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The person in all of the district's apps; None where the platform has not said it yet."""
    mini_openid: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The same person in the mini program."""
    family_id: Mapped[int | None] = mapped_column(ForeignKey("families.id"), index=True)
    relation: Mapped[str | None] = mapped_column(String(20))
    """mother, father, grandmother, grandfather, other; None where not said."""
    is_following: Mapped[bool]
    pushes: Mapped[str] = mapped_column(String(8), default="on")
    """on, paused or off: what the caregiver wants of packs and nudges."""
    followed_at: Mapped[datetime | None] = mapped_column(Instant)
    unfollowed_at: Mapped[datetime | None] = mapped_column(Instant)
    scanned_station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"))
    """The station whose code brought this caregiver here."""
    packs_from: Mapped[datetime | None] = mapped_column(Instant)
    """When packs were first planned for this caregiver; None where they are yet to be."""
    created_at: Mapped[datetime] = mapped_column(Instant)

    has_waiting: Mapped[bool | None] = query_expression()
    """Whether notices wait for this caregiver's next contact; loaded where asked for."""
    open_thread_id: Mapped[int | None] = query_expression()
    """The conversation with a person that is going on; loaded where asked for."""

    family: Mapped[Family | None] = relationship(back_populates="caregivers")
    scanned_station: Mapped[Station | None] = relationship()


class Child(Base):
    """A child with a birth date or, before birth, a due date."""

    __tablename__ = "children"
    __table_args__ = (
        Index("ix_children_birth_date", "birth_date"),
        Index(
            "ix_children_unplanned",
            "id",
            sqlite_where=text("packs_from IS NULL AND birth_date IS NOT NULL"),
            postgresql_where=text("packs_from IS NULL AND birth_date IS NOT NULL"),
        ),
        Index(
            "ix_children_moved",
            "id",
            sqlite_where=text(MOVED),
            postgresql_where=text(MOVED),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"), index=True)
    nickname: Mapped[str] = mapped_column(EncryptedText)
    birth_date: Mapped[date | None]
    due_date: Mapped[date | None]
    sex: Mapped[str | None] = mapped_column(String(4))
    """girl, boy, or None where not said."""
    gestation_weeks: Mapped[int | None]
    lost_at: Mapped[datetime | None] = mapped_column(Instant)
    """The child died, before or after birth: nothing about it is ever sent again."""
    packs_from: Mapped[datetime | None] = mapped_column(Instant)
    """When packs were first planned for this child; None where they are yet to be."""
    packs_born: Mapped[date | None]
    packs_weeks: Mapped[int | None]
    """The birth date and the weeks of gestation that the packs were planned by."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)
    """The consent was withdrawn: name and dates are gone, the row stands for what was counted."""

    family: Mapped[Family] = relationship(back_populates="children")


class Consent(Base):
    """A guardian's separate consent: to which notice, for what, when, and how it was said."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(primary_key=True)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    child_id: Mapped[int | None] = mapped_column(ForeignKey("children.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    version: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    evidence: Mapped[str] = mapped_column(EncryptedText)
    """The words of the caregiver and the key of the message that bore them."""


class Invitation(Base):
    """A code by which a second caregiver joins a family; works once."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"), index=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    created_by: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    used_by: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"))
