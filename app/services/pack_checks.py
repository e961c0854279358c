"""What must hold of the ledger of pushes; asked by the doctor."""

from collections.abc import Iterable

from sqlalchemy import and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from app.models import Child, Notice, PackPush
from app.models.packs import BigId

STATES = ("planned", "queued", "waiting", "sent", "skipped", "failed", "unknown")
REASONED = ("waiting", "skipped", "failed", "unknown")
LIVE = ("queued", "sending", "waiting", "sent", "unknown")


def unexplained(db: Session) -> list[str]:
    """Pushes without a known state, the reason that it needs, or the time of sending."""
    statement = select(PackPush.id).where(
        or_(
            PackPush.state.not_in(STATES),
            and_(PackPush.state.in_(REASONED), PackPush.reason.is_(None)),
            and_(PackPush.state == "sent", PackPush.sent_at.is_(None)),
            and_(PackPush.state.in_(("queued", "waiting")), PackPush.lead_id.is_(None)),
        )
    )
    return _named(db.scalars(statement.order_by(PackPush.id)))


def unfollowed(db: Session) -> list[str]:
    """Pushes on their way that say something else than their message does."""
    said = case((Notice.state == "sending", "queued"), else_=Notice.state)
    latest = (
        select(
            cast(func.substr(Notice.subject, 6), BigId).label("lead_id"),
            func.max(Notice.id).label("notice_id"),
        )
        .where(Notice.kind == "pack")
        .group_by(Notice.subject)
        .subquery()
    )
    statement = (
        select(PackPush.id)
        .outerjoin(latest, latest.c.lead_id == PackPush.lead_id)
        .outerjoin(Notice, Notice.id == latest.c.notice_id)
        .where(
            PackPush.state.in_(("queued", "waiting", "failed", "unknown")),
            or_(Notice.id.is_(None), said != PackPush.state),
        )
    )
    return _named(db.scalars(statement.order_by(PackPush.id)))


def doubled(db: Session) -> list[str]:
    """Messages that were written twice for one push, and neither was called back."""
    statement = (
        select(Notice.subject)
        .where(Notice.kind == "pack", Notice.state.in_(LIVE))
        .group_by(Notice.subject)
        .having(func.count() > 1)
    )
    return list(db.scalars(statement.order_by(Notice.subject)))


def misplaced(db: Session) -> list[str]:
    """Pushes that count in another family's week than the child's."""
    statement = (
        select(PackPush.id)
        .join(Child, Child.id == PackPush.child_id)
        .where(PackPush.family_id != Child.family_id)
    )
    return _named(db.scalars(statement.order_by(PackPush.id)))


def _named(keys: Iterable[int]) -> list[str]:
    return [f"pack_push:{key}" for key in keys]
