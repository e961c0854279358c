"""The service as it is deployed: gunicorn with deploy/gunicorn_conf.py, in its own processes."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools.environment import ROOT
from devtools.tied import tied
from tests.ports import free_port

START_SECONDS = 60.0


@dataclass(frozen=True)
class Site:
    """A running web process."""

    port: int
    process: subprocess.Popen[bytes]

    def reload(self) -> None:
        """What `systemctl reload yuban-web` does."""
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """What `systemctl stop yuban-web` does; again does nothing."""
        self.process.terminate()
        self.process.wait(20)

    def workers(self) -> list[int]:
        """The numbers of its worker processes."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(number) for number in children.read_text().split()]


def wait_until_answers(port: int) -> None:
    """Raises TimeoutError where nothing answers HTTP there."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise TimeoutError(port)


@contextmanager
def listening(number: int) -> Iterator[tuple[socket.socket, ...]]:
    """Sockets on one address, as systemd holds them for a service."""
    port = free_port()
    sockets = []
    for _ in range(number):
        each = socket.socket()
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        each.bind(("127.0.0.1", port))
        each.listen(512)
        sockets.append(each)
    try:
        yield tuple(sockets)
    finally:
        for each in sockets:
            each.close()


@contextmanager
def serving(
    environment: Mapping[str, str], sockets: Sequence[socket.socket] = ()
) -> Iterator[Site]:
    """The web process on a free port, or on sockets handed to it; stopped at the end."""
    port = sockets[0].getsockname()[1] if sockets else free_port()
    command: tuple[str, ...] = (
        *(sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn_conf.py"),
        *("--bind", f"127.0.0.1:{port}", "wsgi:app"),
    )
    given = {**os.environ, **environment}
    if sockets:
        # systemd's way: the sockets are descriptors 3 and up, and the number says of whom.
        moves = "; ".join(
            f"os.dup2({each.fileno()}, {3 + place})" for place, each in enumerate(sockets)
        )
        start = (
            f"import os, sys; {moves}; os.environ['LISTEN_PID'] = str(os.getpid());"
            " os.execv(sys.argv[1], sys.argv[1:])"
        )
        command = (sys.executable, "-c", start, *command)
        given["LISTEN_FDS"] = str(len(sockets))
    process = subprocess.Popen(
        tied(command), cwd=ROOT, env=given, pass_fds=[each.fileno() for each in sockets]
    )
    site = Site(port, process)
    try:
        wait_until_answers(port)
        yield site
    finally:
        site.stop()
