"""./dev itself, in a folder with a space in its name and with a Python that only pretends.

What is tested is when it installs and when not; that the real installing works, every fresh
machine shows that runs these tests.
"""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from devtools.environment import ROOT

PRETENDED_PYTHON = """#!/bin/sh
case "$*" in
*_base_executable*) echo "$0" ;;
"-m venv "*) echo venv >>"$NOTES"; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
*"-m pip "*) echo pip >>"$NOTES"; echo "noise of pip"; sleep "$PIP_SECONDS"; exit "$PIP_STATUS" ;;
*devtools.flask_command*) shift 3; echo "flask $* in $PWD" ;;
esac
"""
ONE_SET_UP = ["venv", "pip", "pip"]  # the building tools first, then the requirements


@dataclass(frozen=True)
class Project:
    """A copy of ./dev and of the requirements, and notes of what it had done."""

    root: Path
    environment: dict[str, str]

    def dev(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.root / "dev"), *arguments],
            env={**self.environment, **changes},
            cwd=self.root.parent,
            capture_output=True,
            text=True,
            check=False,
        )

    def begin(self, *arguments: str, **changes: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(self.root / "dev"), *arguments],
            env={**self.environment, **changes},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def notes(self) -> list[str]:
        path = Path(self.environment["NOTES"])
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "a project"
    root.mkdir()
    shutil.copy(ROOT / "dev", root / "dev")
    shutil.copytree(ROOT / "requirements", root / "requirements")
    python = tmp_path / "python"
    python.write_text(PRETENDED_PYTHON)
    python.chmod(0o755)
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHON": str(python),
        "NOTES": str(tmp_path / "notes"),
        "PIP_SECONDS": "0",
        "PIP_STATUS": "0",
    }
    return Project(root, environment)


def test_help_lists_every_command_and_installs_nothing(project: Project) -> None:
    said = project.dev("help")

    assert said.returncode == 0
    for name in ("run", "test", "check", "bench", "flask", "lock"):
        assert f"\n  {name} " in said.stdout
    assert project.notes == []


def test_an_unknown_command_is_an_error(project: Project) -> None:
    said = project.dev("fly")

    assert said.returncode == 2
    assert said.stdout == ""
    assert "no such command: fly" in said.stderr


def test_the_first_start_installs_and_later_ones_do_not(project: Project) -> None:
    first, second = project.dev("flask", "jobs"), project.dev("flask", "jobs")

    assert project.notes == ONE_SET_UP
    # Standard output is the command's alone, in the folder of the caller.
    assert first.stdout == second.stdout == f"flask jobs in {project.root.parent}\n"
    assert "dev: set up in" in first.stderr
    assert second.stderr == ""


def test_new_requirements_are_installed(project: Project) -> None:
    project.dev("flask")
    with (project.root / "requirements" / "base.txt").open("a") as file:
        file.write("# one more\n")

    project.dev("flask")

    assert project.notes == [*ONE_SET_UP, "pip", "pip"]


def test_what_the_tests_need_includes_what_the_service_needs(project: Project) -> None:
    project.dev("check")
    project.dev("flask")

    assert project.notes == ONE_SET_UP


def test_an_interrupted_set_up_is_done_afresh(project: Project) -> None:
    interrupted = project.begin("flask", PIP_SECONDS="30")
    deadline = time.monotonic() + 10
    while "pip" not in project.notes and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(interrupted.pid, signal.SIGKILL)
    interrupted.wait()

    said = project.dev("flask")

    assert said.returncode == 0
    assert "interrupted" in said.stderr
    assert project.notes == ["venv", "pip", *ONE_SET_UP]


def test_a_failed_installation_is_told_and_tried_again(project: Project) -> None:
    failed = project.dev("flask", PIP_STATUS="1")
    again = project.dev("flask")

    assert failed.returncode == 1
    assert "run the same command to try again" in failed.stderr
    assert failed.stdout == ""
    assert again.returncode == 0


def test_two_at_once_set_up_once(project: Project) -> None:
    programs = [project.begin("flask", PIP_SECONDS="0.3") for _ in range(3)]

    assert [program.wait(20) for program in programs] == [0, 0, 0]
    assert project.notes == ONE_SET_UP


@pytest.fixture
def few_tools(tmp_path: Path) -> str:
    """A PATH with what every POSIX system has, and neither flock nor Python."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("cat", "cmp", "cp", "date", "dirname", "mkdir", "readlink", "rm", "sh", "sleep"):
        (tools / name).symlink_to(str(shutil.which(name)))
    return str(tools)


def test_two_at_once_set_up_once_without_flock(project: Project, few_tools: str) -> None:
    programs = [project.begin("flask", PATH=few_tools, PIP_SECONDS="0.3") for _ in range(3)]

    assert [program.wait(20) for program in programs] == [0, 0, 0]
    assert project.notes == ONE_SET_UP


def test_a_lock_whose_holder_died_is_cleared(project: Project, few_tools: str) -> None:
    lock = project.root / "var" / "setup.lock.d"
    lock.mkdir(parents=True)
    gone = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    (lock / "pid").write_text(gone.stdout)

    said = project.dev("flask", PATH=few_tools)

    assert "clearing the lock" in said.stderr
    assert said.returncode == 0
    assert project.notes == ONE_SET_UP


def test_without_a_new_enough_python_it_says_what_to_do(project: Project, few_tools: str) -> None:
    said = project.dev("flask", PATH=few_tools, PYTHON="/bin/false")

    assert said.returncode == 1
    assert "no Python 3.11 or newer found: install one" in said.stderr
    assert not (project.root / ".venv").exists()


def test_a_start_costs_next_to_nothing(project: Project) -> None:
    project.dev("flask")

    seconds = []
    for _ in range(5):
        began = time.monotonic()
        project.dev("flask")
        seconds.append(time.monotonic() - began)

    assert min(seconds) < 0.1
