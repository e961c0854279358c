"""With many rows, nothing that somebody waits for reads a whole big table: the databases say so.

Every statement of a chat turn, of a deliverer's round and of a teacher's page is explained as it
runs, on both engines.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.orm import Session

from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.dialogue.message import Inbound, Kind, Window
from app.prepared import Prepared
from app.services import delivery, families, reminders, rosters, timeline
from app.services.families import FamilyQuery
from app.services.staff import Role, StaffScope
from app.wiring import Services, make_services
from handlers import HANDLERS
from tests.many_rows import settle
from tests.outbox import claim_due

BIG = frozenset(
    {
        "families",
        "caregivers",
        "children",
        "consents",
        "sign_ups",
        "notices",
        "inbox",
        "audit_log",
        "pack_pushes",
        "family_terms",
    }
)
TURNS = (
    "我的预约",
    "活动",
    "报名 S-1195",
    "报名 S-1",
    "取消 S-1195",
    "年度计划",
    "资料",
    "课程",
    "我的信息",
    "接受",
    "邀请",
    "上门",
    "宝宝晚上老是醒怎么办",
)
DISTRICT = StaffScope(1, Role.DISTRICT, None, None)


class Plans:
    """Explains what runs, and remembers which statement reads a whole big table."""

    def __init__(self) -> None:
        self.whole: dict[str, str] = {}
        self.seen = 0

    def explain(self, driver: Any, sql: str, values: Any, *, is_raw: bool) -> None:
        if not sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH", "INSERT")):
            return
        self.seen += 1
        is_postgresql = not hasattr(driver, "total_changes")
        if is_postgresql:
            cursor = psycopg.RawCursor(driver) if is_raw else driver.cursor()
            cursor.execute("EXPLAIN (FORMAT JSON) " + sql, values)
            scanned = {table for plan in cursor for table in _postgresql_scans(plan[0])}
        else:
            rows = driver.execute("EXPLAIN QUERY PLAN " + sql, values).fetchall()
            scanned = {
                words[1]
                for row in rows
                if (words := row[3].split())[0] == "SCAN" and "USING" not in words
            }
        for table in scanned & BIG:
            self.whole[f"{table}: {' '.join(sql.split())[:400]}"] = table


def _postgresql_scans(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _postgresql_scans(each)
    elif isinstance(node, dict):
        if node.get("Node Type") == "Seq Scan":
            yield node["Relation Name"]
        for value in node.values():
            if isinstance(value, (list, dict)):
                yield from _postgresql_scans(value)


@contextmanager
def explaining(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plans]:
    plans = Plans()
    run = Prepared._run

    def explained(self: Prepared, connection: Connection, values: dict[str, Any]) -> Any:
        found = run(self, connection, values)
        compiled = self._compiled[connection.dialect]
        driver = connection.connection.driver_connection
        plans.explain(driver, compiled.sql, compiled.values(values), is_raw=True)
        return found

    def before(
        connection: Connection,
        _cursor: DBAPICursor,
        sql: str,
        values: Any,
        _context: ExecutionContext | None,
        many: bool,
    ) -> None:
        if not many:
            driver = connection.connection.driver_connection
            plans.explain(driver, sql, values, is_raw=False)

    with monkeypatch.context() as patch:
        patch.setattr(Prepared, "_run", explained)
        event.listen(database.engine, "before_cursor_execute", before)
        try:
            yield plans
        finally:
            event.remove(database.engine, "before_cursor_execute", before)


def says(text_: str, number: int, now: datetime) -> Inbound:
    return Inbound(
        key=hashlib.sha256(f"{text_}{number}".encode()).hexdigest(),
        openid=f"o-{number}",
        kind=Kind.TEXT,
        received_at=now,
        text=text_,
        window=Window.WRITE,
    )


@pytest.fixture
def services(settings: Settings, now: datetime) -> Iterator[Services]:
    made = make_services(
        settings.model_copy(update={"turn_deadline_seconds": 60.0}), HANDLERS, clock=lambda: now
    )
    yield made
    made.turns.close()
    made.database.engine.dispose()


def test_what_somebody_waits_for_reads_no_big_table_whole(
    services: Services, cipher: Cipher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = services.database
    settle(database, cipher, now, families=20_000, sessions=1_200)
    work: dict[str, Callable[[Session], object]] = {
        "a deliverer's round": lambda db: claim_due(db, now=now, worker="w", limit=20),
        "orphans of a crash": lambda db: delivery.mark_orphans_unknown(db, now),
        "reminders": lambda db: reminders.queue_due(db, reminders.find_near(db, now)[0], now),
        "a search": lambda db: families.find(
            db, DISTRICT, FamilyQuery(text="糖糖"), limit=20, offset=0, now=now
        ),
        "a family's page": lambda db: timeline.of_family(db, 777),
        "a roster": lambda db: rosters.get_roster(db, DISTRICT, "S-300", now),
    }
    with explaining(database, monkeypatch) as plans:
        for said in TURNS:
            assert services.turns.handle(says(said, 777, now)) is not None
        for does in work.values():
            with database.transaction() as db:
                does(db)
    assert plans.seen > 3 * len(TURNS)
    assert sorted(plans.whole) == []


def test_the_explainer_sees_a_whole_read(
    services: Services, cipher: Cipher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with explaining(services.database, monkeypatch) as plans, services.database.reading() as db:
        db.execute(text("SELECT id FROM sign_ups WHERE reason = 'x'"))
    assert list(plans.whole.values()) == ["sign_ups"]
