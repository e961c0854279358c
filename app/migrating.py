"""Runs the migrations in migrations/ on a database.

Alembic is imported where it is used: a web worker that never migrates need not carry it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


def configure(engine: Engine | None = None) -> "Config":
    """Alembic's configuration for our migrations, on an engine where one is needed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to a revision, the newest by default."""
    from alembic import command

    command.upgrade(configure(engine), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to a revision, or to nothing with "base"."""
    from alembic import command

    command.downgrade(configure(engine), revision)


def head_revision() -> str | None:
    """The newest revision that this code knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(configure()).get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision that a connection's database is at; None where it is empty."""
    from alembic.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def current_revision(engine: Engine) -> str | None:
    """The revision a database is at; None where it is empty."""
    with engine.connect() as connection:
        return revision_of(connection)
