"""The outbox, as operators read it.

The field names are those of the published JSON: scripts hold on to them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Caregiver, Notice
from app.models.notice_facts import NoticeFacts, load_facts


@dataclass(frozen=True, slots=True)
class NoticeOverview:
    id: int
    openid: str | None
    kind: str
    subject: str
    text: str
    """As it was sent; where it was not yet, as it would be said."""
    state: str
    reason: str | None
    channel: str | None
    queued_at: datetime
    due_at: datetime
    sent_at: datetime | None
    attempts: int


def list_notices(
    db: Session, *, say: Callable[[NoticeFacts], str], state: str | None = None
) -> list[NoticeOverview]:
    """What was or will be sent, the oldest first; of one state, or of all."""
    statement = (
        select(Notice, Caregiver.openid)
        .join(Caregiver, Caregiver.id == Notice.caregiver_id)
        .order_by(Notice.queued_at, Notice.id)
    )
    if state is not None:
        statement = statement.where(Notice.state == state)
    return [
        NoticeOverview(
            id=notice.id,
            openid=openid,
            kind=notice.kind,
            subject=notice.subject,
            text=notice.text if notice.text is not None else say(load_facts(notice.facts)),
            state=notice.state,
            reason=notice.reason,
            channel=notice.channel,
            queued_at=notice.queued_at,
            due_at=notice.due_at,
            sent_at=notice.sent_at,
            attempts=notice.attempts,
        )
        for notice, openid in db.execute(statement)
    ]
