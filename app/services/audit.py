"""The audit trail: one row for every change that matters, in the change's own transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import CTE, Insert, bindparam, insert, select, text
from sqlalchemy.orm import Session

from app.models import AuditedFamily, AuditEntry
from app.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a caregiver, a staff member, the service itself, or an operator."""

    type: Literal["caregiver", "staff", "system", "operator"]
    id: int | None = None


SYSTEM = Actor("system")
OPERATOR = Actor("operator")


_COLUMNS = [column.name for column in AuditEntry.__table__.columns if column.name != "id"]
_INSERT = Prepared(insert(AuditEntry).values({name: bindparam(name) for name in _COLUMNS}))
_NAMED_APART = "audit_"
_INSERT_FAMILIES = insert(AuditedFamily)
_INSERT_MANY = text(
    "INSERT INTO audited_families (entry_id, family_id)"
    " SELECT :entry_id, each FROM unnest(CAST(:families AS integer[])) AS each"
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
    families: Collection[int] = (),
) -> None:
    """Add one row, such as action="confirm", subject sign_up 12, requested → confirmed.

    `families` are the ids of the families that the row is about, where the subject does not
    tell: those that a page has shown.
    """
    values = {
        "at": now,
        "actor_type": actor.type,
        "actor_id": actor.id,
        "action": action,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "before": before,
        "after": after,
        "reason": reason,
    }
    if not families:
        _INSERT.run(db, **values)
        return
    connection = db.connection()
    (entry_id,) = connection.execute(insert(AuditEntry), values).inserted_primary_key or (None,)
    ids = sorted(set(families))
    if connection.dialect.name == "postgresql":
        # A page shows some hundreds: one statement, where executemany would send them one by one.
        connection.execute(_INSERT_MANY, {"entry_id": entry_id, "families": ids})
        return
    connection.execute(
        _INSERT_FAMILIES, [{"entry_id": entry_id, "family_id": each} for each in ids]
    )


def insert_for_each(subjects: CTE) -> Insert:
    """Part of a statement on PostgreSQL that has written `subjects`: their audit rows.

    A session's lock is held meanwhile: each statement less lets the next in sooner. `given_apart`
    makes its parameters; `subjects` have an id.
    """
    names = [name for name in _COLUMNS if name != "subject_id"]
    values = [
        bindparam(f"{_NAMED_APART}{name}", type_=AuditEntry.__table__.c[name].type)
        for name in names
    ]
    return insert(AuditEntry).from_select(
        [*names, "subject_id"], select(*values, subjects.c.id), include_defaults=False
    )


def given_apart(
    *, actor: Actor, action: str, subject_type: str, now: datetime, after: str | None
) -> dict[str, object]:
    """The parameters of insert_for_each."""
    values = {
        "at": now,
        "actor_type": actor.type,
        "actor_id": actor.id,
        "action": action,
        "subject_type": subject_type,
        "after": after,
    }
    return {f"{_NAMED_APART}{name}": value for name, value in values.items()}


def record_each(
    db: Session,
    *,
    actor: Actor,
    action: str,
    subject_type: str,
    subject_ids: Collection[int],
    now: datetime,
) -> None:
    """One row for each of many subjects of one change, such as the families of a file."""
    if not subject_ids:
        return
    db.execute(
        insert(AuditEntry),
        [
            {
                "at": now,
                "actor_type": actor.type,
                "actor_id": actor.id,
                "action": action,
                "subject_type": subject_type,
                "subject_id": subject_id,
            }
            for subject_id in subject_ids
        ],
    )
