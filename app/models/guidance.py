"""Townships, stations, guidance sessions and sign-ups."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db import Base, EncryptedText, Instant


class Township(Base):
    __tablename__ = "townships"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20), unique=True)


class Station(Base):
    """A place: guidance station, district centre, bus stop, health centre and so on."""

    __tablename__ = "stations"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(30))
    township_id: Mapped[int] = mapped_column(ForeignKey("townships.id"), index=True)
    address: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(30))
    is_active: Mapped[bool] = mapped_column(default=True)

    township: Mapped[Township] = relationship()


class SessionSeries(Base):
    """A rule that made several sessions, such as every second Saturday."""

    __tablename__ = "session_series"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    """Its sessions' codes are this one with a number behind it."""
    every_weeks: Mapped[int]
    first_on: Mapped[date]
    until: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(Instant)


class CalendarDay(Base):
    """A day that staff have set: it goes before the published holiday calendar."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    """holiday, workday (a make-up day) or blackout (nothing is held)."""
    note: Mapped[str] = mapped_column(String(80))
    set_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    set_at: Mapped[datetime] = mapped_column(Instant)


class GuidanceSession(Base):
    """One dated event with places."""

    __tablename__ = "guidance_sessions"
    __table_args__ = (
        Index("ix_guidance_sessions_starts_at", "starts_at"),
        CheckConstraint("places >= 0", name="places_not_negative"),
        CheckConstraint("places_taken >= 0", name="places_taken_not_negative"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("min_months <= max_months", name="months_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    """Upper case: families type it in any case."""
    title: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(40))
    level: Mapped[str] = mapped_column(String(12))
    """station, township, district or city."""
    station_id: Mapped[int] = mapped_column(ForeignKey("stations.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    places: Mapped[int]
    places_taken: Mapped[int] = mapped_column(default=0)
    """Seats held by active sign-ups; may pass `places` only where places were cut."""
    min_months: Mapped[int]
    max_months: Mapped[int]
    """Both bounds inclusive, in completed months on the session's date."""
    confirm_mode: Mapped[str] = mapped_column(String(8))
    """auto or staff."""
    opens_at: Mapped[datetime] = mapped_column(Instant)
    closes_at: Mapped[datetime] = mapped_column(Instant)
    cancel_until: Mapped[datetime] = mapped_column(Instant)
    waiting_list: Mapped[str] = mapped_column(String(20))
    """no, first_come or fewest_attended."""
    state: Mapped[str] = mapped_column(String(12), default="published")
    """draft, published, held or cancelled."""
    topic: Mapped[str | None] = mapped_column(String(20))
    """One of the service areas, for the year plan's variety; None where not said."""
    series_id: Mapped[int | None] = mapped_column(ForeignKey("session_series.id"), index=True)
    township_first_until: Mapped[datetime | None] = mapped_column(Instant)
    """Until then only families of the station's township may sign up."""
    offer_hours: Mapped[int] = mapped_column(default=6)
    """How long an offer from the waiting list holds its seat: 2 to 12 waking hours."""
    cancelled_reason: Mapped[str | None] = mapped_column(String(200))
    calendar_sequence: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)

    station: Mapped[Station] = relationship()


ACTIVE_STATES_SQL = "state IN ('requested','confirmed','waitlisted','offered','attended')"


class SignUp(Base):
    """One child's place, or wish for one, in one session."""

    __tablename__ = "sign_ups"
    __table_args__ = (
        # One active sign-up per (session, child): the insert itself answers "already".
        Index(
            "uq_sign_ups_active",
            "session_id",
            "child_id",
            unique=True,
            sqlite_where=text(ACTIVE_STATES_SQL),
            postgresql_where=text(ACTIVE_STATES_SQL),
        ),
        Index("ix_sign_ups_family_id", "family_id"),
        Index(
            "ix_sign_ups_offered",
            "offer_expires_at",
            sqlite_where=text("state = 'offered'"),
            postgresql_where=text("state = 'offered'"),
        ),
        Index("ix_sign_ups_session_id_state", "session_id", "state"),
        Index(
            "ix_sign_ups_decided",
            "decided_at",
            sqlite_where=text("decided_by IS NOT NULL"),
            postgresql_where=text("decided_by IS NOT NULL"),
        ),
        Index(
            "ix_sign_ups_requested",
            "requested_at",
            sqlite_where=text("state = 'requested'"),
            postgresql_where=text("state = 'requested'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("guidance_sessions.id"))
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"), index=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"))
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"), index=True)
    state: Mapped[str] = mapped_column(String(12))
    waitlisted_at: Mapped[datetime | None] = mapped_column(Instant)
    """Since when this one waits: the order of the waiting list, first come first."""
    offered_at: Mapped[datetime | None] = mapped_column(Instant)
    offer_expires_at: Mapped[datetime | None] = mapped_column(Instant)
    """The end of an open offer; past it the seat is free, whether or not a job has run."""
    is_override: Mapped[bool] = mapped_column(default=False)
    """Seated by staff beyond the places, with a reason in the audit trail."""
    year_plan_id: Mapped[int | None] = mapped_column(ForeignKey("year_plans.id"), index=True)
    """The year plan that asked for it; None where the family chose it by itself."""
    is_walk_in: Mapped[bool] = mapped_column(default=False)
    """Came without a sign-up: counted as attended, holds none of the session's places."""
    reason: Mapped[str | None] = mapped_column(EncryptedText)
    requested_at: Mapped[datetime] = mapped_column(Instant)
    decided_at: Mapped[datetime | None] = mapped_column(Instant)
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    """The staff member; None where the rules or the family decided."""

    session: Mapped[GuidanceSession] = relationship()


class YearPlan(Base):
    """A family's agreement to be signed up for the year's sessions, as they are and as they open.

    While it is open it is also the standing request: what is missed, cancelled or newly
    published leads to a new proposal, or is signed up for where the family has asked for that.
    """

    __tablename__ = "year_plans"
    __table_args__ = (Index("uq_year_plans_family_id_year", "family_id", "year", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int] = mapped_column(ForeignKey("families.id"))
    child_id: Mapped[int] = mapped_column(ForeignKey("children.id"), index=True)
    caregiver_id: Mapped[int] = mapped_column(ForeignKey("caregivers.id"))
    """Who agreed, and whom proposals go to."""
    year: Mapped[int]
    target: Mapped[int]
    """How many sessions of the year the family wants to attend."""
    agreed_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    takes_since: Mapped[datetime | None] = mapped_column(Instant)
    """Since when fitting sessions are signed up for without a question; None: it asks first."""


class PlanProposal(Base):
    """One session that the plan offers instead of a missed one, or because it newly opened."""

    __tablename__ = "plan_proposals"
    __table_args__ = (Index("uq_plan_proposals", "year_plan_id", "session_id", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    year_plan_id: Mapped[int] = mapped_column(ForeignKey("year_plans.id"))
    session_id: Mapped[int] = mapped_column(ForeignKey("guidance_sessions.id"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    """open, accepted, declined or expired."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
