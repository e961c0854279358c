"""./dev bench growth: what a turn, a sign-up, a deliverer's round, a page of the console and the
coverage report cost as the district grows.

Planning has sizes of its own: `./dev bench packs --children 1000 10000 100000`.
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from app.clock import now as clock_now
from app.crypto import Cipher
from app.db import Database, make_engine
from app.migrating import upgrade
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
from tests.bench.engines import database
from tests.many_rows import settle

DATA_KEY = "YSBiZW5jaG1hcmsga2V5IG9mIDMyIGJ5dGVzIG9ubHk="
SIZES = (1_000, 10_000, 100_000)
MANY = 200
DUE = 20
"""So many are due in tests/many_rows.py."""
PAGES = 20
PAGE = 50
REPORTS = 3
DISTRICT = StaffScope(staff_id=1, role=Role.DISTRICT, station_id=None, township_id=None)


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


def measure(engine: str, size: int) -> list[Point]:
    """On a fresh database of this size."""
    cipher = Cipher((DATA_KEY,))
    now = clock_now()
    with tempfile.TemporaryDirectory() as folder, database(engine, Path(folder)) as url:
        made = make_engine(url, cipher)
        upgrade(made)
        store = Database(made)
        settle(store, cipher, now, families=size, sessions=max(600, size // 20))
        with store.transaction() as db:
            coverage_kept.bring_up_to_date(db, now)
            pack_totals.bring_up_to_date(db)
        step = max(1, size // MANY)

        def bookings(db: Session, number: int) -> None:
            caregiver = registration.find_caregiver(db, f"o-{1 + number * step}")
            assert caregiver is not None, "settled before"
            sessions.find_standing(db, registration.get_family(caregiver), now)

        def sign_up(db: Session, number: int) -> None:
            caregiver = registration.find_caregiver(db, f"o-{1 + number * step}")
            assert caregiver is not None, "settled before"
            family = registration.get_family(caregiver)
            sessions.sign_up(
                db,
                caregiver=caregiver,
                child=family.children[0],
                code=f"S-{_free(family.id, max(600, size // 20))}",
                now=now,
            )

        def report(db: Session, _: int) -> None:
            coverage.report(db, year=now.year, now=now)

        def take(db: Session, _: int) -> None:
            due = claiming.lock_due(db, StoredFacts(), now=now, limit=1)
            claiming.mark(db, [(each, None) for each in due.notices], now=now, worker="bench")

        def listed(db: Session, _: int) -> None:
            families.find(db, DISTRICT, FamilyQuery(), limit=PAGE, offset=0, now=now)

        points = [
            _point(store, engine, size, "what a family has booked", bookings, MANY),
            _point(store, engine, size, "a sign-up", sign_up, MANY),
            _point(store, engine, size, "taking a due message", take, DUE),
            _point(store, engine, size, "a page of the console's families", listed, PAGES),
            _point(store, engine, size, "the coverage report", report, REPORTS),
        ]
        made.dispose()
    return points


def _free(family: int, many: int) -> int:
    """A coming session that the family has no place in."""
    half = many // 2
    return half + 20 + (family + 7) % (half - 20)


def _point(
    store: Database,
    engine: str,
    families: int,
    what: str,
    work: Callable[[Session, int], None],
    times: int,
) -> Point:
    took = []
    for number in range(times):
        began = time.perf_counter()
        with store.turn() as db:
            work(db, number)
        took.append((time.perf_counter() - began) * 1000)
    return Point(
        engine=engine,
        families=families,
        what=what,
        milliseconds=round(statistics.median(took), 3),
        spread=round(max(took) - min(took), 3),
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench growth", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="families: 1000,10000")
    parser.add_argument("--long", action="store_true", help="a million families as well")
    chosen = parser.parse_args(arguments)
    engines = [chosen.engine] if chosen.engine else ["sqlite", "postgresql"]
    sizes = (*chosen.sizes, 1_000_000) if chosen.long else chosen.sizes
    points = []
    for engine in engines:
        for size in sizes:
            print(f"{size} families on {engine} …", file=sys.stderr)
            points += measure(engine, size)
    if chosen.json:
        found = {
            "machine": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "measured": f"{clock_now():%Y-%m-%d}",
            "points": [asdict(point) for point in points],
        }
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return
    print(f"{'engine':<12}{'families':>10}  {'what':<28}{'median ms':>12}{'spread':>10}")
    for point in points:
        print(
            f"{point.engine:<12}{point.families:>10}  {point.what:<28}"
            f"{point.milliseconds:>12.2f}{point.spread:>10.2f}"
        )


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))
