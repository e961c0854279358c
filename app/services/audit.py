"""The audit trail: one row for every change that matters, in the change's own transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, insert
from sqlalchemy.orm import Session

from app.models import AuditEntry
from app.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a caregiver, a staff member, the service itself, or an operator."""

    type: Literal["caregiver", "staff", "system", "operator"]
    id: int | None = None


SYSTEM = Actor("system")
OPERATOR = Actor("operator")


_INSERT = Prepared(
    insert(AuditEntry).values(
        {
            column.name: bindparam(column.name)
            for column in AuditEntry.__table__.columns
            if column.name != "id"
        }
    )
)


def record(
    db: Session,
    *,
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: int | None,
    now: datetime,
    before: str | None = None,
    after: str | None = None,
    reason: str | None = None,
) -> None:
    """Add one row, such as action="confirm", subject sign_up 12, requested → confirmed."""
    _INSERT.run(
        db,
        at=now,
        actor_type=actor.type,
        actor_id=actor.id,
        action=action,
        subject_type=subject_type,
        subject_id=subject_id,
        before=before,
        after=after,
        reason=reason,
    )
