"""Putting guidance sessions into the timetable, and changing them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import StationUnknown
from app.models import Child, GuidanceSession, SignUp, Station
from app.models.notice_facts import SessionChanged
from app.rules.sign_up import ACTIVE, SessionState
from app.services import audit, notices
from app.services.audit import Actor
from app.services.sessions import lock_session


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session as an import or a form gives it; times aware, ages in completed months."""

    code: str
    title: str
    kind: str
    level: str
    station_code: str
    starts_at: datetime
    ends_at: datetime
    places: int
    min_months: int
    max_months: int
    confirm_mode: str
    opens_at: datetime
    closes_at: datetime
    cancel_until: datetime
    waiting_list: str


def put_session(db: Session, row: SessionRow, *, actor: Actor, now: datetime) -> GuidanceSession:
    """The session with this code, made or changed.

    A changed time or place is told to every family that has a place or waits for one,
    once, and raises the calendar SEQUENCE. Raises StationUnknown.
    """
    station = db.execute(
        select(Station).where(Station.code == row.station_code)
    ).scalar_one_or_none()
    if station is None:
        raise StationUnknown(row.station_code)
    code = row.code.upper()
    session = db.execute(
        select(GuidanceSession).where(GuidanceSession.code == code)
    ).scalar_one_or_none()
    if session is None:
        session = GuidanceSession(
            code=code,
            places_taken=0,
            state=SessionState.PUBLISHED,
            calendar_sequence=0,
            created_at=now,
        )
        _fill(session, row, station, now)
        db.add(session)
        db.flush()
        _record(db, session, "publish", actor, now)
        return session
    lock_session(db, session.id)
    db.refresh(session)
    was_at = session.starts_at
    moved = (was_at, session.ends_at, session.station_id) != (
        row.starts_at,
        row.ends_at,
        station.id,
    )
    were_places = session.places
    _fill(session, row, station, now)
    if row.places < were_places:
        # The doctor excuses seats beyond the places by this row alone.
        audit.record(
            db,
            actor=actor,
            action="cut_places",
            subject_type="session",
            subject_id=session.id,
            now=now,
            before=str(were_places),
            after=str(row.places),
        )
    if moved:
        session.calendar_sequence += 1
        _tell_moved(db, session, station, was_at, now)
    _record(db, session, "move" if moved else "change", actor, now)
    return session


def _fill(session: GuidanceSession, row: SessionRow, station: Station, now: datetime) -> None:
    session.title = row.title
    session.kind = row.kind
    session.level = row.level
    session.station_id = station.id
    session.starts_at = row.starts_at
    session.ends_at = row.ends_at
    session.places = row.places
    session.min_months = row.min_months
    session.max_months = row.max_months
    session.confirm_mode = row.confirm_mode
    session.opens_at = row.opens_at
    session.closes_at = row.closes_at
    session.cancel_until = row.cancel_until
    session.waiting_list = row.waiting_list
    session.updated_at = now


def _record(
    db: Session, session: GuidanceSession, action: str, actor: Actor, now: datetime
) -> None:
    audit.record(
        db,
        actor=actor,
        action=action,
        subject_type="session",
        subject_id=session.id,
        now=now,
        after=session.code,
    )


def _tell_moved(
    db: Session, session: GuidanceSession, station: Station, was_at: datetime, now: datetime
) -> None:
    rows = db.execute(
        select(SignUp, Child)
        .join(Child, Child.id == SignUp.child_id)
        .where(SignUp.session_id == session.id, SignUp.state.in_(ACTIVE))
        .order_by(SignUp.id)
    )
    for sign_up, child in rows:
        facts = SessionChanged(
            nickname=child.nickname,
            code=session.code,
            title=session.title,
            starts_at=session.starts_at,
            place=station.name,
            address=station.address,
            phone=station.phone,
            was_at=was_at,
        )
        notices.queue(
            db,
            caregiver_id=sign_up.caregiver_id,
            facts=facts,
            subject=f"sign_up:{sign_up.id}",
            dedupe_key=f"{facts.kind}:{sign_up.id}:{session.calendar_sequence}",
            now=now,
            expires_at=session.ends_at,
        )
