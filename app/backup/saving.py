"""Backup and restore of one database; both engines read each other's files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from app.backup import sealed_file
from app.backup.sealed_file import BackupUnreadable, Record
from app.backup.tables import Counts, Schema, dump, find_schema, is_empty, load
from app.crypto import Cipher
from app.migrating import current_revision, downgrade, revision_of, upgrade

HEAD = "head"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup file says of itself."""

    revision: str
    made_at: str
    """ISO 8601."""
    engine: str
    rows: dict[str, int]


class SchemaMissing(Exception):
    """The database has no tables: there is nothing to keep."""


class NotEmpty(Exception):
    """A restore would overwrite what is there."""


def back_up(engine: Engine, cipher: Cipher, path: Path, now: datetime) -> Backup:
    """Write all rows, as they are at one moment, to a file. The service goes on meanwhile.

    Raises SchemaMissing; OSError where the file cannot be written.
    """
    with engine.connect() as connection:
        snapshot = _begin_snapshot(connection)
        revision = revision_of(snapshot)
        if revision is None:
            raise SchemaMissing()
        made_at = now.isoformat()
        counts = Counts()
        schema = find_schema(snapshot)
        records = _records(snapshot, schema, counts, revision, made_at)
        sealed_file.write(path, records, cipher)
        return Backup(revision, made_at, engine.dialect.name, counts.rows)


def _begin_snapshot(connection: Connection) -> Connection:
    if connection.dialect.name == "sqlite":
        return connection.execution_options(sqlite_begin="DEFERRED")
    return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _records(
    connection: Connection, schema: Schema, counts: Counts, revision: str, made_at: str
) -> Iterator[Record]:
    yield [HEAD, revision, made_at, connection.dialect.name]
    yield from dump(connection, schema, counts)


def restore(engine: Engine, cipher: Cipher, path: Path) -> Backup:
    """Put a backup into an empty database, and bring it to this code's schema.

    The file is read to its end before anything is written. Raises BackupUnreadable, NotEmpty;
    an older backup is migrated, one from a newer version is refused ("other_schema").
    """
    revision = _check(path, cipher)
    if current_revision(engine) is not None:
        with engine.connect() as connection:
            if not is_empty(connection, find_schema(connection)):
                raise NotEmpty()
    _migrate_to(engine, revision)
    with engine.begin() as connection:
        schema = find_schema(connection)
        # Asked again under the lock: somebody may have begun to use it.
        if not is_empty(connection, schema):
            raise NotEmpty()
        records = sealed_file.read(path, cipher)
        _, _, made_at, engine_name = next(records)
        counts = load(connection, schema, records)
    upgrade(engine)
    return Backup(revision, made_at, engine_name, counts.rows)


def _check(path: Path, cipher: Cipher) -> str:
    """Read the whole file once; the schema's revision that it was made at."""
    revision = None
    for number, record in enumerate(sealed_file.read(path, cipher)):
        if number == 0:
            if record[0] != HEAD:
                raise BackupUnreadable("damaged", "no head")
            revision = str(record[1])
    if revision is None:
        raise BackupUnreadable("damaged", "no head")
    return revision


def _migrate_to(engine: Engine, revision: str) -> None:
    from alembic.util import CommandError

    try:
        if current_revision(engine) is not None:
            downgrade(engine, "base")
        upgrade(engine, revision)
    except CommandError:
        raise BackupUnreadable("other_schema", revision) from None
