"""Statements of the hot path: compiled once, and run by the driver without SQLAlchemy.

In a turn's few statements SQLAlchemy's execution and loading cost several times what the
database does. What is run here skips both and keeps the rest: the types of columns and
parameters, the engine's cipher, its errors, and when a transaction has to begin.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Select,
    Text,
    TypeDecorator,
    Update,
    any_,
    bindparam,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.type_api import TypeEngine

from app.db import Base
from app.late_transaction import as_sqlalchemys, begin_writing, connection_of

Row = tuple[Any, ...]
Statement = Select[*tuple[Any, ...]] | Insert | Update
Process = Callable[[Any], Any]
Execute = Callable[[PoolProxiedConnection, str, Sequence[Any]], tuple[list[Row], int]]
"""Runs a statement with its values: the rows, and how many were found or changed."""
Model = TypeVar("Model", bound=Base)


class Several(TypeDecorator[Sequence[Any]]):
    """Many values as one parameter: the statement is the same for one and for a thousand."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: TypeEngine[Any]) -> None:
        super().__init__()
        self._kind = kind

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(self._kind))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        given = list(value or ())
        return given if dialect.name == "postgresql" else json.dumps(given)


def among(column: Any, name: str, dialect: str) -> ColumnElement[bool]:
    """That a column's value is one of a parameter's: of numbers, or of texts."""
    given = bindparam(name, type_=Several(column.type))
    listed = select(func.json_each(given).table_valued("value").c.value)
    found: ColumnElement[bool]
    found = column == any_(given) if dialect == "postgresql" else column.in_(listed)
    return found


class Joined(FunctionElement[str]):
    """The texts of many rows as one, with blanks between: a row where there would be dozens.

    aggregate_strings would, but for its separator, which is written anew each time.
    """

    name = "joined"
    type = Text()
    inherit_cache = True


@compiles(Joined)
def _joined(element: Joined, compiler: SQLCompiler, **given: Any) -> str:
    is_postgresql = compiler.dialect.name == "postgresql"
    function = "string_agg" if is_postgresql else "group_concat"
    return f"{function}({compiler.process(element.clauses, **given)}, ' ')"


class _Compiled:
    """A statement as one dialect's driver takes it, its values and its rows."""

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        is_postgresql = dialect.name == "postgresql"
        # Numbered parameters are what the server wants: psycopg need not look for names.
        make_target: Callable[..., Dialect] = PGDialect_psycopg
        target = make_target(paramstyle="numeric_dollar") if is_postgresql else dialect
        compiled = statement.compile(dialect=target)
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup is not None
        self.sql = str(compiled)
        assert "POSTCOMPILE" not in self.sql, "lists that expand are not for here"
        types = {name: bind.type for name, bind in compiled.binds.items()}
        self.parameters = [
            (name, _bind(types[name], dialect), compiled.binds[name].value)
            for name in compiled.positiontup
        ]
        columns = statement.exported_columns
        processes = [(place, _result(column.type, dialect)) for place, column in enumerate(columns)]
        self.processes = [(place, process) for place, process in processes if process is not None]
        self.execute = _on_postgresql() if is_postgresql else _on_sqlite

    def values(self, given: dict[str, Any]) -> list[Any]:
        """The parameters in the driver's order; one that was not given is a constant's."""
        return [
            process(given.get(name, constant)) if process else given.get(name, constant)
            for name, process, constant in self.parameters
        ]

    def row(self, found: Row) -> Row:
        """A driver's row with the values that the columns' types make of it."""
        made = list(found)
        for place, process in self.processes:
            made[place] = process(made[place])
        return tuple(made)


def _bind(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _result(kind: TypeEngine[Any], dialect: Dialect) -> Process | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _on_sqlite(
    pooled: PoolProxiedConnection, sql: str, values: Sequence[Any]
) -> tuple[list[Row], int]:
    driver: Any = pooled.driver_connection
    cursor = driver.execute(sql, values)
    return cursor.fetchall(), cursor.rowcount


def _on_postgresql() -> Execute:
    from app.prepared_postgresql import execute  # with SQLite its driver is never loaded

    return execute


class Prepared:
    """A statement that never changes, with bindparams for what does.

    `statement` is one for both dialects, or makes it from a dialect's name. Lists that
    expand (`in_` of a parameter) are not for here. What only reads begins no transaction:
    of a statement that is made, that has to be said.
    """

    def __init__(
        self, statement: Statement | Callable[[str], Statement], *, only_reads: bool = False
    ) -> None:
        self._statement = statement
        # A dialect object belongs to one engine, and so does the cipher of encrypted columns.
        self._compiled: WeakKeyDictionary[Dialect, _Compiled] = WeakKeyDictionary()
        sample = statement if isinstance(statement, (Select, Insert, Update)) else None
        self._only_reads = only_reads or isinstance(sample, Select)

    def all(self, db: Session, **values: Any) -> list[Row]:
        """The rows; what the session has not flushed yet is not seen."""
        compiled, rows, _ = self._run(connection_of(db), values)
        return [compiled.row(row) for row in rows] if compiled.processes else rows

    def first(self, db: Session, **values: Any) -> Row | None:
        """The first row, where there is one."""
        rows = self.all(db, **values)
        return rows[0] if rows else None

    def run(self, db: Session, **values: Any) -> int:
        """How many rows it changed."""
        return self._run(connection_of(db), values)[2]

    def _run(
        self, connection: Connection, values: dict[str, Any]
    ) -> tuple[_Compiled, list[Row], int]:
        dialect = connection.dialect
        compiled = self._compiled.get(dialect)
        if compiled is None:
            made = self._statement
            statement = made if isinstance(made, (Select, Insert, Update)) else made(dialect.name)
            compiled = self._compiled[dialect] = _Compiled(statement, dialect)
        if not self._only_reads:
            begin_writing(connection)
        pooled = connection.connection
        given = compiled.values(values)
        try:
            return compiled, *compiled.execute(pooled, compiled.sql, given)
        except dialect.loaded_dbapi.Error as error:
            raise as_sqlalchemys(connection, compiled.sql, error) from error


class Loader:
    """Objects of one model out of rows, as the ORM would have loaded them."""

    def __init__(self, model: type[Model]) -> None:
        self._mapper = inspect(model)
        self._manager = self._mapper.class_manager
        loaded = [
            (attribute.key, attribute.columns[0])
            for attribute in self._mapper.column_attrs
            if isinstance(attribute.columns[0], Column) and not attribute.deferred
        ]
        self.columns = [column for _, column in loaded]
        self._keys = [key for key, _ in loaded]
        keys = [self._mapper.get_property_by_column(one).key for one in self._mapper.primary_key]
        [self._key_at] = [self._keys.index(key) for key in keys]

    def __len__(self) -> int:
        return len(self._keys)

    def place_of(self, name: str) -> int:
        """Where this attribute stands among the columns."""
        return self._keys.index(name)

    def put_new(self, db: Session, values: Mapping[str, Any], **related: Any) -> Any:
        """The object of a row that was just written; what is not named is empty in it."""
        return self.put(db, [values.get(key) for key in self._keys], **related)

    def put(
        self, db: Session, values: Sequence[Any], *, is_fresh: bool = False, **related: Any
    ) -> Any:
        """The object with these columns' values, in the session; None where its id is.

        One that the session knows already stays as it is, or where these are fresh takes them.
        `related` are relationships and what else was loaded with it.
        """
        identity = values[self._key_at]
        if identity is None:
            return None
        key = self._mapper.identity_key_from_primary_key((identity,))
        known = db.identity_map.get(key)
        if known is None:
            known = self._manager.new_instance()
            vars(known).update(zip(self._keys, values, strict=True))
            state = instance_state(known)
            # As the ORM puts what it has read: db.add would ask of each whether it was changed,
            # and whether it might be another session's.
            state.key, state.session_id = key, db.hash_key
            db.identity_map.add(state)
        elif is_fresh:
            for name, value in zip(self._keys, values, strict=True):
                set_committed_value(known, name, value)
        has = vars(known)
        for name, value in related.items():
            if name not in has:
                if isinstance(value, list):
                    set_committed_value(known, name, value)
                else:
                    has[name] = value
        return known
