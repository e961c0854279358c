"""The audit log: rows are added and stay as they are."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from app.db import Database
from app.models import AuditedFamily, AuditEntry
from app.services.audit import Actor, record

STAFF = Actor("staff", 7)


def add(database: Database, at: datetime) -> None:
    with database.transaction() as db:
        record(
            db,
            actor=STAFF,
            action="view",
            subject_type="families",
            subject_id=None,
            now=at,
            reason="查找",
            families=[3, 5, 3],
        )


def test_a_row_knows_the_families_it_is_about(database: Database, now: datetime) -> None:
    add(database, now)
    with database.reading() as db:
        assert db.scalars(select(AuditEntry.action)).all() == ["view"]
        about = select(AuditedFamily.family_id).order_by(AuditedFamily.family_id)
        assert db.scalars(about).all() == [3, 5]


@pytest.mark.parametrize("column", ["at", "actor_id", "action", "subject_id", "after"])
def test_a_row_cannot_be_changed(database: Database, now: datetime, column: str) -> None:
    add(database, datetime.now(now.tzinfo))
    values = {
        "at": now,
        "actor_id": 8,
        "action": "nothing",
        "subject_id": 1,
        "after": "x",
    }
    with pytest.raises(DBAPIError, match="never changed"), database.transaction() as db:
        db.execute(update(AuditEntry).values({column: values[column]}))


def test_a_row_cannot_be_deleted(database: Database, now: datetime) -> None:
    add(database, datetime.now(now.tzinfo))
    with pytest.raises(DBAPIError, match="audit log"), database.transaction() as db:
        db.execute(delete(AuditEntry))


def test_only_the_reason_can_be_encrypted_anew(database: Database, now: datetime) -> None:
    add(database, now)
    with database.transaction() as db:
        db.execute(update(AuditEntry).values(reason="查找"))


def test_after_its_years_a_row_may_go(database: Database, now: datetime) -> None:
    add(database, datetime.now(now.tzinfo) - timedelta(days=366 * 3))
    with database.transaction() as db:
        db.execute(delete(AuditEntry))
    with database.reading() as db:
        assert db.scalars(select(AuditedFamily)).all() == []
