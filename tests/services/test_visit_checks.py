"""What the doctor finds in home visits: every check has its fault, and is content without."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Database
from app.models import HomeVisit, VisitReport
from app.rules.visit_record import ChildRecord, DangerSign, VisitRecord
from app.services import home_visits, visit_checks, visit_day, visit_decisions
from app.services.doctor import examine
from app.services.home_visits import Wish
from tests.services.visit_world import Town, settle


@pytest.fixture
def town(database: Database, now: datetime) -> Town:
    """One visit made with a referral, one arranged, one asked for; Monday's the made one."""
    with database.transaction() as db:
        town = settle(db, now, families=3)
    monday = now + timedelta(days=1)
    with database.transaction() as db:
        for number in range(3):
            wish = Wish((now + timedelta(days=1 + number)).date())
            home_visits.request(db, caregiver=town.mother(db, number), wish=wish, now=now)
        first, second, _ = db.scalars(select(HomeVisit).order_by(HomeVisit.id)).all()
        visit_decisions.confirm(db, visit_id=first.id, staff=town.teacher, now=now)
        visit_decisions.confirm(db, visit_id=second.id, staff=town.teacher, now=now)
        child = ChildRecord(child_id=first.child_id, danger=frozenset({DangerSign.CORD}))
        visit_day.complete(
            db,
            visit_id=first.id,
            staff=town.teacher,
            key="k" * 32,
            written=VisitRecord(children=(child,), referred_to="区妇幼"),
            written_at=monday,
            now=monday,
        )
    return town


def broken(db: Session, cipher: Cipher, now: datetime) -> dict[str, tuple[str, ...]]:
    report = examine(db, cipher=cipher, now=now)
    return {check.name: check.broken for check in report.checks if not check.ok}


def test_what_the_services_wrote_is_sound(
    town: Town, database: Database, cipher: Cipher, now: datetime
) -> None:
    with database.reading() as db:
        assert broken(db, cipher, now) == {}


@contextmanager
def spoiled(database: Database, *statements: str) -> Iterator[Session]:
    """A session that writes past the guards; nothing of it stays."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        with Session(connection) as db:
            for statement in statements:
                db.execute(text(statement))
            yield db
        connection.rollback()


SPOILING: dict[str, tuple[str, ...]] = {
    "visits_do_not_overlap": (
        # An hour into the visit before it; the beginnings differ, so no key forbids it.
        "UPDATE home_visits SET visitor_id = (SELECT min(visitor_id) FROM home_visits),"
        " starts_at = '2026-11-24 01:15:00', ends_at = '2026-11-24 02:15:00',"
        " busy_until = '2026-11-24 02:45:00' WHERE id = (SELECT max(id) FROM home_visits)",
        "UPDATE home_visits SET visitor_id = (SELECT min(visitor_id) FROM home_visits)"
        " WHERE state = 'confirmed'",
    ),
    "one_open_visit_a_family": (
        "DROP INDEX uq_home_visits_open",
        "UPDATE home_visits SET family_id = (SELECT min(family_id) FROM home_visits"
        " WHERE state = 'confirmed') WHERE state = 'requested'",
    ),
    "visits_are_in_order": (
        "UPDATE home_visits SET state = 'lost' WHERE id = (SELECT max(id) FROM home_visits)",
    ),
    "visits_are_audited": ("UPDATE home_visits SET state = 'missed' WHERE state = 'confirmed'",),
    "visits_are_told": ("DELETE FROM notices WHERE kind = 'visit_summary'",),
    "made_visits_have_their_record": ("DELETE FROM visit_reports",),
    "owed_visits_are_credited_right": (
        "UPDATE visit_dues SET visit_id = (SELECT max(id) FROM home_visits)"
        " WHERE closed_as = 'visited'",
    ),
    "twins_are_at_high_risk": (
        "INSERT INTO children (family_id, nickname, birth_date, created_at, updated_at)"
        " SELECT family_id, nickname, birth_date, created_at, updated_at FROM children"
        " WHERE id = (SELECT max(id) FROM children)",
    ),
    "no_visit_after_a_loss": ("UPDATE children SET lost_at = created_at",),
    "proposals_end_with_their_visit": (
        "INSERT INTO visit_proposals (visit_id, visitor_id, starts_at, ends_at, busy_until, state,"
        " created_at, expires_at) SELECT id, visitor_id, starts_at, ends_at, busy_until, 'open',"
        " requested_at, starts_at FROM home_visits WHERE id = (SELECT min(id) FROM home_visits)",
    ),
    "referrals_are_of_made_visits": (
        "UPDATE referrals SET visit_id = (SELECT max(id) FROM home_visits)",
    ),
}


@pytest.mark.parametrize("check", SPOILING)
def test_each_fault_is_found(
    town: Town, database: Database, cipher: Cipher, now: datetime, check: str
) -> None:
    with spoiled(database, *SPOILING[check]) as db:
        assert check in broken(db, cipher, now)


def test_every_check_of_visits_has_its_fault() -> None:
    assert {name for name, _ in visit_checks.CHECKS} == set(SPOILING)


def test_a_proposal_in_a_visits_way_is_found(
    town: Town, database: Database, cipher: Cipher, now: datetime
) -> None:
    statement = (
        "INSERT INTO visit_proposals (visit_id, visitor_id, starts_at, ends_at, busy_until, state,"
        " created_at, expires_at) SELECT (SELECT id FROM home_visits WHERE state = 'requested'),"
        " visitor_id, starts_at, ends_at, busy_until, 'open', requested_at, starts_at"
        " FROM home_visits WHERE state = 'confirmed'"
    )
    with spoiled(database, statement) as db:
        found = broken(db, cipher, now)["visits_do_not_overlap"]
    assert any("visit_proposal" in each for each in found)


def test_two_proposals_in_each_others_way_are_found(
    town: Town, database: Database, cipher: Cipher, now: datetime
) -> None:
    proposal = (
        "INSERT INTO visit_proposals (visit_id, visitor_id, starts_at, ends_at, busy_until, state,"
        " created_at, expires_at) SELECT id, (SELECT min(visitor_id) FROM home_visits),"
        " '2026-12-08 0{hour}:{minute}:00', '2026-12-08 0{end}:{minute}:00',"
        " '2026-12-08 0{end}:{busy}:00', 'open', requested_at, requested_at"
        " FROM home_visits WHERE state = '{state}'"
    )
    first = proposal.format(hour=1, minute="00", end=2, busy="30", state="confirmed")
    apart = proposal.format(hour=2, minute="30", end=3, busy="59", state="requested")
    within = proposal.format(hour=2, minute="29", end=3, busy="59", state="requested")
    with spoiled(database, first, apart) as db:
        assert "visits_do_not_overlap" not in broken(db, cipher, now)
    with spoiled(database, first, within) as db:
        [pair] = broken(db, cipher, now)["visits_do_not_overlap"]
    assert pair.count("visit_proposal:") == 2


def test_a_request_that_lay_for_weeks_is_found(
    town: Town, database: Database, cipher: Cipher, now: datetime
) -> None:
    with database.reading() as db:
        assert "requests_for_visits_go_up" in broken(db, cipher, now + timedelta(days=30))


def test_a_record_is_kept_encrypted(town: Town, database: Database) -> None:
    with database.reading() as db:
        stored = db.execute(text("SELECT record FROM visit_reports")).scalar_one()
        assert "cord" not in stored
        assert "cord" in db.scalars(select(VisitReport.record)).one()
