"""`db` moves the schema and tells where it stands."""

import pytest
from sqlalchemy import inspect

from app.migrating import head_revision
from app.wiring import Services
from tests.cli.running import Run


@pytest.fixture
def database_url(bare_database_url: str) -> str:
    return bare_database_url


def test_upgrade_and_downgrade_move_the_schema(run: Run, services: Services) -> None:
    head = head_revision()

    assert run("db", "current").json == {"before": None, "revision": None, "head": head}
    assert run("db", "upgrade").json == {"before": None, "revision": head, "head": head}
    assert run("db", "upgrade").json["before"] == head
    assert inspect(services.database.engine).has_table("stations")
    assert run("db", "downgrade", "base").json["revision"] is None
    assert not inspect(services.database.engine).has_table("stations")


def test_an_unknown_revision_is_refused(run: Run) -> None:
    assert run("db", "upgrade", "9999").error == "revision_unknown"


def test_people_read_where_the_schema_stands(run: Run) -> None:
    head = head_revision()

    assert run("db", "current", as_json=False).out == f"no tables (the newest is {head})\n"
    assert run("db", "upgrade", as_json=False).out == f"no tables → {head}\n"
    assert run("db", "current", as_json=False).out == f"{head}\n"
