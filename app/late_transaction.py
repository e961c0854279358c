"""A turn's transaction: it begins with the first statement that writes or locks.

What comes before costs no BEGIN and holds nobody up; a turn that asks the database for nothing
takes no connection from the pool.
"""

import fcntl
import os
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.selectable import SelectBase

from app.shared_reads import Answer, SharedReads

LATE = "yuban_late"
"""The execution option that bears a connection's LateTransaction."""


class LateTransaction:
    """A transaction that begins with the first statement that writes or locks.

    Until then every statement stands alone and sees what is committed at its own moment.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        is_sqlite = engine.dialect.name == "sqlite"
        self._writers = engine.url.database if is_sqlite else None
        """SQLite's database file, whose writers queue; None elsewhere."""
        self._held = ExitStack()
        self._connection: Connection | None = None
        self.has_begun = False

    @property
    def connection(self) -> Connection:
        """The turn's one connection, from when it is first asked for."""
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(**{LATE: self})
        return self._connection

    def begin(self) -> None:
        """From here on all is one transaction, and on SQLite nobody else writes."""
        if self.has_begun:
            return
        self.has_begun = True
        self._queue_up(self._held)
        connection = self.connection
        if self._engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            return
        if not connection.in_transaction():
            connection.begin()
        self._order(connection, "BEGIN")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One statement that writes, and commits by itself."""
        assert not self.has_begun, "what has begun ends with its commit"
        self.has_begun = True
        try:
            with ExitStack() as held:
                self._queue_up(held)
                yield
        finally:
            self.has_begun = False

    def commit(self) -> None:
        """Keep what was written, if anything was."""
        connection = self._connection
        if connection is None:
            return
        if self.has_begun and connection.in_transaction() and connection.dialect.name != "sqlite":
            # SQLAlchemy's own then finds nothing left to do.
            self._order(connection, "COMMIT")
        connection.commit()

    def end(self) -> None:
        """Give the connection back, roll back what was not kept, and let the next writer in."""
        try:
            if self._connection is not None:
                self._connection.close()
        finally:
            self._held.close()

    def _order(self, connection: Connection, sql: str) -> None:
        """As SQLAlchemy would have it done, in a fifth of the time."""
        from app.prepared_postgresql import order  # with SQLite its driver is never loaded

        try:
            order(connection.connection, sql)
        except connection.dialect.loaded_dbapi.Error as error:
            raise as_sqlalchemys(connection, sql, error) from error

    def _queue_up(self, held: ExitStack) -> None:
        if self._writers:
            held.enter_context(sqlite_writers_queue(self._writers))


class TurnSession(Session):
    """A session over a late transaction: its connection is there when it is needed."""

    def __init__(
        self, late: LateTransaction, shared: SharedReads, came_at: float | None = None
    ) -> None:
        super().__init__(expire_on_commit=False, join_transaction_mode="control_fully")
        self.late = late
        self._shared = shared
        self._came_at = came_at
        self.asked_within: SessionTransaction | None = None
        """The savepoint that was made last, if any."""

    def get_bind(self, *_asked: Any, **_given: Any) -> Connection:
        """One connection for everything."""
        return self.late.connection

    def share(self, question: Hashable, read: Callable[[], Answer]) -> Answer:
        """What `read` gives, or has given to another turn since this one's time had come.

        As SharedReads.answer. A turn that has written reads for itself: it has to see its own.
        """
        if self._came_at is None or self.late.has_begun:
            return read()
        return self._shared.answer(question, self._came_at, read)


def late_transaction(db: Session) -> LateTransaction | None:
    """The session's late transaction; None where it began with the session."""
    return db.late if isinstance(db, TurnSession) else None


def connection_of(db: Session) -> Connection:
    """The session's connection; of a turn's, asking costs nothing."""
    if not isinstance(db, TurnSession):
        return db.connection()
    # A savepoint is made when the session is asked within it for the first time.
    nested = db.get_nested_transaction()
    if nested is not db.asked_within:
        db.connection()
        db.asked_within = nested
    return db.late.connection


def begin_writing(connection: Connection) -> None:
    """What follows on this connection writes or locks."""
    late = connection.get_execution_options().get(LATE)
    if late is not None:
        late.begin()


def as_sqlalchemys(connection: Connection, sql: str, error: Any) -> DBAPIError:
    """The driver's error as SQLAlchemy raises it; a connection that is gone is given up."""
    dialect = connection.dialect
    driver: Any = connection.connection.driver_connection
    is_gone = dialect.is_disconnect(error, driver, None)
    if is_gone:
        connection.invalidate(error)
        # The others at rest were most likely cut off with it: the next try shall not meet them.
        connection.engine.dispose()
    raised: DBAPIError = DBAPIError.instance(
        sql,
        None,
        error,
        dialect.loaded_dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_gone,
        dialect=dialect,
    )
    return raised


def begin_late(engine: Engine) -> None:
    """Let late transactions begin by themselves."""

    @event.listens_for(engine, "before_cursor_execute")
    def _look_at(
        connection: Connection,
        _cursor: DBAPICursor,
        _sql: str,
        _values: Any,
        context: ExecutionContext | None,
        _many: bool,
    ) -> None:
        late = connection.get_execution_options().get(LATE)
        if late is not None and not late.has_begun and not _only_reads(context):
            late.begin()


def _only_reads(context: ExecutionContext | None) -> bool:
    """Whether a statement is a SELECT that locks nothing."""
    statement = getattr(getattr(context, "compiled", None), "statement", None)
    return isinstance(statement, SelectBase) and (
        getattr(statement, "_for_update_arg", None) is None
    )


@contextmanager
def sqlite_writers_queue(path: str) -> Iterator[None]:
    """Wait for our turn to write, across threads and processes; a dead holder lets go."""
    handle = os.open(path + ".writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
