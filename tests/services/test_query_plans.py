"""With many rows, nothing that somebody waits for reads a whole big table: the databases say so.

Every statement of a chat turn, of a deliverer's round and of a teacher's page is explained as it
runs, on both engines. What is about everybody, a day's planning and the report, may read a
table from end to end, but once, and never again for every row of another.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, case, event, func, text, update
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.orm import Session

from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.dialogue.message import Inbound, Kind, Window
from app.models import Caregiver, Child
from app.prepared import Prepared
from app.services import (
    coverage,
    coverage_kept,
    delivery,
    families,
    reminders,
    rosters,
    timeline,
)
from app.services.families import FamilyQuery
from app.services.pack_planning import plan_openings
from app.services.staff import Role, StaffScope
from app.wiring import Services, make_services
from handlers import HANDLERS
from scheduler.queue_packs import plan_day
from tests.many_rows import settle
from tests.outbox import claim_due
from tests.pack_world import make_pack

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
        "family_years",
        "family_terms",
    }
)
A_FEW = 5
"""Rows before which a nested loop is no fault."""
ALIASED = re.compile(rf"\b({'|'.join(sorted(BIG))}) (?:AS )?(\w+)")
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
    """Explains what runs, and remembers which statement reads a whole big table, or does it over
    and over."""

    def __init__(self) -> None:
        self.whole: dict[str, str] = {}
        self.over_and_over: dict[str, str] = {}
        self.seen = 0

    def explain(self, driver: Any, sql: str, values: Any, *, is_raw: bool) -> None:
        if not sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH", "INSERT")):
            return
        self.seen += 1
        is_postgresql = not hasattr(driver, "total_changes")
        if is_postgresql:
            cursor = psycopg.RawCursor(driver) if is_raw else driver.cursor()
            cursor.execute("EXPLAIN (FORMAT JSON) " + sql, values)
            found = [each for plan in cursor for each in _postgresql_scans(plan[0], False)]
        else:
            rows = driver.execute("EXPLAIN QUERY PLAN " + sql, values).fetchall()
            found = list(_sqlite_scans(rows, {name: table for table, name in ALIASED.findall(sql)}))
        said = " ".join(sql.split())[:400]
        for table, is_repeated in found:
            if table in BIG:
                self.whole[f"{table}: {said}"] = table
                if is_repeated:
                    self.over_and_over[f"{table}: {said}"] = table


def _postgresql_scans(node: Any, is_repeated: bool) -> Iterator[tuple[str, bool]]:
    """Tables that are read whole, and whether that is for each row of something else."""
    if isinstance(node, list):
        for each in node:
            yield from _postgresql_scans(each, is_repeated)
    elif isinstance(node, dict):
        # A hash is made once, however often it is asked.
        is_once = node.get("Node Type") == "Hash"
        is_inner = node.get("Parent Relationship") == "SubPlan" and not (
            node.get("Subplan Name", "").startswith(("CTE ", "InitPlan"))
        )
        is_repeated = (is_repeated or is_inner) and not is_once
        if node.get("Node Type") == "Seq Scan":
            yield node["Relation Name"], is_repeated
        for name, value in node.items():
            if name == "Plans" and node["Node Type"] == "Nested Loop":
                # Behind a few packs it is read as often: that is no reading for each family.
                outer = max(each["Plan Rows"] for each in value if not _is_inner(each))
                for each in value:
                    inner = _is_inner(each) and outer > A_FEW
                    yield from _postgresql_scans(each, is_repeated or inner)
            elif isinstance(value, (list, dict)):
                yield from _postgresql_scans(value, is_repeated)


def _is_inner(node: Any) -> bool:
    return bool(node.get("Parent Relationship") == "Inner")


def _sqlite_scans(rows: list[Any], tables: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """As for PostgreSQL: what is read whole behind a big table is read for each of its rows."""
    behind = set()
    for _, parent, _, detail in rows:
        words = detail.split()
        if words[0] not in ("SCAN", "SEARCH"):
            continue
        table = tables.get(words[1], words[1])
        if words[0] == "SCAN" and "USING" not in words:
            yield table, parent in behind
        if table in BIG:
            behind.add(parent)


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

    # The same rows once more: filling twenty thousand families takes longer than all the rest.
    _let_something_open(database, now)
    for_everybody: dict[str, Callable[[Session], object]] = {
        "counting": lambda db: coverage_kept.bring_up_to_date(db, now),
        "the report": lambda db: coverage.report(db, year=now.year, now=now),
        "a list": lambda db: families.find(
            db, DISTRICT, FamilyQuery(), limit=50, offset=100, now=now
        ),
    }
    _count_was_lost(database, now)
    with explaining(database, monkeypatch) as plans:
        assert "queued 100 messages" in plan_day(database, [OPENS_TODAY], now)
        for does in for_everybody.values():
            with database.transaction() as db:
                does(db)
    assert plans.whole, "what is about everybody reads everybody"
    if database.engine.dialect.name == "postgresql":
        # Else a report goes through the rows once for every family: 36 s instead of 0.2 s.
        with database.reading() as db:
            known = db.scalar(text("SELECT reltuples FROM pg_class WHERE relname = 'family_years'"))
        assert known >= 20_000
    assert sorted(plans.over_and_over) == []


def _count_was_lost(database: Database, now: datetime) -> None:
    """As after a migration that counts anew: the table is known to be empty, and is filled."""
    with database.transaction() as db:
        coverage_kept.bring_up_to_date(db, now)
    with database.transaction() as db:
        db.execute(text("DELETE FROM family_years"))
        db.execute(text("DELETE FROM counted_years"))
    if database.engine.dialect.name == "postgresql":
        with database.transaction() as db:
            db.execute(text("ANALYZE family_years"))


OPENS_TODAY = make_pack("A", 292, 330, audience="preterm")
"""For who was born on 3 February, on 22 November."""


def _let_something_open(database: Database, now: datetime) -> None:
    """All children are known; for one in two hundred a pack opens, for the others none."""
    early = case((Child.id % 200 == 0, 34))
    with database.transaction() as db:
        db.execute(
            update(Child).values(
                gestation_weeks=early,
                packs_weeks=func.coalesce(early, 40),
                packs_born=Child.birth_date,
                packs_from=now - timedelta(days=90),
            )
        )
        db.execute(update(Caregiver).values(packs_from=now - timedelta(days=90)))
        plan_openings(db, [OPENS_TODAY], now - timedelta(days=1))


def test_the_explainer_sees_a_whole_read(
    services: Services, cipher: Cipher, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with explaining(services.database, monkeypatch) as plans, services.database.reading() as db:
        db.execute(text("SELECT id FROM sign_ups WHERE reason = 'x'"))
    assert list(plans.whole.values()) == ["sign_ups"]


def test_the_explainer_sees_a_read_over_and_over(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A join by an inequality has no index and no hash: one side is read for each of the other."""
    with explaining(services.database, monkeypatch) as plans, services.database.reading() as db:
        db.execute(
            text(
                "SELECT s.id FROM inbox i JOIN sign_ups s ON s.reason || 'x' <> i.openid || i.kind"
            )
        )
    assert len(plans.whole) == 2
    assert len(plans.over_and_over) == 1
