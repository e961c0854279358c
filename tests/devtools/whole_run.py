"""A ./dev run for tests: the real service, whole, from a folder of links to the project.

There it has a var/ of its own, beside whatever the developer is running.
"""

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools.environment import ROOT, private_folder
from tests.ports import free_port

STOP_SECONDS = 10.0
NOT_LINKED = frozenset({".git", "var", "tests", "docs"})
CHOSEN_BY_RUN = frozenset({"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_KEY", "PUBLIC_URL"})


@dataclass(frozen=True)
class Run:
    """A ./dev run that is ready: its process, its folder, and what it said."""

    program: subprocess.Popen[str]
    root: Path
    port: int
    welcome: str

    @property
    def console(self) -> str:
        return self._address("console")

    @property
    def phone(self) -> str:
        return self._address("phone")

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
            if _is_of_folder(int(line[0]), self.root)
        ]

    def _address(self, name: str) -> str:
        found = re.search(rf"^ *{name} +(http://127\.0\.0\.1:\d+/\S*)", self.welcome, re.MULTILINE)
        assert found is not None, f"no address of the {name} in: {self.welcome}"
        return found[1]


def status(address: str) -> int:
    """What GET there is answered."""
    host, _, path = address.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status
    finally:
        connection.close()


def wait_for(claim: Callable[[], bool], what: str) -> None:
    """Return once the claim holds; the test fails where it does not in STOP_SECONDS."""
    deadline = time.monotonic() + STOP_SECONDS
    while not claim():
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true in {STOP_SECONDS:g} s: {what}")
        time.sleep(0.05)


@contextmanager
def folder_of_links(folder: Path) -> Iterator[Path]:
    """An empty folder made into the project, without its data."""
    for path in ROOT.iterdir():
        if path.name not in NOT_LINKED:
            (folder / path.name).symlink_to(path)
    yield folder
    # Its sockets lie elsewhere: a path under pytest's folders is too long for them.
    shutil.rmtree(private_folder(folder))


@contextmanager
def running(root: Path) -> Iterator[Run]:
    """The service, ready; it is stopped at the end where the block has not done so."""
    port = free_port(neighbours=1)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in CHOSEN_BY_RUN and not name.startswith("WECHAT_")
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
        yield Run(program, root, port, _read_welcome(program, root / "log"))
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGTERM)
            program.wait(STOP_SECONDS + 5)
        assert program.stdout is not None
        program.stdout.close()


def _is_of_folder(pid: int, root: Path) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == str(root)
    except OSError:
        return False


def _read_welcome(program: subprocess.Popen[str], log: Path) -> str:
    assert program.stdout is not None
    lines: list[str] = []
    # The pipe ends, and the loop with it, should the program give up.
    for line in program.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            return "".join(lines)
    pytest.fail(f"it did not get ready: {log.read_text()[-3000:]}")
