"""That a child was there, or was not: entered by staff, by the family's scan, or from a file."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import SessionStepNotAllowed, SignUpUnknown
from app.models import Caregiver, Child, SignUp
from app.rules.sign_up import ACTIVE, SessionState, SignUpState
from app.services import waiting_list
from app.services.audit import Actor, record
from app.services.seats import change_state, get_session, lock_session, release_place


def attend(
    db: Session,
    *,
    session_code: str,
    caregiver: Caregiver,
    child: Child,
    actor: Actor,
    now: datetime,
    undo: bool = False,
) -> SignUp:
    """Enter that a child was there, also of a past session and without a sign-up; or undo it.

    Undone, a place is as before, and who waited waits again, as long as before.
    Raises SessionUnknown, SessionStepNotAllowed (a draft, or cancelled), SignUpUnknown (undo of
    what was not entered), TransitionNotAllowed.
    """
    session = get_session(db, session_code)
    lock_session(db, session.id)
    session = get_session(db, session_code, fresh=True)
    if session.state not in (SessionState.PUBLISHED, SessionState.HELD):
        raise SessionStepNotAllowed(session.code, session.state, SessionState.HELD)
    found = db.execute(
        select(SignUp)
        .where(
            SignUp.session_id == session.id,
            SignUp.child_id == child.id,
            SignUp.state.in_(ACTIVE | {SignUpState.NO_SHOW}),
        )
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if undo:
        if found is None or found.state != SignUpState.ATTENDED:
            raise SignUpUnknown(session.code)
        _set_attendance(db, found, _undone(found), actor, now)
        if found.state == SignUpState.WAITLISTED:
            waiting_list.promote(db, session, now)
        return found
    if found is None:
        found = SignUp(
            session_id=session.id,
            child_id=child.id,
            family_id=child.family_id,
            caregiver_id=caregiver.id,
            state=SignUpState.ATTENDED,
            is_walk_in=True,
            requested_at=now,
            decided_at=now,
            decided_by=actor.id if actor.type == "staff" else None,
        )
        db.add(found)
        db.flush()
        record(
            db,
            actor=actor,
            action="walk_in",
            subject_type="sign_up",
            subject_id=found.id,
            now=now,
            after=SignUpState.ATTENDED,
        )
    elif found.state in (SignUpState.WAITLISTED, SignUpState.OFFERED):
        _walk_in_instead(db, found, actor, now)
        waiting_list.promote(db, session, now)
    elif found.state != SignUpState.ATTENDED:
        change_state(db, found, SignUpState.ATTENDED, actor, now)
    return found


def _walk_in_instead(db: Session, sign_up: SignUp, actor: Actor, now: datetime) -> None:
    """Who still waits for a seat and is there all the same: a walk-in, as without a sign-up."""
    was = sign_up.state
    if was == SignUpState.OFFERED:
        release_place(db, sign_up.session_id)
    sign_up.is_walk_in = True
    sign_up.state = SignUpState.ATTENDED
    sign_up.decided_at = now
    sign_up.decided_by = actor.id if actor.type == "staff" else None
    record(
        db,
        actor=actor,
        action="walk_in",
        subject_type="sign_up",
        subject_id=sign_up.id,
        now=now,
        before=was,
        after=SignUpState.ATTENDED,
    )


def _undone(sign_up: SignUp) -> SignUpState:
    """What a check-in was entered over."""
    if not sign_up.is_walk_in:
        return SignUpState.CONFIRMED
    # An offer is not made twice: who came instead of answering it has had its turn.
    waited = sign_up.waitlisted_at is not None and sign_up.offered_at is None
    return SignUpState.WAITLISTED if waited else SignUpState.CANCELLED


def _set_attendance(
    db: Session, sign_up: SignUp, to: SignUpState, actor: Actor, now: datetime
) -> None:
    """Undo a check-in: a walk-in's row ends, a signed-up family's place is as before."""
    was = sign_up.state
    sign_up.state = to
    if to is SignUpState.WAITLISTED:
        sign_up.is_walk_in, sign_up.decided_by = False, None
    sign_up.decided_at = now
    record(
        db,
        actor=actor,
        action="undo_attendance",
        subject_type="sign_up",
        subject_id=sign_up.id,
        now=now,
        before=was,
        after=to,
    )
