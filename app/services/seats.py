"""A session's seats: its row's lock, its counter, and the one way in which a sign-up changes.

Every writer of a session's sign-ups locks the session first; the counter moves with the state.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.clock import SHANGHAI
from app.errors import SessionFull, SessionUnknown
from app.models import Family, GuidanceSession, SignUp, Station
from app.prepared import Loader, Prepared, Row
from app.rows import Change
from app.rules.sign_up import (
    ACTIVE,
    SEATED,
    SessionState,
    SessionTerms,
    SignUpState,
    check_transition,
)
from app.services import audit
from app.services.audit import Actor


def terms_of(session: GuidanceSession) -> SessionTerms:
    """The facts of a session that its rules decide on."""
    return SessionTerms(
        code=session.code,
        state=SessionState(session.state),
        starts_at=session.starts_at,
        opens_at=session.opens_at,
        closes_at=session.closes_at,
        cancel_until=session.cancel_until,
        min_months=session.min_months,
        max_months=session.max_months,
    )


def held_on(session: GuidanceSession) -> date:
    """The Shanghai calendar day of a session."""
    return session.starts_at.astimezone(SHANGHAI).date()


_SESSIONS, _STATIONS = Loader(GuidanceSession), Loader(Station)
SESSION_COLUMNS = [*_SESSIONS.columns, *_STATIONS.columns]
"""What put_session needs of a row."""
_GET_SESSION = Prepared(
    select(*SESSION_COLUMNS)
    .select_from(GuidanceSession)
    .join(GuidanceSession.station)
    .where(GuidanceSession.code == bindparam("code"))
)


def get_session(db: Session, code: str, *, fresh: bool = False) -> GuidanceSession:
    """The session with its station, by code in any case. Raises SessionUnknown.

    `fresh` reads again what this transaction has read before: for after the lock.
    """
    db.flush()
    row = _GET_SESSION.first(db, code=code.upper())
    if row is None:
        raise SessionUnknown(code)
    return put_session(db, row, is_fresh=fresh)


def put_session(db: Session, row: Row, *, is_fresh: bool = False) -> GuidanceSession:
    """The session of a row of its columns and its station's.

    One that the session of the database knows stays as it is, or where these are fresh takes them.
    """
    station_at = len(_SESSIONS)
    station = _STATIONS.put(db, row[station_at:], is_fresh=is_fresh)
    session: GuidanceSession = _SESSIONS.put(
        db, row[:station_at], is_fresh=is_fresh, station=station
    )
    if is_fresh and session.station is not station:
        set_committed_value(session, "station", station)
    return session


def lock_session(db: Session, session_id: int) -> None:
    """Hold the session's row until the commit: every writer of its sign-ups comes here first."""
    db.flush()
    _LOCK.all(db, session_id=session_id)


# Made for each dialect, and so nothing that only reads: a turn's transaction begins with it.
_LOCK = Prepared(
    lambda _dialect: (
        select(GuidanceSession.id)
        .where(GuidanceSession.id == bindparam("session_id"))
        .with_for_update(key_share=True)
    )
)


def is_in_state(states: Iterable[SignUpState]) -> ColumnElement[bool]:
    """Whether a sign-up is in one of these states, for statements that are built once.

    Literals: they say the same to the database whatever the plan it keeps.
    """
    wanted: list[ColumnElement[str]] = [literal_column(f"'{state}'") for state in sorted(states)]
    return SignUp.state.in_(wanted)


def _queues(*states: SignUpState) -> ColumnElement[bool]:
    return exists(
        select(SignUp.id)
        .where(SignUp.session_id == GuidanceSession.id, is_in_state(states))
        .correlate(GuidanceSession)
    )


_TAKE_ONLY = (
    update(GuidanceSession)
    .where(
        GuidanceSession.id == bindparam("session_id"),
        GuidanceSession.places_taken + bindparam("wanted") <= GuidanceSession.places,
        GuidanceSession.state == literal_column("'published'"),
    )
    .values(places_taken=GuidanceSession.places_taken + bindparam("wanted"))
)
_TAKE = Prepared(_TAKE_ONLY)
_TAKE_UNASKED = Prepared(
    _TAKE_ONLY.where(
        GuidanceSession.updated_at == bindparam("read_at"),
        ~_queues(SignUpState.WAITLISTED, SignUpState.OFFERED),
    )
)


def take_at_once(db: Session, session: GuidanceSession, wanted: int) -> bool:
    """Lock the session and count `wanted` seats, in one statement: the database decides.

    False, and nothing taken, where so many are not free, where anybody waits or has an offer,
    or where the session has been changed since it was read: then it has to be looked at.
    """
    taken = _TAKE_UNASKED.run(db, session_id=session.id, wanted=wanted, read_at=session.updated_at)
    return taken == 1


def take_seats(db: Session, session: GuidanceSession, wanted: int) -> None:
    """Count `wanted` seats more. The caller holds the session's row. Raises SessionFull."""
    if _TAKE.run(db, session_id=session.id, wanted=wanted) == 0:
        raise SessionFull(session.code, session.places, wanted=wanted)


def release_place(db: Session, session_id: int) -> None:
    """Count one seat less. The caller holds the session's row."""
    db.flush()
    _RELEASE.run(db, session_id=session_id)


_RELEASE = Prepared(
    update(GuidanceSession)
    .where(GuidanceSession.id == bindparam("session_id"))
    .values(places_taken=GuidanceSession.places_taken - literal_column("1"))
)


@dataclass(frozen=True, slots=True)
class Look:
    """How a session stands for somebody who asks for seats."""

    free: int
    """Places less seats held; below zero where places were cut."""
    waiting: int
    last_at: datetime | None
    """Since when the last in line waits."""
    run_out: int
    """Offers whose time is over and whose seats are still counted."""
    active: int
    """How many children of the family have a sign-up here already."""
    is_changed: bool
    """Whether the session is another than was read before."""


def _of_session(what: ColumnElement[Any], *wanted: ColumnElement[bool]) -> ScalarSelect[Any]:
    return (
        select(what)
        .where(SignUp.session_id == GuidanceSession.id, *wanted)
        .correlate(GuidanceSession)
        .scalar_subquery()
    )


_WAITS = SignUp.state == literal_column("'waitlisted'")
_COUNT = func.count(SignUp.id)
LOOK_AT = (
    GuidanceSession.places - GuidanceSession.places_taken,
    _of_session(_COUNT, _WAITS),
    _of_session(func.max(SignUp.waitlisted_at, type_=SignUp.waitlisted_at.type), _WAITS),
    _of_session(
        _COUNT,
        SignUp.state == literal_column("'offered'"),
        SignUp.offer_expires_at <= bindparam("now", type_=SignUp.offer_expires_at.type),
    ),
    GuidanceSession.updated_at,
    GuidanceSession.state,
)
"""A Look but for the family, of a statement that reads the session."""
LOOK_AT_FAMILY = _of_session(
    _COUNT, SignUp.family_id == bindparam("family_id"), is_in_state(ACTIVE)
)
_LOOK = Prepared(
    select(*LOOK_AT, LOOK_AT_FAMILY).where(GuidanceSession.id == bindparam("session_id"))
)


def seen_of(session: GuidanceSession, row: Sequence[Any]) -> Look:
    """The look at a session in a row of LOOK_AT and LOOK_AT_FAMILY."""
    free, waiting, last_at, run_out, updated_at, state, active = row
    is_changed = (updated_at, state) != (session.updated_at, session.state)
    return Look(free, waiting, last_at, run_out, active, is_changed)


def look(db: Session, session: GuidanceSession, family: Family, now: datetime) -> Look:
    """How the session stands now, in one statement: certain only for who holds its row."""
    db.flush()
    seen = _LOOK.first(db, session_id=session.id, now=now, family_id=family.id)
    assert seen is not None, "sessions are cancelled, never deleted"
    return seen_of(session, seen)


def free_seats(db: Session, session_id: int) -> int:
    """Places less seats held, as stored now; below zero where places were cut."""
    # Columns, not the row: the counter moves behind what the transaction has read.
    db.flush()
    found = _FREE.first(db, session_id=session_id)
    assert found is not None, "sessions are cancelled, never deleted"
    free: int = found[0]
    return free


_FREE = Prepared(
    select(GuidanceSession.places - GuidanceSession.places_taken).where(
        GuidanceSession.id == bindparam("session_id")
    )
)


def holds_place(sign_up: SignUp) -> bool:
    """Whether a seat of this sign-up is one of the session's places."""
    return not sign_up.is_walk_in and not sign_up.is_override


_DECIDE = Change(SignUp, "state", "decided_at", "decided_by")


def change_state(
    db: Session,
    sign_up: SignUp,
    to: SignUpState,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    *,
    is_override: bool = False,
) -> None:
    """One step of the state machine with its seat and its audit row; the session is locked.

    Whoever frees a seat calls waiting_list.promote afterwards. Raises TransitionNotAllowed.
    """
    was = SignUpState(sign_up.state)
    check_transition(was, to, is_override=is_override)
    if is_override:
        sign_up.is_override = True
    if holds_place(sign_up) and was in SEATED and to not in SEATED:
        release_place(db, sign_up.session_id)
    elif holds_place(sign_up) and was not in SEATED and to in SEATED:
        take_seats(db, sign_up.session, 1)
    _DECIDE.put(
        db,
        sign_up,
        state=to,
        decided_at=now,
        decided_by=actor.id if actor.type == "staff" else None,
    )
    if reason is not None:
        sign_up.reason = reason
    audit.record(
        db,
        actor=actor,
        action="override" if is_override else to,
        subject_type="sign_up",
        subject_id=sign_up.id,
        now=now,
        before=was,
        after=to,
        reason=reason,
    )
