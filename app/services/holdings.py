"""Everything that the service holds about one family, found by the tables' own references.

No list of tables has to be kept: a row is the family's where it refers to the family, to its
children or caregivers, or to another row of theirs. A table that a topic adds tomorrow is in
the export, and in the erasure, from its first day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, or_, select
from sqlalchemy.orm import Session

from app.db import Base
from app.models import AuditEntry, Caregiver, Child

ROOTS = ("families", "caregivers", "children")
OWNERS = ("families", "children")
"""A row that names another family, or another's child, is not this family's, whoever wrote it."""
NAMED = {"family_id": "families", "caregiver_id": "caregivers", "child_id": "children"}
"""Columns that mean a root also where the database holds no foreign key, as in rows that are
counted beforehand."""
TOLD_ELSEWHERE = frozenset({"audited_families"})
"""Who looked at the family stands in its history, which is never erased."""
HISTORY_SHOWN = 500


@dataclass(frozen=True, slots=True)
class HeldTable:
    """The family's rows of one table, as they are stored, in clear."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class OwnRows:
    """Which rows of a table are the family's, as a condition."""

    table: Table
    condition: ColumnElement[bool]


def find_own_rows(
    db: Session, family_id: int, *, children: Sequence[int] | None = None
) -> list[OwnRows]:
    """Every table with rows of the family; with `children`, only what is of these children."""
    if children is None:
        ids = {
            "families": {family_id},
            "caregivers": _ids(db, Caregiver.__table__, family_id),
            "children": _ids(db, Child.__table__, family_id),
        }
    else:
        ids = {"children": set(children)}
    tables = Base.metadata.tables
    found = [
        OwnRows(tables[name], tables[name].c.id.in_(ids[name])) for name in ROOTS if name in ids
    ]
    # Sorted so that whatever a table refers to comes before it.
    for table in Base.metadata.sorted_tables:
        if table.name in ROOTS or table.name in TOLD_ELSEWHERE:
            continue
        condition = _refers(table, ids)
        if condition is None:
            continue
        found.append(OwnRows(table, condition))
        if "id" in table.c:
            ids[table.name] = set(db.execute(select(table.c.id).where(condition)).scalars())
    return found


def load_holdings(db: Session, family_id: int) -> list[HeldTable]:
    """All rows of the family, table by table; tables without any are left out."""
    held = [_read(db, own) for own in find_own_rows(db, family_id)]
    held += [_read(db, own) for own in _by_openid(db, family_id)]
    held.append(_history(db, family_id))
    return [table for table in held if table.rows]


def _by_openid(db: Session, family_id: int) -> list[OwnRows]:
    """Rows that name a caregiver by the WeChat identity alone; they end with it."""
    openids = select(Caregiver.openid).where(
        Caregiver.family_id == family_id, Caregiver.openid.is_not(None)
    )
    return [
        OwnRows(table, table.c.openid.in_(openids))
        for table in Base.metadata.sorted_tables
        if "openid" in table.c and table.name not in ROOTS
    ]


def _ids(db: Session, table: object, family_id: int) -> set[int]:
    assert isinstance(table, Table)
    return set(db.execute(select(table.c.id).where(table.c.family_id == family_id)).scalars())


def _refers(table: Table, ids: dict[str, set[int]]) -> ColumnElement[bool] | None:
    """That a row refers to one of these, and to no other owner's."""
    belongs: list[ColumnElement[bool]] = []
    owned: list[ColumnElement[bool]] = []
    for column in table.c:
        for target in targets_of(column):
            if target not in ids:
                continue
            belongs.append(column.in_(ids[target]))
            if target in OWNERS:
                owned.append(or_(column.is_(None), column.in_(ids[target])))
    return and_(or_(*belongs), *owned) if belongs else None


def targets_of(column: Column[Any]) -> set[str]:
    """The tables whose rows a column names by their number."""
    found = {key.column.table.name for key in column.foreign_keys if key.column.name == "id"}
    if not found and column.name in NAMED:
        return {NAMED[column.name]}
    return found


def _read(db: Session, own: OwnRows) -> HeldTable:
    order = list(own.table.primary_key.columns)
    rows = db.execute(select(own.table).where(own.condition).order_by(*order))
    columns = tuple(column.name for column in own.table.c)
    return HeldTable(own.table.name, columns, tuple(tuple(row) for row in rows))


def _history(db: Session, family_id: int) -> HeldTable:
    """Who looked at the family or changed something of it, the latest first."""
    entry = AuditEntry
    caregivers = _ids(db, Caregiver.__table__, family_id)
    children = _ids(db, Child.__table__, family_id)
    shown = tuple(
        AuditEntry.__table__.c[name]
        for name in ("at", "actor_type", "action", "subject_type", "before", "after")
    )
    rows = db.execute(
        select(*shown)
        .where(
            or_(
                and_(entry.subject_type == "family", entry.subject_id == family_id),
                and_(entry.subject_type == "child", entry.subject_id.in_(children)),
                and_(entry.subject_type == "caregiver", entry.subject_id.in_(caregivers)),
            )
        )
        .order_by(entry.at.desc(), entry.id.desc())
        .limit(HISTORY_SHOWN)
    )
    names = tuple(column.name for column in shown)
    return HeldTable("audit_log", names, tuple(tuple(row) for row in rows))
