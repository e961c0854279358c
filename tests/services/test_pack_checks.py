"""What the doctor finds in the ledger of pushes, on both engines."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.db import Database
from app.models import Child, Notice, PackPush, SignUp
from app.services import pack_checks
from tests.outbox import book


@pytest.fixture
def push_id(database: Database, now: datetime) -> int:
    """A push that was sent."""
    with database.transaction() as db:
        sign_up = db.get_one(SignUp, book(db, "oMAMA", now).sign_up_id)
        push = PackPush(
            child_id=sign_up.child_id,
            caregiver_id=sign_up.caregiver_id,
            family_id=sign_up.family_id,
            pack_id="P00-07",
            version=1,
            because="age",
            state="sent",
            sent_at=now,
            due_at=now,
            closes_at=now + timedelta(days=7),
            planned_at=now,
        )
        db.add(push)
        db.flush()
        return push.id


def found(database: Database, push_id: int, **changes: object) -> dict[str, list[str]]:
    """What each check names after the push was changed so."""
    with database.transaction() as db:
        if changes:
            db.execute(update(PackPush).where(PackPush.id == push_id).values(**changes))
        return {
            "unexplained": pack_checks.unexplained(db),
            "unfollowed": pack_checks.unfollowed(db),
            "doubled": pack_checks.doubled(db),
            "misplaced": pack_checks.misplaced(db),
        }


def test_a_sound_ledger_has_nothing_to_name(database: Database, push_id: int) -> None:
    assert not any(found(database, push_id).values())


@pytest.mark.parametrize(
    "check, changes",
    [
        ("unexplained", {"state": "lost"}),
        ("unexplained", {"sent_at": None}),
        ("unexplained", {"state": "skipped", "reason": None}),
        ("unexplained", {"state": "queued", "lead_id": None}),
        ("unfollowed", {"state": "queued", "lead_id": 4711}),
        ("misplaced", {"family_id": 4711}),
    ],
)
def test_each_fault_is_named(
    database: Database, push_id: int, check: str, changes: dict[str, object]
) -> None:
    assert found(database, push_id, **changes)[check] == [f"pack_push:{push_id}"]


def test_a_message_written_twice_is_named(database: Database, push_id: int, now: datetime) -> None:
    with database.transaction() as db:
        child = db.get_one(Child, db.get_one(PackPush, push_id).child_id)
        model = db.scalars(select(Notice).order_by(Notice.id)).first()
        caregiver = child.family.caregivers[0]
        for number in (1, 2):
            db.add(
                Notice(
                    kind="pack",
                    subject=f"pack:{push_id}",
                    dedupe_key=f"pack:{push_id}:{number}",
                    caregiver_id=caregiver.id,
                    facts=model.facts if model else "{}",
                    state="queued",
                    priority=5,
                    queued_at=now,
                    due_at=now,
                )
            )
    assert found(database, push_id)["doubled"] == [f"pack:{push_id}"]
