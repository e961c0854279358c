"""What the machine of sessions plays on: families, staff, and pictures of all that is stored."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import (
    AuditEntry,
    Caregiver,
    Child,
    Family,
    GuidanceSession,
    SignUp,
    Staff,
    Station,
    Township,
)
from app.rules.sign_up import SEATED, SignUpState

FAMILIES = 7
TWINS = 2
"""The first families have two children each."""
START = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)

S = SignUpState


@dataclass(frozen=True)
class Row:
    """One sign-up as it is stored."""

    id: int
    family_id: int
    child_id: int
    state: SignUpState
    since: datetime
    expires_at: datetime | None
    holds: bool
    """A seat of this one is one of the session's places."""


@dataclass(frozen=True)
class Picture:
    """All that a step may change."""

    places: int
    taken: int
    rows: tuple[Row, ...]
    audit: int
    """The last audit row's number."""

    @property
    def held(self) -> int:
        return sum(row.state in SEATED and row.holds for row in self.rows)

    @property
    def waiting(self) -> list[Row]:
        return [row for row in self.rows if row.state is S.WAITLISTED]


def take_picture(db: Session, code: str) -> Picture:
    """A session's sign-ups and counter as they are stored now."""
    session = db.execute(select(GuidanceSession).where(GuidanceSession.code == code)).scalar_one()
    found = db.scalars(select(SignUp).where(SignUp.session_id == session.id).order_by(SignUp.id))
    rows = tuple(
        Row(
            id=each.id,
            family_id=each.family_id,
            child_id=each.child_id,
            state=S(each.state),
            since=each.waitlisted_at or each.requested_at,
            expires_at=each.offer_expires_at,
            holds=not each.is_walk_in and not each.is_override,
        )
        for each in found
    )
    audit = db.execute(select(func.coalesce(func.max(AuditEntry.id), 0))).scalar_one()
    return Picture(session.places, session.places_taken, rows, audit)


def forget_the_disk(connection: DBAPIConnection, _entry: object) -> None:
    """Thousands of small commits: none of them has to outlive a power cut."""
    connection.cursor().execute("PRAGMA synchronous=OFF")


def settle(db: Session) -> tuple[list[int], int, dict[int, int]]:
    """Families with different counts of attended sessions; a district administrator."""
    township = db.execute(select(Township).limit(1)).scalar_one()
    station = Station(
        code="CQ",
        name="城桥早教指导站",
        kind="guidance_station",
        township_id=township.id,
        address="南门路1号",
        phone="021-55550101",
    )
    staff = Staff(
        username="district",
        password_hash="",
        role="district",
        is_active=True,
        created_at=START,
    )
    db.add_all([station, staff])
    db.flush()
    caregivers: list[int] = []
    attended: dict[int, int] = {}
    for number in range(FAMILIES):
        family = Family(township=township, station=station, created_at=START)
        caregiver = Caregiver(
            openid=f"o-{number}",
            family=family,
            is_following=True,
            pushes="on",
            created_at=START,
        )
        children = [
            Child(
                family=family,
                nickname=f"宝宝{each}",
                birth_date=date(2026, 1, 1),
                created_at=START,
                updated_at=START,
            )
            for each in range(2 if number < TWINS else 1)
        ]
        db.add_all([family, caregiver, *children])
        db.flush()
        caregivers.append(caregiver.id)
        attended[family.id] = number % 3
        for earlier in range(number % 3):
            past = old_session(db, station, earlier)
            db.add(
                SignUp(
                    session_id=past.id,
                    child_id=children[0].id,
                    family_id=family.id,
                    caregiver_id=caregiver.id,
                    state=S.ATTENDED,
                    is_walk_in=True,
                    requested_at=START,
                    decided_at=START,
                )
            )
    return caregivers, staff.id, attended


def old_session(db: Session, station: Station, number: int) -> GuidanceSession:
    code = f"OLD-{number}"
    found = db.execute(
        select(GuidanceSession).where(GuidanceSession.code == code)
    ).scalar_one_or_none()
    if found is not None:
        return found
    starts = START - timedelta(days=30 + number)
    session = GuidanceSession(
        code=code,
        title="亲子抚触",
        kind="站点指导活动",
        level="station",
        station=station,
        starts_at=starts,
        ends_at=starts + timedelta(hours=1),
        places=10,
        places_taken=0,
        min_months=0,
        max_months=36,
        confirm_mode="auto",
        opens_at=starts,
        closes_at=starts,
        cancel_until=starts,
        waiting_list="no",
        state="held",
        calendar_sequence=0,
        created_at=START,
        updated_at=START,
    )
    db.add(session)
    db.flush()
    return session
