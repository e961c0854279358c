"""Migrations run up and down, on both engines, with data in the tables."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text

from app.crypto import Cipher
from app.db import Database, make_engine
from app.demo.loading import load
from app.migrating import configure, current_revision, downgrade, head_revision, upgrade
from app.services import coverage_kept
from devtools.environment import ROOT


@pytest.fixture
def engine(bare_database_url: str, cipher: Cipher) -> Iterator[Engine]:
    engine = make_engine(bare_database_url, cipher)
    yield engine
    engine.dispose()


def test_the_schema_is_what_the_models_say(engine: Engine) -> None:
    upgrade(engine)
    assert current_revision(engine) == head_revision()
    command.check(configure(engine))


def test_down_to_nothing_and_up_again(engine: Engine) -> None:
    upgrade(engine)
    downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM townships")).scalar_one() == 18


def fill(engine: Engine) -> None:
    """A station, a session and a sign-up as revision 0001 knew them."""
    now = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    rows = (
        "INSERT INTO stations (id, code, name, kind, township_id, address, phone, is_active)"
        " VALUES (1, 'CQ', '城桥站', 'guidance_station', 1, '南门路', '', true)",
        "INSERT INTO guidance_sessions (id, code, title, kind, level, station_id, starts_at,"
        " ends_at, places, places_taken, min_months, max_months, confirm_mode, opens_at,"
        " closes_at, cancel_until, waiting_list, state, calendar_sequence, created_at, updated_at)"
        " VALUES (1, 'CQ-1', '抚触', '站点指导活动', 'station', 1, :now, :later, 20, 1, 0, 36,"
        " 'auto', :now, :now, :now, 'no', 'published', 0, :now, :now)",
        "INSERT INTO families (id, township_id, created_at) VALUES (1, 1, :now)",
        "INSERT INTO caregivers (id, openid, family_id, is_following, pushes, created_at)"
        " VALUES (1, 'o-1', 1, true, 'on', :now)",
        "INSERT INTO children (id, family_id, nickname, created_at, updated_at)"
        " VALUES (1, 1, 'x', :now, :now)",
        "INSERT INTO sign_ups (id, session_id, child_id, family_id, caregiver_id, state,"
        " is_walk_in, requested_at) VALUES (1, 1, 1, 1, 1, 'confirmed', false, :now)",
    )
    with engine.begin() as connection:
        for row in rows:
            statement = text(row)
            values = {"now": now, "later": now.replace(hour=4)}
            connection.execute(statement, {k: v for k, v in values.items() if f":{k}" in row})


def test_rows_survive_the_way_up_and_down(engine: Engine) -> None:
    upgrade(engine, "0001")
    fill(engine)
    upgrade(engine)
    with engine.connect() as connection:
        kept = connection.execute(
            text(
                "SELECT sign_ups.state, is_override FROM sign_ups JOIN guidance_sessions s"
                " ON s.id = session_id WHERE s.offer_hours = 6"
            )
        ).all()
        assert [(state, bool(override)) for state, override in kept] == [("confirmed", False)]
    downgrade(engine, "0001")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM sign_ups")).scalar_one() == 1


def test_one_active_sign_up_a_child_still_holds_after_migrating(engine: Engine) -> None:
    upgrade(engine, "0001")
    fill(engine)
    upgrade(engine)
    indexes = {index["name"]: index for index in inspect(engine).get_indexes("sign_ups")}
    assert indexes["uq_sign_ups_active"]["unique"]
    options = indexes["uq_sign_ups_active"]["dialect_options"]
    assert any(name.endswith("_where") for name in options)


def test_packs_that_were_sent_before_are_added_up(engine: Engine) -> None:
    upgrade(engine, "0001")
    fill(engine)
    upgrade(engine, "0021")
    now = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    push = (
        "INSERT INTO pack_pushes (child_id, caregiver_id, family_id, pack_id, version, because,"
        " state, due_at, closes_at, planned_at, replans, sent_at, opened_at) VALUES"
        " (1, 1, 1, 'P1', 1, 'age', 'sent', :now, :now, :now, 0, :now, :now)"
    )
    with engine.begin() as connection:
        connection.execute(text(push), {"now": now})

    def sums() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        with engine.connect() as connection:
            days = connection.execute(text("SELECT pack_id, day, pushes FROM pack_days"))
            families = connection.execute(text("SELECT * FROM family_packs"))
            return [(a, str(b), c) for a, b, c in days], [tuple(row) for row in families]

    upgrade(engine)
    assert sums() == ([("P1", "2026-11-22", 1)], [(2026, 1, 1, 1)])
    downgrade(engine, "0021")
    with engine.begin() as connection:
        connection.execute(text("UPDATE pack_pushes SET opened_at = NULL"))
        named = connection.execute(text("SELECT family_id FROM changed_families")).scalars().all()
        assert set(named) == {1}, "as before, a pack names its family"
    upgrade(engine)
    assert sums() == ([("P1", "2026-11-22", 1)], [(2026, 1, 1, 0)])


@pytest.mark.parametrize(
    "bare_database_url",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)],
    indirect=True,
)
def test_whatever_the_service_holds_survives_every_step_down_and_up(
    engine: Engine, cipher: Cipher
) -> None:
    """The demo's stations, families, visits, packs and course, one revision after another."""
    upgrade(engine)
    load(Database(engine), datetime(2026, 11, 22, 2, 0, tzinfo=UTC))
    kept = ("families", "caregivers", "children", "sign_ups", "guidance_sessions", "staff")

    def held() -> dict[str, list[tuple[object, ...]]]:
        with engine.connect() as connection:
            found = {}
            for table in kept:
                rows = connection.execute(text(f"SELECT id FROM {table} ORDER BY id"))  # noqa: S608
                found[table] = [tuple(row) for row in rows]
            return found

    before = held()
    revisions = sorted(path.name[:4] for path in (ROOT / "migrations" / "versions").glob("0*.py"))
    assert all(before.values())
    for revision in reversed(revisions[:-1]):
        downgrade(engine, revision)
        assert held() == before, revision
    for revision in revisions[1:]:
        upgrade(engine, revision)
        assert held() == before, revision
    command.check(configure(engine))
    with Database(engine).reading() as db:
        assert coverage_kept.missing_triggers(db) == []
