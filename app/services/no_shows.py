"""Places that nobody checked in, marked as missed when staff have had time to say otherwise."""

from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from app.models import GuidanceSession, SignUp
from app.rules.no_show import MARKED_AFTER
from app.rules.sign_up import SessionState, SignUpState
from app.services.audit import SYSTEM
from app.services.seats import change_state, lock_session

BATCH = 50


def find_unsettled(db: Session, now: datetime) -> list[int]:
    """Sessions over for three days with confirmed places that nobody checked in.

    Only those of which attendance was taken: somebody was checked in, or staff said that the
    session was held. Where the paper sheet was never entered, nobody is taken to have missed it.
    """
    came = aliased(SignUp)
    statement = (
        select(GuidanceSession.id)
        .where(
            GuidanceSession.state.in_((SessionState.PUBLISHED, SessionState.HELD)),
            GuidanceSession.ends_at <= now - MARKED_AFTER,
            exists().where(
                SignUp.session_id == GuidanceSession.id, SignUp.state == SignUpState.CONFIRMED
            ),
            or_(
                GuidanceSession.state == SessionState.HELD,
                exists().where(
                    came.session_id == GuidanceSession.id, came.state == SignUpState.ATTENDED
                ),
            ),
        )
        .order_by(GuidanceSession.ends_at, GuidanceSession.id)
        .limit(BATCH)
    )
    return list(db.execute(statement).scalars())


def mark_missed(db: Session, session_id: int, now: datetime) -> int:
    """Mark one session's confirmed places as missed; how many those were."""
    lock_session(db, session_id)
    missed = db.execute(
        select(SignUp)
        .where(SignUp.session_id == session_id, SignUp.state == SignUpState.CONFIRMED)
        .order_by(SignUp.id)
        .execution_options(populate_existing=True)
    ).scalars()
    count = 0
    for sign_up in missed.all():
        change_state(db, sign_up, SignUpState.NO_SHOW, SYSTEM, now)
        count += 1
    return count
