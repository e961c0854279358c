"""What nobody needs any more is deleted, a batch at a time."""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.models import ApiAnswer, InboxEntry, Invitation

INBOX_KEPT = timedelta(days=3)
"""The platform retries within seconds; the 48-hour window of sending is counted from here."""
ANSWERS_KEPT = timedelta(days=3)
"""An app sends a wish again within minutes; who opens it days later makes a new one."""
BATCH = 2_000


def forget_callbacks(db: Session, now: datetime) -> int:
    """Delete a batch of old callbacks with their replies; how many those were."""
    old = (
        select(InboxEntry.key)
        .where(InboxEntry.received_at < now - INBOX_KEPT)
        .order_by(InboxEntry.received_at)
        .limit(BATCH)
    )
    gone = db.execute(
        delete(InboxEntry)
        .where(InboxEntry.key.in_(old))
        .returning(InboxEntry.key)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def forget_invitations(db: Session, now: datetime) -> int:
    """Delete a batch of invitations that are used or past their time; how many those were."""
    over = (
        select(Invitation.id)
        .where(or_(Invitation.expires_at <= now, Invitation.used_at.is_not(None)))
        .limit(BATCH)
    )
    gone = db.execute(
        delete(Invitation)
        .where(Invitation.id.in_(over))
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def forget_answers(db: Session, now: datetime) -> int:
    """Delete a batch of old answers of the API, kept for being given again; how many."""
    old = select(ApiAnswer.id).where(ApiAnswer.created_at < now - ANSWERS_KEPT).limit(BATCH)
    gone = db.execute(
        delete(ApiAnswer)
        .where(ApiAnswer.id.in_(old))
        .returning(ApiAnswer.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())
