"""Signing up: a seat at once where one is free and nobody waits, else a place in the line.

In a rush nearly everybody is refused: that way is the short one.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, bindparam, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningInsert

from app.errors import AlreadySignedUp, NotRegistered, SessionFull
from app.models import Caregiver, Child, Family, GuidanceSession, SignUp
from app.prepared import Loader, Prepared
from app.rules.no_show import OPENS_LATER_BY, REMEMBERED_FOR, sign_up_delay
from app.rules.sign_up import (
    ACTIVE,
    SignUpState,
    check_age,
    check_is_open,
    check_not_delayed,
    check_township_first,
)
from app.rules.waiting_list import WaitingOrder
from app.services import audit, waiting_list
from app.services.audit import Actor
from app.services.seats import (
    Look,
    get_session,
    held_on,
    lock_session,
    look,
    take_at_once,
    take_seats,
    terms_of,
)
from app.services.sign_up_reads import get_for_sign_up


def sign_up(
    db: Session,
    *,
    caregiver: Caregiver,
    child: Child,
    code: str,
    now: datetime,
    actor: Actor | None = None,
) -> SignUp:
    """One child's sign-up: as sign_up_together, for one."""
    made = sign_up_together(
        db, caregiver=caregiver, children=[child], code=code, now=now, actor=actor
    )
    return made[0]


def sign_up_together(
    db: Session,
    *,
    caregiver: Caregiver,
    children: Sequence[Child],
    code: str,
    now: datetime,
    actor: Actor | None = None,
) -> list[SignUp]:
    """A seat for each child with one adult, or a place in the waiting list: alike for all.

    `actor` is who acts for the caregiver; None: the caregiver does. Seated they are confirmed,
    or requested where staff decide. Raises NotRegistered, SessionUnknown, SessionCancelled,
    SignUpNotOpenYet, TownshipFirst, SignUpDelayed, SignUpClosed, AgeOutsideSession,
    AlreadySignedUp, SessionFull; the caller's transaction then rolls back, which is what takes
    back the seats that were counted.
    """
    family = caregiver.family
    if family is None or any(
        child.family_id != family.id or child.lost_at is not None for child in children
    ):
        raise NotRegistered()
    asked = get_for_sign_up(db, code, family, len(children), now)
    session = asked.session
    _check_may_sign_up(db, session, family, children, now, has_missed=asked.has_missed)
    waitlisted_at = None
    # Read a moment ago: where it was full then, the database need not be asked to try.
    if asked.seen is not None or not take_at_once(db, session, len(children)):
        if session.waiting_list == WaitingOrder.NO:
            seen = asked.seen or look(db, session, family, now)
            _check_not_plainly_full(db, session, seen, children)
        lock_session(db, session.id)
        if look(db, session, family, now).is_changed:
            session = get_session(db, code, fresh=True)
            _check_may_sign_up(db, session, family, children, now)
        waitlisted_at = _seat_or_line_up(db, session, family, children, now)
    state = _first_state(session, waitlisted_at)
    by = actor or Actor("caregiver", caregiver.id)
    made = [
        _insert(
            db,
            session,
            by,
            now,
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
    *,
    has_missed: bool = True,
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
    if has_missed and now < session.opens_at + OPENS_LATER_BY:
        missed = _missed_starts(db, family.id, now)
        check_not_delayed(terms, sign_up_delay(missed, now, family.no_shows_waived_at), now)
    for child in children:
        check_age(terms, child.nickname, child.birth_date, held_on(session))


_MISSED = Prepared(
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
    return [at for (at,) in _MISSED.all(db, family_id=family_id, since=now - REMEMBERED_FOR)]


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
    db: Session, session: GuidanceSession, seen: Look, children: Sequence[Child]
) -> None:
    """Refuse without the session's lock where nothing could come of it: in a rush, nearly all.

    Raises AlreadySignedUp, SessionFull.
    """
    if seen.is_changed or seen.run_out or seen.free >= len(children):
        return
    if seen.active:
        _check_none_active(db, session, children)
    raise _full(session, seen, len(children))


def _seat_or_line_up(
    db: Session,
    session: GuidanceSession,
    family: Family,
    children: Sequence[Child],
    now: datetime,
) -> datetime | None:
    """Take the seats (None), or say since when these children wait; the session is locked.

    Raises AlreadySignedUp, SessionFull.
    """
    seen = look(db, session, family, now)
    if seen.run_out or (seen.waiting and seen.free > 0):
        # Nobody jumps the queue: seats that have come free are offered to it first.
        waiting_list.promote(db, session, now)
        seen = look(db, session, family, now)
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


def _insert_sign_up(dialect: str) -> ReturningInsert[int] | Select[int]:
    """On PostgreSQL with its audit row; SQLite takes no statement inside another."""
    is_postgresql = dialect == "postgresql"
    insert = (postgresql if is_postgresql else sqlite).insert
    statement: ReturningInsert[int] = (
        insert(SignUp.__table__)
        .values({name: bindparam(name) for name in INSERTED})
        .on_conflict_do_nothing()
        .returning(SignUp.id)
    )
    if not is_postgresql:
        return statement
    made = statement.cte("made")
    return select(made.c.id).add_cte(audit.insert_for_each(made).cte("told"))


_INSERT = Prepared(_insert_sign_up)
_SIGN_UPS = Loader(SignUp)


def _insert(
    db: Session, session: GuidanceSession, by: Actor, now: datetime, **values: object
) -> SignUp | None:
    """The new row, with its audit row; None where the child has an active sign-up already.

    It is put together from what was inserted: reading it back would cost another statement.
    """
    values |= {"session_id": session.id, "is_walk_in": False, "is_override": False}
    state = str(values["state"])
    told = audit.given_apart(
        actor=by, action="sign_up", subject_type="sign_up", now=now, after=state
    )
    inserted = _INSERT.first(db, **values, **told)
    if inserted is None:
        return None
    if db.get_bind().dialect.name != "postgresql":
        audit.record(
            db,
            actor=by,
            action="sign_up",
            subject_type="sign_up",
            subject_id=inserted[0],
            now=now,
            after=state,
        )
    made: SignUp = _SIGN_UPS.put_new(db, values | {"id": inserted[0]}, session=session)
    return made
