"""What is forgotten, and what is kept, on both engines."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Database
from app.models import ApiAnswer, Caregiver, InboxEntry, Invitation
from app.services import tidying
from tests.outbox import book, hear


def test_callbacks_are_kept_for_three_days(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        for days in (0, 2, 3, 4, 40):
            hear(db, f"o{days}", "write", now - timedelta(days=days))
        assert tidying.forget_callbacks(db, now) == 2
        kept = set(db.execute(select(InboxEntry.openid)).scalars())

    assert kept == {"o0", "o2", "o3"}


def test_a_batch_at_a_time_the_oldest_first(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "BATCH", 2)
    with database.transaction() as db:
        for days in (5, 9, 7):
            hear(db, f"o{days}", "write", now - timedelta(days=days))
        assert tidying.forget_callbacks(db, now) == 2
        assert list(db.execute(select(InboxEntry.openid)).scalars()) == ["o5"]
        assert tidying.forget_callbacks(db, now) == 1


def test_only_an_open_invitation_is_kept(database: Database, now: datetime) -> None:
    ends = {"OPEN": now + timedelta(days=1), "OVER": now, "USED": now + timedelta(days=1)}
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        caregiver = db.get_one(Caregiver, booking.caregiver_id)
        for code, expires_at in ends.items():
            db.add(
                Invitation(
                    family_id=caregiver.family_id,
                    code=code,
                    created_by=booking.caregiver_id,
                    created_at=now,
                    expires_at=expires_at,
                    used_at=now if code == "USED" else None,
                )
            )
        db.flush()
        assert tidying.forget_invitations(db, now) == 2
        assert list(db.execute(select(Invitation.code)).scalars()) == ["OPEN"]


def test_the_apis_answers_are_kept_for_three_days(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        for days in (0, 3, 4):
            db.add(
                ApiAnswer(
                    caregiver_id=booking.caregiver_id,
                    key=f"key-{days}-days",
                    request="x",
                    status=200,
                    body="{}",
                    created_at=now - timedelta(days=days),
                )
            )
        db.flush()
        assert tidying.forget_answers(db, now) == 1
        kept = set(db.execute(select(ApiAnswer.key)).scalars())

    assert kept == {"key-0-days", "key-3-days"}
