"""The checks that compare documents with code, and look for what must not be in the tree."""

import subprocess
from pathlib import Path

import pytest

from devtools import checks
from devtools.environment import ROOT

SETTINGS_PAGE = """
| Variable | Default | |
|---|---|---|
| `DATABASE_URL` | SQLite under `VAR` | or PostgreSQL |
| `SECRET_KEY`, `DATA_KEY` | generated | `NOT_THIS_ONE` |
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "dev").write_text(
        "case $asked in\nrun)\n    ;;\nhelp | -h | --help) usage ;;\nesac\n"
    )
    (tmp_path / "requirements").mkdir()
    return tmp_path


def test_settings_are_read_from_the_first_column_alone() -> None:
    assert checks.documented_settings(SETTINGS_PAGE) == {"DATABASE_URL", "SECRET_KEY", "DATA_KEY"}


def test_a_setting_that_the_page_lacks_is_named(tree: Path) -> None:
    (tree / "docs").mkdir()
    (tree / "docs" / "operating.md").write_text(SETTINGS_PAGE + "| `OLD_ONE` | | |\n")

    faults = checks.find_setting_faults(tree)

    assert "docs/operating.md lacks REDIS_URL" in faults
    assert "docs/operating.md tells of OLD_ONE, which the code does not know" in faults
    assert not any("DATABASE_URL" in fault for fault in faults)


def test_every_command_of_dev_is_known() -> None:
    known = checks.dev_commands((ROOT / "dev").read_text())

    assert known == {
        *("run", "flask", "test", "check", "bench", "documents", "lock", "help", "-h", "--help"),
    }


def test_a_command_that_is_no_more_is_found_in_documents(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "flask_commands", lambda: {"jobs": frozenset({"list"})})
    (tree / "README.md").write_text(
        "`./dev run`, `./dev fly`, `./dev flask jobs list`, `./dev flask sing`\n"
    )

    assert checks.find_command_faults(tree) == [
        "README.md: there is no ./dev flask",
        "README.md: there is no ./dev fly",
        "README.md: there is no ./dev flask sing",
    ]


@pytest.mark.parametrize("text", ["cd /root/x", "open('/home/li/y')", "in /work/x/app"])
def test_a_folder_of_one_machine_is_found(tree: Path, text: str) -> None:
    (tree / "page.md").write_text(text)

    assert len(checks.find_machine_faults(tree)) == 1


@pytest.mark.parametrize("text", ["docs/work/plan", "https://x.example/home/", "/var/lib/yuban"])
def test_other_paths_are_no_fault(tree: Path, text: str) -> None:
    (tree / "page.md").write_text(text)

    assert checks.find_machine_faults(tree) == []


def test_a_host_among_the_requirements_is_found(tree: Path) -> None:
    (tree / "requirements" / "base.txt").write_text("--index-url https://mirror.example/simple\n")

    assert len(checks.find_machine_faults(tree)) == 1


def test_files_that_git_ignores_are_not_looked_at(tree: Path) -> None:
    (tree / ".gitignore").write_text("var/\n")
    (tree / "var").mkdir()
    (tree / "var" / "note.md").write_text("/root/x")

    assert checks.find_machine_faults(tree) == []


def test_a_pin_that_differs_from_the_tested_one_is_found(tree: Path) -> None:
    (tree / "requirements" / "dev.txt").write_text("flask==3.1.3 \\\n    --hash=sha256:aa\n")
    (tree / "requirements" / "base.txt").write_text("flask==3.1.2 \\\n    --hash=sha256:bb\n")

    assert checks.find_pin_faults(tree) == [
        "requirements: flask==3.1.2 is not what dev.txt pins; run ./dev lock"
    ]


def test_the_pins_of_this_project_agree() -> None:
    assert checks.find_pin_faults(ROOT) == []
