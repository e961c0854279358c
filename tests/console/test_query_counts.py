"""No page needs more than twelve queries, however much lies on the desk."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
from sqlalchemy import event, select

from app.db import Database
from app.models import Staff, Station
from app.services import home_visits, visit_dues
from app.services.home_visits import Wish
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import (
    make_child,
    make_follow_up,
    make_notice,
    make_session,
    make_sign_up,
    mother_of,
)
from tests.console.test_access import SEES, filled
from tests.visiting import add_visitors, visitor_line

MOST = 12
VISITS = (
    "visits",
    "visits?show=all",
    "visits/due",
    "visits/due?tab=referrals",
    "visits/board?day=2026-11-23",
    "visits/board?day=2026-11-23&days=1",
    "visits/visitors",
    "visits/{visit}",
    "visits/{visit}/time",
    "visits/{visit}/record",
    "visits/route/{visitor}?day=2026-11-23",
    "visits/families/{family}",
    "visits/arrange/{family}",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Counted on both engines: what one writes in two statements, the other may write in one."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def full_desk(database: Database, desk: Desk, now: datetime) -> None:
    """Enough of everything for a list to betray itself by a query a row."""
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        wang = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        sessions = [
            make_session(db, station, f"CQ-{number + 2}", now + timedelta(days=number - 3))
            for number in range(8)
        ]
        for number in range(20):
            child = make_child(db, f"宝{number}", now, station=station)
            make_sign_up(db, sessions[number % 8], child, now)
            make_sign_up(
                db,
                sessions[(number + 1) % 8],
                child,
                now,
                state=("confirmed", "attended", "no_show")[number % 3],
                decided_by=wang,
            )
            make_follow_up(db, now, child=child, station=station)
            make_notice(db, child, now, reason="crashed_while_sending")


@pytest.fixture
def visits(full_desk: None, database: Database, now: datetime) -> dict[str, int]:
    """Ten newborns who are owed a visit; the first half have arranged one."""
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        wang = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        add_visitors(db, now, *(visitor_line(f"V{number}") for number in range(1, 6)))
        made = []
        for number in range(10):
            born = now.date() - timedelta(days=4 + number)
            child = make_child(db, f"宝贝{number}", now, station=station, born=born)
            visit_dues.plan_child(db, child, now)
            if number % 2 == 0:
                wish = Wish((now + timedelta(days=1)).date())
                visit = home_visits.request(db, caregiver=mother_of(db, child), wish=wish, now=now)
                home_visits.confirm(db, visit_id=visit.id, staff=wang, now=now)
                made.append(visit)
        return {
            "visit": made[0].id,
            "visitor": made[0].visitor_id or 0,
            "family": child.family_id,
        }


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that run meanwhile."""
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        # SQLite's engine says BEGIN through the same door; it asks for nothing.
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("username", ["wang", "district"])
def test_no_page_needs_more_than_twelve_queries(
    browse: Browse, desk: Desk, database: Database, visits: dict[str, int], username: str
) -> None:
    browser = browse(username)
    too_many = {}
    for path in SEES:
        with counted(database) as statements:
            browser.get(filled(path, desk))
        if len(statements) > MOST:
            too_many[path] = len(statements)
    for path in (
        "families?q=bao",
        "sessions?q=qinzi",
        "notices?state=all&q=bao",
        "families?file=xlsx",
    ):
        with counted(database) as statements:
            browser.get(f"/console/{path}")
        if len(statements) > MOST:
            too_many[path] = len(statements)
    for path in VISITS:
        with counted(database) as statements:
            answer = browser.get(f"/console/{path.format(**visits)}")
        assert answer.status_code == HTTPStatus.OK, path
        if len(statements) > MOST:
            too_many[path] = len(statements)
    assert too_many == {}
