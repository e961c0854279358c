"""Whoever shows a family has it in the audit log, and whoever changes something of one, too."""

from datetime import datetime

from sqlalchemy import func, select, text

from app.db import Database
from app.models import AuditEntry
from app.services import audit_search
from app.services.audit_search import AuditQuery
from tests.console.conftest import Browse, Desk, Rows
from tests.console.routes import DOES, FIELDS, SEES, filled
from tests.console.test_access import token_of

MORE_PAGES = (
    "/console/visits?show=all",
    "/console/visits/board?day=2026-11-23",
    "/console/visits/board?day=2026-11-23&days=1",
    "/console/visits/route/<visitor_id>?day=2026-11-23",
)
FILES = (
    "/console/families?file=csv",
    "/console/pending?file=csv",
    "/console/follow-ups?file=csv",
    "/console/notices?state=all&file=csv",
    "/console/threads?file=csv",
    "/console/visits?show=all&file=csv",
    "/console/sessions/CQ-1?file=csv",
)
TABLES = (
    *("sign_ups", "families", "children", "caregivers", "follow_ups", "learners", "certificates"),
    *("home_visits", "visit_dues", "special_needs", "newborn_care", "home_contacts"),
    *("guidance_sessions", "visitor_leaves", "threads", "help_threads", "caregiver_log_ins"),
)


def views_of(database: Database, family_id: int, now: datetime) -> int:
    with database.reading() as db:
        query = AuditQuery(text=str(family_id), what="views")
        return len(audit_search.find(db, query, limit=9999, offset=0, now=now))


def test_every_page_that_names_a_family_is_in_the_log_of_that_family(
    browse: Browse, desk: Desk, rows: Rows, database: Database, now: datetime
) -> None:
    browser = browse("wang")
    unseen = []
    named = 0
    for path in (*SEES, *MORE_PAGES, *FILES):
        before = views_of(database, desk.family_id, now)
        answer = browser.get(filled(path, rows))
        # The name in a file is in its bytes as in a page's text.
        if "糖糖".encode() not in answer.get_data():
            continue
        named += 1
        if views_of(database, desk.family_id, now) == before:
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
    browse: Browse, desk: Desk, rows: Rows, database: Database
) -> None:
    browser = browse("district")
    token = token_of(browser)
    fields = {
        **FIELDS,
        "c1-born": "2026-11-14",
        "category": "听力",
        "contact_name": "陈阿姨",
        "phone": "13800009999",
        "to": "lost",
    }
    silent, changed = [], 0
    for rule in (rule for rule in DOES if "logout" not in rule):
        before, logged = rows_of(database), count(database)
        browser.post(filled(rule, rows), data={"csrf_token": token, **fields})
        if rows_of(database) == before:
            continue
        changed += 1
        if count(database) == logged:
            silent.append(rule)
    assert changed > 10, "the acts act"
    assert silent == []


def count(database: Database) -> int:
    """Rows that are no views."""
    with database.reading() as db:
        return db.execute(
            select(func.count(AuditEntry.id)).where(AuditEntry.action != "view")
        ).scalar_one()
