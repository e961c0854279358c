"""./dev bench console: every page of the console in a large district, on PostgreSQL.

Each page is opened as each role that may, through the whole application: log-in, queries, audit
row, template. The bar is 200 ms for 95 of 100 answers, and twelve queries. Beside the clock's time
stands the processors': what the application took, and what PostgreSQL took for it. On a machine
that does other work besides, only these two can be compared from one run to the next.
"""

import argparse
import gc
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event

from app.clock import now
from app.config import Settings
from app.crypto import Cipher
from app.factory import create_app
from app.migrating import upgrade
from app.services import pack_catalogue, pack_totals
from app.wiring import make_services
from devtools import embedded_postgres, embedded_redis
from devtools.environment import ROOT, socket_folder
from handlers import HANDLERS
from scheduler import count_families
from tests.bench.__main__ import CREDENTIALS, DATA_KEY
from tests.bench.console_world import FAMILIES, PASSWORD, SESSIONS, settle

BAR_MS = 200.0
HEAVY_MS = 100.0
"""Of processor time: half the bar, so that a page holds it beside other work."""
MOST_QUERIES = 12
SEARCHES = ("tangtang", "tt", "糖糖", "1234")
"""By pinyin, initials, nickname, and the last digits of a telephone."""
MANY = frozenset({"township", "station", "day", "month", "page", "session"})
A_FEW = 3
ROUNDS = 20
WARM_UP = 2

DISTRICT = (
    *("", "more", "pending", "pending?q=tangtang", "sessions", "sessions?q=qinzi", "sessions/S-1"),
    *("sessions/S-1190", "sessions/S-1202", "sessions/S-1202/sheet", "sessions/S-1202/edit"),
    *("sessions/S-1202/cancel", "sessions/S-1200/check-in", "sessions/S-1190/paper"),
    *("new-session", "new-series", "calendar", "families", "families?q=tangtang"),
    *("families?q=1234", "families?progress=six", "families?reach=paper&age=newborn"),
    *("families?page=300", "families/18", "families/18/contact", "follow-ups"),
    *("follow-ups?q=tangtang", "notices", "notices?state=all", "notices?state=all&q=tangtang"),
    *(
        "packs",
        "packs?days=90",
        "packs?days=365",
        "packs/P00-06",
        "course",
        "course/stations",
        "course/questions",
        "course/enrol",
    ),
    *("course/learners/18", "coverage", "coverage/families", "coverage/report"),
    *("coverage/months", "accounts", "audit", "audit?who=wang", "files", "visits"),
    *("visits?show=completed", "visits?show=all&q=tangtang", "visits/due"),
    *("visits/due?tab=overdue", "visits/due?tab=unreachable", "visits/due?q=tangtang"),
    *("visits/board", "visits/board?days=1", "visits/visitors", "visits/15600", "visits/18"),
    *("visits/15600/time", "visits/families/18", "visits/arrange/19001", "visits/route/1"),
    # What asks most of each list: its widest choice, its last page, each way to search, and each
    # way from a number to its families.
    *("families?q=tt", "families?q=糖糖", "families?page=400", "sessions?show=past"),
    *("sessions?show=past&page=24", "sessions?show=past&q=qinzi", "pending?page=40"),
    *("pending?waits=3", "pending?q=1234", "follow-ups?show=all", "follow-ups?show=all&page=70"),
    *("notices?state=all&page=1000", "notices?state=all&q=1234", "visits?show=all"),
    *("visits?show=all&page=311", "visits?show=all&q=1234", "visits/due?page=2"),
    *("visits/due?risk=high", "visits/due?tab=expected", "visits/board?page=2", "threads?show=all"),
    *(
        "course?state=stuck",
        "course?q=tt",
        "audit?what=views",
        "audit?what=changes",
        "audit?q=1234",
    ),
    *("audit?page=1000", "coverage/families?which=0", "coverage/families?which=6%2B"),
    *("coverage/families?which=short", "coverage/families?which=not_answered"),
    *("coverage/families?which=short&q=tt", "coverage/families?which=in_need&township=城桥镇"),
    "coverage/report?for=inside",
)
WORKER = (
    *("", "pending", "sessions", "families", "families?q=tangtang", "families/19", "follow-ups"),
    *("notices?state=all", "course", "coverage", "coverage/families", "visits"),
    *("visits?show=all", "visits/due", "visits/due?tab=overdue", "visits/board"),
    *("visits/board?days=1", "packs"),
)
PAGES = {
    "district": DISTRICT,
    "auditor": ("", "families", "audit", "coverage"),
    "lead": WORKER,
    "wang": WORKER,
    "editor": ("packs", "packs/P00-06"),
    "v1": ("my-day", "visits/visitors"),
}


class Offered(HTMLParser):
    """The addresses that a page's own links and forms lead to within its list, not its files."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._page = page
        self._form: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        address = given.get("href", "").removeprefix("/console/")
        if tag == "a" and "?" in address and "file=" not in address:
            self.found.add(address)
        elif tag == "form" and given.get("method", "get") == "get":
            self._form = given.get("action", "").removeprefix("/console/") or self._page
        elif self._form is None:
            return
        elif tag == "select":
            self._select = given.get("name")
        elif tag == "option" and self._select:
            self._add(self._select, given.get("value", ""))
        elif tag == "input" and given.get("name") == "q":
            for wanted in SEARCHES:
                self._add("q", wanted)

    def _add(self, name: str, value: str) -> None:
        self.found.add(f"{self._form}?{urlencode({name: value})}")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None


def offered(client: FlaskClient, page: str) -> set[str]:
    """What a page offers; of many alike (places, days, pages) a few."""
    looked = Offered(page.partition("?")[0])
    looked.feed(client.get(f"/console/{page}").get_data(as_text=True))
    alike: dict[tuple[str, frozenset[str]], list[str]] = {}
    for address in sorted(looked.found):
        path, _, query = address.partition("?")
        names = frozenset(name for name, _ in parse_qsl(query, keep_blank_values=True))
        alike.setdefault((re.sub(r"\d+", "N", path), names), []).append(address)
    return {
        address
        for (_, names), addresses in alike.items()
        for address in addresses[: A_FEW if names & MANY else len(addresses)]
    }


@dataclass(frozen=True, slots=True)
class Row:
    who: str
    page: str
    median_ms: float
    p95_ms: float
    cpu_ms: float
    """Of this process, an answer: what the machine's other work does not disturb."""
    database_ms: float
    """Of the PostgreSQL process that answered it, likewise; its parallel workers are not in it."""
    queries: int
    """Statements that ask or write something: BEGIN is none."""
    status: int
    within_bar: bool


@contextmanager
def served(engine_url: str, folder: Path) -> Iterator[tuple[Flask, Engine]]:
    """The whole application over a database that is migrated, with a Redis of its own."""
    path = socket_folder(ROOT, folder) / "console.sock"
    with embedded_redis.serving(folder, path):
        settings = Settings.model_validate(
            {
                "database_url": engine_url,
                "redis_url": f"unix://{path}?db=0",
                "secret_key": "a secret only for the benchmark",
                "data_key": DATA_KEY,
                "console_second_factor": "optional",
                "wechat_api_url": "http://127.0.0.1:9",
                **{name.lower(): value for name, value in CREDENTIALS.items()},
            }
        )
        services = make_services(settings, HANDLERS)
        upgrade(services.database.engine)
        yield create_app(services, commands=False), services.database.engine
        services.turns.close()
        services.database.engine.dispose()


def log_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    page = client.get("/console/login").get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = client.post(
        "/console/login", data={"csrf_token": token, "username": username, "password": PASSWORD}
    )
    if answer.status_code != 302:
        raise RuntimeError(f"{username} was not let in: {answer.status_code}")
    return client


@dataclass
class Meter:
    """What the engine's connections have been asked, and the processor time that they took."""

    engine: Engine
    queries: int = 0
    backends: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        event.listen(self.engine, "before_cursor_execute", self._note)

    def _note(self, *arguments: Any) -> None:
        self.backends.add(arguments[0].connection.driver_connection.info.backend_pid)
        if not arguments[2].startswith("BEGIN"):
            self.queries += 1

    def database_seconds(self) -> float:
        """By Linux's own count, in nanoseconds; 0 elsewhere."""
        return sum(_processor_nanoseconds(backend) for backend in self.backends) / 1e9


def _processor_nanoseconds(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])
    except OSError:
        return 0


def measure(client: FlaskClient, meter: Meter, who: str, page: str, rounds: int) -> Row:
    """One page, opened some times over."""
    times, cpu, database, status, queries = [], [], [], 0, 0
    for turn in range(rounds + WARM_UP):
        meter.queries = 0
        began_database = meter.database_seconds()
        began, began_cpu = time.perf_counter(), time.process_time()
        answer = client.get(f"/console/{page}")
        answer.get_data()
        spent, spent_cpu = time.perf_counter() - began, time.process_time() - began_cpu
        status, queries = answer.status_code, meter.queries
        if turn >= WARM_UP:
            times.append(spent * 1000)
            cpu.append(spent_cpu * 1000)
            database.append((meter.database_seconds() - began_database) * 1000)
    times.sort()
    p95 = times[min(int(len(times) * 0.95), len(times) - 1)]
    return Row(
        who=who,
        page=page or "(today)",
        median_ms=round(median(times), 1),
        p95_ms=round(p95, 1),
        cpu_ms=round(median(cpu), 1),
        database_ms=round(median(database), 1),
        queries=queries,
        status=status,
        within_bar=p95 <= BAR_MS and queries <= MOST_QUERIES and status == 200,
    )


def run(*, rounds: int = ROUNDS, only: str = "", every: bool = False) -> list[Row]:
    """Each page as each role; with `every`, also every address that those pages offer."""
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres.serving(ROOT) as server,
    ):
        server.create_database("bench")
        with served(server.url("bench"), Path(folder)) as (app, engine):
            services = app.extensions["yuban"]
            print(f"filling: {FAMILIES} families, {SESSIONS} sessions …", file=sys.stderr)
            with services.database.transaction() as db:
                pack_catalogue.sync(db, list(services.library.packs.values()), now())
                settle(db, Cipher((DATA_KEY,)), now())
                pack_totals.recount(db)  # it was filled past the triggers
            count_families.run(services, now())
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("VACUUM ANALYZE")
            # As a web worker (deploy/gunicorn_conf.py): what is loaded is not looked through again.
            gc.collect()
            gc.freeze()
            meter = Meter(engine)
            for who, pages in PAGES.items():
                client = log_in(app, who)
                wanted = dict.fromkeys(pages)
                if every:
                    for page in pages:
                        wanted |= dict.fromkeys(sorted(offered(client, page)))
                rows += [
                    measure(client, meter, who, page, rounds) for page in wanted if only in page
                ]
    return rows


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench console")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="pages with this in their address")
    parser.add_argument(
        "--every", action="store_true", help="every filter, tab and page that the pages offer, too"
    )
    asked = parser.parse_args(arguments)
    rows = run(rounds=asked.rounds, only=asked.only, every=asked.every)
    if asked.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        return
    print(f"bar: p95 within {BAR_MS:.0f} ms, at most {MOST_QUERIES} queries")
    print("CPU: milliseconds of the processors, in the application and in PostgreSQL, the median")
    titles = ("median", "p95", "CPU app", "CPU db", "queries")
    print(f"{'who':<9} {'page':<46} " + " ".join(f"{title:>8}" for title in titles))
    for row in sorted(rows, key=lambda each: -each.p95_ms):
        good = "" if row.within_bar else f"  OVER ({row.status})"
        print(
            f"{row.who:<9} {row.page:<46} {row.median_ms:>8.1f} {row.p95_ms:>8.1f}"
            f" {row.cpu_ms:>8.1f} {row.database_ms:>8.1f} {row.queries:>8}{good}"
        )
    over = sum(not row.within_bar for row in rows)
    heavy = sum(row.cpu_ms + row.database_ms > HEAVY_MS for row in rows)
    print(
        f"{len(rows)} pages, {over} over the bar, {heavy} over {HEAVY_MS:.0f} ms of processor time"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
