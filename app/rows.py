"""Single rows of a model, written at once by prepared statements; the ORM's objects follow them.

A flush sorts what has changed, looks for what hangs on what, and puts its statements together
anew: for the row or two of a step that costs many times what the database does.
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from app.db import Base
from app.prepared import Loader, Prepared

Model = TypeVar("Model", bound=Base)
_NONE: Mapping[str, Any] = {}


class NewRows(Generic[Model]):
    """Writes new rows of one model, whose key is an `id` that the database gives.

    Listeners to the ORM's inserts hear nothing of them. Who rolls back to a savepoint, and goes
    on with the session, expunges what was made behind it.
    """

    def __init__(self, model: type[Model]) -> None:
        table = _table_of(model)
        columns = [column for column in table.columns if not column.primary_key]
        self._loader = Loader(model)
        self._defaults = {
            column.name: column.default.arg
            for column in columns
            if isinstance(column.default, ScalarElementColumnDefault)
        }
        self._insert = Prepared(
            insert(table)
            .values({column.name: bindparam(column.name, type_=column.type) for column in columns})
            .returning(table.c.id)
        )

    def write(self, db: Session, **values: Any) -> int:
        """The new row's id; what is not named is the column's default, or empty."""
        row = self._insert.first(db, **(self._defaults | values))
        assert row is not None, "inserted"
        written: int = row[0]
        return written

    def add(self, db: Session, related: Mapping[str, Any] = _NONE, **values: Any) -> Model:
        """As `write`, and its object in the session, with `related` as if it had been loaded."""
        known = self._defaults | values
        known["id"] = self.write(db, **known)
        made: Model = self._loader.put_new(db, known, **related)
        return made


class Change:
    """Writes some columns of a row at once, and the object has them as if they had been read."""

    def __init__(self, model: type[Base], *names: str) -> None:
        table = _table_of(model)
        self._names = names
        self._update = Prepared(
            update(table)
            .where(table.c.id == bindparam("row_id"))
            .values({name: bindparam(f"to_{name}", type_=table.c[name].type) for name in names})
        )

    def put(self, db: Session, row: Any, **values: Any) -> None:
        """All of the columns have to be named. What the session has not flushed goes before."""
        db.flush()
        if db.in_nested_transaction():
            # A rollback to a savepoint reaches only those objects that the ORM itself has written.
            for name in self._names:
                setattr(row, name, values[name])
            db.flush()
            return
        self._update.run(db, row_id=row.id, **{f"to_{name}": values[name] for name in self._names})
        for name in self._names:
            set_committed_value(row, name, values[name])


def _table_of(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
