"""Whoever shows a family has it in the audit log, and whoever changes something of one, too."""

from datetime import date, datetime

import pytest
from sqlalchemy import func, select, text

from app.db import Database
from app.models import AuditEntry, Child, HomeVisit, Staff
from app.services import audit_search, home_visits, visit_dues
from app.services.audit_search import AuditQuery
from app.services.home_visits import Wish
from tests.console.browsing import text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import mother_of
from tests.console.test_access import DOES, FIELDS, SEES, filled, token_of
from tests.visiting import add_visitors, visitor_line

VISIT_PAGES = (
    "/console/visits",
    "/console/visits?show=all",
    "/console/visits/due",
    "/console/visits/board?day=2026-11-23",
    "/console/visits/board?day=2026-11-23&days=1",
    "/console/visits/1",
    "/console/visits/1/time",
    "/console/visits/1/record",
    "/console/visits/route/1?day=2026-11-23",
    "/console/visits/families/{family_id}",
    "/console/visits/arrange/{family_id}",
)
FILES = (
    "/console/families?file=csv",
    "/console/pending?file=csv",
    "/console/follow-ups?file=csv",
    "/console/notices?state=all&file=csv",
    "/console/visits?show=all&file=csv",
    "/console/sessions/CQ-1?file=csv",
)
TABLES = (
    *("sign_ups", "families", "children", "caregivers", "follow_ups", "learners", "certificates"),
    *("home_visits", "visit_dues", "special_needs", "newborn_care", "home_contacts"),
    *("guidance_sessions", "visitor_leaves", "threads", "help_threads"),
)


@pytest.fixture
def visited(desk: Desk, database: Database, now: datetime) -> Desk:
    """糖糖, a newborn, has asked for Monday's visit."""
    with database.transaction() as db:
        add_visitors(db, now, visitor_line())
        child = db.scalars(select(Child).where(Child.family_id == desk.family_id)).one()
        child.birth_date = date(2026, 11, 15)
        visit_dues.plan_child(db, child, now)
        wish = Wish(date(2026, 11, 23))
        home_visits.request(db, caregiver=mother_of(db, child), wish=wish, now=now)
        teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        visit = db.scalars(select(HomeVisit)).one()
        home_visits.confirm(db, visit_id=visit.id, staff=teacher, now=now)
    return desk


def views_of(database: Database, family_id: int, now: datetime) -> int:
    with database.reading() as db:
        query = AuditQuery(text=str(family_id), what="views")
        return len(audit_search.find(db, query, limit=9999, offset=0, now=now))


def test_every_page_that_names_a_family_is_in_the_log_of_that_family(
    browse: Browse, visited: Desk, database: Database, now: datetime
) -> None:
    browser = browse("wang")
    unseen = []
    named = 0
    for path in (*SEES, *VISIT_PAGES, *FILES):
        before = views_of(database, visited.family_id, now)
        answer = browser.get(filled(path, visited))
        # The name in a file is in its bytes as in a page's text.
        if "糖糖" not in text_of(answer):
            continue
        named += 1
        if views_of(database, visited.family_id, now) == before:
            unseen.append(path)
    assert named > 15, "the desk is laid"
    assert unseen == []


def rows_of(database: Database) -> dict[str, list[str]]:
    with database.reading() as db:
        there = set(
            db.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        )
        return {
            table: [str(tuple(row)) for row in db.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
            for table in TABLES
            if table in there
        }


def test_every_act_that_changes_something_leaves_a_row_in_the_log(
    browse: Browse, visited: Desk, database: Database, now: datetime
) -> None:
    browser = browse("district")
    token = token_of(browser)
    acts = [filled(path, visited) for path in DOES if "logout" not in path]
    acts += [
        f"/console/visits/{act}"
        for act in (
            f"due/{visited.family_id}",
            "children/1/birth",
            "children/1/special",
            "medical/1",
            "1/cancel",
            "visitors/1/leave",
            "leave/1/end",
        )
    ]
    fields = {
        **FIELDS,
        "outcome": "reached",
        "day": "2026-11-20",
        "first": "2026-11-24",
        "c1-born": "2026-11-14",
        "category": "听力",
        "contact_name": "陈阿姨",
        "phone": "13800009999",
        "to": "lost",
    }
    silent, changed = [], 0
    for path in acts:
        before, logged = rows_of(database), count(database)
        browser.post(path, data={"csrf_token": token, **fields})
        if rows_of(database) == before:
            continue
        changed += 1
        if count(database) == logged:
            silent.append(path)
    assert changed > 10, "the acts act"
    assert silent == []


def count(database: Database) -> int:
    """Rows that are no views."""
    with database.reading() as db:
        return db.execute(
            select(func.count(AuditEntry.id)).where(AuditEntry.action != "view")
        ).scalar_one()
