"""The waiting list at work: who is next, offers made, taken, turned down and run out.

What is called here with a session needs that session's row locked, but for reading.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session, contains_eager

from app.clock import SHANGHAI
from app.errors import (
    AlreadySignedUp,
    NoOffer,
    NotRegistered,
    OfferExpired,
    OfferUnclear,
    PlaceIsTaken,
)
from app.models import Caregiver, Child, GuidanceSession, SignUp
from app.models.notice_facts import SignUpOffered, SignUpOfferExpired
from app.prepared import Prepared
from app.rules.sign_up import SessionState, SignUpState
from app.rules.waiting_list import (
    CUT_OFF,
    Waiting,
    WaitingOrder,
    in_line,
    is_open_offer,
    offer_ends,
)
from app.services.audit import SYSTEM, Actor
from app.services.seats import change_state, free_seats, get_session, held_on, lock_session
from app.services.sign_up_notices import tell, told

S = SignUpState


def line(db: Session, session: GuidanceSession) -> list[Waiting]:
    """All who wait for this session, in its order."""
    db.flush()
    rows = _LINE.all(db, session_id=session.id)
    order = WaitingOrder(session.waiting_list)
    attended: dict[int, int] = {}
    if order is WaitingOrder.FEWEST_ATTENDED and rows:
        attended = _attended(db, {family_id for _, family_id, _, _ in rows}, session)
    return in_line(
        (
            Waiting(
                sign_up_id, family_id, waitlisted_at or requested_at, attended.get(family_id, 0)
            )
            for sign_up_id, family_id, waitlisted_at, requested_at in rows
        ),
        order,
    )


def _attended(db: Session, families: set[int], session: GuidanceSession) -> dict[int, int]:
    """Distinct sessions that each family attended in the session's calendar year."""
    year = held_on(session).year
    rows = db.execute(
        select(SignUp.family_id, func.count(func.distinct(SignUp.session_id)))
        .join(SignUp.session)
        .where(
            SignUp.family_id.in_(families),
            SignUp.state == S.ATTENDED,
            GuidanceSession.starts_at >= datetime(year, 1, 1, tzinfo=SHANGHAI),
            GuidanceSession.starts_at < datetime(year + 1, 1, 1, tzinfo=SHANGHAI),
        )
        .group_by(SignUp.family_id)
    )
    return dict(rows.all())


def positions(db: Session, session: GuidanceSession) -> dict[int, int]:
    """Each waiting sign-up's place in the line, from 1."""
    return {one.sign_up_id: place for place, one in enumerate(line(db, session), 1)}


def places_in_line(db: Session, sign_ups: Iterable[SignUp]) -> dict[int, int]:
    """The place in its session's line of each of these sign-ups that waits."""
    waited_for = {each.session_id: each.session for each in sign_ups if each.state == S.WAITLISTED}
    places: dict[int, int] = {}
    for session in waited_for.values():
        places |= positions(db, session)
    return places


@dataclass(frozen=True, slots=True)
class Queue:
    """What stands before a newcomer to a session."""

    waiting: int
    run_out: int
    """Offers whose time is over and whose seats are still counted."""


NO_QUEUE = Queue(waiting=0, run_out=0)


def queues(db: Session, session_ids: Sequence[int], now: datetime) -> dict[int, Queue]:
    """The sessions of these that have a queue, in one query."""
    waits = SignUp.state == S.WAITLISTED
    run_out = and_(SignUp.state == S.OFFERED, SignUp.offer_expires_at <= now)
    rows = db.execute(
        select(
            SignUp.session_id,
            func.sum(case((waits, 1), else_=0)),
            func.sum(case((run_out, 1), else_=0)),
        )
        .where(SignUp.session_id.in_(session_ids), or_(waits, run_out))
        .group_by(SignUp.session_id)
    )
    return {session_id: Queue(int(waiting), int(over)) for session_id, waiting, over in rows}


def offer_until(session: GuidanceSession, now: datetime) -> datetime | None:
    """When an offer made now would end; None where it is too late for one."""
    return offer_ends(
        now.astimezone(SHANGHAI), session.offer_hours, session.starts_at.astimezone(SHANGHAI)
    )


_ANY_RUN_OUT = Prepared(
    select(SignUp.id)
    .where(
        SignUp.session_id == bindparam("session_id"),
        SignUp.state == literal_column("'offered'"),
        SignUp.offer_expires_at <= bindparam("now", type_=SignUp.offer_expires_at.type),
    )
    .limit(1)
)
_LINE = Prepared(
    select(SignUp.id, SignUp.family_id, SignUp.waitlisted_at, SignUp.requested_at).where(
        SignUp.session_id == bindparam("session_id"),
        SignUp.state == literal_column("'waitlisted'"),
    )
)


def settle_expired(db: Session, session: GuidanceSession, now: datetime) -> int:
    """Offers of this session whose time is over end, and free their seats; how many."""
    db.flush()
    if _ANY_RUN_OUT.first(db, session_id=session.id, now=now) is None:
        return 0
    expired = with_children(
        db,
        SignUp.session_id == session.id,
        SignUp.state == S.OFFERED,
        SignUp.offer_expires_at <= now,
    )
    for sign_up, child in expired:
        change_state(db, sign_up, S.EXPIRED, SYSTEM, now)
        facts = SignUpOfferExpired(**told(sign_up, child))
        tell(db, facts, sign_up, now, expires_at=session.starts_at, can_wait=True)
    return len(expired)


def promote(
    db: Session,
    session: GuidanceSession,
    now: datetime,
    *,
    moved_from: Mapping[int, datetime] | None = None,
) -> int:
    """Offer every free seat to who is next, and tell them; how many offers that made.

    `moved_from` is, by sign-up, the time that the family knew of a session that was moved in
    the same step: its offer then says so.

    To be called after every way in which a seat can come free. Offers that have run out are
    settled first. Nothing is offered past the cut-off, or of a session that is not to be held.
    """
    db.flush()
    settle_expired(db, session, now)
    if session.state != SessionState.PUBLISHED:
        return 0
    ends = offer_until(session, now)
    free = free_seats(db, session.id)
    if ends is None or free <= 0:
        return 0
    following = [one.sign_up_id for one in line(db, session)[:free]]
    if not following:
        return 0
    found = {each.id: (each, child) for each, child in with_children(db, SignUp.id.in_(following))}
    for sign_up_id in following:
        sign_up, child = found[sign_up_id]
        change_state(db, sign_up, S.OFFERED, SYSTEM, now)
        sign_up.offered_at, sign_up.offer_expires_at = now, ends
        was_at = (moved_from or {}).get(sign_up_id)
        facts = SignUpOffered(**told(sign_up, child), until=ends, was_at=was_at)
        tell(db, facts, sign_up, now, expires_at=ends, can_wait=True)
    db.flush()
    return len(following)


def promote_locked(db: Session, session_id: int, now: datetime) -> tuple[int, int]:
    """Lock one session, settle and promote: how many offers ran out, how many were made."""
    lock_session(db, session_id)
    session = db.execute(
        select(GuidanceSession)
        .join(GuidanceSession.station)
        .options(contains_eager(GuidanceSession.station))
        .where(GuidanceSession.id == session_id)
        .execution_options(populate_existing=True)
    ).scalar_one()
    settled = settle_expired(db, session, now)
    return settled, promote(db, session, now)


def find_to_promote(db: Session, now: datetime) -> Sequence[int]:
    """Sessions where an offer has run out, or where a seat is free while somebody waits."""
    run_out = select(SignUp.session_id).where(
        # The partial index serves a query that names its state.
        SignUp.state == S.OFFERED,
        SignUp.offer_expires_at <= now,
    )
    waited_for = (
        select(SignUp.session_id)
        .join(SignUp.session)
        .where(
            SignUp.state == S.WAITLISTED,
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.starts_at > now + CUT_OFF,
            GuidanceSession.places_taken < GuidanceSession.places,
        )
    )
    ids = select(GuidanceSession.id).where(
        or_(GuidanceSession.id.in_(run_out), GuidanceSession.id.in_(waited_for))
    )
    return db.execute(ids.order_by(GuidanceSession.id)).scalars().all()


def accept(
    db: Session,
    *,
    caregiver: Caregiver,
    now: datetime,
    code: str | None = None,
    children: Collection[int] = (),
) -> list[tuple[SignUp, Child]]:
    """The offered seats of one session become the family's: those of `children`, or all.

    Raises NotRegistered, SessionUnknown, NoOffer, OfferExpired, OfferUnclear, AlreadySignedUp.
    """
    actor = Actor("caregiver", caregiver.id)
    _, offers = _lock_offers(db, caregiver, code, children, now)
    for sign_up, _ in offers:
        change_state(db, sign_up, S.CONFIRMED, actor, now)
    return offers


def decline(
    db: Session,
    *,
    caregiver: Caregiver,
    now: datetime,
    code: str | None = None,
    children: Collection[int] = (),
) -> list[tuple[SignUp, Child]]:
    """The offered seats of one session, of `children` or all, go to the next in line.

    Raises as accept does, but PlaceIsTaken where the family has the place already.
    """
    actor = Actor("caregiver", caregiver.id)
    try:
        session, offers = _lock_offers(db, caregiver, code, children, now)
    except AlreadySignedUp as error:
        # "Signed up already" answers who accepts; who gives up wants the way out.
        raise PlaceIsTaken(error.code, error.nickname) from None
    for sign_up, _ in offers:
        change_state(db, sign_up, S.CANCELLED, actor, now)
    promote(db, session, now)
    return offers


def with_children(db: Session, *wanted: ColumnElement[bool]) -> list[tuple[SignUp, Child]]:
    """Sign-ups as stored now, with session, station and child, in the order they came."""
    rows = db.execute(
        select(SignUp, Child)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .join(Child, Child.id == SignUp.child_id)
        .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
        .where(*wanted)
        .order_by(SignUp.id)
        .execution_options(populate_existing=True)
    )
    return [(sign_up, child) for sign_up, child in rows]


def _lock_offers(
    db: Session,
    caregiver: Caregiver,
    code: str | None,
    children: Collection[int],
    now: datetime,
) -> tuple[GuidanceSession, list[tuple[SignUp, Child]]]:
    """The session meant, locked, with the family's open offers in it."""
    if caregiver.family_id is None:
        raise NotRegistered()
    if code is None:
        code = _code_meant(_offered(db, caregiver.family_id, children, now), now)
    session = get_session(db, code)
    lock_session(db, session.id)
    session = get_session(db, code, fresh=True)
    rows = [
        (sign_up, child)
        for sign_up, child in _offered(db, caregiver.family_id, children, now)
        if sign_up.session_id == session.id
    ]
    offers = [(each, child) for each, child in rows if _is_open(each, now)]
    if not offers:
        _refuse(rows[0] if rows else None, session.code)
    return session, offers


def _offered(
    db: Session, family_id: int, children: Collection[int], now: datetime
) -> list[tuple[SignUp, Child]]:
    """All that the family, or these of its children, was ever offered of what is still to come;
    the latest first."""
    found = with_children(
        db,
        SignUp.family_id == family_id,
        SignUp.offered_at.is_not(None),
        GuidanceSession.starts_at > now,
        *([SignUp.child_id.in_(children)] if children else []),
    )
    return sorted(found, key=lambda row: (row[0].offered_at or now, row[0].id), reverse=True)


def _is_open(sign_up: SignUp, now: datetime) -> bool:
    return is_open_offer(S(sign_up.state), sign_up.offer_expires_at, now)


def _code_meant(rows: list[tuple[SignUp, Child]], now: datetime) -> str:
    codes = sorted({each.session.code for each, _ in rows if _is_open(each, now)})
    if len(codes) > 1:
        raise OfferUnclear(tuple(codes))
    if codes:
        return codes[0]
    if not rows:
        raise NoOffer(None)
    return rows[0][0].session.code


def _refuse(last: tuple[SignUp, Child] | None, code: str) -> NoReturn:
    """Say why there is nothing to answer: by what became of the last offer."""
    if last is None:
        raise NoOffer(code)
    sign_up, child = last
    if sign_up.state in (S.OFFERED, S.EXPIRED) and sign_up.offer_expires_at is not None:
        raise OfferExpired(code, sign_up.offer_expires_at)
    if sign_up.state in (S.CONFIRMED, S.ATTENDED):
        raise AlreadySignedUp(code, child.nickname, sign_up.state)
    raise NoOffer(code)


def leave_all(db: Session, family_id: int, actor: Actor, now: datetime) -> int:
    """The family waits nowhere any more, and its open offers go to the next in line.

    For when nobody of it can be reached: an offer would hold its seat in vain.
    """
    leaves = (S.WAITLISTED, S.OFFERED)
    session_ids = db.scalars(
        select(SignUp.session_id)
        .join(SignUp.session)
        .where(
            SignUp.family_id == family_id,
            SignUp.state.in_(leaves),
            GuidanceSession.starts_at > now,
        )
        .distinct()
        .order_by(SignUp.session_id)
    ).all()
    for session_id in session_ids:
        lock_session(db, session_id)
        rows = db.scalars(
            select(SignUp)
            .where(
                SignUp.session_id == session_id,
                SignUp.family_id == family_id,
                SignUp.state.in_(leaves),
            )
            .order_by(SignUp.id)
            .execution_options(populate_existing=True)
        ).all()
        for sign_up in rows:
            change_state(db, sign_up, S.CANCELLED, actor, now)
        db.flush()
        promote(db, db.get_one(GuidanceSession, session_id), now)
    return len(session_ids)
