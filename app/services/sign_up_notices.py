"""The notices that a change of a sign-up owes its family."""

from datetime import datetime
from typing import TypedDict

from sqlalchemy.orm import Session

from app.models import Child, SignUp
from app.models.notice_facts import NoticeFacts
from app.services import notices


class Told(TypedDict):
    """The fields that every record about a sign-up begins with."""

    nickname: str
    code: str
    title: str
    starts_at: datetime
    place: str
    address: str
    phone: str


def told(sign_up: SignUp, child: Child) -> Told:
    """What every notice about a sign-up says of it."""
    session = sign_up.session
    return Told(
        nickname=child.nickname,
        code=session.code,
        title=session.title,
        starts_at=session.starts_at,
        place=session.station.name,
        address=session.station.address,
        phone=session.station.phone,
    )


def tell(
    db: Session,
    facts: NoticeFacts,
    sign_up: SignUp,
    now: datetime,
    *,
    expires_at: datetime | None = None,
    can_wait: bool = False,
) -> None:
    """Queue the one notice of its kind for this sign-up."""
    notices.queue(
        db,
        caregiver_id=sign_up.caregiver_id,
        facts=facts,
        subject=f"sign_up:{sign_up.id}",
        dedupe_key=f"{facts.kind}:{sign_up.id}",
        now=now,
        expires_at=expires_at or sign_up.session.ends_at,
        can_wait=can_wait,
    )
