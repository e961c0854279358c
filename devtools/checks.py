"""`./dev check`: format, lint, types, import rules, content, documents against code."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools.environment import ROOT
from devtools.log_lines import step

PYTHON = sys.executable
TOOLS = {
    "format": (PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."),
    "lint": (PYTHON, "-m", "ruff", "check", "--quiet", "."),
    "types": (PYTHON, "-m", "mypy", "--no-error-summary"),
    "import rules": (
        PYTHON,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-logo",
    ),
}
REPAIRS = {
    "format": ".venv/bin/python -m ruff format .",
    "lint": ".venv/bin/python -m ruff check --fix . mends some of it",
}
SETTINGS_PAGE = "docs/operating.md"
SETTING_ROW = re.compile(r"^\|\s*`([A-Z][A-Z0-9_]*)`")
SETTING_NAMES = re.compile(r"`([A-Z][A-Z0-9_]*)`")
# Settings of the programs around the service: gunicorn, the metrics library.
OTHER_SETTINGS = frozenset({"WEB_WORKERS", "WEB_THREADS", "PROMETHEUS_MULTIPROC_DIR"})
DEV_COMMAND = re.compile(r"\./dev ([a-z]+)")
BUILT_IN_FLASK_COMMANDS = frozenset({"routes", "run", "shell"})
FLASK_COMMAND = re.compile(r"\./dev flask ([a-z]+)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:root|home/[a-z]+|work|Users/\w+)/")
REGISTRY_HOST = re.compile(r"(?:https?://|index-url|find-links)", re.IGNORECASE)
MACHINE_PATH_ALLOWED = frozenset({"devtools/checks.py", "tests/devtools/test_checks.py"})


@dataclass(frozen=True)
class Check:
    """A name for the report, and what finds its faults: one line each, none when all is well."""

    name: str
    find_faults: Callable[[Path], list[str]]


def tracked_files(root: Path) -> Iterator[Path]:
    """The project's own files: those that git keeps or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split("\0"):
        path = root / name
        if name and path.is_file():
            yield path


def documented_settings(page: str) -> set[str]:
    """The variables in the first column of the page's tables."""
    names: set[str] = set()
    for line in page.splitlines():
        if SETTING_ROW.match(line):
            first_column = line.strip("|").split("|", 1)[0]
            names.update(SETTING_NAMES.findall(first_column))
    return names


def find_setting_faults(root: Path) -> list[str]:
    """Settings that the page lacks, and rows whose setting is no more."""
    from app.config import Settings

    page = root / SETTINGS_PAGE
    if not page.exists():
        return [f"{SETTINGS_PAGE} is missing"]
    known = {name.upper() for name in Settings.model_fields}
    documented = documented_settings(page.read_text(encoding="utf-8"))
    return [f"{SETTINGS_PAGE} lacks {name}" for name in sorted(known - documented)] + [
        f"{SETTINGS_PAGE} tells of {name}, which the code does not know"
        for name in sorted(documented - known - OTHER_SETTINGS)
    ]


def dev_commands(script: str) -> set[str]:
    """The commands that ./dev obeys, from its case labels."""
    labels = re.findall(r"^([a-z][a-z| -]*)\)", script[script.index("case $asked in") :], re.M)
    return {name.strip() for label in labels for name in label.split("|")}


def flask_commands() -> dict[str, frozenset[str]]:
    """The service's command line: every command, with the commands under it."""
    import click
    from flask import Flask

    # As Flask's own command line says it: a web worker goes without the commands.
    os.environ["FLASK_RUN_FROM_CLI"] = "true"
    import wsgi

    assert isinstance(wsgi.app, Flask)
    group = wsgi.app.cli
    context = click.Context(group)
    commands: dict[str, frozenset[str]] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        under = command.commands if isinstance(command, click.Group) else {}
        commands[name] = frozenset(under)
    return commands


def find_command_faults(root: Path) -> list[str]:
    """Commands that a document names and the code does not have."""
    known = dev_commands((root / "dev").read_text(encoding="utf-8"))
    known_to_flask = flask_commands().keys() | BUILT_IN_FLASK_COMMANDS
    faults = []
    for page in (p for p in tracked_files(root) if p.suffix == ".md"):
        text = page.read_text(encoding="utf-8")
        where = page.relative_to(root)
        faults += [
            f"{where}: there is no ./dev {name}"
            for name in sorted(set(DEV_COMMAND.findall(text)) - known)
        ]
        faults += [
            f"{where}: there is no ./dev flask {name}"
            for name in sorted(set(FLASK_COMMAND.findall(text)) - known_to_flask)
        ]
    return faults


def find_machine_faults(root: Path) -> list[str]:
    """Paths of somebody's own machine, and hosts in the pinned requirements."""
    faults = []
    for path in tracked_files(root):
        where = path.relative_to(root).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        if where not in MACHINE_PATH_ALLOWED and (found := MACHINE_PATH.search(text)):
            faults.append(f"{where}: names a folder of one machine: {found.group()}")
        if path.parent == root / "requirements" and (found := REGISTRY_HOST.search(text)):
            faults.append(f"{where}: names a host: {found.group()}")
    return faults


def find_pin_faults(root: Path) -> list[str]:
    """Pins of the service that differ from those it is tested with."""
    base, dev = (
        pins((root / "requirements" / f"{name}.txt").read_text()) for name in ("base", "dev")
    )
    return [
        f"requirements: {pin} is not what dev.txt pins; run ./dev lock"
        for pin in sorted(base - dev)
    ]


def pins(text: str) -> set[str]:
    """`name==version` of every requirement, with its markers."""
    lines = (line.rstrip(" \\") for line in text.splitlines())
    return {line for line in lines if "==" in line and not line.startswith((" ", "#"))}


def find_content_faults(root: Path) -> list[str]:
    """What the service's own lint of its content says, once it has one."""
    if "lint" not in flask_commands().get("content", frozenset()):
        return []
    command = (PYTHON, "-m", "devtools.flask_command", "content", "lint")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


def find_document_faults(root: Path) -> list[str]:
    """What the documents say, and the code tells otherwise."""
    from devtools import documents

    return documents.find_document_faults(root)


CHECKS = (
    Check("content", find_content_faults),
    Check("settings against docs", find_setting_faults),
    Check("commands against docs", find_command_faults),
    Check("machine paths, hosts", find_machine_faults),
    Check("pins", find_pin_faults),
    Check("documents from code", find_document_faults),
)


def run_tool(name: str, command: tuple[str, ...]) -> bool:
    """Whether the tool is content; it says itself what is wrong."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:<22} {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    if done.returncode != 0 and name in REPAIRS:
        step(f"to mend the {name}: {REPAIRS[name]}")
    return done.returncode == 0


def run_check(check: Check) -> bool:
    began = time.monotonic()
    try:
        faults = check.find_faults(ROOT)
    except ImportError as error:
        # The tools above have said more about it already.
        faults = [f"the service cannot be imported: {error}"]
    for fault in faults:
        print(f"  {fault}")
    verdict = "FAILED" if faults else "ok"
    print(f"{check.name:<22} {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    return not faults


def main() -> int:
    """Exit code: 0 when every check is content. All run, whatever the first ones say."""
    from devtools.flask_command import choose_settings

    choose_settings()
    passed = [run_tool(name, command) for name, command in TOOLS.items()]
    passed += [run_check(check) for check in CHECKS]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
