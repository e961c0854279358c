"""Putting guidance sessions into the timetable, changing, cancelling and closing them.

Whoever has a place or waits for one is told of a move or a cancellation once, in one message;
what was queued and is no longer true is skipped. Who is touched can be asked for beforehand:
app/services/impact.py.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.errors import ReasonMissing, SessionCodeTaken, StationUnknown
from app.models import Child, GuidanceSession, SignUp, Station
from app.prepared import Loader, Prepared
from app.rules.session_life import (
    Timing,
    check_can_cancel_session,
    check_can_edit,
    check_can_hold,
    check_can_move,
    check_step,
    loses_eligibility,
)
from app.rules.sign_up import SessionState, SessionTerms, SignUpState
from app.rules.waiting_list import CUT_OFF
from app.services import audit, plan_keeping, waiting_list
from app.services.audit import Actor
from app.services.seats import change_state, get_session, held_on, lock_session, terms_of
from app.services.session_news import (
    AGE,
    Announced,
    announced,
    by_caregiver,
    renew_notices,
    tell_aged_out,
    tell_cancelled,
    tell_moved,
    void_notices,
)

CONCERNED = (
    SignUpState.REQUESTED,
    SignUpState.CONFIRMED,
    SignUpState.WAITLISTED,
    SignUpState.OFFERED,
)
"""Whom a move or a cancellation is told to: those who still mean to come."""
ATTENDANCE = (SignUpState.ATTENDED, SignUpState.NO_SHOW)


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


@dataclass(frozen=True, slots=True)
class SessionExtras:
    """What the console's form knows of a session and an import file does not."""

    topic: str | None = None
    township_first_until: datetime | None = None
    offer_hours: int = 6


def row_of(session: GuidanceSession) -> SessionRow:
    """The session as a row that would leave it as it is."""
    return SessionRow(
        code=session.code,
        title=session.title,
        kind=session.kind,
        level=session.level,
        station_code=session.station.code,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        places=session.places,
        min_months=session.min_months,
        max_months=session.max_months,
        confirm_mode=session.confirm_mode,
        opens_at=session.opens_at,
        closes_at=session.closes_at,
        cancel_until=session.cancel_until,
        waiting_list=session.waiting_list,
    )


def timing_of(row: SessionRow) -> Timing:
    """The row's moments alone."""
    return Timing(
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        cancel_until=row.cancel_until,
    )


def put_session(
    db: Session,
    row: SessionRow,
    *,
    actor: Actor,
    now: datetime,
    extras: SessionExtras | None = None,
    keeps_aged_out: bool = False,
) -> GuidanceSession:
    """The session with this code, made or changed; without extras those stay as they are.

    A changed time or place is told to every family that has a place or waits for one, once,
    and raises the calendar SEQUENCE. Children whose age fitted and fits no more lose their
    place and are told why, unless `keeps_aged_out`. Raises StationUnknown, and
    SessionStepNotAllowed for a session that was cancelled or is over.
    """
    session = find_session(db, row.code)
    if session is None:
        return create_session(db, row, actor=actor, now=now, extras=extras)
    return change_session(
        db, session, row, actor=actor, now=now, extras=extras, keeps_aged_out=keeps_aged_out
    )


_STATIONS = Loader(Station)
_GET_STATION = Prepared(select(*_STATIONS.columns).where(Station.code == bindparam("code")))
_IS_THERE = Prepared(select(GuidanceSession.id).where(GuidanceSession.code == bindparam("code")))


def find_session(db: Session, code: str) -> GuidanceSession | None:
    """The session with this code, in any case."""
    db.flush()
    if _IS_THERE.first(db, code=code.upper()) is None:
        return None
    return db.execute(
        select(GuidanceSession).where(GuidanceSession.code == code.upper())
    ).scalar_one_or_none()


def create_session(
    db: Session,
    row: SessionRow,
    *,
    actor: Actor,
    now: datetime,
    extras: SessionExtras | None = None,
    state: SessionState = SessionState.PUBLISHED,
    series_id: int | None = None,
) -> GuidanceSession:
    """A new session, a draft where asked. Raises StationUnknown, SessionCodeTaken."""
    session = GuidanceSession(
        code=row.code.upper(),
        places_taken=0,
        state=state,
        series_id=series_id,
        calendar_sequence=0,
        created_at=now,
    )
    _fill(session, row, _get_station(db, row.station_code), now)
    _fill_extras(session, extras or SessionExtras())
    # The unique key answers "taken", also when two colleagues choose the same code at once.
    try:
        with db.begin_nested():
            db.add(session)
            db.flush()
    except IntegrityError:
        raise SessionCodeTaken(row.code.upper()) from None
    _record(db, session, "publish" if state is SessionState.PUBLISHED else "draft", actor, now)
    return session


def change_session(
    db: Session,
    session: GuidanceSession,
    row: SessionRow,
    *,
    actor: Actor,
    now: datetime,
    extras: SessionExtras | None = None,
    keeps_aged_out: bool = False,
) -> GuidanceSession:
    """The session as the row says; what follows, and is raised, as with put_session."""
    station = _get_station(db, row.station_code)
    lock_session(db, session.id)
    session = get_session(db, session.code, fresh=True)
    check_can_edit(session.code, SessionState(session.state))
    was, was_on, believed = terms_of(session), held_on(session), announced(session)
    were_places = session.places
    moved = is_moved(session, row)
    if moved:
        _check_can_move(db, session, row, now)
    _fill(session, row, station, now)
    if extras is not None:
        _fill_extras(session, extras)
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
    known: dict[int, Announced] = {}
    if moved:
        session.calendar_sequence += 1
        known = void_notices(db, session.id, believed)
    _record(db, session, "move" if moved else "change", actor, now)
    db.flush()
    # An offer that has run out is none, whether or not the job has been there.
    waiting_list.settle_expired(db, session, now)
    is_news = moved and now < session.ends_at
    new, new_on = terms_of(session), held_on(session)
    to_tell: list[tuple[SignUp, Child]] = []
    for sign_up, child in find_concerned(db, session.id):
        told_of = known.get(sign_up.id, believed)
        if not keeps_aged_out and loses_eligibility(child.birth_date, was, was_on, new, new_on):
            change_state(db, sign_up, SignUpState.CANCELLED, actor, now, reason=AGE)
            tell_aged_out(db, sign_up, child, was_at=told_of.at, now=now)
        elif is_news:
            if sign_up.offer_expires_at is not None:
                # An offer never stands past the cut-off, also of a session that is now earlier.
                last = session.starts_at - CUT_OFF
                sign_up.offer_expires_at = min(sign_up.offer_expires_at, last)
            to_tell.append((sign_up, child))
    news = {sign_up.id: known.get(sign_up.id, believed) for sign_up, _ in to_tell}
    if moved:
        offered = renew_notices(db, session, [each for each, _ in to_tell], news)
        to_tell = [(each, child) for each, child in to_tell if each.id not in offered]
    waited = {each.id for each, _ in to_tell if each.state == SignUpState.WAITLISTED}
    # Who is offered a seat by the same step hears of both in the offer.
    moved_from = {sign_up_id: one.at for sign_up_id, one in news.items()}
    waiting_list.promote(db, session, now, moved_from=moved_from)
    still = [
        (each, child)
        for each, child in to_tell
        if each.state in CONCERNED
        # Moved back before anybody heard of it: there is nothing to tell.
        and news[each.id] != announced(session)
        and (each.id not in waited or each.state == SignUpState.WAITLISTED)
    ]
    tell_moved(db, still, news, now)
    return session


def publish(db: Session, code: str, *, actor: Actor, now: datetime) -> GuidanceSession:
    """A draft that families can see from now on. Raises SessionUnknown, SessionStepNotAllowed."""
    session = _lock(db, code)
    check_step(session.code, SessionState(session.state), SessionState.PUBLISHED)
    session.state, session.updated_at = SessionState.PUBLISHED, now
    _record(db, session, "publish", actor, now)
    return session


def cancel_session(
    db: Session, code: str, *, reason: str, actor: Actor, now: datetime
) -> GuidanceSession:
    """Nobody comes: every sign-up ends, each family is told once and why, nobody moves up.

    Raises SessionUnknown, ReasonMissing, SessionStepNotAllowed, and AttendanceTaken where
    children were checked in or marked as missing.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing()
    session = _lock(db, code)
    check_can_cancel_session(
        session.code, SessionState(session.state), count_attendance(db, session.id)
    )
    session.state, session.cancelled_reason = SessionState.CANCELLED, reason
    session.calendar_sequence += 1
    session.updated_at = now
    _record(db, session, "cancel_session", actor, now, reason=reason)
    void_notices(db, session.id, announced(session))
    concerned = find_concerned(db, session.id)
    for sign_up, _ in concerned:
        change_state(db, sign_up, SignUpState.CANCELLED, actor, now, reason=reason)
    for siblings in by_caregiver(concerned):
        tell_cancelled(db, siblings, reason, now)
    db.flush()
    plan_keeping.replace_lost(db, {sign_up.family_id for sign_up, _ in concerned}, now)
    return session


def mark_held(db: Session, code: str, *, actor: Actor, now: datetime) -> GuidanceSession:
    """The session took place. Raises SessionUnknown, SessionStepNotAllowed before its end."""
    session = _lock(db, code)
    check_can_hold(session.code, SessionState(session.state), session.ends_at, now)
    session.state, session.updated_at = SessionState.HELD, now
    _record(db, session, "hold", actor, now)
    return session


def is_moved(session: GuidanceSession, row: SessionRow) -> bool:
    """Whether the row has another time or place than the session, which families must know."""
    was = (session.starts_at, session.ends_at, session.station.code)
    return was != (row.starts_at, row.ends_at, row.station_code)


def terms_of_row(row: SessionRow, state: SessionState) -> SessionTerms:
    """The terms that a session would have by this row."""
    return SessionTerms(
        code=row.code,
        state=state,
        starts_at=row.starts_at,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        cancel_until=row.cancel_until,
        min_months=row.min_months,
        max_months=row.max_months,
    )


def count_attendance(db: Session, session_id: int) -> int:
    """How many children were checked in, or marked as missing."""
    return db.execute(
        select(func.count(SignUp.id)).where(
            SignUp.session_id == session_id, SignUp.state.in_(ATTENDANCE)
        )
    ).scalar_one()


def _check_can_move(db: Session, session: GuidanceSession, row: SessionRow, now: datetime) -> None:
    """Raises AttendanceTaken."""
    today = now.astimezone(SHANGHAI).date()
    check_can_move(
        session.code,
        was_over=session.ends_at <= now,
        to_later_day=row.starts_at.astimezone(SHANGHAI).date() > today,
        to_come=row.ends_at > now,
        attendance=count_attendance(db, session.id),
    )


def _get_station(db: Session, code: str) -> Station:
    db.flush()
    row = _GET_STATION.first(db, code=code)
    if row is None:
        raise StationUnknown(code)
    station: Station = _STATIONS.put(db, row)
    return station


def _lock(db: Session, code: str) -> GuidanceSession:
    """The session as it is now, held until the commit."""
    lock_session(db, get_session(db, code).id)
    return get_session(db, code, fresh=True)


def _fill(session: GuidanceSession, row: SessionRow, station: Station, now: datetime) -> None:
    session.title = row.title
    session.kind = row.kind
    session.level = row.level
    session.station = station
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


def _fill_extras(session: GuidanceSession, extras: SessionExtras) -> None:
    session.topic = extras.topic
    session.township_first_until = extras.township_first_until
    session.offer_hours = extras.offer_hours


def _record(
    db: Session,
    session: GuidanceSession,
    action: str,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> None:
    audit.record(
        db,
        actor=actor,
        action=action,
        subject_type="session",
        subject_id=session.id,
        now=now,
        after=session.code,
        reason=reason,
    )


def find_concerned(db: Session, session_id: int) -> list[tuple[SignUp, Child]]:
    """Those who still mean to come, as they are now; the session is locked."""
    rows = db.execute(
        select(SignUp, Child)
        .join(Child, Child.id == SignUp.child_id)
        .where(SignUp.session_id == session_id, SignUp.state.in_(CONCERNED))
        .order_by(SignUp.id)
        .execution_options(populate_existing=True)
    )
    return [(sign_up, child) for sign_up, child in rows]
