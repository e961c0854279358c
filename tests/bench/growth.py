"""./dev bench growth: what a callback, a sign-up, a deliverer's round, a page of the console and
the coverage report cost as the district grows, in time and in memory.

Planning has sizes of its own: `./dev bench packs --children 1000 10000 100000 1000000`.
"""

import argparse
import hashlib
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from app.clock import now as clock_now
from app.crypto import Cipher
from app.db import Database
from app.dialogue.message import Inbound, Kind, Window
from app.migrating import upgrade
from app.models import CHANGED_FAMILIES, CountedYear, FamilyYear
from app.services import (
    claiming,
    coverage,
    coverage_kept,
    families,
    pack_totals,
    registration,
    sessions,
)
from app.services.claiming import StoredFacts
from app.services.families import FamilyQuery
from app.services.staff import Role, StaffScope
from app.wiring import Services, make_services
from devtools import embedded_redis
from devtools.environment import ROOT, socket_folder
from handlers import HANDLERS
from tests.bench.engines import database
from tests.many_rows import settle

DATA_KEY = "YSBiZW5jaG1hcmsga2V5IG9mIDMyIGJ5dGVzIG9ubHk="
SIZES: Mapping[str, tuple[int, ...]] = {
    "sqlite": (1_000, 10_000, 100_000),
    "postgresql": (1_000, 10_000, 100_000, 300_000, 1_000_000),
}
"""Families. SQLite is for one district; 300,000 are Shanghai's children under three."""
MANY = 200
DUE = 20
"""So many are due in tests/many_rows.py."""
PAGES = 20
PAGE = 50
REPORTS = 3
CHANGED = 500
"""Families out of date when a report is asked for: half a minute of a busy morning."""
FEWEST = 600
"""Sessions; a city has one for twenty families."""
TABLES = (
    *("families", "caregivers", "children", "consents", "family_terms", "sign_ups", "audit_log"),
    *("notices", "pack_pushes", "inbox", "family_years", "family_packs"),
)
"""Those that docs/scale.md reckons with."""
DISTRICT = StaffScope(staff_id=1, role=Role.DISTRICT, station_id=None, township_id=None)
MEGABYTE = 1024


@dataclass(frozen=True, slots=True)
class Point:
    """One operation at one size."""

    engine: str
    families: int
    what: str
    milliseconds: float
    """The median."""
    spread: float
    """Highest less lowest."""
    grown_mb: float
    """By how much the process was larger meanwhile, at the most."""


@dataclass(frozen=True, slots=True)
class _World:
    services: Services
    engine: str
    size: int

    @property
    def store(self) -> Database:
        return self.services.database

    @property
    def sessions(self) -> int:
        return max(FEWEST, self.size // 20)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a row of a table takes on PostgreSQL's disk, with its indexes."""

    families: int
    table: str
    bytes_a_row: int


def measure(engine: str, size: int) -> tuple[list[Point], list[Stored]]:
    """On a fresh database of this size."""
    with _settled(engine, size) as world:
        stored = list(_stored(world)) if engine == "postgresql" else []
        return list(_points(world)), stored


def _stored(world: _World) -> Iterator[Stored]:
    with world.store.engine.connect() as connection:
        for table in TABLES:
            size = func.pg_total_relation_size(table)
            rows = connection.execute(select(size, func.count()).select_from(text(table))).one()
            yield Stored(world.size, table, round(rows[0] / max(1, rows[1])))


@contextmanager
def _settled(engine: str, size: int) -> Iterator[_World]:
    from tests.bench.__main__ import environment, settings_of

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database(engine, folder))
        door = socket_folder(ROOT, folder) / f"bench-{folder.name}.sock"
        stack.enter_context(embedded_redis.serving(folder / "redis", door))
        settings = settings_of(environment(url, f"unix://{door}?db=0"))
        services = make_services(
            settings.model_copy(update={"turn_deadline_seconds": 60.0}), HANDLERS
        )
        stack.callback(services.database.engine.dispose)
        stack.callback(services.turns.close)
        world = _World(services, engine, size)
        began = time.perf_counter()
        upgrade(services.database.engine)
        settle(
            services.database,
            Cipher((DATA_KEY,)),
            clock_now(),
            families=size,
            sessions=world.sessions,
            is_watched=False,
        )
        with services.database.transaction() as db:
            pack_totals.recount(db)
            coverage_kept.bring_up_to_date(db, clock_now())
        with services.database.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
            connection.commit()
        print(f"  settled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        yield world


def _points(world: _World) -> Iterator[Point]:
    now = clock_now()
    step = max(1, world.size // MANY)

    def callback(number: int) -> None:
        said = Inbound(
            key=hashlib.sha256(str(number).encode()).hexdigest(),
            openid=f"o-{1 + number * step}",
            kind=Kind.TEXT,
            received_at=clock_now(),
            text="我的预约",
            window=Window.WRITE,
        )
        world.services.turns.handle(said)

    def bookings(db: Session, number: int) -> None:
        caregiver = registration.find_caregiver(db, f"o-{1 + number * step}")
        assert caregiver is not None, "settled before"
        sessions.find_standing(db, registration.get_family(caregiver), now)

    def sign_up(db: Session, number: int) -> None:
        caregiver = registration.find_caregiver(db, f"o-{1 + number * step}")
        assert caregiver is not None, "settled before"
        family = registration.get_family(caregiver)
        code = f"S-{_free(family.id, world.sessions)}"
        sessions.sign_up(db, caregiver=caregiver, child=family.children[0], code=code, now=now)

    def take(db: Session, _: int) -> None:
        due = claiming.lock_due(db, StoredFacts(), now=now, limit=1)
        claiming.mark(db, [(each, None) for each in due.notices], now=now, worker="bench")

    def listed(db: Session, _: int) -> None:
        families.find(db, DISTRICT, FamilyQuery(), limit=PAGE, offset=0, now=now)

    def report(db: Session, _: int) -> None:
        coverage.report(db, year=now.year, now=now)

    def in_turn(work: Callable[[Session, int], None]) -> Callable[[int], None]:
        def does(number: int) -> None:
            with world.store.turn() as db:
                work(db, number)

        return does

    yield _point(world, "a callback (我的预约)", callback, MANY)
    yield _point(world, "what a family has booked", in_turn(bookings), MANY)
    yield _point(world, "a sign-up", in_turn(sign_up), MANY)
    yield _point(world, "taking a due message", in_turn(take), DUE)
    yield _point(world, "a page of the console's families", in_turn(listed), PAGES)
    # Sign-ups have just put families out of date.
    with world.store.transaction() as db:
        coverage_kept.bring_up_to_date(db, now)
    yield _point(world, "the coverage report", in_turn(report), REPORTS)
    with world.store.transaction() as db:
        changed = [
            {"family_id": 1 + number * max(1, world.size // CHANGED)}
            for number in range(min(CHANGED, world.size))
        ]
        db.execute(insert(CHANGED_FAMILIES), changed)
    yield _point(world, f"the same, {CHANGED} families changed", in_turn(report), REPORTS)
    with world.store.transaction() as db:
        db.execute(delete(FamilyYear))
        db.execute(delete(CountedYear))
    yield _point(world, "the same, nothing counted before", in_turn(report), REPORTS)


def _free(family: int, many: int) -> int:
    """A coming session that the family has no place in."""
    half = many // 2
    return half + 20 + (family + 7) % (half - 20)


def _point(world: _World, what: str, work: Callable[[int], None], times: int) -> Point:
    took = []
    before = _forget_the_most()
    for number in range(times):
        began = time.perf_counter()
        work(number)
        took.append((time.perf_counter() - began) * 1000)
    return Point(
        engine=world.engine,
        families=world.size,
        what=what,
        milliseconds=round(statistics.median(took), 3),
        spread=round(max(took) - min(took), 3),
        grown_mb=round((_memory("VmHWM") - before) / MEGABYTE, 1),
    )


def _forget_the_most() -> int:
    """Kilobytes of this process now; its highest is counted from here on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _memory("VmRSS")


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench growth", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--sizes", type=_sizes, help="families: 1000,10000")
    chosen = parser.parse_args(arguments)
    engines = [chosen.engine] if chosen.engine else list(SIZES)
    points: list[Point] = []
    stored: list[Stored] = []
    for engine in engines:
        for size in chosen.sizes or SIZES[engine]:
            print(f"{size} families on {engine} …", file=sys.stderr)
            more, rows = measure(engine, size)
            points, stored = points + more, stored + rows
    if chosen.json:
        found = {
            "machine": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "measured": f"{clock_now():%Y-%m-%d}",
            "points": [asdict(point) for point in points],
            "stored": [asdict(row) for row in stored],
        }
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    print(f"{'engine':<12}{'families':>10}  {'what':<36}{'median ms':>12}{'spread':>10}{'MB':>8}")
    for point in points:
        print(
            f"{point.engine:<12}{point.families:>10}  {point.what:<36}"
            f"{point.milliseconds:>12.2f}{point.spread:>10.2f}{point.grown_mb:>8.1f}"
        )


def _sizes(said: str) -> tuple[int, ...]:
    return tuple(int(each) for each in said.split(","))
