"""Where a caregiver is logged in: begun, listed, and ended one by one.

Whatever a token or cookie says, the row has the last word, each time it is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from app.errors import LogInUnknown
from app.models import Caregiver, CaregiverLogIn
from app.rules.identity import Device
from app.services import audit
from app.services.audit import Actor

WAYS = ("app", "pages")
APP_LASTS = timedelta(days=7)
PAGES_LAST = timedelta(days=30)
"""A phone has one owner, and WeChat says anew who it is when this has run out."""
MOST = 20
"""Of one caregiver at once: an app that logs in at each start leaves no endless list."""
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """One device, as its owner, staff and operators see it."""

    id: int
    caregiver_id: int
    relation: str | None
    way: str
    device: Device
    logged_in_at: datetime
    expires_at: datetime


def begin(
    db: Session, caregiver: Caregiver, *, way: str, device: Device, now: datetime
) -> CaregiverLogIn:
    """A new device is logged in. Beyond MOST the oldest of the caregiver's ends."""
    made = CaregiverLogIn(
        caregiver_id=caregiver.id,
        way=way,
        device=device,
        logged_in_at=now,
        expires_at=now + (APP_LASTS if way == "app" else PAGES_LAST),
    )
    db.add(made)
    db.flush()
    newest = (
        select(CaregiverLogIn.id)
        .where(CaregiverLogIn.caregiver_id == caregiver.id, _is_live(now))
        .order_by(CaregiverLogIn.id.desc())
        .offset(MOST)
        .limit(MOST)
    )
    _end(db, CaregiverLogIn.id.in_(newest), now)
    return made


def find_caregiver(
    db: Session, log_in_id: int, caregiver_id: int, now: datetime
) -> Caregiver | None:
    """Who is logged in by this row, where it has not ended. One query."""
    return db.execute(
        select(Caregiver)
        .join(CaregiverLogIn, CaregiverLogIn.caregiver_id == Caregiver.id)
        .where(CaregiverLogIn.id == log_in_id, Caregiver.id == caregiver_id, _is_live(now))
    ).scalar_one_or_none()


def of_caregivers(db: Session, whose: ColumnElement[bool], now: datetime) -> Sequence[LoggedIn]:
    """The devices of the caregivers that a condition on Caregiver names, the latest first."""
    rows = db.execute(
        select(CaregiverLogIn, Caregiver.relation)
        .join(Caregiver, Caregiver.id == CaregiverLogIn.caregiver_id)
        .where(whose, _is_live(now))
        .order_by(CaregiverLogIn.logged_in_at.desc(), CaregiverLogIn.id.desc())
    )
    return [
        LoggedIn(
            id=row.id,
            caregiver_id=row.caregiver_id,
            relation=relation,
            way=row.way,
            device=Device(row.device),
            logged_in_at=row.logged_in_at,
            expires_at=row.expires_at,
        )
        for row, relation in rows
    ]


def end(
    db: Session, log_in_id: int, *, whose: ColumnElement[bool], actor: Actor, now: datetime
) -> int:
    """End one device's log-in, of the caregivers that a condition on Caregiver names; whose.

    Raises LogInUnknown where it is somebody else's, has ended, or never was.
    """
    found = db.execute(
        select(CaregiverLogIn)
        .join(Caregiver, Caregiver.id == CaregiverLogIn.caregiver_id)
        .where(CaregiverLogIn.id == log_in_id, whose, _is_live(now))
        .with_for_update(of=CaregiverLogIn)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is None:
        raise LogInUnknown(log_in_id)
    found.ended_at = now
    audit.record(
        db,
        actor=actor,
        action="end_log_in",
        subject_type="caregiver",
        subject_id=found.caregiver_id,
        after=f"{found.way} {found.device}",
        now=now,
    )
    db.flush()
    return found.caregiver_id


def end_all(db: Session, caregiver_id: int, now: datetime, *, ways: Sequence[str] = WAYS) -> None:
    """The caregiver has left, or was erased: no device is logged in any more by these ways."""
    theirs = and_(CaregiverLogIn.caregiver_id == caregiver_id, CaregiverLogIn.way.in_(ways))
    _end(db, and_(theirs, _is_live(now)), now)


def forget(db: Session, now: datetime) -> int:
    """Delete a batch of those that ran out: nothing that bears their number works any more.

    What was ended before its time stays until then, lest its number be given to another.
    """
    over = select(CaregiverLogIn.id).where(CaregiverLogIn.expires_at <= now).limit(BATCH)
    gone = db.execute(
        delete(CaregiverLogIn)
        .where(CaregiverLogIn.id.in_(over))
        .returning(CaregiverLogIn.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def of_nobody(db: Session, now: datetime) -> list[str]:
    """Log-ins that would still open something, of caregivers whom nobody can be any more."""
    ids = db.scalars(
        select(CaregiverLogIn.id)
        .join(Caregiver, Caregiver.id == CaregiverLogIn.caregiver_id)
        .where(
            _is_live(now),
            or_(
                and_(CaregiverLogIn.way == "app", Caregiver.mini_openid.is_(None)),
                and_(CaregiverLogIn.way == "pages", Caregiver.openid.is_(None)),
            ),
        )
        .order_by(CaregiverLogIn.id)
    )
    return [f"log_in:{each}" for each in ids]


def _is_live(now: datetime) -> ColumnElement[bool]:
    return and_(CaregiverLogIn.ended_at.is_(None), CaregiverLogIn.expires_at > now)


def _end(db: Session, which: ColumnElement[bool], now: datetime) -> None:
    db.execute(
        update(CaregiverLogIn)
        .where(which)
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
