"""./dev bench whole: all benchmarks one after the other, kept, and written into a page.

Each part is the command that can be given alone. What it finds is kept in docs/performance/ with
the machine and the day; docs/performance.md and its pictures are made of what is kept there, so
that parts may be measured again one by one (`--only packs`), and `--page` makes the page alone.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from app.clock import now
from devtools import embedded_postgres
from devtools.environment import ROOT
from tests.bench import written

PAGE: Final = ROOT / "docs" / "performance.md"
KEPT: Final = ROOT / "docs" / "performance"
PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "callback": ("--requests", "400"),
    "signups": ("signups",),
    "rush": ("rush",),
    "growth": ("growth",),
    "packs": ("packs", "--children", "1000", "10000", "100000", "1000000"),
    "console": ("console",),
    "visits": ("visits",),
    "course": ("course",),
    "pages": ("pages",),
    "understanding": ("understanding",),
}
"""Each part, and what `./dev bench` is told for it."""
LIBRARIES: Final = ("flask", "wechatpy", "werobot", "sqlalchemy", "psycopg", "gunicorn", "redis")
GIGABYTE: Final = 1024**3


@dataclass(frozen=True, slots=True)
class Kept:
    """One part's figures with what they depend on."""

    command: str
    measured: str
    """The day."""
    seconds: float
    load_before: float
    """Of the last minute: what else the machine was doing."""
    machine: Mapping[str, str]
    figures: Any


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench whole", description=__doc__)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be repeated")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    chosen = parser.parse_args(arguments)
    if not chosen.page:
        for part in chosen.only or PARTS:
            print(f"measuring {part} …", file=sys.stderr)
            keep(part, measure(PARTS[part]))
    write()


def measure(told: Sequence[str]) -> Kept:
    """Run one part in a process of its own. Raises subprocess.CalledProcessError."""
    load_before = os.getloadavg()[0]
    began = time.monotonic()
    ran = subprocess.run(
        (sys.executable, "-m", "tests.bench", *told, "--json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    return Kept(
        command=" ".join(("./dev bench", *told)),
        measured=f"{now():%Y-%m-%d}",
        seconds=round(time.monotonic() - began),
        load_before=round(load_before, 1),
        machine=dict(the_machine()),
        figures=json.loads(ran.stdout),
    )


def the_machine() -> Iterator[tuple[str, str]]:
    """What the figures depend on, without what would tell whose machine it is."""
    yield "system", f"{platform.system()} {platform.machine()}"
    yield "processors", f"{os.cpu_count()} × {_processor()}"
    yield "memory", f"{psutil.virtual_memory().total / GIGABYTE:.0f} GB"
    yield "Python", platform.python_version()
    yield "PostgreSQL", _postgresql()
    for library in LIBRARIES:
        yield library, version(library)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor()


def _postgresql() -> str:
    with (
        embedded_postgres.serving(ROOT) as server,
        psycopg.connect(server.conninfo("postgres")) as connection,
    ):
        major, minor = divmod(connection.info.server_version, 10_000)
    return f"{major}.{minor}"


def keep(part: str, kept: Kept) -> None:
    KEPT.mkdir(exist_ok=True)
    said = json.dumps(asdict(kept), ensure_ascii=False, indent=1)
    (KEPT / f"{part}.json").write_text(said + "\n", encoding="utf-8")


def read(folder: Path = KEPT) -> dict[str, Kept]:
    """What is kept, by part, in the order of PARTS."""
    files = {part: folder / f"{part}.json" for part in PARTS}
    return {
        part: Kept(**json.loads(file.read_text(encoding="utf-8")))
        for part, file in files.items()
        if file.exists()
    }


def write() -> None:
    """Page and pictures, of what is kept."""
    parts = read()
    KEPT.mkdir(exist_ok=True)
    for name, picture in written.pictures(parts).items():
        (KEPT / f"{name}.svg").write_text(picture + "\n", encoding="utf-8")
    PAGE.write_text(written.page(parts), encoding="utf-8")
