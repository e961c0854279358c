"""./dev run: ports, one run a folder, and whether the database needs anything."""

import io
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from devtools.environment import ROOT, Addresses
from devtools.log_lines import Printer
from devtools.preparing import is_prepared, newest_revisions
from devtools.run import CannotRun, Options, choose_addresses, read_options, wait_for_answers
from devtools.run_lock import AlreadyRunning, RunLock, find_running
from devtools.supervisor import Process, Supervisor
from tests.ports import free_port

HOLD_THE_LOCK = """
import sys, time
from pathlib import Path
from devtools.environment import Addresses
from devtools.run_lock import RunLock
lock = RunLock(Path(sys.argv[1]))
lock.publish(Addresses(9000, 9001))
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def listening(port: int) -> Iterator[int]:
    """That port is taken by a server that would share it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        yield port


@contextmanager
def another_run(lock: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD_THE_LOCK, str(lock)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "held\n"
        try:
            yield program
        finally:
            program.kill()


def test_a_busy_web_port_is_refused_in_one_line() -> None:
    with (
        listening(free_port()) as port,
        pytest.raises(CannotRun, match=f"port {port} is in use"),
    ):
        choose_addresses(Options(port=port, with_sandbox=False))


def test_the_sandbox_takes_the_next_free_port() -> None:
    web = free_port(neighbours=2)
    with listening(web + 1):
        addresses = choose_addresses(Options(port=web, with_sandbox=True))

    assert addresses == Addresses(web_port=web, sandbox_port=web + 2)


def test_without_the_sandbox_there_is_no_port_for_it() -> None:
    port = free_port()
    options = read_options(["--no-sandbox", "--port", str(port)])

    assert options == Options(port, with_sandbox=False)
    assert choose_addresses(options) == Addresses(port, None)


def test_a_second_run_is_told_where_the_first_is(tmp_path: Path) -> None:
    lock = tmp_path / "run.lock"
    with another_run(lock) as first:
        with pytest.raises(AlreadyRunning) as refusal:
            RunLock(lock)

        assert refusal.value.running is not None
        assert refusal.value.running.pid == first.pid
        assert refusal.value.running.addresses == Addresses(9000, 9001)
        assert find_running(lock) == refusal.value.running


def test_a_killed_run_does_not_block_the_next(tmp_path: Path) -> None:
    lock = tmp_path / "run.lock"
    with another_run(lock):
        pass

    assert find_running(lock) is None
    after = RunLock(lock)
    assert after.was_killed
    after.release()


def test_a_run_that_stopped_in_order_leaves_nothing_to_wait_for(tmp_path: Path) -> None:
    first = RunLock(tmp_path / "run.lock")
    first.publish(Addresses(9000, 9001))
    first.release()

    after = RunLock(tmp_path / "run.lock")

    assert not after.was_killed
    after.release()


def test_a_run_that_is_only_just_starting_is_known_without_its_address(tmp_path: Path) -> None:
    held = RunLock(tmp_path / "run.lock")

    assert find_running(tmp_path / "run.lock") is None
    assert (tmp_path / "run.lock").read_text() == ""
    held.publish(Addresses(9000, None))
    written = json.loads((tmp_path / "run.lock").read_text())
    held.release()

    assert written["addresses"] == {"web_port": 9000, "sandbox_port": None}


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "0001_first.py").write_text('revision = "0001"\ndown_revision = None\n')
    (folder / "0002_more.py").write_text(
        'revision: str = "0002"\ndown_revision: str | None = "0001"\n'
    )
    return folder


def database_at(folder: Path, revision: str, *, stations: int) -> str:
    path = folder / "a database.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.execute("CREATE TABLE stations (id INTEGER)")
        database.executemany("INSERT INTO stations VALUES (?)", [(n,) for n in range(stations)])
        database.commit()
    return f"sqlite:///{path}"


def test_a_migrated_database_with_stations_needs_nothing(tmp_path: Path, versions: Path) -> None:
    assert is_prepared(database_at(tmp_path, "0002", stations=1), versions)


@pytest.mark.parametrize(("revision", "stations"), [("0001", 1), ("0002", 0), ("0003", 1)])
def test_an_older_empty_or_unknown_database_is_looked_at(
    tmp_path: Path, versions: Path, revision: str, stations: int
) -> None:
    assert not is_prepared(database_at(tmp_path, revision, stations=stations), versions)


@pytest.mark.parametrize("url", ["sqlite:////nowhere/x.db", "postgresql+psycopg://h/yuban"])
def test_what_cannot_be_told_cheaply_is_looked_at(versions: Path, url: str) -> None:
    assert not is_prepared(url, versions)


def test_the_newest_revision_of_the_project_is_found() -> None:
    from app.migrating import head_revision

    assert newest_revisions(ROOT / "migrations" / "versions") == {head_revision()}


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(Printer(io.StringIO()), os.environ, tmp_path) as supervisor:
        yield supervisor


def test_a_process_that_keeps_crashing_before_it_answers_ends_the_run(
    supervisor: Supervisor,
) -> None:
    supervisor.start(Process("web", (sys.executable, "-c", "raise SystemExit(3)")))

    with pytest.raises(CannotRun, match="web does not start"):
        wait_for_answers(supervisor, {"web": (9, "/healthz")})


def test_waiting_ends_when_everybody_who_was_asked_has_answered(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "index.html").write_text("hello")
    port = free_port()
    server = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    supervisor.start(Process("phone", server))
    supervisor.start(Process("mute", (sys.executable, "-c", "import time; time.sleep(60)")))
    questions = {"phone": (port, "/index.html")}

    wait_for_answers(supervisor, questions)
    monkeypatch.setattr("devtools.run.START_SECONDS", 0.3)
    with pytest.raises(CannotRun, match="mute did not answer"):
        wait_for_answers(supervisor, {**questions, "mute": (9, "/")})

    assert supervisor.is_alive("phone")
