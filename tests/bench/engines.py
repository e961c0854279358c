"""A database for the length of a benchmark."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
