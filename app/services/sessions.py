"""Guidance sessions from the family's side: what is open, signing up, cancelling."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import bindparam, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, contains_eager
from sqlalchemy.sql.dml import ReturningInsert

from app.clock import SHANGHAI
from app.errors import (
    AlreadySignedUp,
    NotRegistered,
    SessionFull,
    SessionUnknown,
    SignUpUnknown,
)
from app.models import Caregiver, Child, Entitlement, Family, GuidanceSession, SignUp, Station
from app.rules.sign_up import (
    ACTIVE,
    SEATED,
    SessionState,
    SessionTerms,
    SignUpState,
    check_age,
    check_can_cancel,
    check_is_open,
    check_transition,
    fits_age,
)
from app.services import audit
from app.services.audit import Actor

DEFAULT_SESSIONS_A_YEAR = 6
DEFAULT_HOME_VISITS_A_YEAR = 1
"""The district's promise: at least 6 sessions and 1 visit a year for each family in need
(崇明区托育服务三年行动计划 2021—2023, 二(二)4)."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One session as a family sees it in a list."""

    code: str
    title: str
    starts_at: datetime
    ends_at: datetime
    station: str
    township: str
    address: str
    places_left: int
    min_months: int
    max_months: int
    opens_at: datetime
    fits: tuple[str, ...]
    """Nicknames of the family's children whose age fits on the day."""
    signed_up: tuple[str, ...]
    """Nicknames that have an active sign-up already."""


@dataclass(frozen=True, slots=True)
class YearCount:
    year: int
    attended: int
    arranged: int
    target: int


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


_GET_SESSION = (
    select(GuidanceSession)
    .join(GuidanceSession.station)
    .options(contains_eager(GuidanceSession.station))
    .where(GuidanceSession.code == bindparam("code"))
)


def get_session(db: Session, code: str) -> GuidanceSession:
    """The session with its station, by code in any case. Raises SessionUnknown."""
    session = db.execute(_GET_SESSION, {"code": code.upper()}).scalar_one_or_none()
    if session is None:
        raise SessionUnknown(code)
    return session


def find_open(
    db: Session, family: Family | None, now: datetime, limit: int = 60
) -> list[OpenSession]:
    """Sessions still to come and not closed, own township first, then by time.

    For a family: those that fit at least one child's age on the day. Without one: all.
    """
    sessions = db.execute(
        select(GuidanceSession)
        .join(GuidanceSession.station)
        .options(contains_eager(GuidanceSession.station).joinedload(Station.township))
        .where(
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.starts_at > now,
            GuidanceSession.closes_at > now,
        )
        .order_by(GuidanceSession.starts_at, GuidanceSession.code)
        .limit(500 if family else limit)
    ).scalars()
    children = family.children if family else []
    fitting = [
        (session, tuple(c for c in children if fits_age(terms_of(session), c.birth_date, day)))
        for session in sessions
        for day in (held_on(session),)
    ]
    if family:
        fitting = [(session, fits) for session, fits in fitting if fits]
        fitting.sort(key=lambda pair: pair[0].station.township_id != family.township_id)
    fitting = fitting[:limit]
    taken = _active_children(db, family, [session.id for session, _ in fitting])
    return [
        OpenSession(
            code=session.code,
            title=session.title,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            station=session.station.name,
            township=session.station.township.name,
            address=session.station.address,
            places_left=max(0, session.places - session.places_taken),
            min_months=session.min_months,
            max_months=session.max_months,
            opens_at=session.opens_at,
            fits=tuple(child.nickname for child in fits),
            signed_up=tuple(c.nickname for c in children if (session.id, c.id) in taken),
        )
        for session, fits in fitting
    ]


def _active_children(
    db: Session, family: Family | None, session_ids: list[int]
) -> frozenset[tuple[int, int]]:
    if family is None or not session_ids:
        return frozenset()
    rows = db.execute(
        select(SignUp.session_id, SignUp.child_id).where(
            SignUp.family_id == family.id,
            SignUp.session_id.in_(session_ids),
            SignUp.state.in_(ACTIVE),
        )
    )
    return frozenset((session_id, child_id) for session_id, child_id in rows)


def sign_up(db: Session, *, caregiver: Caregiver, child: Child, code: str, now: datetime) -> SignUp:
    """A place for one child with one adult: confirmed, or requested where staff decide.

    Raises SessionUnknown, SessionCancelled, SignUpNotOpenYet, SignUpClosed,
    AgeOutsideSession, AlreadySignedUp, SessionFull; the caller's transaction then
    rolls back, which is what takes the inserted row away again.
    """
    if caregiver.family_id is None or child.family_id != caregiver.family_id:
        raise NotRegistered()
    session = get_session(db, code)
    terms = terms_of(session)
    check_is_open(terms, now)
    check_age(terms, child.nickname, child.birth_date, held_on(session))
    auto = session.confirm_mode == "auto"
    state = SignUpState.CONFIRMED if auto else SignUpState.REQUESTED
    sign_up_id = _insert(
        db,
        session_id=session.id,
        child_id=child.id,
        family_id=child.family_id,
        caregiver_id=caregiver.id,
        state=state,
        is_walk_in=False,
        requested_at=now,
        decided_at=now if auto else None,
    )
    if sign_up_id is None:
        raise AlreadySignedUp(session.code, child.nickname, _active_state(db, session, child))
    _take_place(db, session)
    audit.record(
        db,
        actor=Actor("caregiver", caregiver.id),
        action="sign_up",
        subject_type="sign_up",
        subject_id=sign_up_id,
        now=now,
        after=state,
    )
    signed_up = db.get(SignUp, sign_up_id)
    assert signed_up is not None, "inserted above"
    return signed_up


def _insert_sign_up(dialect: str) -> ReturningInsert[int]:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert
    statement: ReturningInsert[int] = insert(SignUp).on_conflict_do_nothing().returning(SignUp.id)
    return statement


_INSERT = {dialect: _insert_sign_up(dialect) for dialect in ("postgresql", "sqlite")}


def _insert(db: Session, **values: object) -> int | None:
    """The new row's id, or None where the child has an active sign-up already."""
    statement = _INSERT[db.get_bind().dialect.name]
    return db.execute(statement, values).scalar_one_or_none()


def _active_state(db: Session, session: GuidanceSession, child: Child) -> str:
    state = db.execute(
        select(SignUp.state).where(
            SignUp.session_id == session.id,
            SignUp.child_id == child.id,
            SignUp.state.in_(ACTIVE),
        )
    ).scalar_one_or_none()
    return state or SignUpState.REQUESTED


_TAKE_PLACE = (
    update(GuidanceSession)
    .where(
        GuidanceSession.id == bindparam("session_id"),
        GuidanceSession.places_taken < GuidanceSession.places,
        GuidanceSession.state == literal_column("'published'"),
    )
    .values(places_taken=GuidanceSession.places_taken + 1)
)


def _take_place(db: Session, session: GuidanceSession) -> None:
    """Count one more place, or raise SessionFull: the database decides, not a value read before."""
    taken = db.connection().execute(_TAKE_PLACE, {"session_id": session.id})
    if taken.rowcount == 0:
        raise SessionFull(session.code, session.places)


def release_place(db: Session, session_id: int) -> None:
    """Count one place less. The caller holds the session's row."""
    db.execute(
        update(GuidanceSession)
        .where(GuidanceSession.id == session_id)
        .values(places_taken=GuidanceSession.places_taken - 1)
        .execution_options(synchronize_session=False)
    )


def lock_session(db: Session, session_id: int) -> None:
    """Hold the session's row until the commit: every writer of its sign-ups comes here first."""
    db.execute(
        select(GuidanceSession.id)
        .where(GuidanceSession.id == session_id)
        .with_for_update(key_share=True)
    )


_FIND_SIGN_UPS = (
    select(SignUp, Child)
    .join(SignUp.session)
    .join(GuidanceSession.station)
    .join(Child, Child.id == SignUp.child_id)
    .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
    .where(
        SignUp.family_id == bindparam("family_id"),
        SignUp.state.in_(ACTIVE),
        GuidanceSession.ends_at > bindparam("after"),
    )
    .order_by(GuidanceSession.starts_at, SignUp.id)
)


def find_sign_ups(db: Session, family_id: int, *, after: datetime) -> list[tuple[SignUp, Child]]:
    """Active sign-ups of a family with sessions and stations, by time; those ending after."""
    rows = db.execute(_FIND_SIGN_UPS, {"family_id": family_id, "after": after})
    return [(sign_up, child) for sign_up, child in rows]


def cancel_by_family(
    db: Session,
    *,
    caregiver: Caregiver,
    code: str,
    now: datetime,
    child: Child | None = None,
) -> list[tuple[SignUp, Child]]:
    """Give back the family's place (of one child, or of all it has there).

    Raises SessionUnknown, SignUpUnknown, TooLateToCancel.
    """
    session = get_session(db, code)
    lock_session(db, session.id)
    statement = (
        select(SignUp, Child)
        .join(Child, Child.id == SignUp.child_id)
        .where(
            SignUp.session_id == session.id,
            SignUp.family_id == caregiver.family_id,
            SignUp.state.in_(ACTIVE - {SignUpState.ATTENDED}),
        )
        .order_by(SignUp.id)
        .execution_options(populate_existing=True)
    )
    if child is not None:
        statement = statement.where(SignUp.child_id == child.id)
    rows = [(found, whose) for found, whose in db.execute(statement)]
    if not rows:
        raise SignUpUnknown(session.code)
    for found, _ in rows:
        if found.state != SignUpState.WAITLISTED:  # the waiting may leave at any time
            check_can_cancel(terms_of(session), now, session.station.name, session.station.phone)
        change_state(db, found, SignUpState.CANCELLED, Actor("caregiver", caregiver.id), now)
    return rows


def change_state(
    db: Session,
    sign_up: SignUp,
    to: SignUpState,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> None:
    """One step of the state machine with its seat and its audit row; the session is locked."""
    was = SignUpState(sign_up.state)
    check_transition(was, to)
    sign_up.state = to
    sign_up.decided_at = now
    sign_up.decided_by = actor.id if actor.type == "staff" else None
    if reason is not None:
        sign_up.reason = reason
    if was in SEATED and to not in SEATED and not sign_up.is_walk_in:
        release_place(db, sign_up.session_id)
    audit.record(
        db,
        actor=actor,
        action=to,
        subject_type="sign_up",
        subject_id=sign_up.id,
        now=now,
        before=was,
        after=to,
        reason=reason,
    )


_YEAR_COUNT = (
    select(
        SignUp.state,
        func.count(func.distinct(SignUp.session_id)),
        select(Entitlement.sessions).where(Entitlement.year == bindparam("year")).scalar_subquery(),
    )
    .join(SignUp.session)
    .where(
        SignUp.family_id == bindparam("family_id"),
        GuidanceSession.starts_at >= bindparam("start"),
        GuidanceSession.starts_at < bindparam("end"),
        SignUp.state.in_(ACTIVE),
    )
    .group_by(SignUp.state)
)


def year_count(db: Session, family_id: int, now: datetime) -> YearCount:
    """Attended and still arranged sessions of the Shanghai calendar year, and the target."""
    year = now.astimezone(SHANGHAI).year
    rows = db.execute(
        _YEAR_COUNT,
        {
            "family_id": family_id,
            "year": year,
            "start": datetime(year, 1, 1, tzinfo=SHANGHAI),
            "end": datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
        },
    ).all()
    counts = {state: count for state, count, _ in rows}
    target = rows[0][2] if rows else find_target(db, year)
    return YearCount(
        year=year,
        attended=counts.get(SignUpState.ATTENDED, 0),
        arranged=sum(
            counts.get(state, 0) for state in (SignUpState.CONFIRMED, SignUpState.REQUESTED)
        ),
        target=target or DEFAULT_SESSIONS_A_YEAR,
    )


def find_target(db: Session, year: int) -> int | None:
    """The year's entitlement to sessions, where the district has set one."""
    return db.execute(
        select(Entitlement.sessions).where(Entitlement.year == year)
    ).scalar_one_or_none()
