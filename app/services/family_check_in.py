"""A family scans the code at a session's door: who came is attended, or why not is known.

What a scan finds is returned and not raised: a first scan also follows the account, and that
is to stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager

from app.errors import SessionUnknown
from app.models import Caregiver, Child, GuidanceSession, SignUp
from app.rules.check_in import CLOSES_AFTER, OPEN, OPENS_BEFORE, Phase, phase_of
from app.rules.sign_up import ACTIVE, SessionState, SignUpState, fits_age
from app.services import attendance, waiting_list
from app.services.audit import Actor
from app.services.seats import (
    change_state,
    free_seats,
    get_session,
    held_on,
    lock_session,
    terms_of,
)

S = SignUpState
COMING = frozenset({S.REQUESTED, S.CONFIRMED})
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scanned:
    """The session whose code was scanned."""

    code: str
    title: str
    starts_at: datetime
    station_code: str
    phone: str


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """These children are attended now; the others of the family that came were before."""

    nicknames: tuple[str, ...]
    is_walk_in: bool


@dataclass(frozen=True, slots=True)
class CheckedInBefore:
    nicknames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TooEarly:
    opens_at: datetime
    is_signed_up: bool


@dataclass(frozen=True, slots=True)
class AnotherToday:
    """The family is signed up for another session of the same day."""

    code: str
    title: str
    starts_at: datetime
    station: str


@dataclass(frozen=True, slots=True)
class WhichChild:
    """No sign-up, and several children whom the session fits: which of them came?"""

    nicknames: tuple[str, ...]


class Why(StrEnum):
    """Why a scan checks nobody in; all but the first two are for the staff to settle."""

    NOT_REGISTERED = "not_registered"
    CANCELLED = "cancelled"
    TOO_LATE = "too_late"
    NOT_BEGUN = "not_begun"
    """No sign-up, and what is left is given away when the session begins."""
    OVER = "over"
    AGE = "age"
    FULL = "full"
    WAITING = "waiting"
    """In the waiting list, and the door is not open to who has no seat, or nothing is left."""
    MARKED_MISSING = "marked_missing"


Outcome = CheckedIn | CheckedInBefore | TooEarly | AnotherToday | WhichChild | Why


def scan(
    db: Session,
    *,
    caregiver: Caregiver,
    code: str,
    now: datetime,
    chosen: Sequence[str] = (),
) -> tuple[Scanned, Outcome]:
    """What the scan of a session's code comes to.

    All signed-up children of the family are attended; without a sign-up a child that fits
    walks in while the session is under way and a place is left (`chosen` names which, where
    several fit). Raises SessionUnknown, also for a draft.
    """
    session = get_session(db, code)
    if session.state == SessionState.DRAFT:
        raise SessionUnknown(session.code)
    lock_session(db, session.id)
    session = get_session(db, code, fresh=True)
    outcome = _scan(db, session, caregiver, now, chosen)
    station = session.station
    about = Scanned(session.code, session.title, session.starts_at, station.code, station.phone)
    return about, outcome


def _scan(
    db: Session,
    session: GuidanceSession,
    caregiver: Caregiver,
    now: datetime,
    chosen: Sequence[str],
) -> Outcome:
    family = caregiver.family
    if family is None or not family.children:
        return Why.NOT_REGISTERED
    if session.state == SessionState.CANCELLED:
        return Why.CANCELLED
    phase = phase_of(session.starts_at, session.ends_at, now)
    here = _sign_ups(db, session, family.id)
    coming = [(sign_up, child) for sign_up, child in here if sign_up.state in COMING]
    if coming:
        return _check_in(db, session, caregiver, coming, phase, now)
    came = tuple(child.nickname for sign_up, child in here if sign_up.state == S.ATTENDED)
    if came:
        return CheckedInBefore(came)
    if any(sign_up.state == S.NO_SHOW for sign_up, _ in here):
        return Why.MARKED_MISSING
    another = _another_today(db, session, family.id, now)
    if another is not None:
        return another
    is_waiting = any(sign_up.state in (S.WAITLISTED, S.OFFERED) for sign_up, _ in here)
    if phase is Phase.UNDER_WAY:
        outcome = _walk_in(db, session, caregiver, family.living, chosen, now)
        return Why.WAITING if is_waiting and outcome is Why.FULL else outcome
    if is_waiting and phase in (Phase.TOO_EARLY, Phase.BEFORE):
        return Why.WAITING
    if phase is Phase.TOO_EARLY:
        return TooEarly(session.starts_at - OPENS_BEFORE, is_signed_up=False)
    return Why.NOT_BEGUN if phase is Phase.BEFORE else Why.OVER


def _sign_ups(db: Session, session: GuidanceSession, family_id: int) -> list[tuple[SignUp, Child]]:
    rows = db.execute(
        select(SignUp, Child)
        .join(Child, Child.id == SignUp.child_id)
        .where(
            SignUp.session_id == session.id,
            SignUp.family_id == family_id,
            SignUp.state.in_(ACTIVE | {S.NO_SHOW}),
        )
        .order_by(SignUp.id)
        .execution_options(populate_existing=True)
    )
    return [(sign_up, child) for sign_up, child in rows]


def _check_in(
    db: Session,
    session: GuidanceSession,
    caregiver: Caregiver,
    coming: list[tuple[SignUp, Child]],
    phase: Phase,
    now: datetime,
) -> Outcome:
    if phase is Phase.TOO_EARLY:
        return TooEarly(session.starts_at - OPENS_BEFORE, is_signed_up=True)
    if phase not in OPEN:
        return Why.TOO_LATE
    for sign_up, _ in coming:
        change_state(db, sign_up, S.ATTENDED, Actor("caregiver", caregiver.id), now)
    return CheckedIn(tuple(child.nickname for _, child in coming), is_walk_in=False)


def _another_today(
    db: Session, session: GuidanceSession, family_id: int, now: datetime
) -> AnotherToday | None:
    """Where the family is still to come to on this day; the nearest one."""
    midnight = now.astimezone(session.starts_at.tzinfo).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    other = db.execute(
        select(GuidanceSession)
        .join(SignUp, SignUp.session_id == GuidanceSession.id)
        .join(GuidanceSession.station)
        .options(contains_eager(GuidanceSession.station))
        .where(
            SignUp.family_id == family_id,
            SignUp.state.in_(COMING),
            GuidanceSession.id != session.id,
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.starts_at >= midnight,
            GuidanceSession.starts_at < midnight + DAY,
            GuidanceSession.ends_at >= now - CLOSES_AFTER,
        )
        .order_by(GuidanceSession.starts_at, GuidanceSession.id)
        .limit(1)
    ).scalar_one_or_none()
    if other is None:
        return None
    return AnotherToday(other.code, other.title, other.starts_at, other.station.name)


def _walk_in(
    db: Session,
    session: GuidanceSession,
    caregiver: Caregiver,
    children: Sequence[Child],
    chosen: Sequence[str],
    now: datetime,
) -> Outcome:
    terms, day = terms_of(session), held_on(session)
    fitting = [child for child in children if fits_age(terms, child.birth_date, day)]
    if not fitting:
        return Why.AGE
    came = [child for child in fitting if child.nickname in chosen] if chosen else fitting
    if not _has_places(db, session, len(came) if chosen else 1, now):
        return Why.FULL
    if not came or (len(came) > 1 and not chosen):
        return WhichChild(tuple(child.nickname for child in fitting))
    for child in came:
        attendance.attend(
            db,
            session_code=session.code,
            caregiver=caregiver,
            child=child,
            actor=Actor("caregiver", caregiver.id),
            now=now,
        )
    return CheckedIn(tuple(child.nickname for child in came), is_walk_in=True)


def _has_places(db: Session, session: GuidanceSession, wanted: int, now: datetime) -> bool:
    """Whether so many more fit in. Walk-ins hold none of the places, and yet sit on a chair."""
    waiting_list.settle_expired(db, session, now)
    db.flush()
    walked_in = db.execute(
        select(func.count(SignUp.id)).where(
            SignUp.session_id == session.id, SignUp.state == S.ATTENDED, SignUp.is_walk_in
        )
    ).scalar_one()
    return free_seats(db, session.id) - walked_in >= wanted
