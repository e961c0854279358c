"""Prepared statements on PostgreSQL by libpq's own functions.

psycopg's cursor sends, waits and reads in small steps, each of which may cost a busy process
its turn: several times what the server needs for a statement. Here a statement is one call,
during which other threads go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from sqlalchemy.pool import PoolProxiedConnection

KEPT = "yuban_prepared"
"""The pool's note on a connection: what its server has prepared, by the statement's text."""
_GOOD = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})


@dataclass(slots=True)
class _OnServer:
    """A statement that this connection's server knows by its name."""

    name: bytes
    transformer: Any
    """psycopg's Transformer, kept: it looks up only once how each column is read."""
    formats: list[PyFormat]
    knows_columns: bool = False
    """Whether the transformer has looked up how each column is read."""


def execute(
    pooled: PoolProxiedConnection, sql: str, values: Sequence[Any]
) -> tuple[list[tuple[Any, ...]], int]:
    """The rows, and how many were found or changed.

    The statement's parameters are numbered and bear their types. Raises psycopg.Error.
    """
    driver: Any = pooled.driver_connection
    prepared: dict[str, _OnServer] = pooled.info.setdefault(KEPT, {})
    known = prepared.get(sql)
    if known is None:
        name = f"yuban_{len(prepared)}".encode()
        _check(driver, driver.pgconn.prepare(name, sql.encode()))
        formats = [PyFormat.TEXT] * len(values)
        known = prepared[sql] = _OnServer(name, Transformer(driver), formats)
    transformer = known.transformer
    given = transformer.dump_sequence(values, known.formats)
    result = driver.pgconn.exec_prepared(known.name, given)
    _check(driver, result)
    if result.status == ExecStatus.COMMAND_OK:
        return [], result.command_tuples or 0
    transformer.set_pgresult(result, set_loaders=not known.knows_columns)
    known.knows_columns = True
    return transformer.load_rows(0, result.ntuples, tuple), result.ntuples


def order(pooled: PoolProxiedConnection, sql: str) -> None:
    """One command, such as BEGIN. Raises psycopg.Error."""
    driver: Any = pooled.driver_connection
    _check(driver, driver.pgconn.exec_(sql.encode()))


def _check(driver: Connection[Any], result: Any) -> None:
    if result.status not in _GOOD:
        raise error_from_result(result, encoding=driver.info.encoding)
