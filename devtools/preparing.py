"""Before the first process starts: the schema at its newest, demo data in an empty database.

The usual case, a SQLite database that needs neither, is told apart with the standard library
alone: importing the service for it would be half of a second start.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

SQLITE_PREFIX = "sqlite:///"
REVISION = re.compile(r"^revision\b[^=\n]*=\s*[\"']([^\"']+)[\"']", re.MULTILINE)
DOWN_REVISION = re.compile(r"^down_revision\b[^=\n]*=(.*)$", re.MULTILINE)
QUOTED = re.compile(r"[\"']([^\"']+)[\"']")


class CannotPrepare(Exception):
    """The settings or the database stand in the way; the text says which, in one line."""


def is_prepared(database_url: str, versions: Path) -> bool:
    """Whether nothing is left to do. False also wherever that is not plain to see."""
    if not database_url.startswith(SQLITE_PREFIX):
        return False
    path = Path(database_url.removeprefix(SQLITE_PREFIX))
    if not path.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            stored = {row[0] for row in database.execute("SELECT version_num FROM alembic_version")}
            (has_stations,) = database.execute("SELECT EXISTS (SELECT 1 FROM stations)").fetchone()
    except sqlite3.Error:
        return False
    return bool(has_stations) and stored == newest_revisions(versions)


def newest_revisions(versions: Path) -> set[str]:
    """The revisions among the files that no other builds on."""
    revisions: set[str] = set()
    built_on: set[str] = set()
    for file in versions.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        revisions.update(REVISION.findall(text))
        for value in DOWN_REVISION.findall(text):
            built_on.update(QUOTED.findall(value))
    return revisions - built_on


def prepare() -> None:
    """Migrate, and load demo data into an empty database. Raises CannotPrepare."""
    # Late: only a first start, or one on PostgreSQL, pays for importing the service.
    from sqlalchemy.exc import SQLAlchemyError

    from app.config import SettingsError, load_settings
    from app.crypto import Cipher
    from app.db import make_engine
    from app.demo import load_once
    from app.migrating import upgrade

    try:
        settings = load_settings()
        engine = make_engine(settings.database_url, Cipher(settings.data_keys))
        try:
            upgrade(engine)
        finally:
            engine.dispose()
        load_once(settings)
    except (SettingsError, SQLAlchemyError) as error:
        raise CannotPrepare(" ".join(str(error).split())) from error
