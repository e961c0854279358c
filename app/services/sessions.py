"""Guidance sessions from the family's side: what is open, signing up, cancelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, case, func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, contains_eager, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.dml import ReturningInsert

from app.clock import SHANGHAI
from app.errors import AlreadySignedUp, NotRegistered, SessionFull, SignUpUnknown
from app.models import Caregiver, Child, Entitlement, Family, GuidanceSession, SignUp, Station
from app.rules.no_show import OPENS_LATER_BY, REMEMBERED_FOR, sign_up_delay
from app.rules.sign_up import (
    ACTIVE,
    SessionState,
    SignUpState,
    check_age,
    check_can_cancel,
    check_is_open,
    check_not_delayed,
    check_township_first,
    fits_age,
)
from app.rules.waiting_list import WaitingOrder
from app.services import audit, waiting_list
from app.services.audit import Actor
from app.services.seats import (
    Look,
    change_state,
    get_session,
    held_on,
    lock_session,
    look,
    release_place,
    take_at_once,
    take_seats,
    terms_of,
)
from app.services.waiting_list import NO_QUEUE, Queue

__all__ = [
    "OpenSession",
    "YearCount",
    "cancel_by_family",
    "change_state",
    "find_open",
    "find_sign_ups",
    "find_target",
    "get_session",
    "held_on",
    "lock_session",
    "release_place",
    "sign_up",
    "sign_up_together",
    "terms_of",
    "year_count",
]

LEAVE_AT_ANY_TIME = frozenset({SignUpState.WAITLISTED, SignUpState.OFFERED})
"""Nobody has counted on these yet: they may be given up after the deadline, too."""

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
    """Seats that could be taken now: none while anybody waits, for those go first."""
    waiting: int
    can_wait: bool
    """Whether the session has a waiting list that could still be joined."""
    min_months: int
    max_months: int
    opens_at: datetime
    """For this family: other townships' sessions may open to it later."""
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
    ids = [session.id for session, _ in fitting]
    taken = _active_children(db, family, ids)
    queues = waiting_list.queues(db, ids, now)
    return [
        OpenSession(
            code=session.code,
            title=session.title,
            starts_at=session.starts_at,
            ends_at=session.ends_at,
            station=session.station.name,
            township=session.station.township.name,
            address=session.station.address,
            places_left=_left(session, queues.get(session.id, NO_QUEUE)),
            waiting=queues.get(session.id, NO_QUEUE).waiting,
            can_wait=session.waiting_list != WaitingOrder.NO
            and waiting_list.offer_until(session, now) is not None,
            min_months=session.min_months,
            max_months=session.max_months,
            opens_at=_opens_at(session, family),
            fits=tuple(child.nickname for child in fits),
            signed_up=tuple(c.nickname for c in children if (session.id, c.id) in taken),
        )
        for session, fits in fitting
    ]


def _left(session: GuidanceSession, queue: Queue) -> int:
    if queue.waiting:
        return 0
    # The seat of an offer that has run out is free, whether or not a job has settled it.
    return max(0, session.places - session.places_taken + queue.run_out)


def _opens_at(session: GuidanceSession, family: Family | None) -> datetime:
    until = session.township_first_until
    if until is None or (family and family.township_id == session.station.township_id):
        return session.opens_at
    return max(session.opens_at, until)


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
    """One child's sign-up: as sign_up_together, for one."""
    return sign_up_together(db, caregiver=caregiver, children=[child], code=code, now=now)[0]


def sign_up_together(
    db: Session, *, caregiver: Caregiver, children: Sequence[Child], code: str, now: datetime
) -> list[SignUp]:
    """A seat for each child with one adult, or a place in the waiting list: alike for all.

    Seated they are confirmed, or requested where staff decide. Raises NotRegistered,
    SessionUnknown, SessionCancelled, SignUpNotOpenYet, TownshipFirst, SignUpDelayed,
    SignUpClosed, AgeOutsideSession, AlreadySignedUp, SessionFull; the caller's transaction
    then rolls back, which is what takes back the seats that were counted.
    """
    family = caregiver.family
    if family is None or any(child.family_id != family.id for child in children):
        raise NotRegistered()
    session = get_session(db, code)
    _check_may_sign_up(db, session, family, children, now)
    waitlisted_at = None
    if not take_at_once(db, session, len(children)):
        if session.waiting_list == WaitingOrder.NO:
            _check_not_plainly_full(db, session, children, now)
        lock_session(db, session.id)
        if look(db, session, children, now).is_changed:
            session = get_session(db, code, fresh=True)
            _check_may_sign_up(db, session, family, children, now)
        waitlisted_at = _seat_or_line_up(db, session, children, now)
    state = _first_state(session, waitlisted_at)
    made = [
        _insert(
            db,
            session,
            child_id=child.id,
            family_id=child.family_id,
            caregiver_id=caregiver.id,
            state=state,
            requested_at=now,
            waitlisted_at=waitlisted_at,
            decided_at=now if state is SignUpState.CONFIRMED else None,
        )
        for child in children
    ]
    seated = [sign_up for sign_up in made if sign_up is not None]
    if len(seated) < len(made):
        _check_none_active(db, session, children)
    for sign_up in seated:
        audit.record(
            db,
            actor=Actor("caregiver", caregiver.id),
            action="sign_up",
            subject_type="sign_up",
            subject_id=sign_up.id,
            now=now,
            after=state,
        )
    return seated


def _first_state(session: GuidanceSession, waitlisted_at: datetime | None) -> SignUpState:
    if waitlisted_at is not None:
        return SignUpState.WAITLISTED
    return SignUpState.CONFIRMED if session.confirm_mode == "auto" else SignUpState.REQUESTED


def _check_may_sign_up(
    db: Session,
    session: GuidanceSession,
    family: Family,
    children: Sequence[Child],
    now: datetime,
) -> None:
    """All that the session asks of whoever signs up, but for a free seat."""
    terms = terms_of(session)
    check_is_open(terms, now)
    if session.township_first_until is not None:
        check_township_first(
            session.code,
            until=session.township_first_until,
            township=session.station.township.name,
            is_own=family.township_id == session.station.township_id,
            now=now,
        )
    if now < session.opens_at + OPENS_LATER_BY:
        missed = _missed_starts(db, family.id, now)
        check_not_delayed(terms, sign_up_delay(missed, now, family.no_shows_waived_at), now)
    for child in children:
        check_age(terms, child.nickname, child.birth_date, held_on(session))


_MISSED = (
    select(GuidanceSession.starts_at)
    .join(SignUp, SignUp.session_id == GuidanceSession.id)
    .where(
        SignUp.family_id == bindparam("family_id"),
        SignUp.state == literal_column("'no_show'"),
        GuidanceSession.starts_at >= bindparam("since"),
    )
)


def _missed_starts(db: Session, family_id: int, now: datetime) -> list[datetime]:
    """When the sessions started that the family was marked as having missed."""
    wanted = {"family_id": family_id, "since": now - REMEMBERED_FOR}
    return list(db.connection().execute(_MISSED, wanted).scalars())


def _check_none_active(db: Session, session: GuidanceSession, children: Sequence[Child]) -> None:
    """Raises AlreadySignedUp for the first child that has a place, or waits for one."""
    states = db.execute(
        select(SignUp.child_id, SignUp.state).where(
            SignUp.session_id == session.id,
            SignUp.child_id.in_([child.id for child in children]),
            SignUp.state.in_(ACTIVE),
        )
    )
    active: dict[int, str] = dict(states.all())
    for child in children:
        if child.id in active:
            raise AlreadySignedUp(session.code, child.nickname, active[child.id])


def _check_not_plainly_full(
    db: Session, session: GuidanceSession, children: Sequence[Child], now: datetime
) -> None:
    """Refuse without the session's lock where nothing could come of it: in a rush, nearly all.

    Raises AlreadySignedUp, SessionFull.
    """
    seen = look(db, session, children, now)
    if seen.is_changed or seen.run_out or seen.free >= len(children):
        return
    if seen.active:
        _check_none_active(db, session, children)
    raise _full(session, seen, len(children))


def _seat_or_line_up(
    db: Session, session: GuidanceSession, children: Sequence[Child], now: datetime
) -> datetime | None:
    """Take the seats (None), or say since when these children wait; the session is locked.

    Raises AlreadySignedUp, SessionFull.
    """
    seen = look(db, session, children, now)
    if seen.run_out or (seen.waiting and seen.free > 0):
        # Nobody jumps the queue: seats that have come free are offered to it first.
        waiting_list.promote(db, session, now)
        seen = look(db, session, children, now)
    if seen.active:
        _check_none_active(db, session, children)
    wanted = len(children)
    if not seen.waiting and seen.free >= wanted:
        take_seats(db, session, wanted)
        return None
    has_line = session.waiting_list != WaitingOrder.NO and (seen.waiting or seen.free <= 0)
    if not has_line or waiting_list.offer_until(session, now) is None:
        raise _full(session, seen, wanted)
    # Two clocks may differ by a moment: the line keeps the order in which it was joined.
    return max(now, seen.last_at) if seen.last_at is not None else now


def _full(session: GuidanceSession, seen: Look, wanted: int) -> SessionFull:
    return SessionFull(
        session.code, session.places, left=max(0, seen.free), wanted=wanted, waiting=seen.waiting
    )


INSERTED = (
    "session_id",
    "child_id",
    "family_id",
    "caregiver_id",
    "state",
    "is_walk_in",
    "is_override",
    "requested_at",
    "waitlisted_at",
    "decided_at",
)


def _insert_sign_up(dialect: str) -> ReturningInsert[int]:
    insert = (postgresql if dialect == "postgresql" else sqlite).insert
    statement: ReturningInsert[int] = (
        insert(SignUp.__table__)
        .values({name: bindparam(name) for name in INSERTED})
        .on_conflict_do_nothing()
        .returning(SignUp.id)
    )
    return statement


_INSERT = {dialect: _insert_sign_up(dialect) for dialect in ("postgresql", "sqlite")}


def _insert(db: Session, session: GuidanceSession, **values: object) -> SignUp | None:
    """The new row, or None where the child has an active sign-up already.

    It is put together from what was inserted: reading it back would cost another statement.
    """
    values |= {"session_id": session.id, "is_walk_in": False, "is_override": False}
    statement = _INSERT[db.get_bind().dialect.name]
    sign_up_id = db.connection().execute(statement, values).scalar_one_or_none()
    if sign_up_id is None:
        return None
    made = SignUp(id=sign_up_id, **values)
    make_transient_to_detached(made)
    db.add(made)
    set_committed_value(made, "session", session)
    return made


_FIND_SIGN_UPS = (
    select(SignUp)
    .join(SignUp.session)
    .join(GuidanceSession.station)
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
    found = db.execute(_FIND_SIGN_UPS, {"family_id": family_id, "after": after}).scalars()
    # The family's children are loaded with its caregiver: this asks the session, not the database.
    return [(sign_up, db.get_one(Child, sign_up.child_id)) for sign_up in found]


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
    session = get_session(db, code, fresh=True)
    waiting_list.settle_expired(db, session, now)
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
        if found.state not in LEAVE_AT_ANY_TIME:
            check_can_cancel(terms_of(session), now, session.station.name, session.station.phone)
        change_state(db, found, SignUpState.CANCELLED, Actor("caregiver", caregiver.id), now)
    waiting_list.promote(db, session, now)
    return rows


_BOOKED = [SignUpState.CONFIRMED, SignUpState.REQUESTED]
_SESSIONS_OF_YEAR = (
    # One row a session: siblings in it count once, and one who was there makes it attended.
    select(func.max(case((SignUp.state == SignUpState.ATTENDED, 2), else_=1)).label("rank"))
    .join(SignUp.session)
    .where(
        SignUp.family_id == bindparam("family_id"),
        GuidanceSession.starts_at >= bindparam("start"),
        GuidanceSession.starts_at < bindparam("end"),
        SignUp.state.in_([SignUpState.ATTENDED, *_BOOKED]),
    )
    .group_by(SignUp.session_id)
    .subquery()
)
_YEAR_COUNT = select(
    func.count(_SESSIONS_OF_YEAR.c.rank).filter(_SESSIONS_OF_YEAR.c.rank == 2),
    func.count(_SESSIONS_OF_YEAR.c.rank).filter(_SESSIONS_OF_YEAR.c.rank == 1),
    select(Entitlement.sessions).where(Entitlement.year == bindparam("year")).scalar_subquery(),
)


def year_count(db: Session, family_id: int, now: datetime) -> YearCount:
    """Attended and still arranged sessions of the Shanghai calendar year, and the target.

    Distinct sessions of the family: siblings in one session count once.
    """
    year = now.astimezone(SHANGHAI).year
    attended, arranged, target = db.execute(
        _YEAR_COUNT,
        {
            "family_id": family_id,
            "year": year,
            "start": datetime(year, 1, 1, tzinfo=SHANGHAI),
            "end": datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
        },
    ).one()
    return YearCount(
        year=year,
        attended=attended,
        arranged=arranged,
        target=target or DEFAULT_SESSIONS_A_YEAR,
    )


def find_target(db: Session, year: int) -> int | None:
    """The year's entitlement to sessions, where the district has set one."""
    return db.execute(
        select(Entitlement.sessions).where(Entitlement.year == year)
    ).scalar_one_or_none()
