"""How every command answers and refuses, whatever it does."""

import click
import pytest

from app.cli import COMMANDS
from app.wiring import Services
from tests.cli.running import Run


def all_commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for command in COMMANDS:
        assert command.name is not None
        if isinstance(command, click.Group):
            found += [(command.name, name) for name in command.commands]
        else:
            found.append((command.name,))
    return found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("command", all_commands(), ids=" ".join)
def test_every_command_lists_itself_and_offers_json(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command, "--help", as_json=False)

    assert done.code == 0
    assert "--json" in done.out
    assert len(done.out.split("\n\n")) >= 3, "usage, what it does, options"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("stations",), 2),
        (("stations", "import"), 2),
        (("stations", "export"), 2),
        (("stations", "import", "no-such-file.csv"), 2),
        (("roster",), 2),
        (("roster", "CQ-1", "CQ-2"), 2),
        (("jobs", "run", "tidy", "--now", "tomorrow"), 2),
        (("notices", "list", "--state", "lost"), 2),
        (("staff", "add", "wang", "--role", "cook"), 2),
        (("staff", "add", "wang", "--role", "worker"), 2),
        (("staff", "add", "wang", "--role", "township"), 2),
        (("doctor", "--quickly"), 2),
        (("roster", "NOWHERE"), 1),
        (("jobs", "run", "everything"), 1),
        (("family", "show", "nobody"), 1),
        (("attend", "CQ-1", "nobody"), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_a_refusal_is_one_line_and_json_beside_it(
    run: Run, line: tuple[str, ...], code: int
) -> None:
    done = run(*line)

    assert done.code == code
    assert done.error


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_json_standard_output_stays_empty_on_a_refusal(run: Run) -> None:
    done = run("roster", "NOWHERE", as_json=False)

    assert (done.code, done.out) == (1, "")
    assert "NOWHERE" in done.err


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_group_alone_shows_what_it_holds(run: Run) -> None:
    assert "upgrade" in run("db", as_json=False).err


def test_a_database_without_tables_is_told_apart(run: Run) -> None:
    assert run("db", "downgrade", "base").code == 0

    done = run("roster", "CQ-1")

    assert done.error == "database_empty"
    assert "database has no tables: run db upgrade" in done.err
    assert run("db", "upgrade").code == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_of_another_version_is_told_apart(run: Run, services: Services) -> None:
    with services.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
        connection.exec_driver_sql("ALTER TABLE guidance_sessions RENAME TO events")

    assert run("roster", "CQ-1").error == "database_not_current"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_no_database_is_told_apart(run: Run, services: Services) -> None:
    path = services.database.engine.url.database
    assert path is not None
    services.database.engine.dispose()
    with open(path, "wb") as file:
        file.write(b"this is no database at all, but a letter " * 200)

    assert run("roster", "CQ-1").error == "database_unreachable"
