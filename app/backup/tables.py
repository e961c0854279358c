"""Rows of every table as records, in an order in which they can be put back.

The tables are read from the database itself, not from the models: a backup of an older
schema is restored into that schema, and migrated from there. What is encrypted stays so.
"""

import base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Date,
    DateTime,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Time,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.sql.ddl import sort_tables_and_constraints

from app.backup.sealed_file import BackupUnreadable, Record

ALEMBIC_TABLE = "alembic_version"
BATCH = 1_000
Sorted = list[tuple[Table | None, set[ForeignKeyConstraint]]]
TABLE, ROW, END = "table", "row", "end"


@dataclass(frozen=True)
class Schema:
    """A database's tables, each after those that it refers to."""

    tables: tuple[Table, ...]
    late: dict[str, frozenset[str]]
    """By table, the columns that refer to a later row: filled in when all rows are there."""


def find_schema(connection: Connection) -> Schema:
    """The tables as they are in this database."""
    metadata = MetaData()
    metadata.reflect(connection, views=False)
    tables: list[Table] = []
    late: dict[str, set[str]] = {}
    here = [table for table in metadata.tables.values() if table.name != ALEMBIC_TABLE]
    sort: Callable[[list[Table]], Sorted] = sort_tables_and_constraints
    for table, constraints in sort(here):
        if table is not None:
            tables.append(table)
            constraints = {
                each for each in table.foreign_key_constraints if each.referred_table is table
            }
        for constraint in constraints:
            late.setdefault(constraint.table.name, set()).update(constraint.column_keys)
    # Triggers write to tables without a key when others change: they are loaded last.
    tables.sort(key=lambda table: not table.primary_key.columns)
    return Schema(tuple(tables), {name: frozenset(keys) for name, keys in late.items()})


@dataclass
class Counts:
    """How many rows of which table went by."""

    rows: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def dump(connection: Connection, schema: Schema, counts: Counts) -> Iterator[Record]:
    """Every row of every table, streamed; the connection's transaction makes it one moment's."""
    for table in schema.tables:
        columns = list(table.columns)
        yield [TABLE, table.name, [column.name for column in columns]]
        number = 0
        rows = connection.execution_options(yield_per=BATCH).execute(
            select(table).order_by(*table.primary_key.columns)
        )
        for row in rows:
            number += 1
            yield [ROW, *(_to_json(value) for value in row)]
        counts.rows[table.name] = number
    yield [END, dict(counts.rows)]


def _to_json(value: Any) -> Any:
    """Instants in UTC: SQLite gives them back naive."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, Decimal):
        return str(value)
    return value


def is_empty(connection: Connection, schema: Schema) -> bool:
    """Whether nothing is there but what the migrations themselves put in."""
    return not any(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in schema.tables
        if table.name in {"families", "caregivers", "staff", "stations", "guidance_sessions"}
    )


def load(connection: Connection, schema: Schema, records: Iterable[Record]) -> Counts:
    """Put the rows into the tables, which are emptied first, and check the counts.

    Raises BackupUnreadable where the records do not fit the tables, or rows are missing.
    """
    for table in reversed(schema.tables):
        for name in schema.late.get(table.name, ()):
            connection.execute(update(table).values({name: None}))
        connection.execute(table.delete())
    loading = _Loading(connection, schema)
    for record in records:
        loading.take(record)
    return loading.finish()


class _Loading:
    """One pass over the records, in batches; late columns follow at the end."""

    def __init__(self, connection: Connection, schema: Schema) -> None:
        self._connection = connection
        self._schema = schema
        self._by_name = {table.name: table for table in schema.tables}
        self._counts = Counts()
        self._table: Table | None = None
        self._columns: list[Column[Any]] = []
        self._batch: list[dict[str, Any]] = []
        self._late: list[tuple[Table, dict[str, Any]]] = []
        self._said: dict[str, int] | None = None

    def take(self, record: Record) -> None:
        kind, *rest = record
        if kind == ROW and self._table is not None:
            self._add(rest)
        elif kind == TABLE:
            self._flush()
            name, columns = rest
            table = self._by_name.get(name)
            if table is None or {*columns} != {column.name for column in table.columns}:
                raise BackupUnreadable("other_schema", name)
            if not table.primary_key.columns:
                # Triggers have added to it while the others were loaded.
                self._connection.execute(table.delete())
            self._table = table
            self._columns = [table.columns[name] for name in columns]
            self._counts.rows[table.name] = 0
        elif kind == END:
            self._flush()
            self._said = rest[0]
        else:
            raise BackupUnreadable("damaged", str(kind))

    def _add(self, values: list[Any]) -> None:
        table = self._table
        assert table is not None, "rows follow their table"
        row = {
            column.name: _from_json(column, value)
            for column, value in zip(self._columns, values, strict=True)
        }
        late = {name: row[name] for name in self._schema.late.get(table.name, ()) if row[name]}
        if late:
            row.update(dict.fromkeys(late))
            keys = {f"key_{key.name}": row[key.name] for key in table.primary_key.columns}
            self._late.append((table, late | keys))
        self._batch.append(row)
        if len(self._batch) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._batch and self._table is not None:
            self._connection.execute(insert(self._table), self._batch)
            self._counts.rows[self._table.name] += len(self._batch)
        self._batch = []

    def finish(self) -> Counts:
        if self._said != self._counts.rows or self._by_name.keys() != self._counts.rows.keys():
            raise BackupUnreadable("damaged", "counts differ")
        for table, values in self._late:
            statement = update(table).values(
                {name: bindparam(name) for name in values if name in table.columns}
            )
            for key in table.primary_key.columns:
                statement = statement.where(key == bindparam(f"key_{key.name}"))
            self._connection.execute(statement, values)
        if self._connection.dialect.name == "postgresql":
            for table in self._schema.tables:
                _set_sequence(self._connection, table)
        return self._counts


def _from_json(column: Column[Any], value: Any) -> Any:
    kind = column.type
    if value is None or isinstance(kind, JSON):
        return value
    if isinstance(kind, DateTime):
        at = datetime.fromisoformat(value)
        return at if kind.timezone else at.astimezone(UTC).replace(tzinfo=None)
    if isinstance(kind, Date):
        return date.fromisoformat(value)
    if isinstance(kind, Time):
        return time.fromisoformat(value)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, Numeric) and isinstance(value, str):
        return Decimal(value)
    return value


def _set_sequence(connection: Connection, table: Table) -> None:
    """The next row's number comes after the restored ones."""
    for column in table.primary_key.columns:
        name = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :column)"),
            {"table": f'"{table.name}"', "column": column.name},
        ).scalar_one()
        if name is None:
            continue
        highest = connection.execute(select(func.max(column))).scalar_one()
        connection.execute(
            text("SELECT setval(CAST(:name AS regclass), :value, :is_used)"),
            {"name": name, "value": highest or 1, "is_used": highest is not None},
        )
