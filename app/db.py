"""The database: engine, column types, and transactions that an edge opens.

SQLite runs in WAL mode. Its writers begin IMMEDIATE and queue on a lock file:
with several writing processes SQLite's own busy handler can starve one for seconds.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    Text,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from app.clock import SHANGHAI
from app.crypto import Cipher, Sealed
from app.late_transaction import (
    LATE,
    LateTransaction,
    TurnSession,
    begin_late,
    sqlite_writers_queue,
)
from app.shared_reads import SharedReads

LARGEST_ID = 2**31 - 1
"""What a column of whole numbers holds in PostgreSQL: no row has a larger number."""
SQLITE_BUSY_MILLISECONDS = 20_000
"""A turn that was told to wait outlives a long backup: it gives up only after this."""
POOL_TIMEOUT_SECONDS = 3.0
CONNECT_TIMEOUT_SECONDS = 2
GONE_SERVER = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
"""libpq's, in seconds and milliseconds: a host whose cable was pulled notices within half a minute,
and not after the two hours of the system. Sockets of the machine itself know no such thing."""
LOOK_UP_LENGTH = 32
"""128 bits of a keyed hash: no two terms of a district will share one."""
IDLE_SECONDS = 2.0
"""A connection that lay idle longer is tried before it is used."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)


class Instant(TypeDecorator[datetime]):
    """An aware instant: stored in UTC, read back in Asia/Shanghai. Refuses a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(SHANGHAI)

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[datetime | None], datetime | None] | None:
        # PostgreSQL's are aware: a row has many, and the general way calls three functions each.
        if dialect.name == "postgresql":
            return _in_shanghai
        return super().result_processor(dialect, coltype)


def _in_shanghai(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(SHANGHAI)


class EncryptedText(TypeDecorator[str]):
    """Text that the database never sees in clear; the engine's cipher reads and writes it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        # What is sealed was so by us, with the same keys: text from outside is a plain one.
        return str(value) if type(value) is Sealed else _cipher_of(dialect).encrypt(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else _cipher_of(dialect).decrypt(str(value))


class LookUp(TypeDecorator[str]):
    """A text kept only as its keyed hash: to be found by an equal text, never to be read.

    Give it the text itself, in rows as in conditions; what is read back is the hash.
    """

    impl = String(LOOK_UP_LENGTH)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _cipher_of(dialect).look_up(value)[:LOOK_UP_LENGTH]


def _cipher_of(dialect: Dialect) -> Cipher:
    cipher = getattr(dialect, "yuban_cipher", None)
    if not isinstance(cipher, Cipher):
        raise RuntimeError("this engine was made without a cipher: use make_engine")
    return cipher


def make_engine(url: str, cipher: Cipher, pool_size: int = 10) -> Engine:
    """An engine for SQLite or PostgreSQL. Connects to nothing yet."""
    parsed = make_url(url)
    engine = (
        _sqlite_engine(parsed, pool_size)
        if parsed.get_backend_name() == "sqlite"
        else create_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=5,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            # The driver's own BEGIN, switched on and off, would cost a turn more than ours.
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "autocommit": True,
                # The driver forgets what it prepared by itself at a ROLLBACK, and makes the server
                # forget all: also what app/prepared_postgresql.py has prepared for good.
                "prepare_threshold": None,
                **GONE_SERVER,
            },
        )
    )
    if engine.dialect.name == "postgresql":
        _ping_when_idle(engine)
        _begin_ourselves(engine)
    begin_late(engine)
    # Column types see only the dialect, and each engine has its own: so that two engines
    # with different keys can live in one process and nothing is global.
    vars(engine.dialect)["yuban_cipher"] = cipher
    return engine


def _ping_when_idle(engine: Engine) -> None:
    """Try a connection that lay idle before it is used; a busy one is not asked every time."""

    @event.listens_for(engine, "checkin")
    def _note(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        used_at = entry.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error:
            # The pool then takes it out and tries another one.
            raise DisconnectionError from None


def _begin_ourselves(engine: Engine) -> None:
    """Begin with SQLAlchemy's begin, but for a turn, which begins late.

    Where somebody asked for an isolation level, the driver begins with it.
    """

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if LATE not in options and "isolation_level" not in options:
            connection.exec_driver_sql("BEGIN")

    @event.listens_for(engine, "checkin")
    def _as_usual(driver: Any, _entry: ConnectionPoolEntry) -> None:
        if driver is not None and not driver.closed and not driver.autocommit:
            driver.autocommit = True


def _sqlite_engine(url: URL, pool_size: int) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=5,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args={"timeout": SQLITE_BUSY_MILLISECONDS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own BEGIN comes too late and is never IMMEDIATE: _begin does it.
        assert isinstance(connection, sqlite3.Connection)
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: a place that was confirmed is still there after a power cut.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={SQLITE_BUSY_MILLISECONDS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if LATE not in options:
            connection.exec_driver_sql(f"BEGIN {options.get('sqlite_begin', 'IMMEDIATE')}")

    return engine


@dataclass(frozen=True)
class Database:
    """Opens transactions on one engine; services get the session and never commit."""

    engine: Engine
    shared: SharedReads = field(default_factory=SharedReads)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises."""
        path = self.engine.url.database
        if self.engine.dialect.name == "sqlite" and path:
            with sqlite_writers_queue(path), self._session() as db, db.begin():
                yield db
        else:
            with self._session() as db, db.begin():
                yield db

    @contextmanager
    def turn(self, came_at: float | None = None) -> Iterator[Session]:
        """As transaction(), but it begins with the first statement that writes or locks.

        What only reads holds nobody up on SQLite and costs no BEGIN and COMMIT on PostgreSQL.
        What is read before the first lock may be out of date behind it, on both alike.
        `came_at` (time.monotonic()) is since when all that came before it in its line is done:
        what others have read since then it may share.
        """
        late = LateTransaction(self.engine)
        db = TurnSession(late, self.shared, came_at)
        try:
            yield db
            if db.in_transaction():
                db.commit()
            late.commit()
        finally:
            # Most turns' sessions were asked for nothing: there is nothing to be closed.
            if db.in_transaction():
                db.close()
            late.end()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading only: one snapshot, no lock, always rolled back."""
        with self._session() as db:
            if self.engine.dialect.name == "sqlite":
                db.connection(execution_options={"sqlite_begin": "DEFERRED"})
            yield db

    def _session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)
