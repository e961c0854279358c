"""`backup`, `restore` and `db move`: the whole database, in a file or on another engine."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.exc import ArgumentError

from app import clock
from app.backup.saving import Backup, NotEmpty, SchemaMissing, back_up, restore
from app.backup.sealed_file import BackupUnreadable
from app.cli.speaking import Answer, Command, Misused, Refused
from app.db import make_engine
from app.wiring import Services

UNREADABLE = {
    "missing": "cannot be opened",
    "not_a_backup": "is not a backup of this service",
    "other_key": "was sealed with another DATA_KEY than this one, or its beginning is damaged",
    "damaged": "is damaged; nothing was restored",
    "cut_off": "ends too early: it was copied or written only in part; nothing was restored",
    "other_schema": "comes from a newer version of this service: upgrade the code first",
}


@click.command("backup", cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup_command(services: Services, file: Path) -> Answer:
    """Write the whole database, as it is at one moment, to FILE, while the service goes on.

    The file is sealed with DATA_KEY, and is worth nothing without it. An older FILE of that
    name is replaced when the new one is complete.
    """
    with _refusing(file):
        done = back_up(services.database.engine, services.cipher, file, clock.now())
    size = file.stat().st_size
    record = {"file": str(file), "bytes": size, **_record(done)}
    return Answer(record, f"{file}: {_total(done)} rows, {size:,} bytes")


@click.command("restore", cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def restore_command(services: Services, file: Path) -> Answer:
    """Put the backup in FILE into an empty database, and migrate it to this version.

    All or nothing. A database with families, staff or stations in it is refused. Backups go
    from SQLite to PostgreSQL and back. Run doctor afterwards.
    """
    with _refusing(file):
        done = restore(services.database.engine, services.cipher, file)
    text = f"{_total(done)} rows restored, as of {done.made_at}"
    return Answer({"file": str(file), **_record(done)}, text)


@click.command("move", cls=Command)
@click.argument("target")
def move_command(services: Services, target: str) -> Answer:
    """Copy the whole database to the empty one at TARGET, such as postgresql+psycopg://….

    Stop the service before: what is written meanwhile is not taken along. Afterwards set
    DATABASE_URL to TARGET, and run doctor.
    """
    try:
        engine = make_engine(target, services.cipher)
    except (ArgumentError, ModuleNotFoundError):
        raise Misused("target_unknown", "TARGET is no database's address") from None
    with tempfile.TemporaryDirectory(prefix="yuban-move-") as folder:
        file = Path(folder) / "moving"
        try:
            with _refusing(file):
                back_up(services.database.engine, services.cipher, file, clock.now())
                done = restore(engine, services.cipher, file)
        finally:
            engine.dispose()
    return Answer(_record(done), f"{_total(done)} rows moved; now set DATABASE_URL to the target")


@contextmanager
def _refusing(file: Path) -> Iterator[None]:
    try:
        yield
    except BackupUnreadable as error:
        detail = f" ({error.detail})" if error.detail else ""
        raise Refused(
            f"backup_{error.reason}", f"{file} {UNREADABLE[error.reason]}{detail}"
        ) from None
    except SchemaMissing:
        raise Refused("database_empty", "database has no tables: run db upgrade") from None
    except NotEmpty:
        raise Refused(
            "database_not_empty", "the database holds data already: restore into an empty one"
        ) from None
    except OSError as error:
        raise Refused("file_unwritable", f"{file}: {error.strerror}") from None


def _record(done: Backup) -> dict[str, object]:
    return {
        "revision": done.revision,
        "made_at": done.made_at,
        "engine": done.engine,
        "rows": done.rows,
    }


def _total(done: Backup) -> str:
    return f"{sum(done.rows.values()):,}"
