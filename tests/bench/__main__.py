"""./dev bench: the callback's speed and size beside a bare wechatpy and Flask echo.

All run on the same server with the same workers, in the same run, in turns; what is
compared is their ratio. With them runs a WeRoBot that echoes and keeps its sessions where we
keep ours: in SQLite's run in SQLite, in PostgreSQL's in Redis. --json prints the figures for
machines.
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from app.clock import now
from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.migrating import upgrade
from devtools import embedded_redis
from devtools.environment import ROOT, socket_folder
from tests.bench import guarded, load, people
from tests.bench.engines import database, look_after
from tests.bench.server import serving

CONNECTIONS = 16
WARM = 150
ROUNDS = people.RUSHES
RATE = 100.0
"""Requests a second of the latency runs of one kind of turn."""
MIXED_RATE = 200.0
"""Of the run in which both kinds come."""
READS_A_WRITE = 3
"""People look more often than they book: 活动, 我的预约 and 资料 for each 报名."""
MIXED = f"mixed: {READS_A_WRITE} read turns to a write turn"
DATA_KEY = "YSBiZW5jaG1hcmsga2V5IG9mIDMyIGJ5dGVzIG9ubHk="
CREDENTIALS = {
    "WECHAT_APP_ID": "wx2c2769f8efd9abc2",
    "WECHAT_APP_SECRET": "0123456789abcdef0123456789abcdef",
    "WECHAT_TOKEN": "spamtest",
    "WECHAT_AES_KEY": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    engine: str
    what: str
    per_second: float
    spread: float
    """Highest less lowest of the rounds, requests a second."""
    ratio_to_echo: float | None
    p99_at_rate_ms: float | None
    p99_at_mixed_rate_ms: float | None = None
    lost: int = 0
    """Requests of all rounds that were not answered: a reference may lose some, we may not."""


@dataclass(frozen=True, slots=True)
class Result:
    machine: str
    python: str
    families: int
    requests_a_round: int
    rows: tuple[Row, ...]
    worker_rss_mb: float
    worker_pss_mb: float
    web_start_seconds: float


class Numbers:
    """Message numbers that are never given out twice."""

    def __init__(self) -> None:
        self._last = 0

    def take(self) -> int:
        self._last += 1
        return self._last


def environment(url: str, redis_url: str) -> dict[str, str]:
    return {
        **CREDENTIALS,
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "a secret only for the benchmark",
        "DATA_KEY": DATA_KEY,
        "WECHAT_MAX_SKEW_SECONDS": "0",
        "LOG_LEVEL": "WARNING",
        "WECHAT_API_URL": "http://127.0.0.1:9",
    }


def settings_of(variables: dict[str, str]) -> Settings:
    return Settings.model_validate({name.lower(): value for name, value in variables.items()})


def measure(engine: str, families: int, count: int) -> tuple[list[Row], float, float, float]:
    """The rows of one engine, the worker's memory, and the web server's start."""
    with tempfile.TemporaryDirectory() as name, database(engine, Path(name)) as url:
        folder = Path(name)
        socket = socket_folder(ROOT, folder) / f"bench-{folder.name}.sock"
        with embedded_redis.serving(folder / "redis", socket):
            variables = environment(url, f"unix://{socket}?db=0")
            variables["WEROBOT_SESSIONS"] = "sqlite" if engine == "sqlite" else "redis"
            variables["WEROBOT_FILE"] = str(folder / "werobot.sqlite3")
            _settle(url, families)
            return _measure(engine, variables, families, count)


def _settle(url: str, families: int) -> None:
    engine = make_engine(url, Cipher((DATA_KEY,)))
    upgrade(engine)
    with Database(engine).transaction() as db:
        people.settle(db, families, now() - timedelta(minutes=1))
    look_after(engine)
    engine.dispose()


def _measure(
    engine: str, variables: dict[str, str], families: int, count: int
) -> tuple[list[Row], float, float, float]:
    settings = settings_of(variables)
    numbers = Numbers()

    read, written = 0, 0

    def reads(many: int) -> list[load.Sealed]:
        # One family after the other: a person's own messages wait for each other.
        nonlocal read
        made = []
        for _ in range(many):
            openid = people.openid(1 + read % families)
            made.append(load.seal(settings, openid, "我的预约", numbers.take()))
            read += 1
        return made

    def writes(many: int) -> list[load.Sealed]:
        # Every family books a session once, then the next session: each is a real sign-up.
        nonlocal written
        made = []
        for _ in range(many):
            family, session = 1 + written % families, _free_session(written, families)
            text = f"报名 B-{session}"
            made.append(load.seal(settings, people.openid(family), text, numbers.take()))
            written += 1
        return made

    def rushes(turn: int) -> list[load.Sealed]:
        # All families, each once, for one and the same session.
        text = f"报名 {people.one_session(turn)}"
        return [
            load.seal(settings, people.openid(each), text, numbers.take())
            for each in range(1, families + 1)
        ]

    found: dict[str, list[float]] = {
        name: [] for name in ("echo", "werobot", "read", "write", "one", "bare")
    }
    lost = 0
    # With two processes at its file, WeRoBot waits five seconds for a lock, and gives up.
    workers = {"WEB_WORKERS": "1"} if engine == "sqlite" else {}
    latency: dict[str, float] = {}
    with (
        serving("tests.bench.echo_app:app", variables) as echo,
        serving("tests.bench.werobot_app:app", variables | workers) as werobot,
        serving("wsgi:app", variables) as service,
    ):
        for turn in range(ROUNDS):
            for what, url, make in (
                ("echo", echo.url, reads),
                ("werobot", werobot.url, reads),
                ("read", service.url, reads),
                ("write", service.url, writes),
            ):
                run = load.closed_loop(url, make(WARM + count), CONNECTIONS, WARM)
                if what == "werobot":
                    lost += run.refused
                elif run.refused:
                    raise RuntimeError(f"{what}: {run.refused} requests were not answered")
                found[what].append(run.per_second)
            run = load.closed_loop(service.url, rushes(turn), CONNECTIONS, families // 10)
            if run.refused:
                raise RuntimeError(f"one session: {run.refused} requests were not answered")
            found["one"].append(run.per_second)
            found["bare"].append(
                guarded.updates_per_second(
                    settings.database_url, DATA_KEY, people.BARE, count, CONNECTIONS
                )
            )
        for what, make in (("read", reads), ("write", writes)):
            run = load.open_loop(service.url, make(int(RATE * 8)), RATE)
            latency[what] = run.percentile(0.99)
        run = load.open_loop(service.url, _mixed(reads, writes, int(MIXED_RATE * 8)), MIXED_RATE)
        if run.refused:
            raise RuntimeError(f"mixed: {run.refused} requests were not answered")
        mixed = Row(
            engine=engine,
            what=MIXED,
            per_second=round(run.per_second, 1),
            spread=0.0,
            ratio_to_echo=None,
            p99_at_rate_ms=None,
            p99_at_mixed_rate_ms=round(run.percentile(0.99), 1),
        )
        resident, share = service.worker_megabytes()
        started = service.ready_after
    echo_speed = statistics.median(found["echo"])
    names = {
        "echo": "bare wechatpy + Flask echo",
        "werobot": f"WeRoBot echo, sessions in {'SQLite' if engine == 'sqlite' else 'Redis'}",
        "read": "read turn (我的预约)",
        "write": "write turn (报名)",
        "one": "sign-ups for one session",
        "bare": "bare guarded update of one row",
    }
    rows = [
        Row(
            engine=engine,
            what=names[what],
            per_second=round(statistics.median(speeds), 1),
            spread=round(max(speeds) - min(speeds), 1),
            ratio_to_echo=None
            if what == "echo"
            else round(statistics.median(speeds) / echo_speed, 3),
            p99_at_rate_ms=round(latency[what], 1) if what in latency else None,
            lost=lost if what == "werobot" else 0,
        )
        for what, speeds in found.items()
    ]
    return [*rows, mixed], resident, share, started


def _mixed(
    reads: Callable[[int], list[load.Sealed]], writes: Callable[[int], list[load.Sealed]], many: int
) -> list[load.Sealed]:
    """So many turns of both kinds, evenly spread."""
    found: list[load.Sealed] = []
    for _ in range(many // (READS_A_WRITE + 1)):
        found += [*reads(READS_A_WRITE), *writes(1)]
    return found


def _free_session(written: int, families: int) -> int:
    """The session that a family has no booking of yet, for its n-th written sign-up.

    Two bookings were put in at 1 + family % 39 and 1 + (family + 7) % 39: these are skipped.
    """
    family, turn = 1 + written % families, written // families
    taken = {1 + family % (people.SESSIONS - 1), 1 + (family + 7) % (people.SESSIONS - 1)}
    free = [number for number in range(people.SESSIONS) if number not in taken]
    return free[turn % len(free)]


def say(result: Result) -> None:
    print(f"{result.machine}, Python {result.python}; {result.families} families,")
    print(f"{result.requests_a_round} requests a round, {ROUNDS} rounds, median (spread)\n")
    heads = f"{'requests/s':>18}{'× echo':>9}{'p99 at 100/s':>15}{'at 200/s':>11}"
    print(f"{'engine':<12}{'what':<34}{heads}")
    for row in result.rows:
        speed = f"{row.per_second:.0f} (±{row.spread / 2:.0f})"
        ratio = f"{row.ratio_to_echo:.2f}" if row.ratio_to_echo is not None else ""
        late = f"{row.p99_at_rate_ms:.0f} ms" if row.p99_at_rate_ms is not None else ""
        mixed = row.p99_at_mixed_rate_ms
        at_mixed = f"{mixed:.0f} ms" if mixed is not None else ""
        gone = f"  ({row.lost} not answered)" if row.lost else ""
        print(f"{row.engine:<12}{row.what:<34}{speed:>18}{ratio:>9}{late:>15}{at_mixed:>11}{gone}")
    print(f"\na web worker: {result.worker_rss_mb:.0f} MB resident,", end=" ")
    print(f"{result.worker_pss_mb:.0f} MB of its own share")
    print(f"the web server answers {result.web_start_seconds:.1f} s after its start")


def main() -> None:
    if sys.argv[1:2] == ["visits"]:
        from tests.bench import visits

        visits.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["whole"]:
        from tests.bench import whole

        whole.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["signups"]:
        from tests.bench import signups

        signups.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["rush"]:
        from tests.bench import rush

        rush.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["console"]:
        from tests.bench import console

        console.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["course"]:
        from tests.bench import course

        course.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["growth"]:
        from tests.bench import growth

        growth.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["pages"]:
        from tests.bench import pages

        pages.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["understanding"]:
        from tests.bench import understanding

        understanding.main(sys.argv[2:])
        return
    if sys.argv[1:2] == ["packs"]:
        from tests.bench import packs

        packs.main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--families", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=1500, help="a round")
    chosen = parser.parse_args()
    engines = [chosen.engine] if chosen.engine else ["sqlite", "postgresql"]
    rows: list[Row] = []
    resident = share = started = 0.0
    for engine in engines:
        print(f"measuring on {engine} …", file=sys.stderr)
        more, own, pss, ready = measure(engine, chosen.families, chosen.requests)
        rows += more
        resident, share, started = max(resident, own), max(share, pss), max(started, ready)
    result = Result(
        machine=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        families=chosen.families,
        requests_a_round=chosen.requests,
        rows=tuple(rows),
        worker_rss_mb=round(resident, 1),
        worker_pss_mb=round(share, 1),
        web_start_seconds=round(started, 2),
    )
    if chosen.json:
        print(json.dumps(asdict(result), ensure_ascii=False, indent=2))
    else:
        say(result)


if __name__ == "__main__":
    main()
