"""With many rows, nothing that somebody waits for reads a whole big table: the databases say so.

Every statement of a chat turn, of a deliverer's round and of a teacher's page is explained as it
runs, on both engines.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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

FAMILIES = 20_000
SESSIONS = 1200
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
# Every family has two sign-ups, one of them attended; twenty notices are due.
ROWS = (
    """INSERT INTO stations (code, name, kind, township_id, address, phone, is_active)
       VALUES ('ST', '指导站', 'guidance_station', 1, '', '', {true})""",
    """INSERT INTO guidance_sessions (code, title, kind, level, station_id, starts_at, ends_at,
         places, places_taken, min_months, max_months, confirm_mode, opens_at, closes_at,
         cancel_until, waiting_list, state, offer_hours, calendar_sequence, created_at, updated_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {sessions})
       SELECT 'S-' || i, '活动', '站点指导活动', 'station', 1, {day_i}, {end_i}, 1000, 60, 0, 36,
         'auto', {long_ago}, {day_i}, {day_i}, 'no', 'published', 6, 0, {long_ago}, {long_ago}
       FROM n""",
    """INSERT INTO families (id, township_id, station_id, need, created_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {families})
       SELECT i, 1 + i - i / 18 * 18, 1, {true}, {long_ago} FROM n""",
    """INSERT INTO caregivers (id, openid, family_id, is_following, pushes, created_at)
       SELECT id, 'o-' || id, id, {true}, 'on', {long_ago} FROM families""",
    """INSERT INTO children (id, family_id, nickname, birth_date, created_at, updated_at)
       SELECT id, id, '{name}', {born}, {long_ago}, {long_ago} FROM families""",
    """INSERT INTO consents (caregiver_id, child_id, purpose, version, given_at, evidence)
       SELECT id, id, 'registration', '1', {long_ago}, '{name}' FROM families""",
    """INSERT INTO family_terms (family_id, child_id, term)
       SELECT id, id, 'term-' || id FROM families""",
    """INSERT INTO sign_ups (session_id, child_id, family_id, caregiver_id, state, is_override,
         is_walk_in, requested_at)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1)
       SELECT 1 + families.id - families.id / 600 * 600 + i * 600, families.id, families.id,
         families.id, CASE i WHEN 0 THEN 'attended' ELSE 'confirmed' END, {false}, {false},
         {long_ago} FROM families CROSS JOIN n""",
    """INSERT INTO notices (caregiver_id, kind, subject, dedupe_key, facts, state, priority,
         queued_at, due_at, attempts)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1)
       SELECT id, 'late_reply', 'turn:' || id, 'k:' || id || ':' || i, '{facts}',
         CASE WHEN id <= 20 AND i = 0 THEN 'queued' ELSE 'sent' END, 0, {long_ago}, {long_ago}, 0
       FROM families CROSS JOIN n""",
    """INSERT INTO inbox (key, openid, kind, "window", received_at)
       SELECT 'key-' || id, 'o-' || id, 'text', 'write', {long_ago} FROM families""",
    """INSERT INTO audit_log (at, actor_type, actor_id, action, subject_type, subject_id)
       SELECT {long_ago}, 'caregiver', family_id, 'sign_up', 'sign_up', id FROM sign_ups""",
    """INSERT INTO pack_pushes (child_id, caregiver_id, family_id, pack_id, version, because, state,
         due_at, closes_at, planned_at, replans)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1)
       SELECT id, id, id, 'pack-' || i, 1, 'window', 'sent', {long_ago}, {long_ago}, {long_ago}, 0
       FROM families CROSS JOIN n""",
)


def settle(database: Database, cipher: Cipher, now: datetime) -> None:
    is_postgresql = database.engine.dialect.name == "postgresql"

    def moment(at: datetime) -> str:
        stamp = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        return f"timestamptz '{stamp}+00'" if is_postgresql else f"'{stamp}.000000'"

    def on_day_i(at: datetime) -> str:
        if is_postgresql:
            return f"{moment(at)} + i * interval '1 day'"
        return f"strftime('%Y-%m-%d %H:%M:%S.000000', {moment(at)}, '+' || i || ' days')"

    first = now - timedelta(days=SESSIONS // 2, hours=2)
    values = {
        "families": FAMILIES,
        "sessions": SESSIONS,
        "true": "true" if is_postgresql else "1",
        "false": "false" if is_postgresql else "0",
        "long_ago": moment(now - timedelta(days=30)),
        "day_i": on_day_i(first),
        "end_i": on_day_i(first + timedelta(hours=1)),
        "born": f"date '{now.year}-02-03'" if is_postgresql else f"'{now.year}-02-03'",
        "name": cipher.encrypt("糖糖"),
        "facts": cipher.encrypt('{"kind": "late_reply", "text": "好"}'),
    }
    with database.engine.begin() as connection:
        for statement in ROWS:
            connection.exec_driver_sql(statement.format(**values))
        connection.execute(text("ANALYZE"))


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
    settle(database, cipher, now)
    work: dict[str, Callable[[Session], object]] = {
        "a deliverer's round": lambda db: delivery.claim_due(db, now=now, worker="w", limit=20),
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
