"""Alembic's entry: app.migrating hands in the engine. Revisions import no models."""

import sqlite3

from alembic import context
from sqlalchemy import Connection, Engine, Index
from sqlalchemy.schema import SchemaItem

import app.models  # the tables, for comparing the schema with the models
from app.db import Base

engine: Engine = context.config.attributes["engine"]


def _switch_foreign_keys(connection: Connection, *, on: bool) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _is_of_sqlite(thing: SchemaItem, *_: object) -> bool:
    """Whether a table, column or index is to be there: a BRIN index is PostgreSQL's alone."""
    return not (isinstance(thing, Index) and thing.dialect_options["postgresql"]["using"] == "brin")


assert app.models.__all__, "importing the models registers them on Base.metadata"

with engine.connect() as connection:
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        # SQLite cannot alter most things in place: Alembic copies a table and drops the old
        # one, which enforced foreign keys would forbid. The pragma works outside of a
        # transaction only, and what it let through is checked before the commit.
        _switch_foreign_keys(connection, on=False)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=is_sqlite,
        include_object=_is_of_sqlite if is_sqlite else None,
    )
    with context.begin_transaction():
        context.run_migrations()
        if is_sqlite:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            assert not broken, f"rows without what they refer to: {broken[:5]}"
    connection.commit()
    if is_sqlite:
        _switch_foreign_keys(connection, on=True)
