"""No page needs more than twelve queries, however much lies on the desk."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
from sqlalchemy import event, select

from app.db import Database
from app.models import Staff, Station
from app.services import home_visits, visit_decisions, visit_dues
from app.services.home_visits import Wish
from tests.console.conftest import Browse, Rows
from tests.console.desk_world import (
    make_child,
    make_follow_up,
    make_notice,
    make_session,
    make_sign_up,
    mother_of,
)
from tests.console.routes import SEES, filled
from tests.visiting import add_visitors, visitor_line

MOST = 12
MORE = (
    "families?q=bao",
    "sessions?q=qinzi",
    "notices?state=all&q=bao",
    "families?file=xlsx",
    "visits?show=all",
    "visits/due?tab=referrals",
    "visits/board?day=2026-11-23",
    "visits/board?day=2026-11-23&days=1",
    "visits/route/<visitor_id>?day=2026-11-23",
)
"""Pages with something asked for, and beside them all others."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Counted on both engines: what one writes in two statements, the other may write in one."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def full_desk(database: Database, rows: Rows, now: datetime) -> None:
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
def visits(full_desk: None, database: Database, now: datetime) -> None:
    """Ten newborns who are owed a visit; the first half have arranged one."""
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        wang = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        add_visitors(db, now, *(visitor_line(f"V{number}") for number in range(1, 6)))
        for number in range(10):
            born = now.date() - timedelta(days=4 + number)
            child = make_child(db, f"宝贝{number}", now, station=station, born=born)
            visit_dues.plan_child(db, child, now)
            if number % 2 == 0:
                wish = Wish((now + timedelta(days=1)).date())
                visit = home_visits.request(db, caregiver=mother_of(db, child), wish=wish, now=now)
                visit_decisions.confirm(db, visit_id=visit.id, staff=wang, now=now)


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
@pytest.mark.usefixtures("visits")
def test_no_page_needs_more_than_twelve_queries(
    browse: Browse, database: Database, rows: Rows, username: str
) -> None:
    browser = browse(username)
    too_many = {}
    for path in (*SEES, *(f"/console/{path}" for path in MORE)):
        with counted(database) as statements:
            answer = browser.get(filled(path, rows))
        assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, path
        if len(statements) > MOST:
            too_many[path] = len(statements)
    assert too_many == {}
