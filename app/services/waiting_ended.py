"""Who still waits at the cut-off is told that no seat will come any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, case, cast, exists, literal, select
from sqlalchemy.orm import Session

from app.models import Child, GuidanceSession, Notice, SignUp
from app.models.notice_facts import WaitingEnded
from app.rules.sign_up import SessionState
from app.rules.sign_up import SignUpState as S
from app.rules.waiting_list import CUT_OFF
from app.services import notices
from app.services.seats import lock_session
from app.services.sign_up_notices import told
from app.services.waiting_list import with_children


def find_ended(db: Session, now: datetime) -> Sequence[int]:
    """Sessions past the cut-off where somebody still waits and was not told that it is over."""
    told_of = exists().where(
        Notice.dedupe_key
        == literal("waiting_ended:")
        + cast(SignUp.session_id, String)
        + literal(":")
        + cast(SignUp.caregiver_id, String)
        + case(
            (GuidanceSession.calendar_sequence == 0, literal("")),
            else_=literal(":") + cast(GuidanceSession.calendar_sequence, String),
        )
    )
    statement = (
        select(SignUp.session_id)
        .join(SignUp.session)
        .where(
            SignUp.state == S.WAITLISTED,
            GuidanceSession.state == SessionState.PUBLISHED,
            GuidanceSession.starts_at > now,
            GuidanceSession.starts_at <= now + CUT_OFF,
            ~told_of,
        )
        .distinct()
        .order_by(SignUp.session_id)
    )
    return db.execute(statement).scalars().all()


def tell_ended(db: Session, session_id: int, now: datetime) -> int:
    """Tell who still waits that no seat will come any more, each once; siblings together."""
    lock_session(db, session_id)
    groups: dict[int, list[tuple[SignUp, Child]]] = {}
    for sign_up, child in with_children(
        db, SignUp.session_id == session_id, SignUp.state == S.WAITLISTED
    ):
        groups.setdefault(sign_up.caregiver_id, []).append((sign_up, child))
    count = 0
    for caregiver_id, siblings in groups.items():
        names = "、".join(child.nickname for _, child in siblings)
        sign_up, child = siblings[0]
        facts = WaitingEnded(
            **told(sign_up, child) | {"nickname": names},
            sign_up_ids=tuple(each.id for each, _ in siblings),
        )
        count += notices.queue(
            db,
            caregiver_id=caregiver_id,
            facts=facts,
            subject=f"sign_up:{sign_up.id}",
            dedupe_key=_key(sign_up),
            now=now,
            expires_at=sign_up.session.starts_at,
        )
    return count


def _key(sign_up: SignUp) -> str:
    """Once for a session as it is announced: after a move the waiting begins anew."""
    moves = sign_up.session.calendar_sequence
    key = f"waiting_ended:{sign_up.session_id}:{sign_up.caregiver_id}"
    return f"{key}:{moves}" if moves else key
