"""Guidance sessions from the family's side: what is open, what is booked, cancelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import Session, contains_eager

from app.errors import SessionUnknown, SignUpUnknown
from app.models import (
    Caregiver,
    Child,
    Family,
    GuidanceSession,
    SignUp,
    Station,
    Township,
)
from app.prepared import Loader, Prepared
from app.rules.sign_up import (
    ACTIVE,
    SessionState,
    SignUpState,
    can_cancel,
    check_can_cancel,
    fits_age,
)
from app.rules.waiting_list import WaitingOrder
from app.services import waiting_list
from app.services.audit import Actor
from app.services.bookings import (
    DEFAULT_HOME_VISITS_A_YEAR,
    DEFAULT_SESSIONS_A_YEAR,
    Standing,
    YearCount,
    find_sign_ups,
    find_standing,
    find_target,
    year_count,
)
from app.services.seats import (
    change_state,
    get_session,
    held_on,
    is_in_state,
    lock_session,
    release_place,
    terms_of,
)
from app.services.signing_up import sign_up, sign_up_together
from app.services.waiting_list import NO_QUEUE, Queue

__all__ = [
    "DEFAULT_HOME_VISITS_A_YEAR",
    "DEFAULT_SESSIONS_A_YEAR",
    "OpenSession",
    "Standing",
    "Wanted",
    "YearCount",
    "cancel_by_family",
    "change_state",
    "find_kinds",
    "find_one",
    "find_open",
    "find_sign_ups",
    "find_standing",
    "find_target",
    "get_session",
    "held_on",
    "lock_session",
    "may_leave",
    "phone_past_deadline",
    "release_place",
    "sign_up",
    "sign_up_together",
    "terms_of",
    "year_count",
]

LEAVE_AT_ANY_TIME = frozenset({SignUpState.WAITLISTED, SignUpState.OFFERED})
"""Nobody has counted on these yet: they may be given up after the deadline, too."""


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
    kind: str = ""
    phone: str = ""
    closes_at: datetime | None = None
    cancel_until: datetime | None = None
    is_cancelled: bool = False
    order: str = "no"
    """Of the waiting list: no, first_come or fewest_attended."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of sessions is narrowed to; as it is here, to nothing."""

    township: str = ""
    kind: str = ""
    months: int | None = None
    """Sessions for this age, whatever the ages of the family's own children."""
    is_any_age: bool = False
    """Also sessions that fit none of the family's children."""


ANYTHING = Wanted()


def find_open(
    db: Session,
    family: Family | None,
    now: datetime,
    limit: int = 60,
    wanted: Wanted = ANYTHING,
) -> list[OpenSession]:
    """Sessions still to come and not closed, own township first, then by time.

    For a family: those that fit at least one child's age on the day, where `wanted` names no
    age. Without one: all.
    """
    sessions = db.execute(
        select(GuidanceSession)
        .join(GuidanceSession.station)
        .options(contains_eager(GuidanceSession.station).joinedload(Station.township))
        .where(
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.starts_at > now,
            GuidanceSession.closes_at > now,
            *_narrowed(wanted),
        )
        .order_by(GuidanceSession.starts_at, GuidanceSession.code)
        .limit(500 if family else limit)
    ).scalars()
    children = family.living if family else []
    fitting = [
        (session, tuple(c for c in children if fits_age(terms_of(session), c.birth_date, day)))
        for session in sessions
        for day in (held_on(session),)
    ]
    if family:
        if wanted.months is None and not wanted.is_any_age:
            fitting = [(session, fits) for session, fits in fitting if fits]
        fitting.sort(key=lambda pair: pair[0].station.township_id != family.township_id)
    return _as_seen(db, family, fitting[:limit], now)


def find_one(db: Session, family: Family | None, code: str, now: datetime) -> OpenSession:
    """One published session as this family sees it, also after its closing or cancelling.

    Raises SessionUnknown.
    """
    session = get_session(db, code)
    if session.state == SessionState.DRAFT:
        raise SessionUnknown(session.code)
    day = held_on(session)
    children = family.living if family else []
    fits = tuple(c for c in children if fits_age(terms_of(session), c.birth_date, day))
    return _as_seen(db, family, [(session, fits)], now)[0]


def find_kinds(db: Session, now: datetime) -> list[str]:
    """The kinds of session that are still to come, by name."""
    return list(
        db.execute(
            select(GuidanceSession.kind)
            .where(GuidanceSession.state == SessionState.PUBLISHED, GuidanceSession.starts_at > now)
            .distinct()
            .order_by(GuidanceSession.kind)
        ).scalars()
    )


def _narrowed(wanted: Wanted) -> list[ColumnElement[bool]]:
    clauses: list[ColumnElement[bool]] = []
    if wanted.township:
        clauses.append(Station.township.has(Township.name == wanted.township))
    if wanted.kind:
        clauses.append(GuidanceSession.kind == wanted.kind)
    if wanted.months is not None:
        clauses.append(GuidanceSession.min_months <= wanted.months)
        clauses.append(GuidanceSession.max_months >= wanted.months)
    return clauses


def _as_seen(
    db: Session,
    family: Family | None,
    fitting: Sequence[tuple[GuidanceSession, tuple[Child, ...]]],
    now: datetime,
) -> list[OpenSession]:
    children = family.children if family else []
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
            kind=session.kind,
            phone=session.station.phone,
            closes_at=session.closes_at,
            cancel_until=session.cancel_until,
            is_cancelled=session.state == SessionState.CANCELLED,
            order=session.waiting_list,
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


def phone_past_deadline(session: GuidanceSession, now: datetime) -> str | None:
    """The station's telephone where a place can no longer be given back by a word; else None."""
    return None if can_cancel(terms_of(session), now) else session.station.phone


def may_leave(state: str, cancel_until: datetime, starts_at: datetime, now: datetime) -> bool:
    """Whether a family may give back a place of this state by itself."""
    if state == SignUpState.ATTENDED:
        return False
    return state in LEAVE_AT_ANY_TIME or now <= min(cancel_until, starts_at)


_SIGN_UPS, _CHILDREN = Loader(SignUp), Loader(Child)
_PLACED = Prepared(
    select(*_SIGN_UPS.columns, *_CHILDREN.columns)
    .select_from(SignUp)
    .join(Child, Child.id == SignUp.child_id)
    .where(
        SignUp.session_id == bindparam("session_id"),
        SignUp.family_id == bindparam("family_id"),
        is_in_state(ACTIVE - {SignUpState.ATTENDED}),
    )
    .order_by(SignUp.id)
)


def _placed(
    db: Session, session: GuidanceSession, family_id: int | None
) -> list[tuple[SignUp, Child]]:
    """Who of the family has a place in the session, or waits for one; as it is stored now."""
    db.flush()
    child_at = len(_SIGN_UPS)
    return [
        (
            _SIGN_UPS.put(db, row[:child_at], is_fresh=True, session=session),
            _CHILDREN.put(db, row[child_at:], is_fresh=True),
        )
        for row in _PLACED.all(db, session_id=session.id, family_id=family_id)
    ]


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
    rows = [
        (found, whose)
        for found, whose in _placed(db, session, caregiver.family_id)
        if child is None or whose.id == child.id
    ]
    if not rows:
        raise SignUpUnknown(session.code)
    for found, _ in rows:
        if found.state not in LEAVE_AT_ANY_TIME:
            check_can_cancel(terms_of(session), now, session.station.name, session.station.phone)
        change_state(db, found, SignUpState.CANCELLED, Actor("caregiver", caregiver.id), now)
    waiting_list.promote(db, session, now)
    return rows
