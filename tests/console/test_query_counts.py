"""No page needs more than twelve queries, however much lies on the desk."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from app.db import Database
from app.models import Staff, Station
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import (
    make_child,
    make_follow_up,
    make_notice,
    make_session,
    make_sign_up,
)
from tests.console.test_access import SEES, filled

MOST = 12


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


@pytest.mark.usefixtures("full_desk")
@pytest.mark.parametrize("username", ["wang", "district"])
def test_no_page_needs_more_than_twelve_queries(
    browse: Browse, desk: Desk, database: Database, username: str
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
    assert too_many == {}
