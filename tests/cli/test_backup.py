"""A backup holds everything, restores anywhere, and refuses what would lose something."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.orm import Session

from app import migrating
from app.backup import saving, sealed_file, tables
from app.backup.saving import NotEmpty, SchemaMissing, back_up, restore
from app.backup.sealed_file import BackupUnreadable
from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database, make_engine
from app.models import Child
from app.services import doctor
from app.wiring import Services
from devtools.embedded_postgres import PostgresServer
from tests.cli.running import Run

OTHER_KEY = "bm90IHRoZSBrZXkgdGhhdCB0aGUgdGVzdHMgdXNlISE="


@pytest.fixture
def loaded(run: Run) -> None:
    assert run("demo", "load").code == 0


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database on either engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'elsewhere.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.create_database("elsewhere")
    yield server.url("elsewhere")
    server.drop_database("elsewhere")


def _rows(database: Database, cipher: Cipher) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, as an operator's drill compares them."""
    with database.engine.connect() as connection:
        schema = tables.find_schema(connection)
        counts = tables.Counts()
        found: dict[str, list[tuple[object, ...]]] = {}
        name = ""
        for kind, *rest in tables.dump(connection, schema, counts):
            if kind == tables.TABLE:
                name = rest[0]
                found[name] = []
            elif kind == tables.ROW:
                found[name].append(tuple(map(str, rest)))
    return found


@pytest.mark.usefixtures("loaded")
def test_a_drill_restores_everything_elsewhere(
    services: Services, cipher: Cipher, elsewhere: str, tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / "yuban.backup"
    made = back_up(services.database.engine, cipher, file, now)
    engine = make_engine(elsewhere, cipher)
    there = Database(engine)

    assert restore(engine, cipher, file) == made
    assert _rows(there, cipher) == _rows(services.database, cipher)
    assert sum(made.rows.values()) > 100
    with there.reading() as db:
        assert doctor.examine(db, cipher=cipher, now=now).ok
        # Personal data still opens, and the next number is free.
        assert db.execute(select(Child.nickname)).scalars().first()
    with there.transaction() as db:
        _add_a_row_to_every_numbered_table(db)
    engine.dispose()


def _add_a_row_to_every_numbered_table(db: Session) -> None:
    highest = db.execute(text("SELECT max(id) FROM stations")).scalar_one()
    township = db.execute(text("SELECT min(id) FROM townships")).scalar_one()
    added = db.execute(
        text(
            "INSERT INTO stations (code, name, kind, township_id, address, phone, is_active)"
            " VALUES ('NEW', 'n', 'guidance_station', :township, '', '', true) RETURNING id"
        ),
        {"township": township},
    ).scalar_one()
    assert added > highest


@pytest.mark.usefixtures("loaded")
def test_a_backup_shows_nobody_to_who_lacks_the_key(
    run: Run, services: Services, tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / "yuban.backup"
    done = run("backup", str(file))

    assert done.json["bytes"] == file.stat().st_size
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"oDEMO" not in file.read_bytes()
    engine = make_engine(f"sqlite:///{tmp_path / 'b.db'}", Cipher((OTHER_KEY,)))
    with pytest.raises(BackupUnreadable, match="other_key"):
        restore(engine, Cipher((OTHER_KEY,)), file)
    assert not inspect(engine).get_table_names()
    engine.dispose()


@pytest.mark.usefixtures("loaded")
def test_what_was_cut_or_changed_is_refused_before_a_row_is_written(
    services: Services,
    cipher: Cipher,
    tmp_path: Path,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sealed_file, "CHUNK_BYTES", 2_000)
    file = tmp_path / "yuban.backup"
    back_up(services.database.engine, cipher, file, now)
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) > 5
    flipped = bytearray(lines[3])
    flipped[100] ^= 1
    broken = {
        "cut_off": lines[:-1],
        "damaged": [*lines[:3], bytes(flipped), *lines[4:]],
        "not_a_backup": [b"PK\x03\x04", *lines[1:]],
    } | {
        f"damaged {how}": swapped
        for how, swapped in {
            "order": [*lines[:2], lines[3], lines[2], *lines[4:]],
            "one left out": [*lines[:2], *lines[3:]],
            "more behind": [*lines, lines[2]],
        }.items()
    }
    engine = make_engine(f"sqlite:///{tmp_path / 'b.db'}", cipher)
    for reason, wrong in broken.items():
        file.write_bytes(b"".join(wrong))
        with pytest.raises(BackupUnreadable) as refused:
            restore(engine, cipher, file)
        assert refused.value.reason == reason.split()[0]
        assert not inspect(engine).get_table_names()
    engine.dispose()


@pytest.mark.usefixtures("loaded")
def test_a_restore_never_overwrites(
    run: Run, services: Services, cipher: Cipher, tmp_path: Path
) -> None:
    file = tmp_path / "yuban.backup"
    run("backup", str(file))
    before = _rows(services.database, cipher)

    assert run("restore", str(file)).error == "database_not_empty"
    assert _rows(services.database, cipher) == before


def test_an_older_backup_is_migrated_and_a_newer_one_refused(
    services: Services,
    cipher: Cipher,
    tmp_path: Path,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "yuban.backup"
    old = make_engine(f"sqlite:///{tmp_path / 'old.db'}", cipher)
    migrating.upgrade(old, "0001")
    back_up(old, cipher, file, now)
    new = make_engine(f"sqlite:///{tmp_path / 'new.db'}", cipher)

    assert restore(new, cipher, file).revision == "0001"
    assert migrating.current_revision(new) == migrating.head_revision()

    monkeypatch.setattr(saving, "revision_of", lambda _connection: "9999")
    back_up(old, cipher, file, now)
    with pytest.raises(BackupUnreadable, match="other_schema"):
        restore(make_engine(f"sqlite:///{tmp_path / 'c.db'}", cipher), cipher, file)
    old.dispose()
    new.dispose()


@pytest.mark.usefixtures("loaded")
def test_a_failed_backup_leaves_the_one_before(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "yuban.backup"
    run("backup", str(file))
    good = file.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run("backup", str(file)).error == "file_unwritable"
    assert file.read_bytes() == good
    assert [path.name for path in tmp_path.iterdir() if ".part" in path.name] == []


@pytest.mark.usefixtures("loaded")
def test_a_backup_is_of_one_moment(services: Services, cipher: Cipher, tmp_path: Path) -> None:
    """What commits while the rows are read is not in it: half a transaction would be a lie."""
    file = tmp_path / "yuban.backup"
    before = _rows(services.database, cipher)
    with services.database.engine.connect() as connection:
        snapshot = saving._begin_snapshot(connection)
        schema = tables.find_schema(snapshot)
        records = tables.dump(snapshot, schema, tables.Counts())
        first = next(records)
        with services.database.transaction() as db:
            db.execute(text("UPDATE guidance_sessions SET title = 'changed meanwhile'"))
        sealed_file.write(file, (record for record in [first, *records]), cipher)
    kept = [record for record in sealed_file.read(file, cipher) if record[0] == tables.ROW]

    assert len(kept) == sum(map(len, before.values()))
    assert "changed meanwhile" not in str(kept)
    assert "changed meanwhile" in str(_rows(services.database, cipher))


def test_move_takes_everything_to_another_engine(
    run: Run, services: Services, cipher: Cipher, elsewhere: str, loaded: None
) -> None:
    done = run("db", "move", elsewhere)

    assert done.code == 0
    engine = make_engine(elsewhere, cipher)
    assert _rows(Database(engine), cipher) == _rows(services.database, cipher)
    engine.dispose()
    assert run("db", "move", elsewhere).error == "database_not_empty"
    assert run("db", "move", "nonsense").error == "target_unknown"


def test_files_that_cannot_be_are_said(run: Run, tmp_path: Path) -> None:
    assert run("restore", str(tmp_path / "nowhere")).error == "backup_missing"
    assert run("backup", str(tmp_path / "no" / "folder")).error == "file_unwritable"


def test_a_database_without_tables_has_nothing_to_keep(cipher: Cipher, tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'bare.db'}", cipher)
    with pytest.raises(SchemaMissing):
        back_up(engine, cipher, tmp_path / "x", datetime(2026, 11, 22, tzinfo=SHANGHAI))
    assert not (tmp_path / "x").exists()
    engine.dispose()


def test_one_family_is_enough_not_to_be_empty(
    services: Services, cipher: Cipher, tmp_path: Path, now: datetime
) -> None:
    file = tmp_path / "yuban.backup"
    back_up(services.database.engine, cipher, file, now)
    with services.database.transaction() as db:
        db.execute(
            text(
                "INSERT INTO families (township_id, created_at)"
                " SELECT min(id), '2026-01-01 00:00:00' FROM townships"
            )
        )
    with pytest.raises(NotEmpty):
        restore(services.database.engine, cipher, file)
