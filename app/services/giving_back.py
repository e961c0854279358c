"""Places of children who will not come any more, whoever says so: given back, and passed on."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import GuidanceSession, SignUp, YearPlan
from app.rules.sign_up import ACTIVE, SignUpState
from app.services import waiting_list
from app.services.audit import Actor
from app.services.seats import change_state, lock_session


def give_back(
    db: Session, family_id: int, children: Collection[int], actor: Actor, now: datetime
) -> int:
    """Cancel what these children are signed up for and did not begin; how many those were.

    The deadline of cancelling does not hold here: a place of nobody is of no use to anybody.
    Nobody is told, and their year plan ends.
    """
    wanted = (
        SignUp.family_id == family_id,
        SignUp.child_id.in_(children),
        SignUp.state.in_(ACTIVE - {SignUpState.ATTENDED}),
    )
    session_ids = db.scalars(
        select(SignUp.session_id)
        .join(SignUp.session)
        .where(*wanted, GuidanceSession.starts_at > now)
        .distinct()
        .order_by(SignUp.session_id)
    ).all()
    count = 0
    for session_id in session_ids:
        lock_session(db, session_id)
        rows = db.scalars(
            select(SignUp)
            .where(*wanted, SignUp.session_id == session_id)
            .order_by(SignUp.id)
            .execution_options(populate_existing=True)
        ).all()
        for sign_up in rows:
            change_state(db, sign_up, SignUpState.CANCELLED, actor, now)
        count += len(rows)
        db.flush()
        waiting_list.promote(db, db.get_one(GuidanceSession, session_id), now)
    db.execute(
        update(YearPlan)
        .where(YearPlan.child_id.in_(children), YearPlan.ended_at.is_(None))
        .values(ended_at=now, takes_since=None)
    )
    db.flush()
    return count
