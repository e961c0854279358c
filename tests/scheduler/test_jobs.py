"""The jobs through the timetable, as of a time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.config import Settings
from app.db import Database
from app.models import SignUp
from app.rules.channel_budget import Channel
from app.services import delivery, tidying
from app.wiring import Services, make_services
from handlers import HANDLERS
from scheduler.timetable import JOBS
from tests.outbox import book, claim_due, hear, outbox, put_notice

REST = "0 invitations, 0 answers and 0 log-ins; marked 0 places as missed"


@pytest.fixture
def services(settings: Settings, database: Database) -> Iterator[Services]:
    services = replace(make_services(settings, HANDLERS, JOBS), database=database)
    yield services
    services.redis.close()


def run(services: Services, name: str, now: datetime) -> str:
    (job,) = [job for job in services.jobs if job.name == name]
    return job.run(services, now)


def test_send_notices_delivers_what_is_due_and_settles_what_a_crash_left(
    services: Services, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        put_notice(db, booking, now, key="crashed")
        (claimed,) = claim_due(db, now=now, worker="dead", limit=1)
        delivery.choose_channel(db, claimed.id, Channel.CUSTOMER_SERVICE)
        put_notice(db, booking, now, key="due")
        put_notice(db, booking, now, key="later", due_at=now + timedelta(days=1))

    said = run(services, "send_notices", now + timedelta(minutes=2))

    assert said == "took 1 notices, settled 1 that a crash had left"
    assert [notice.state for notice in outbox(database)] == ["unknown", "waiting", "queued"]


def test_tidy_says_what_it_deleted(services: Services, database: Database, now: datetime) -> None:
    with database.transaction() as db:
        for number in range(5):
            hear(db, f"o{number}", "write", now - timedelta(days=4))

    assert run(services, "tidy", now) == f"deleted 5 callbacks, {REST}"
    assert run(services, "tidy", now) == f"deleted 0 callbacks, {REST}"


def test_tidy_goes_on_until_nothing_is_left(
    services: Services, database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "BATCH", 2)
    with database.transaction() as db:
        for number in range(5):
            hear(db, f"o{number}", "write", now - timedelta(days=4))

    assert run(services, "tidy", now) == f"deleted 5 callbacks, {REST}"


def test_remind_sessions_says_what_it_queued(
    services: Services, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
    day_before = booking.facts.starts_at - timedelta(hours=24)

    assert run(services, "remind_sessions", now) == "queued 0 reminders for 0 sessions"
    assert run(services, "remind_sessions", day_before) == "queued 1 reminders for 1 sessions"
    assert run(services, "remind_sessions", day_before) == "queued 0 reminders for 1 sessions"


def test_tidy_marks_what_nobody_came_to(
    services: Services, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        db.get_one(SignUp, booking.sign_up_id).session.state = "held"

    assert run(services, "tidy", now + timedelta(days=10)) == (
        "deleted 0 callbacks, 0 invitations, 0 answers and 0 log-ins; marked 1 places as missed"
    )
