"""Who signed up cannot be told any more, or is not to be: somebody else of the family is."""

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.models import Caregiver, GuidanceSession, HomeVisit, Notice, SignUp
from app.rules.sign_up import ACTIVE
from app.rules.visiting import OPEN

UNSENT = ("queued", "waiting")


def hand_over(db: Session, *, family_id: int, leaving_id: int) -> None:
    """What a caregiver signed up for and arranged is another's to hear of, who can be reached.

    Also what was written already and has not left. Nothing where nobody else is left.
    """
    heir_id = db.scalars(
        select(Caregiver.id)
        .where(Caregiver.family_id == family_id, Caregiver.id != leaving_id)
        .order_by(Caregiver.openid.is_(None), Caregiver.is_following.is_not(True), Caregiver.id)
        .limit(1)
    ).first()
    if heir_id is None:
        return
    coming = select(GuidanceSession.id).where(GuidanceSession.state == "published")
    db.execute(
        update(SignUp)
        .where(
            SignUp.family_id == family_id,
            SignUp.caregiver_id == leaving_id,
            SignUp.state.in_(ACTIVE),
            SignUp.session_id.in_(coming),
        )
        .values(caregiver_id=heir_id)
        .execution_options(synchronize_session="fetch")
    )
    db.execute(
        update(HomeVisit)
        .where(
            HomeVisit.family_id == family_id,
            HomeVisit.caregiver_id == leaving_id,
            HomeVisit.state.in_(OPEN),
        )
        .values(caregiver_id=heir_id)
        .execution_options(synchronize_session="fetch")
    )
    db.execute(
        update(Notice)
        .where(
            Notice.caregiver_id == leaving_id,
            Notice.state.in_(UNSENT),
            or_(
                Notice.subject.like("sign_up:%"),
                Notice.subject.like("home_visit:%"),
                Notice.kind == "plan_taken",
            ),
        )
        .values(caregiver_id=heir_id)
        .execution_options(synchronize_session="fetch")
    )
