"""The supervisor with tiny processes: restart, order of stopping, no orphans."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devtools.environment import ROOT
from devtools.supervisor import pause_before_restart

PATIENCE_SECONDS = 10.0
SLEEP = """
import os, pathlib, time
pathlib.Path("{name}.pid").write_text(str(os.getpid()))
time.sleep(60)
"""
NOTES_ITS_END = """
import pathlib, signal, sys, time
def end(number, frame):
    with open("ended", "a") as file:
        file.write("{name} ")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
pathlib.Path("{name}.pid").write_text("up")
time.sleep(60)
"""
DEAF = """
import pathlib, os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("{name}.pid").write_text(str(os.getpid()))
time.sleep(60)
"""
WITH_A_CHILD = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("{name}.pid").write_text(str(child.pid))
time.sleep(60)
"""


@contextmanager
def supervising(folder: Path, *wanted: str) -> Iterator[subprocess.Popen[str]]:
    """The supervisor in a process of its own; killed at the end if it is still there."""
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.devtools.supervise", str(folder), *wanted],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield program
    finally:
        if program.poll() is None:
            program.kill()
        program.wait()
        assert program.stderr is not None
        program.stderr.close()


def wait_for(claim: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not claim():
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true in {PATIENCE_SECONDS:g} s: {what}")
        time.sleep(0.02)


def wait_for_files(folder: Path, *names: str) -> list[str]:
    def are_written() -> bool:
        return all((folder / name).exists() and (folder / name).read_text() for name in names)

    wait_for(are_written, f"{names} are written")
    return [(folder / name).read_text() for name in names]


def is_gone(pid: int) -> bool:
    # A zombie is gone: it only waits for its parent to ask.
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() in ("", "Z", "Zs")


def test_pauses_before_a_restart_double_up_to_ten_seconds() -> None:
    assert [pause_before_restart(crashes) for crashes in (1, 2, 3, 6, 7, 50)] == [
        0.2,
        0.4,
        0.8,
        6.4,
        10.0,
        10.0,
    ]


def test_one_ctrl_c_stops_all_stage_by_stage(tmp_path: Path) -> None:
    processes = [
        f"{name}={stage}={NOTES_ITS_END.format(name=name)}"
        for name, stage in (("store", 2), ("web", 0), ("phone", 1))
    ]
    with supervising(tmp_path, *processes) as program:
        wait_for_files(tmp_path, "store.pid", "web.pid", "phone.pid")

        program.send_signal(signal.SIGINT)

        assert program.wait(PATIENCE_SECONDS) == 0
    assert (tmp_path / "ended").read_text().split() == ["web", "phone", "store"]


def test_a_process_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    with supervising(tmp_path, f"deaf=0={DEAF.format(name='deaf')}") as program:
        (pid,) = wait_for_files(tmp_path, "deaf.pid")

        program.send_signal(signal.SIGTERM)

        assert program.wait(PATIENCE_SECONDS) == 0
        assert program.stderr is not None
        assert "deaf      | does not stop: killed" in program.stderr.read()
    assert is_gone(int(pid))


def test_a_crashed_process_is_started_again_and_reported(tmp_path: Path) -> None:
    with supervising(tmp_path, f"web=0={SLEEP.format(name='web')}") as program:
        (first,) = wait_for_files(tmp_path, "web.pid")

        os.kill(int(first), signal.SIGKILL)

        wait_for(
            lambda: (tmp_path / "web.pid").read_text() not in ("", first), "another one has started"
        )
        program.send_signal(signal.SIGTERM)
        program.wait(PATIENCE_SECONDS)
        assert program.stderr is not None
        assert "web       | ended (SIGKILL); starting it again in 0.2 s" in program.stderr.read()


def test_what_a_crashed_process_had_started_goes_with_it(tmp_path: Path) -> None:
    code = WITH_A_CHILD.format(name="worker").replace("time.sleep(60)\n", "sys.exit(3)\n")
    with supervising(tmp_path, f"web=0={code}"):
        (worker,) = wait_for_files(tmp_path, "worker.pid")

        wait_for(lambda: is_gone(int(worker)), "the worker has gone")


@pytest.mark.skipif(sys.platform != "linux", reason="the tie to the parent is Linux's")
def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    names = ("web", "store")
    processes = [f"{name}=0={DEAF.format(name=name)}" for name in names]
    with supervising(tmp_path, *processes) as program:
        pids = wait_for_files(tmp_path, *(f"{name}.pid" for name in names))

        program.kill()

        wait_for(lambda: all(is_gone(int(pid)) for pid in pids), "all processes have gone")


def test_lines_bear_the_name_of_their_process(tmp_path: Path) -> None:
    code = "import time; print('早上好\\nhalf a line', end='', flush=True); time.sleep(60)"
    with supervising(tmp_path, f"web=0={code}") as program:
        assert program.stderr is not None
        first = program.stderr.readline()
        program.send_signal(signal.SIGTERM)
        program.wait(PATIENCE_SECONDS)

        assert first == "web       | 早上好\n"
        assert program.stderr.read() == "web       | half a line\n"
