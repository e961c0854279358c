"""A rush's refusals: of families read together, and a session read once for all who ask."""

import time
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import AlreadySignedUp, SessionFull
from app.models import GuidanceSession, SignUp
from app.prepared import Prepared
from app.services import registration
from app.services.sign_up_reads import FamilyStanding
from app.services.signing_up import sign_up
from tests.concurrency.crowd import CODE, openid, settle

FAMILIES = 4


@pytest.fixture(autouse=True)
def full(database: Database, now: datetime) -> None:
    """One place, and family 1 has it."""
    settle(database, now, families=FAMILIES, places=1, waits="no")
    ask(database, 1, time.monotonic(), now)


def ask(database: Database, family: int, came_at: float, now: datetime) -> None:
    """A family signs up, read as a rush reads it."""
    with database.turn(came_at) as db:
        everybody = [openid(number) for number in range(1, FAMILIES + 1)]
        caregiver = registration.put_caregiver(
            db, registration.read_caregivers(db, everybody)[openid(family)]
        )
        assert caregiver.family is not None
        child = caregiver.family.children[0]
        sign_up(db, caregiver=caregiver, child=child, code=CODE, now=now)


def test_all_who_came_together_are_refused_by_one_look(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    read = Prepared.first

    def counted(self: Prepared, db: Session, **values: Any) -> Any:
        if "code" in values:
            looks.append(values["code"])
        return read(self, db, **values)

    monkeypatch.setattr(Prepared, "first", counted)
    came = time.monotonic()
    for family in (2, 3, 4):
        with pytest.raises(SessionFull):
            ask(database, family, came, now)
    assert looks == [CODE]
    with pytest.raises(SessionFull):
        ask(database, 2, time.monotonic(), now)
    assert looks == [CODE, CODE], "who comes later is not refused by what was seen before"


def test_a_seat_that_came_free_is_seen_by_whoever_comes_after(
    database: Database, now: datetime
) -> None:
    with pytest.raises(SessionFull):
        ask(database, 2, time.monotonic(), now)
    with database.transaction() as db:
        db.execute(update(SignUp).values(state="cancelled"))
        db.execute(update(GuidanceSession).values(places_taken=0))
    ask(database, 3, time.monotonic(), now)
    with pytest.raises(SessionFull):
        ask(database, 2, time.monotonic(), now)


def test_who_is_in_already_is_told_so_and_not_that_it_is_full(
    database: Database, now: datetime
) -> None:
    came = time.monotonic()
    with pytest.raises(SessionFull):
        ask(database, 2, came, now)
    with pytest.raises(AlreadySignedUp):
        ask(database, 1, came, now)


def standing(database: Database, family: int) -> FamilyStanding:
    with database.turn() as db:
        return registration.read_caregivers(db, [openid(family)])[openid(family)].standing


def test_what_is_read_of_a_family_tells_what_it_has_and_what_it_missed(
    database: Database,
) -> None:
    with database.reading() as db:
        session_id = db.execute(select(GuidanceSession.id)).scalar_one()
    assert standing(database, 1) == FamilyStanding(has_missed=False, active=(session_id,))
    assert standing(database, 2) == FamilyStanding(has_missed=False, active=())
    with database.transaction() as db:
        db.execute(update(SignUp).values(state="no_show"))
    assert standing(database, 1) == FamilyStanding(has_missed=True, active=())
