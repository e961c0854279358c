"""./dev run, whole: the real service starts, answers, and is gone afterwards.

It runs in a folder of links to the project, so that it has a var/ of its own beside whatever
the developer is running.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools.environment import ROOT, private_folder

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
NOT_LINKED = {".git", "var", "tests", "docs"}


@dataclass(frozen=True)
class Run:
    """A ./dev run that is ready: its process, its folder, where its web server is."""

    program: subprocess.Popen[str]
    root: Path
    port: int
    welcome: str

    def processes(self) -> list[str]:
        """Command lines of what runs on behalf of this folder, itself left out."""
        shown = subprocess.run(
            ["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True
        )
        lines = [line.split(None, 2) for line in shown.stdout.splitlines()]
        return [
            line[2]
            for line in lines
            if int(line[0]) != self.program.pid and "Z" not in line[1] and len(line) == 3
            if is_of_folder(int(line[0]), self.root)
        ]


def is_of_folder(pid: int, root: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(root)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def wait_for(claim: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while not claim():
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true in {STOP_SECONDS:g} s: {what}")
        time.sleep(0.05)


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    for path in ROOT.iterdir():
        if path.name not in NOT_LINKED:
            (tmp_path / path.name).symlink_to(path)
    yield tmp_path
    # Its sockets lie elsewhere: a path under pytest's folders is too long for them.
    shutil.rmtree(private_folder(tmp_path))


@contextmanager
def running(root: Path) -> Iterator[Run]:
    port = free_port()
    chosen = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEY", "PUBLIC_URL"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in chosen and not name.startswith("WECHAT_")
    }
    with (root / "log").open("w") as log:
        program = subprocess.Popen(
            [sys.executable, "-m", "devtools.run", "--port", str(port)],
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        yield Run(program, root, port, read_welcome(program, root / "log"))
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGTERM)
            program.wait(STOP_SECONDS + 5)
        assert program.stdout is not None
        program.stdout.close()


def read_welcome(program: subprocess.Popen[str], log: Path) -> str:
    assert program.stdout is not None
    lines: list[str] = []
    # The pipe ends, and the loop with it, should the program give up.
    for line in program.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            return "".join(lines)
    pytest.fail(f"it did not get ready: {log.read_text()[-3000:]}")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_whole_service_starts_answers_and_stops(root: Path) -> None:
    with running(root) as run:
        assert status(run.port, "/healthz") == 200
        assert status(run.port, "/readyz") == 200
        assert f"http://127.0.0.1:{run.port}/console/" in run.welcome
        phone = re.search(r"phone +http://127\.0\.0\.1:(\d+)/", run.welcome)
        assert phone is not None
        assert status(int(phone[1]), "/") == 200

        run.program.send_signal(signal.SIGINT)

        assert run.program.wait(STOP_SECONDS) == 0
        assert run.processes() == []

    # A second start finds everything done; and a kill leaves nothing behind.
    with running(root) as run:
        assert "migrating" not in (root / "log").read_text()

        run.program.kill()
        run.program.wait()

        wait_for(lambda: run.processes() == [], "every process has gone")
