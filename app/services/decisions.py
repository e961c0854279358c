"""What staff decide about places in sessions: confirm, decline, cancel, override, waive."""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, false, or_, select
from sqlalchemy.orm import Session, contains_eager

from app.errors import NotYours, ReasonMissing, SignUpAlreadyDecided, SignUpUnknown
from app.models import Child, Family, GuidanceSession, SignUp, Staff, Station
from app.models.notice_facts import (
    SignUpCancelledByStaff,
    SignUpConfirmed,
    SignUpDeclined,
)
from app.rules.sign_up import SignUpState, can_cancel
from app.services import plan_keeping, waiting_list
from app.services.audit import Actor, record
from app.services.seats import (
    change_state,
    lock_session,
    terms_of,
)
from app.services.sign_up_notices import tell, told
from app.services.staff import scope_of


def in_scope(staff: Staff) -> ColumnElement[bool]:
    """Which stations' rows this staff member may see: a condition on Station."""
    return scope_of(staff).stations() if staff.is_active else false()


def _lock(db: Session, sign_up_id: int, staff: Staff) -> tuple[SignUp, Child]:
    """The sign-up as it is now, its session held. Raises SignUpUnknown, NotYours."""
    row = db.execute(
        select(SignUp.session_id, Station.id)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .where(SignUp.id == sign_up_id)
    ).one_or_none()
    if row is None:
        raise SignUpUnknown(str(sign_up_id))
    session_id, station_id = row
    allowed = db.execute(
        select(Station.id).where(Station.id == station_id, in_scope(staff))
    ).scalar_one_or_none()
    if allowed is None:
        raise NotYours()
    lock_session(db, session_id)
    found, child = db.execute(
        select(SignUp, Child)
        .join(Child, Child.id == SignUp.child_id)
        .join(SignUp.session)
        .join(GuidanceSession.station)
        .options(contains_eager(SignUp.session).contains_eager(GuidanceSession.station))
        .where(SignUp.id == sign_up_id)
        .execution_options(populate_existing=True)
    ).one()
    return found, child


def _check_undecided(db: Session, sign_up: SignUp) -> None:
    """Raises SignUpAlreadyDecided with who was faster, and when."""
    if sign_up.state == SignUpState.REQUESTED:
        return
    decider = db.get(Staff, sign_up.decided_by) if sign_up.decided_by else None
    raise SignUpAlreadyDecided(
        state=sign_up.state, by=decider.username if decider else None, at=sign_up.decided_at
    )


def confirm(db: Session, *, sign_up_id: int, staff: Staff, now: datetime) -> SignUp:
    """The requested place is the family's, and the family is told.

    Raises SignUpUnknown, NotYours, SignUpAlreadyDecided.
    """
    found, child = _lock(db, sign_up_id, staff)
    _check_undecided(db, found)
    change_state(db, found, SignUpState.CONFIRMED, Actor("staff", staff.id), now)
    tell(db, _confirmed(found, child, now), found, now)
    return found


def _confirmed(sign_up: SignUp, child: Child, now: datetime) -> SignUpConfirmed:
    may = can_cancel(terms_of(sign_up.session), now)
    return SignUpConfirmed(**told(sign_up, child), can_cancel=may)


def decline(
    db: Session,
    *,
    sign_up_id: int,
    staff: Staff,
    reason: str,
    now: datetime,
    is_moved: bool = False,
) -> SignUp:
    """The request is turned down with a reason that the family is told; its seat is free.

    One that is moved elsewhere in the same step is not lost: its year plan proposes nothing
    for it. Raises SignUpUnknown, NotYours, SignUpAlreadyDecided, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    found, child = _lock(db, sign_up_id, staff)
    _check_undecided(db, found)
    change_state(
        db, found, SignUpState.DECLINED, Actor("staff", staff.id), now, reason=reason.strip()
    )
    facts = SignUpDeclined(**told(found, child), reason=reason.strip())
    tell(db, facts, found, now)
    waiting_list.promote(db, found.session, now)
    if not is_moved:
        plan_keeping.replace_lost(db, [found.family_id], now)
    return found


def cancel_by_staff(
    db: Session, *, sign_up_id: int, staff: Staff, reason: str, now: datetime
) -> SignUp:
    """A place, an offer or a wait is taken back with a reason that the family is told.

    Raises SignUpUnknown, NotYours, TransitionNotAllowed, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    found, child = _lock(db, sign_up_id, staff)
    change_state(
        db, found, SignUpState.CANCELLED, Actor("staff", staff.id), now, reason=reason.strip()
    )
    facts = SignUpCancelledByStaff(**told(found, child), reason=reason.strip())
    tell(db, facts, found, now)
    waiting_list.promote(db, found.session, now)
    plan_keeping.replace_lost(db, [found.family_id], now)
    return found


def override_seat(
    db: Session, *, sign_up_id: int, staff: Staff, reason: str, now: datetime
) -> SignUp:
    """A waiting child gets a seat beyond the places, with a reason for the audit trail.

    The seat is none of the session's places: it takes none, and frees none when it is given
    back. Raises SignUpUnknown, NotYours, TransitionNotAllowed, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    found, child = _lock(db, sign_up_id, staff)
    change_state(
        db,
        found,
        SignUpState.CONFIRMED,
        Actor("staff", staff.id),
        now,
        reason=reason.strip(),
        is_override=True,
    )
    tell(db, _confirmed(found, child, now), found, now)
    return found


def waive_no_shows(
    db: Session, *, family_id: int, staff: Staff, reason: str, now: datetime
) -> Family:
    """Sessions that this family missed up to now no longer delay its sign-ups.

    By staff of the family's station, or of one where it missed a session.
    Raises NotYours, ReasonMissing.
    """
    if not reason.strip():
        raise ReasonMissing()
    missed_there = (
        select(GuidanceSession.station_id)
        .join(SignUp, SignUp.session_id == GuidanceSession.id)
        .where(SignUp.family_id == family_id, SignUp.state == SignUpState.NO_SHOW)
    )
    family = db.execute(
        select(Family)
        .where(
            Family.id == family_id,
            exists(
                select(Station.id)
                .where(
                    or_(Station.id == Family.station_id, Station.id.in_(missed_there)),
                    in_scope(staff),
                )
                .correlate(Family)
            ),
        )
        .with_for_update(key_share=True)
    ).scalar_one_or_none()
    if family is None:
        raise NotYours()
    family.no_shows_waived_at = now
    record(
        db,
        actor=Actor("staff", staff.id),
        action="waive_no_shows",
        subject_type="family",
        subject_id=family.id,
        now=now,
        reason=reason.strip(),
    )
    return family
