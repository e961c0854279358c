"""One ./dev run a folder: a lock that dies with its holder, and says where that one listens."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from devtools.environment import Addresses


@dataclass(frozen=True)
class Running:
    """Who runs here: process id, and addresses once they are known."""

    pid: int
    addresses: Addresses | None


class AlreadyRunning(Exception):
    """Another ./dev run has this folder; `running` says who, where that is known already."""

    def __init__(self, running: Running | None) -> None:
        super().__init__(running)
        self.running = running


class RunLock:
    """Held for the life of this process, however that ends.

    `was_killed` tells whether the run before this one ended without releasing it.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock, or raise AlreadyRunning."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # Opened without truncating: until the lock is ours the text is somebody else's.
        self._file: IO[str] = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise AlreadyRunning(_read(path)) from None
        # Who ends in order leaves an empty file.
        self.was_killed = bool(self._file.read())
        self._write("")

    def publish(self, addresses: Addresses) -> None:
        """Tell others where we listen."""
        self._write(json.dumps({"pid": os.getpid(), "addresses": asdict(addresses)}))

    def release(self) -> None:
        self._write("")
        self._file.close()

    def _write(self, text: str) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(text)
        self._file.flush()


def find_running(path: Path) -> Running | None:
    """The ./dev run that has this folder now, or None."""
    try:
        with path.open("r") as file:
            # A shared lock that is granted means that nobody holds the exclusive one.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(path)
    except FileNotFoundError:
        pass
    return None


def _read(path: Path) -> Running | None:
    try:
        written = json.loads(path.read_text())
        return Running(pid=written["pid"], addresses=Addresses(**written["addresses"]))
    except (json.JSONDecodeError, KeyError, TypeError):
        return None  # it is only just starting
