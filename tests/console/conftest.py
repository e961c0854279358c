"""The console alone, over a real database, with a worker here, one elsewhere, and the district."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from app.config import Settings
from app.console import init_console
from app.db import Database
from app.security import secure
from app.wiring import Job
from content.library import Library
from content.shelf import Shelf
from scheduler.timetable import JOBS
from tests.console.browsing import send
from tests.console.desk_world import (
    PASSWORD,
    lay_district,
    lay_log_in,
    lay_visit,
    make_child,
    make_follow_up,
    make_graduate,
    make_notice,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
    make_thread,
)

SHELF = Shelf()
"""Read once for all tests."""


@dataclass(frozen=True)
class Parts:
    """All that the console asks of the wired services."""

    database: Database
    redis: Redis
    settings: Settings
    shelf: Shelf = SHELF
    jobs: Sequence[Job] = JOBS

    @property
    def library(self) -> Library:
        """What authors wrote, as it lies there."""
        return self.shelf.library

    def find_session_code(self, session_code: str) -> str | None:
        """As the platform would give it; for one code it cannot be reached."""
        return None if session_code == "SILENT" else f"http://weixin.qq.com/q/{session_code}"


@dataclass(frozen=True)
class Desk:
    """What lies on the desk of the station CQ; the station BH has nothing to do with it."""

    sign_up_id: int
    """糖糖, requested."""
    follow_up_id: int
    notice_id: int
    family_id: int
    """糖糖's."""
    learner_id: int
    """Her mother, who has completed the course."""
    certificate_id: int
    staff_id: int
    """wang's."""
    thread_id: int
    """Her mother has asked for a person."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages are tested on one engine; the services behind them, on both."""
    return sqlite_url


Browse = Callable[[str | None], FlaskClient]


_made: dict[tuple[object, ...], Flask] = {}


def console_app(settings: Settings, database: Database) -> Flask:
    """The console over this test's database.

    Compiling its routes and templates costs more than most tests: it is made once a worker for
    each set of settings that its making reads, and then looks at the parts of whoever asked last.
    """
    read_when_made = (
        settings.secret_key.get_secret_value(),
        settings.public_url,
        settings.redis_url,
        settings.trusted_proxies,
    )
    if read_when_made not in _made:
        app = Flask("app")
        secure(app, settings)
        init_console(app)
        _made[read_when_made] = app
    app = _made[read_when_made]
    app.extensions["yuban"] = Parts(database, Redis.from_url(settings.redis_url), settings)
    return app


@pytest.fixture
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    """The edges' clock stands at `now`."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def app(
    settings: Settings,
    database: Database,
    clock: time_machine.Traveller,
) -> Flask:
    return console_app(settings, database)


_laid: dict[datetime, tuple[Desk, bytes]] = {}
"""By the time of the desk: what lies on it, and the database in which it does."""


@pytest.fixture
def desk(database: Database, now: datetime) -> Desk:
    """Laid once a worker for each time, and then put there as a file, which takes a tenth."""
    path = Path(database.engine.url.database or "")
    # Whoever was there before, and may have written, has left a log of the writes.
    is_untouched = path.is_file() and not path.with_name(f"{path.name}-wal").exists()
    if is_untouched and now in _laid:
        desk, kept = _laid[now]
        path.write_bytes(kept)
        return desk
    desk = _lay_desk(database, now)
    if is_untouched:
        with closing(sqlite3.connect(path)) as connection:
            _laid[now] = desk, connection.serialize()
    return desk


def _lay_desk(database: Database, now: datetime) -> Desk:
    with database.transaction() as db:
        chengqiao = make_station(db, "CQ", township="城桥镇")
        baozhen = make_station(db, "BH", township="堡镇")
        wang = make_staff(db, "wang", now, station=chengqiao)
        make_staff(db, "chen", now, station=chengqiao)
        make_staff(db, "li", now, station=baozhen)
        make_staff(db, "district", now, role="district")
        make_staff(db, "visitor", now, role="visitor", station=chengqiao)
        make_staff(db, "lead", now, role="township", township="城桥镇")
        make_staff(db, "lead-elsewhere", now, role="township", township="堡镇")
        make_staff(db, "editor", now, role="editor")
        make_staff(db, "auditor", now, role="auditor")
        session = make_session(db, chengqiao, "CQ-1", now + timedelta(days=3))
        child = make_child(db, "糖糖", now, station=chengqiao)
        child.family.contact_name, child.family.phone = "王阿姨", "13800001234"
        sign_up = make_sign_up(db, session, child, now - timedelta(hours=1))
        follow_up = make_follow_up(db, now, kind="emergency", child=child, station=chengqiao)
        notice = make_notice(db, child, now, state="unknown", reason="crashed_while_sending")
        certificate = make_graduate(db, child, now)
        return Desk(
            sign_up.id,
            follow_up.id,
            notice.id,
            child.family_id,
            certificate.learner_id,
            certificate.id,
            wang.id,
            make_thread(db, child, now, "想问问辅食怎么加").id,
        )


Rows = dict[str, object]
"""By the names that routes have for them: {"visit_id": 1, …}."""


@pytest.fixture
def rows(database: Database, desk: Desk, now: datetime) -> Rows:
    """A row of CQ for whatever a route may name: the desk's, and a visit of tomorrow's."""
    with database.transaction() as db:
        return {
            **vars_of(desk),
            **lay_visit(db, desk.family_id, now),
            **lay_district(db, now),
            "log_in_id": lay_log_in(db, desk.family_id, now),
        }


def vars_of(desk: Desk) -> Rows:
    return {each.name: getattr(desk, each.name) for each in fields(desk)}


@pytest.fixture
def browse(app: Flask, desk: Desk) -> Browse:
    """A browser that has logged in as somebody, or as nobody."""

    def log_in_as(username: str | None) -> FlaskClient:
        browser = app.test_client()
        if username is not None:
            response = send(browser, "/console/login", username=username, password=PASSWORD)
            assert response.status_code == 302, response.get_data(as_text=True)
        return browser

    return log_in_as
