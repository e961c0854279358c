"""A caregiver's devices: each is logged in by itself, and is ended by itself."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Database
from app.errors import LogInUnknown
from app.models import AuditEntry, Caregiver, CaregiverLogIn
from app.rules.identity import Device
from app.services import log_ins, registration
from app.services.audit import Actor
from tests.outbox import book


@pytest.fixture
def caregiver_id(database: Database, now: datetime) -> int:
    with database.transaction() as db:
        return book(db, "o-mother", now).caregiver_id


def logged_in(database: Database, caregiver_id: int, now: datetime, way: str = "pages") -> int:
    with database.transaction() as db:
        caregiver = db.get_one(Caregiver, caregiver_id)
        return log_ins.begin(db, caregiver, way=way, device=Device.IPHONE, now=now).id


def is_open(database: Database, log_in_id: int, caregiver_id: int, now: datetime) -> bool:
    with database.reading() as db:
        return log_ins.find_caregiver(db, log_in_id, caregiver_id, now) is not None


def test_one_device_is_ended_and_the_other_goes_on(
    database: Database, caregiver_id: int, now: datetime
) -> None:
    lost, kept = (logged_in(database, caregiver_id, now) for _ in range(2))
    mine = Caregiver.id == caregiver_id
    with database.transaction() as db:
        log_ins.end(db, lost, whose=mine, actor=Actor("staff", 7), now=now)
    assert not is_open(database, lost, caregiver_id, now)
    assert is_open(database, kept, caregiver_id, now)
    with database.transaction() as db:
        assert [one.id for one in log_ins.of_caregivers(db, mine, now)] == [kept]
        written = db.scalars(select(AuditEntry).where(AuditEntry.action == "end_log_in")).one()
        assert (written.actor_id, written.subject_id, written.after) == (
            7,
            caregiver_id,
            "pages iphone",
        )
        with pytest.raises(LogInUnknown):
            log_ins.end(db, lost, whose=mine, actor=Actor("staff", 7), now=now)
        others = Caregiver.id == caregiver_id + 1
        with pytest.raises(LogInUnknown):
            log_ins.end(db, kept, whose=others, actor=Actor("caregiver", 9), now=now)


def test_a_number_opens_nothing_for_another(
    database: Database, caregiver_id: int, now: datetime
) -> None:
    made = logged_in(database, caregiver_id, now)
    with database.transaction() as db:
        other = registration.follow(db, "o-other", now).id
    assert not is_open(database, made, other, now)


def test_leaving_the_account_ends_the_pages_and_not_the_app(
    database: Database, caregiver_id: int, now: datetime
) -> None:
    pages = logged_in(database, caregiver_id, now)
    with database.transaction() as db:
        db.get_one(Caregiver, caregiver_id).mini_openid = "o-mini"
    app = logged_in(database, caregiver_id, now, "app")
    with database.transaction() as db:
        registration.unfollow(db, "o-mother", now)
    assert not is_open(database, pages, caregiver_id, now)
    assert is_open(database, app, caregiver_id, now)
    with database.reading() as db:
        assert log_ins.of_nobody(db, now) == []


def test_what_runs_out_is_deleted_and_what_was_ended_stays_until_then(
    database: Database, caregiver_id: int, now: datetime
) -> None:
    """Its number, given to another device, would bring the ended token back to life."""
    ended = logged_in(database, caregiver_id, now)
    with database.transaction() as db:
        actor = Actor("caregiver", caregiver_id)
        log_ins.end(db, ended, whose=Caregiver.id == caregiver_id, actor=actor, now=now)
        assert log_ins.forget(db, now) == 0
        assert log_ins.forget(db, now + log_ins.PAGES_LAST + timedelta(seconds=1)) == 1


def test_beyond_twenty_the_oldest_ends(
    database: Database, caregiver_id: int, now: datetime
) -> None:
    made = [logged_in(database, caregiver_id, now) for _ in range(log_ins.MOST + 1)]
    with database.reading() as db:
        found = log_ins.of_caregivers(db, Caregiver.id == caregiver_id, now)
        assert [one.id for one in found] == made[:0:-1]
        assert db.get_one(CaregiverLogIn, made[0]).ended_at == now


def test_a_log_in_of_nobody_is_found(database: Database, caregiver_id: int, now: datetime) -> None:
    made = logged_in(database, caregiver_id, now)
    with database.transaction() as db:
        db.get_one(Caregiver, caregiver_id).openid = None
        db.flush()
        assert log_ins.of_nobody(db, now) == [f"log_in:{made}"]
