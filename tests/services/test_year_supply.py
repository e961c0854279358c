"""What a year plan may be made of."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.db import Database
from app.models import Family, GuidanceSession
from app.rules.sign_up import SignUpState
from app.services.year_supply import count_wished_for, load_standings, load_supply
from tests.console.desk_world import make_child, make_session, make_sign_up, make_station

BORN = date(2025, 9, 1)


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def codes(database: Database, now: datetime) -> Sequence[str]:
    """Ten open sessions with one place each, every three weeks."""
    names = [f"S{number:02}" for number in range(1, 11)]
    with database.transaction() as db:
        station = make_station(db, "CQ")
        for number, code in enumerate(names, 1):
            session = make_session(db, station, code, now + timedelta(weeks=3 * number), places=1)
            session.opens_at = now - timedelta(days=1)
    return names


def test_a_seat_that_is_owed_to_who_waits_is_no_free_seat(
    database: Database, codes: Sequence[str], now: datetime
) -> None:
    with database.transaction() as db:
        session = db.execute(
            select(GuidanceSession).where(GuidanceSession.code == "S01")
        ).scalar_one()
        make_sign_up(db, session, make_child(db, "毛毛", now, born=BORN), now, state="waitlisted")
        db.flush()
        supply = load_supply(db, now)
    seats = {one.code: one.seats_left for one in supply.candidates.values()}
    assert seats["S01"] == 0
    assert seats["S02"] == 1


def test_what_is_closed_not_open_cancelled_or_next_year_is_no_supply(
    database: Database, codes: Sequence[str], now: datetime
) -> None:
    with database.transaction() as db:
        found = db.execute(select(GuidanceSession).order_by(GuidanceSession.code)).scalars().all()
        found[0].state = "cancelled"
        found[1].state = "draft"
        found[2].closes_at = now
        found[3].opens_at = now + timedelta(seconds=1)
        found[4].starts_at = datetime(2027, 1, 1, 0, 0, tzinfo=SHANGHAI)
        found[4].ends_at = found[4].starts_at + timedelta(hours=1)
        found[5].opens_at = now
        db.flush()
        supply = load_supply(db, now)
    assert [one.code for one in supply.candidates.values()] == list(codes[5:])


def test_a_supply_that_goes_on_is_as_if_read_anew(
    database: Database, codes: Sequence[str], now: datetime
) -> None:
    later = now + timedelta(weeks=4)
    with database.transaction() as db:
        found = db.execute(select(GuidanceSession).order_by(GuidanceSession.code)).scalars().all()
        found[6].opens_at = now + timedelta(weeks=3)
        found[7].opens_at = later + timedelta(seconds=1)
        db.flush()
        supply = load_supply(db, now)
        before = set(supply.sessions)

        supply.go_on(load_supply(db, later, opened_after=now), later)

        anew = load_supply(db, later)
    assert supply.sessions == anew.sessions
    assert supply.candidates == anew.candidates
    assert set(supply.sessions) == before - {found[0].id} | {found[6].id}


@pytest.mark.parametrize("days", [-400, -80, -4, -2, 2, 320])
def test_the_database_counts_as_a_standing_does(
    database: Database, days: int, now: datetime
) -> None:
    """Each state of a sign-up, long ago, in the days of the paper sheet, to come and next year."""
    with database.transaction() as db:
        station = make_station(db, "CQ")
        session = make_session(db, station, "S", now + timedelta(days=days), places=20)
        children = [make_child(db, "毛毛", now, born=BORN) for _ in SignUpState]
        for child, state in zip(children, SignUpState, strict=True):
            make_sign_up(db, session, child, now, state=state)
        db.flush()
        rows = db.execute(select(Family.id, count_wished_for(Family.id, now)))
        counted = dict(rows.all())
        standings = load_standings(db, dict.fromkeys(counted), now)
    assert counted == {
        family_id: one.attended + one.arranged + one.waiting for family_id, one in standings.items()
    }
