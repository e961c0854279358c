"""A follower, a sign-up and notices about it, for the tests of the outbox and of delivery."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import Database
from app.models import (
    Caregiver,
    Child,
    Family,
    FollowUp,
    GuidanceSession,
    InboxEntry,
    Notice,
    SignUp,
    Station,
    Township,
)
from app.models.notice_facts import NoticeFacts, SignUpConfirmed
from app.services import claiming, notices
from app.services.claiming import StoredFacts
from app.services.delivery import ClaimedNotice

_numbers = count(1)


@dataclass(frozen=True)
class Booking:
    """Who signed up for what, by ids."""

    openid: str
    caregiver_id: int
    sign_up_id: int
    station_id: int
    facts: SignUpConfirmed


def claim_due(db: Session, *, now: datetime, worker: str, limit: int) -> list[ClaimedNotice]:
    """What a deliverer does first: due notices are its own, in sending, without a channel yet."""
    due = claiming.lock_due(db, StoredFacts(), now=now, limit=limit)
    claiming.mark(db, [(one, one.repeat_on) for one in due.notices], now=now, worker=worker)
    return list(due.notices)


def book(db: Session, openid: str, now: datetime) -> Booking:
    """A confirmed sign-up of a new family, for a session in six days."""
    number = next(_numbers)
    township = db.execute(select(Township).where(Township.name == "城桥镇")).scalar_one()
    station = Station(
        code=f"CQ{number}",
        name="城桥镇早教指导站",
        kind="guidance_station",
        township_id=township.id,
        address="人民路1号",
        phone="021-5555-0101",
    )
    family = Family(township_id=township.id, station=station, created_at=now)
    caregiver = Caregiver(
        openid=openid, family=family, is_following=True, followed_at=now, created_at=now
    )
    child = Child(
        family=family,
        nickname="糖糖",
        birth_date=(now - timedelta(days=300)).date(),
        created_at=now,
        updated_at=now,
    )
    starts_at = (now + timedelta(days=6)).replace(hour=9, minute=30)
    session = GuidanceSession(
        code=f"CQ-{number}",
        title="亲子阅读分享会",
        kind="亲子阅读分享会",
        level="station",
        station=station,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        places=10,
        places_taken=1,
        min_months=6,
        max_months=12,
        confirm_mode="staff",
        opens_at=now - timedelta(days=1),
        closes_at=starts_at,
        cancel_until=starts_at,
        waiting_list="no",
        created_at=now,
        updated_at=now,
    )
    db.add_all([caregiver, child, session])
    db.flush()
    sign_up = SignUp(
        session=session,
        child_id=child.id,
        family_id=family.id,
        caregiver_id=caregiver.id,
        state="confirmed",
        requested_at=now,
    )
    db.add(sign_up)
    db.flush()
    facts = SignUpConfirmed(
        nickname=child.nickname,
        code=session.code,
        title=session.title,
        starts_at=starts_at,
        place=station.name,
        address=station.address,
        phone=station.phone,
    )
    return Booking(openid, caregiver.id, sign_up.id, station.id, facts)


def put_notice(
    db: Session,
    booking: Booking,
    now: datetime,
    *,
    key: str = "",
    facts: NoticeFacts | None = None,
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> bool:
    """A notice about the booking in the outbox."""
    return notices.queue(
        db,
        caregiver_id=booking.caregiver_id,
        facts=facts or booking.facts,
        subject=f"sign_up:{booking.sign_up_id}",
        dedupe_key=key or f"confirmed:{booking.sign_up_id}",
        now=now,
        due_at=due_at,
        expires_at=expires_at,
    )


def hear(db: Session, openid: str, window: str, at: datetime) -> None:
    """Something that the person did, as the inbox keeps it."""
    key = f"{next(_numbers):064d}"
    db.add(InboxEntry(key=key, openid=openid, kind="text", window=window, received_at=at))
    db.flush()


def set_sign_up(db: Session, booking: Booking, state: str) -> None:
    """Whatever happened to the sign-up meanwhile."""
    db.execute(update(SignUp).where(SignUp.id == booking.sign_up_id).values(state=state))


def outbox(database: Database) -> list[Notice]:
    """All notices, the oldest first."""
    with database.reading() as db:
        return list(db.execute(select(Notice).order_by(Notice.id)).scalars())


def follow_ups(database: Database) -> list[FollowUp]:
    """What people have to look at."""
    with database.reading() as db:
        return list(db.execute(select(FollowUp).order_by(FollowUp.id)).scalars())
