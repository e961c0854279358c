"""Visitors, home visits, what each family is still owed, and what was seen and referred."""

from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, EncryptedText, Instant
from app.models.family import Child
from app.models.guidance import Station

OPEN_VISITS_SQL = "kind = 'guidance' AND state IN ('requested','confirmed','en_route')"
HELD_TIMES_SQL = (
    "visitor_id IS NOT NULL AND state IN ('requested','confirmed','en_route','completed')"
)
OPEN_PROPOSALS_SQL = "state = 'open'"
OPEN_DUES_SQL = "closed_at IS NULL"


class Visitor(Base):
    """Somebody who makes home visits, and when they work."""

    __tablename__ = "visitors"
    __table_args__ = (
        CheckConstraint("visit_minutes > 0", name="visit_takes_time"),
        CheckConstraint("buffer_minutes >= 0", name="buffer_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(EncryptedText)
    phone: Mapped[str] = mapped_column(EncryptedText)
    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    weekdays: Mapped[str] = mapped_column(String(13))
    """Such as "1 2 3 4 5": Monday is 1."""
    starts: Mapped[time]
    ends: Mapped[time]
    visit_minutes: Mapped[int]
    buffer_minutes: Mapped[int]
    is_active: Mapped[bool] = mapped_column(default=True)
    photo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    """A JPEG, PNG or WebP that families may see before they open the door."""
    photo_type: Mapped[str | None] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)

    station: Mapped[Station] = relationship()
    covers: Mapped[list["VisitorTownship"]] = relationship(
        cascade="all, delete-orphan", order_by="VisitorTownship.township_id"
    )


class VisitorTownship(Base):
    """A township that a visitor goes to."""

    __tablename__ = "visitor_townships"

    visitor_id: Mapped[int] = mapped_column(ForeignKey("visitors.id"), primary_key=True)
    township_id: Mapped[int] = mapped_column(
        ForeignKey("townships.id"), primary_key=True, index=True
    )


class VisitorLeave(Base):
    """When a visitor is away."""

    __tablename__ = "visitor_leaves"
    __table_args__ = (
        Index("ix_visitor_leaves_visitor_id", "visitor_id", "starts_at"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    visitor_id: Mapped[int] = mapped_column(ForeignKey("visitors.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(EncryptedText)
    set_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    set_at: Mapped[datetime] = mapped_column(Instant)


class NewbornCare(Base):
    """What the windows of a newborn's visits go by, beside the birth date."""

    __tablename__ = "newborn_care"

    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"), primary_key=True)
    discharged_on: Mapped[date | None]
    weight_grams: Mapped[int | None]
    is_multiple: Mapped[bool] = mapped_column(default=False)
    factors: Mapped[str | None] = mapped_column(EncryptedText)
    """Codes of further risk factors, separated by blanks."""
    reported_at: Mapped[datetime] = mapped_column(Instant)

    child: Mapped[Child] = relationship()


class SpecialNeed(Base):
    """A child whose family has special needs: which ones, only who needs to know reads."""

    __tablename__ = "special_needs"

    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"), primary_key=True)
    category: Mapped[str] = mapped_column(EncryptedText)
    """As the family or staff put it; empty where they would rather not say."""
    noted_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None where the family said so itself."""
    noted_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class HomeContact(Base):
    """Where a family lives and whom to call: asked for a visit, with a consent of its own."""

    __tablename__ = "home_contacts"

    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"), primary_key=True)
    address: Mapped[str | None] = mapped_column(EncryptedText)
    phone: Mapped[str | None] = mapped_column(EncryptedText)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class VisitDue(Base):
    """A visit that a child is owed: open until it was made, or a person closed it."""

    __tablename__ = "visit_dues"
    __table_args__ = (
        Index("uq_visit_dues", "child_id", "purpose", "number", unique=True),
        Index(
            "ix_visit_dues_open",
            "due_on",
            "family_id",
            sqlite_where=text(OPEN_DUES_SQL),
            postgresql_where=text(OPEN_DUES_SQL),
        ),
        Index("ix_visit_dues_family_id", "family_id"),
        Index("ix_visit_dues_owed_until", "owed_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"))
    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"))
    purpose: Mapped[str] = mapped_column(String(16))
    """newborn, high_risk, special_needs or again."""
    number: Mapped[int]
    """The first visit is 1; further ones of the same purpose count on."""
    is_high_risk: Mapped[bool] = mapped_column(default=False)
    opens_on: Mapped[date]
    due_on: Mapped[date]
    """The last day in time."""
    owed_until: Mapped[date]
    visit_id: Mapped[int | None] = mapped_column(ForeignKey("home_visits.id"), index=True)
    """The visit that made good on it."""
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_as: Mapped[str | None] = mapped_column(String(12))
    """visited, declined (the family wants none), moved or ended."""
    unreachable_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when nobody could be reached; None once somebody was."""
    tried: Mapped[int] = mapped_column(default=0)
    """Calls and rings at the door in vain."""
    tried_at: Mapped[datetime | None] = mapped_column(Instant)
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)


class HomeVisit(Base):
    """A visit asked for, arranged, made or missed. It covers all the family's children."""

    __tablename__ = "home_visits"
    __table_args__ = (
        # One open visit a family: the insert itself answers "already".
        Index(
            "uq_home_visits_open",
            "family_id",
            unique=True,
            sqlite_where=text(OPEN_VISITS_SQL),
            postgresql_where=text(OPEN_VISITS_SQL),
        ),
        # Behind the visitor's lock: the same beginning twice is refused by the database.
        Index(
            "uq_home_visits_slot",
            "visitor_id",
            "starts_at",
            unique=True,
            sqlite_where=text(HELD_TIMES_SQL),
            postgresql_where=text(HELD_TIMES_SQL),
        ),
        Index("ix_home_visits_family_id", "family_id"),
        Index("ix_home_visits_starts_at", "starts_at"),
        Index(
            "ix_home_visits_requested",
            "requested_at",
            sqlite_where=text("state = 'requested'"),
            postgresql_where=text("state = 'requested'"),
        ),
        CheckConstraint(
            "(visitor_id IS NULL) = (starts_at IS NULL)"
            " AND (starts_at IS NULL) = (ends_at IS NULL)"
            " AND (starts_at IS NULL) = (busy_until IS NULL)",
            name="slot_is_whole",
        ),
        CheckConstraint(
            "ends_at IS NULL OR (ends_at > starts_at AND busy_until >= ends_at)",
            name="slot_in_order",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"))
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"), index=True)
    """Whose visit it is first of all; siblings who are owed one are credited too."""
    caregiver_id: Mapped[int | None] = mapped_column(ForeignKey("caregivers.id"), index=True)
    """Who is told; None where nobody of the family can be written to."""
    kind: Mapped[str] = mapped_column(String(8), default="guidance")
    """guidance, or medical: the health centre's own visit, noted and counted apart."""
    purpose: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(10))
    visitor_id: Mapped[int | None] = mapped_column(ForeignKey("visitors.id"))
    """A request holds its visitor's time already; None where no slot could be had."""
    starts_at: Mapped[datetime | None] = mapped_column(Instant)
    ends_at: Mapped[datetime | None] = mapped_column(Instant)
    busy_until: Mapped[datetime | None] = mapped_column(Instant)
    """The end with the visitor's buffer behind it, as it was when the slot was taken."""
    wished_on: Mapped[date | None]
    wished_half: Mapped[str | None] = mapped_column(String(10))
    note: Mapped[str | None] = mapped_column(EncryptedText)
    code_word: Mapped[int]
    """Number of the word that the visitor says at the door; words/visit_words.py has the words."""
    moves: Mapped[int] = mapped_column(default=0)
    """How often time or visitor were changed after a confirmation: each is told once."""
    told_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the family was last told the time that holds."""
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None where the family asked."""
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    en_route_at: Mapped[datetime | None] = mapped_column(Instant)
    arrived_at: Mapped[datetime | None] = mapped_column(Instant)
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    rating: Mapped[int | None]
    """What the family said of it: 1 good, 2 fair, 3 bad."""
    rating_words: Mapped[str | None] = mapped_column(EncryptedText)

    visitor: Mapped[Visitor | None] = relationship()
    child: Mapped[Child] = relationship()


class VisitProposal(Base):
    """Another time, offered by staff or wished by the family; it holds its slot while open.

    The visit keeps the time that it has until the other side has agreed.
    """

    __tablename__ = "visit_proposals"
    __table_args__ = (
        Index(
            "uq_visit_proposals_open",
            "visit_id",
            unique=True,
            sqlite_where=text(OPEN_PROPOSALS_SQL),
            postgresql_where=text(OPEN_PROPOSALS_SQL),
        ),
        Index(
            "uq_visit_proposals_slot",
            "visitor_id",
            "starts_at",
            unique=True,
            sqlite_where=text(OPEN_PROPOSALS_SQL),
            postgresql_where=text(OPEN_PROPOSALS_SQL),
        ),
        Index("ix_visit_proposals_visit_id", "visit_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("home_visits.id"))
    visitor_id: Mapped[int] = mapped_column(ForeignKey("visitors.id"))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    busy_until: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(10))
    """open, accepted, declined, expired or withdrawn."""
    proposed_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """None where the family wishes it."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)

    visitor: Mapped[Visitor] = relationship()


class VisitReport(Base):
    """The record of a visit, written once."""

    __tablename__ = "visit_reports"

    visit_id: Mapped[int] = mapped_column(ForeignKey("home_visits.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Made in the visitor's page: the same record sent twice is taken once."""
    record: Mapped[str] = mapped_column(EncryptedText)
    """VisitRecord as JSON."""
    written_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    written_at: Mapped[datetime] = mapped_column(Instant)
    """By the telephone's clock; bounded by when it came in."""
    received_at: Mapped[datetime] = mapped_column(Instant)


class Referral(Base):
    """A child sent to a hospital, and the day on which somebody asks what came of it."""

    __tablename__ = "referrals"
    __table_args__ = (
        Index("uq_referrals", "visit_id", "child_id", unique=True),
        Index(
            "ix_referrals_open",
            "check_on",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("home_visits.id"))
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"), index=True)
    urgency: Mapped[str] = mapped_column(String(6))
    """now or soon."""
    signs: Mapped[str] = mapped_column(EncryptedText)
    """Codes of the signs, separated by blanks."""
    referred_to: Mapped[str] = mapped_column(EncryptedText)
    check_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    outcome: Mapped[str | None] = mapped_column(EncryptedText)
