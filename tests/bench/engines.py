"""A database for the length of a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from devtools import embedded_postgres
from devtools.environment import ROOT


@contextmanager
def database(engine: str, folder: Path) -> Iterator[str]:
    """The address of an empty one: a file, or a server of its own."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'bench.db'}"
        return
    with embedded_postgres.serving(ROOT) as server:
        server.create_database("bench")
        yield server.url("bench")


def look_after(engine: Engine) -> None:
    """What PostgreSQL's housekeeping does by itself within a minute of many new rows.

    It is switched off here, or it would work in the middle of a measurement; but without its
    statistics the planner reads rows by the hundred that no service in use would read.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
