"""Starts processes, shows what they say, restarts what crashes, stops all in order.

One thread: the kernel ties each child's life to the thread that started it, so that even a
SIGKILL of this process leaves no orphan (devtools.tied). Signals only wake the loop.
"""

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from devtools.log_lines import LogLines, Printer
from devtools.tied import tied

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
# Who ran this long was well: the next crash counts as the first again.
WELL_AFTER_SECONDS = 30.0
Handler = Callable[[int, FrameType | None], object] | int | None
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Process:
    """A process to keep running.

    Those with the lowest `stage` are stopped first, together; they get `patience_seconds`
    to finish what they are doing. One that runs only `once` is not restarted.
    """

    name: str
    command: tuple[str, ...]
    stage: int = 0
    patience_seconds: float = 3.0
    once: bool = False


@dataclass
class _Child:
    """What the supervisor knows of one process at present."""

    process: Process
    popen: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    crashes: int = 0
    restart_at: float | None = None
    last_code: int | None = None


@dataclass(frozen=True)
class _Output:
    """One process's end of a pipe, and the lines cut from it."""

    stream: IO[bytes]
    lines: LogLines


def pause_before_restart(crashes: int) -> float:
    """Seconds to wait after so many crashes in a row: 0.2, 0.4, 0.8 … at most 10."""
    return float(min(FIRST_PAUSE_SECONDS * 2 ** (crashes - 1), LONGEST_PAUSE_SECONDS))


class Supervisor:
    """Use as a context: signals are ours inside, and nothing of ours runs after it."""

    def __init__(self, printer: Printer, environment: Mapping[str, str], folder: Path) -> None:
        self._printer = printer
        self._environment = dict(environment)
        self._folder = folder
        self._children: dict[str, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._stop_requests = 0
        self._handlers_before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> "Supervisor":
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            self._handlers_before[number] = signal.signal(number, self._request_stop)
        # Without a handler no byte would be written, and a crash be noticed late.
        self._handlers_before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, _only_wake)
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers_before.items():
            signal.signal(number, handler)
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    @property
    def is_stopping(self) -> bool:
        return self._stop_requests > 0

    def crashes(self, name: str) -> int:
        """How often in a row the process has crashed."""
        return self._children[name].crashes

    def is_alive(self, name: str) -> bool:
        return self._children[name].popen is not None

    def start(self, process: Process) -> None:
        child = self._children[process.name] = _Child(process)
        self._spawn(child)

    def run_until(self, is_done: Callable[[], bool], seconds: float, every: float = 0.05) -> bool:
        """Look after the processes until `is_done`, a stop request, or `seconds` have passed."""
        deadline = time.monotonic() + seconds
        while not (done := is_done()) and not self.is_stopping and time.monotonic() < deadline:
            self._look_after(every)
        return done

    def run(self) -> None:
        """Look after the processes until somebody asks us to stop."""
        while not self.is_stopping:
            self._look_after(None)

    def stop(self) -> None:
        """Stop all, stage by stage; a second signal meanwhile cuts every patience short."""
        for child in self._children.values():
            child.restart_at = None
        for stage in sorted({child.process.stage for child in self._children.values()}):
            self._stop_stage(stage)
        self._pump(0)  # last words

    def _stop_stage(self, stage: int) -> None:
        stopping = [c for c in self._children.values() if c.popen and c.process.stage == stage]
        for child in stopping:
            if child.popen:
                child.popen.terminate()
        began = time.monotonic()
        while any(child.popen for child in stopping):
            waited = time.monotonic() - began
            for child in stopping:
                is_enough = self._stop_requests > 1 or waited > child.process.patience_seconds
                if child.popen and is_enough:
                    self._printer.say(child.process.name, "does not stop: killed")
                    self._kill_group(child.popen.pid)
                    child.popen.wait()
            self._pump(0.05)
            self._reap(stopping=True)

    def _look_after(self, longest: float | None) -> None:
        due = [c.restart_at for c in self._children.values() if c.restart_at is not None]
        if due:
            until_restart = max(0.0, min(due) - time.monotonic())
            longest = until_restart if longest is None else min(longest, until_restart)
        self._pump(longest)
        self._reap(stopping=False)
        for child in self._children.values():
            if child.restart_at is not None and child.restart_at <= time.monotonic():
                self._spawn(child)

    def _spawn(self, child: _Child) -> None:
        child.restart_at = None
        child.began = time.monotonic()
        child.popen = subprocess.Popen(
            tied(child.process.command),
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches every process of the terminal's group: the order is to be ours.
            start_new_session=True,
        )
        assert child.popen.stdout is not None
        os.set_blocking(child.popen.stdout.fileno(), False)
        lines = LogLines(child.process.name, self._printer)
        output = _Output(child.popen.stdout, lines)
        self._selector.register(output.stream, selectors.EVENT_READ, output)

    def _pump(self, timeout: float | None) -> None:
        """Wait for output or a signal, and print what came."""
        for key, _events in self._selector.select(timeout):
            if isinstance(key.data, _Output):
                self._read(key.data)
            else:
                self._drain_wake_bytes()

    def _drain_wake_bytes(self) -> None:
        with suppress(BlockingIOError):
            while self._wake_read.recv(1024):
                pass

    def _read(self, output: _Output) -> None:
        piece = output.stream.read(65536)
        if piece:
            output.lines.feed(piece)
        elif piece == b"":
            output.lines.finish()
            self._selector.unregister(output.stream)
            output.stream.close()

    def _reap(self, *, stopping: bool) -> None:
        for child in self._children.values():
            if child.popen is None or child.popen.poll() is None:
                continue
            # Its own children must not linger: a worker left over would hold the port.
            self._kill_group(child.popen.pid)
            child.last_code = child.popen.returncode
            child.popen = None
            if not stopping:
                self._note_end(child)

    def _note_end(self, child: _Child) -> None:
        name, code = child.process.name, child.last_code
        if child.process.once:
            if code != 0:
                self._printer.say(name, f"failed ({_describe(code)})")
            return
        if time.monotonic() - child.began > WELL_AFTER_SECONDS:
            child.crashes = 0
        child.crashes += 1
        pause = pause_before_restart(child.crashes)
        child.restart_at = time.monotonic() + pause
        self._printer.say(name, f"ended ({_describe(code)}); starting it again in {pause:g} s")

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1

    @staticmethod
    def _kill_group(leader: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)


def _only_wake(_number: int, _frame: FrameType | None) -> None:
    """The byte in the wake-up socket is all that is wanted of the signal."""


def _describe(code: int | None) -> str:
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
