"""./dev bench packs: planning a day, and delivering it, each beside the bare thing.

Planning on PostgreSQL, for families that are known already, beside `INSERT … SELECT` of the very
rows that it wrote, into tables of the same columns, indexes and references. Delivery beside bare
loops of the same requests (tests/bench/delivering.py).
"""

import argparse
import json
import logging
import statistics
import sys
import time
from dataclasses import asdict, dataclass

import psutil
import structlog
from sqlalchemy import Engine, func, select, text

from app.crypto import Cipher
from app.db import Database, make_engine
from app.migrating import upgrade
from app.models import Notice, PackPush
from content.library import load_library
from content.packs import Pack
from devtools import embedded_postgres
from devtools.environment import ROOT
from scheduler.queue_packs import plan_day
from tests.bench.delivering import delivering
from tests.bench.pack_families import DATA_KEY, DAY, settle

MEGABYTE = 1024 * 1024
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Planning:
    children: int
    caregivers: int
    packs: int
    pushes: int
    notices: int
    seconds: float
    bare_seconds: float
    ratio_to_bare: float
    cpu_ratio_to_bare: float
    """Of PostgreSQL's processor time, which the machine's other work hardly disturbs."""
    grown_mb: float
    """By how much the planning process grew."""
    server_mb: float
    """Of PostgreSQL's process for it, with what it touched of the memory that all share."""


def planning(children: int) -> Planning:
    """One ordinary day for so many children: the medians of a few, ours and bare in turns."""
    packs = list(load_library().packs.values())
    rounds: list[_Round] = []
    with embedded_postgres.serving(ROOT) as server:
        server.create_database("settled")
        engine = make_engine(server.url("settled"), Cipher((DATA_KEY,)))
        upgrade(engine)
        settle(engine, children, packs)
        with Database(engine).reading() as db:
            caregivers = db.execute(text("SELECT count(*) FROM caregivers")).scalar_one()
        engine.dispose()
        for number in range(ROUNDS):
            server.copy_database(f"bench{number}", of="settled")
            rounds.append(_plan_once(server.url(f"bench{number}"), packs))
            server.drop_database(f"bench{number}")
            print(f"{children} children: {rounds[-1]}", file=sys.stderr)
    seconds = statistics.median(each.seconds for each in rounds)
    bare = statistics.median(each.bare_seconds for each in rounds)
    return Planning(
        children=children,
        caregivers=caregivers,
        packs=len(packs),
        pushes=rounds[0].pushes,
        notices=rounds[0].notices,
        seconds=round(seconds, 3),
        bare_seconds=round(bare, 3),
        ratio_to_bare=round(statistics.median(r.seconds / r.bare_seconds for r in rounds), 2),
        cpu_ratio_to_bare=round(
            statistics.median(r.server_cpu / max(r.bare_server_cpu, 0.01) for r in rounds), 2
        ),
        grown_mb=round(max(each.grown_mb for each in rounds), 1),
        server_mb=round(max(each.server_mb for each in rounds), 1),
    )


@dataclass(frozen=True, slots=True)
class _Round:
    pushes: int
    notices: int
    seconds: float
    bare_seconds: float
    server_cpu: float
    """Seconds of processor time of the connection's process of PostgreSQL."""
    bare_server_cpu: float
    grown_mb: float
    server_mb: float


def _plan_once(url: str, packs: list[Pack]) -> _Round:
    engine = make_engine(url, Cipher((DATA_KEY,)), pool_size=1)
    database = Database(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        connection.execute(text("CHECKPOINT"))
    process, server = psutil.Process(), psutil.Process(pid)
    before = process.memory_info().rss
    cpu = _cpu(server)
    began = time.perf_counter()
    plan_day(database, packs, DAY)
    seconds = time.perf_counter() - began
    cpu = _cpu(server) - cpu
    grown = process.memory_info().rss - before
    with database.reading() as db:
        pushes = db.execute(select(func.count(PackPush.id))).scalar_one()
        notices = db.execute(select(func.count(Notice.id))).scalar_one()
    memory = server.memory_info().rss
    bare_cpu = _cpu(server)
    bare = _bare(engine)
    bare_cpu = _cpu(server) - bare_cpu
    engine.dispose()
    return _Round(
        pushes=pushes,
        notices=notices,
        seconds=seconds,
        bare_seconds=bare,
        server_cpu=cpu,
        bare_server_cpu=bare_cpu,
        grown_mb=grown / MEGABYTE,
        server_mb=memory / MEGABYTE,
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _bare(engine: Engine) -> float:
    """Seconds of INSERT … SELECT of the same rows, in one transaction each."""
    copies = (
        ("pack_pushes", ("child_id:children", "caregiver_id:caregivers")),
        ("notices", ("caregiver_id:caregivers",)),
    )
    with engine.begin() as connection:
        for table, references in copies:
            connection.execute(text(f"DROP TABLE IF EXISTS bare_{table}"))
            connection.execute(text(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING ALL)"))
            for reference in references:
                column, _, target = reference.partition(":")
                connection.execute(
                    text(
                        f"ALTER TABLE bare_{table} ADD FOREIGN KEY ({column})"
                        f" REFERENCES {target} (id)"
                    )
                )
    # As before the planner's run: who first touches a page after a checkpoint logs it whole.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
    seconds = 0.0
    for table, _ in copies:
        began = time.perf_counter()
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO bare_" + table + " TABLE " + table))
        seconds += time.perf_counter() - began
    return seconds


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(prog="./dev bench packs", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--children", type=int, nargs="*", default=[100_000])
    parser.add_argument("--messages", type=int, default=1_000, help="a round; 0 leaves them out")
    parser.add_argument("--rounds", type=int, default=9, help="of delivery")
    chosen = parser.parse_args(arguments)
    planned = [planning(children) for children in chosen.children]
    delivered = [delivering(chosen.messages, chosen.rounds)] if chosen.messages else []
    if chosen.json:
        found = {
            "planning": [asdict(row) for row in planned],
            "delivering": [asdict(row) for row in delivered],
        }
        print(json.dumps(found, indent=2))
        return
    for plan in planned:
        print(
            f"planning a day for {plan.children} children, {plan.packs} packs: {plan.seconds} s"
            f" for {plan.pushes} pushes and {plan.notices} messages;"
            f" {plan.ratio_to_bare} × the bare INSERT … SELECT ({plan.bare_seconds} s);"
            f" processor time of PostgreSQL {plan.cpu_ratio_to_bare} ×;"
            f" the process grew by {plan.grown_mb} MB, PostgreSQL's has {plan.server_mb} MB"
        )
    for row in delivered:
        print(
            f"delivery with {row.threads} threads, median of {row.rounds} rounds of"
            f" {row.messages} messages (spread): {row.per_second}/s ({row.spread});"
            f" {row.share_of_lean:.0%} (from {row.lowest_share_of_lean:.0%} to"
            f" {row.highest_share_of_lean:.0%}) of a bare loop with urllib3"
            f" ({row.lean_per_second}/s, {row.lean_spread}), {row.share_of_bare:.0%} of one with"
            f" requests ({row.bare_per_second}/s, {row.bare_spread}), {row.share_of_own:.0%} of one"
            f" with the deliverer's own connections ({row.own_per_second}/s); CPU a message"
            f" {row.cpu_ms} ms and PostgreSQL's {row.server_cpu_ms} ms, bare {row.lean_cpu_ms},"
            f" {row.bare_cpu_ms} and {row.own_cpu_ms} ms"
        )
