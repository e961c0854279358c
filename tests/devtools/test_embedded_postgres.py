"""PostgreSQL for tests starts whoever starts it, and leaves nothing behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from devtools import embedded_postgres
from devtools.embedded_postgres import choose_user
from devtools.environment import ROOT
from devtools.tied import User

START_AND_WAIT = """
import sys, time
from pathlib import Path
from devtools import embedded_postgres
with embedded_postgres.serving(Path(sys.argv[1])) as server:
    print(server.process.pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


def users_to_try() -> list[User]:
    return [User.OWN_NAMESPACE, User.NOBODY] if os.geteuid() == 0 else [User.SAME]


def open_to_everybody(folder: Path) -> None:
    """As a project's folder is; pytest's own are its user's alone."""
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)


@pytest.mark.parametrize("user", users_to_try())
def test_it_starts_as_each_user_it_can_be(root: Path, user: User) -> None:
    if user is User.OWN_NAMESPACE and choose_user() is User.NOBODY:
        pytest.skip("user namespaces are not allowed here")
    open_to_everybody(root)

    with (
        embedded_postgres.serving(root, user) as server,
        psycopg.connect(server.conninfo("postgres")) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)

    assert list((root / "var" / "test").iterdir()) == []


def test_it_ends_with_a_killed_test_process_and_the_next_clears_up(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START_AND_WAIT, str(root)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        server = int(tests.stdout.readline())
        tests.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{server}/exe").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not Path(f"/proc/{server}/exe").exists()
    (left,) = (root / "var" / "test").iterdir()
    embedded_postgres.clear_abandoned(root / "var" / "test")
    assert not left.exists()
