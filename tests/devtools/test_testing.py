"""What ./dev test runs, and that nothing is left out in silence."""

import subprocess
import sys
from pathlib import Path

from devtools.environment import ROOT
from devtools.testing import pytest_arguments

SOME_TESTS = """
import pytest

@pytest.mark.browser
@pytest.mark.parametrize("page", [1, 2])
def test_page(page): pass

@pytest.mark.long
def test_of_patience(): pass

def test_quick(): pass
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_some.py").write_text(SOME_TESTS)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml")),
            # A plugin that takes a second to load, and is not needed for these.
            *("-p", "no:schemathesis"),
            *("--rootdir", str(folder), "-p", "no:cacheprovider", str(folder), *arguments),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_left_out_is_counted_at_the_end(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, "--without-browser", "-n1")

    assert said.returncode == 0
    assert "1 passed, 3 skipped" in said.stdout
    assert said.stdout.splitlines()[-2:] == [
        "left out: 2 browser tests: install chromium and a Chinese font (fonts-wqy-microhei)",
        "left out: 1 long tests: ./dev test --long runs them",
    ]


def test_a_complete_run_leaves_nothing_out(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, "--long")

    assert "4 passed" in said.stdout
    assert "left out" not in said.stdout


def test_the_callers_arguments_come_last_and_win() -> None:
    arguments = pytest_arguments(["-n0", "tests/wechat"], with_browser=True)

    assert arguments[-2:] == ["-n0", "tests/wechat"]
    assert "--without-browser" not in arguments
    assert "--without-browser" in pytest_arguments([], with_browser=False)
