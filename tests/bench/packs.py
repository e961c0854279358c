"""./dev bench packs: planning a day, and delivering it, each beside the bare thing.

Planning on PostgreSQL, for families that are known already, beside `INSERT … SELECT` of the very
rows that it wrote, into tables of the same columns, indexes and references. Delivery beside bare
loops of the same requests with the same number of threads against the same sandbox: one with a
session of `requests` a thread, as most would write it, and one with urllib3. The deliverer's own
requests leave on urllib3: that loop is the fair measure, and the other stands beside it.
"""

import argparse
import json
import logging
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import psutil
import requests
import structlog
import urllib3
from redis import Redis
from sqlalchemy import Engine, func, select, text

from app.clock import SHANGHAI
from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.migrating import upgrade
from app.models import Notice, PackPush
from app.services import pack_catalogue
from app.wechat.deliver import THREADS, make_deliverer
from content.library import load_library
from content.packs import Pack
from devtools import embedded_postgres, embedded_redis
from devtools.environment import ROOT, socket_folder
from sandbox import credentials
from scheduler.queue_packs import plan_day
from tests.bench.sandbox_process import Sandbox, playing

DATA_KEY = "YSBiZW5jaG1hcmsga2V5IG9mIDMyIGJ5dGVzIG9ubHk="
DAY = datetime(2026, 11, 25, 10, 0, tzinfo=SHANGHAI)
DAYS_OF_CHILDHOOD = 1_096
MEGABYTE = 1024 * 1024
TEMPLATE = "bench-pack-template"
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


@dataclass(frozen=True, slots=True)
class Delivering:
    messages: int
    threads: int
    per_second: float
    bare_per_second: float
    share_of_bare: float
    lean_per_second: float
    share_of_lean: float
    """Of a loop with urllib3, which the deliverer uses."""
    cpu_ms: float
    bare_cpu_ms: float
    lean_cpu_ms: float
    """Of the sending process, a message: what the machine's other work does not disturb."""


def planning(children: int) -> Planning:
    """One ordinary day for so many children: the medians of a few, ours and bare in turns."""
    packs = list(load_library().packs.values())
    rounds: list[_Round] = []
    with embedded_postgres.serving(ROOT) as server:
        server.create_database("settled")
        engine = make_engine(server.url("settled"), Cipher((DATA_KEY,)))
        upgrade(engine)
        _settle(engine, children, packs)
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


def _settle(engine: Engine, children: int, packs: list[Pack]) -> None:
    """Families of one child, three in ten with a second caregiver; planned until yesterday."""
    name = Cipher((DATA_KEY,)).encrypt("糖糖")
    with Database(engine).transaction() as db:
        pack_catalogue.sync(db, packs, DAY - timedelta(days=1))
        db.execute(text("UPDATE pack_catalogue SET planned_until = :day"), {"day": _yesterday()})
        db.execute(
            text(
                "INSERT INTO families (id, township_id, created_at)"
                " SELECT n, 1 + n % 18, :at FROM generate_series(1, :many) n"
            ),
            {"at": DAY - timedelta(days=400), "many": children},
        )
        db.execute(
            text(
                "INSERT INTO children (id, family_id, nickname, birth_date, gestation_weeks,"
                " created_at, updated_at, packs_from, packs_born, packs_weeks)"
                " SELECT n, n, :name, b, w, :at, :at, :at, b, COALESCE(w, 40) FROM"
                " (SELECT n, CAST(:today AS date) - (CAST(n AS bigint) * 7919 % :days)::int AS b,"
                " CASE WHEN n % 14 = 0 THEN 28 + n % 9 END AS w"
                " FROM generate_series(1, :many) n) c"
            ),
            {
                "name": name,
                "today": DAY.date(),
                "days": DAYS_OF_CHILDHOOD,
                "at": DAY - timedelta(days=400),
                "many": children,
            },
        )
        for first, share in ((0, 10), (children, 3)):
            db.execute(
                text(
                    "INSERT INTO caregivers (id, openid, family_id, relation, is_following,"
                    " pushes, created_at, packs_from) SELECT :first + n, 'o-' || (:first + n), n,"
                    " CASE WHEN :first = 0 THEN 'mother' ELSE 'grandmother' END, true, 'on',"
                    " :at, :at FROM generate_series(1, :many) n WHERE n % 10 < :share"
                ),
                {
                    "first": first,
                    "share": share,
                    "at": DAY - timedelta(days=400),
                    "many": children,
                },
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


def _yesterday() -> date:
    return DAY.date() - timedelta(days=1)


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


def delivering(messages: int) -> Delivering:
    """Template messages of one day's packs, ours and bare, in turns."""
    ours: list[tuple[float, float]] = []
    bare: list[tuple[float, float]] = []
    lean: list[tuple[float, float]] = []
    with (
        tempfile.TemporaryDirectory() as name,
        embedded_postgres.serving(ROOT) as server,
        playing(Path(name)) as sandbox,
    ):
        folder = Path(name)
        socket = socket_folder(ROOT, folder) / f"bench-{folder.name}.sock"
        with embedded_redis.serving(folder / "redis", socket):
            redis_url = f"unix://{socket}?db=0"
            sandbox.add_template(TEMPLATE)
            people = sandbox.add_people(messages)
            for number in range(ROUNDS):
                database_name = f"bench{number}"
                server.create_database(database_name)
                bare.append(_bare_loop(sandbox, people, f"bare{number}", _with_requests))
                lean.append(_bare_loop(sandbox, people, f"lean{number}", _with_urllib3))
                settings = _settings(server.url(database_name), redis_url, sandbox.url)
                ours.append(_deliver(settings, people))
    mine, cpu = (statistics.median(column) for column in zip(*ours, strict=True))
    theirs, bare_cpu = (statistics.median(column) for column in zip(*bare, strict=True))
    leanest, lean_cpu = (statistics.median(column) for column in zip(*lean, strict=True))
    return Delivering(
        messages=messages,
        threads=THREADS,
        per_second=round(mine, 1),
        bare_per_second=round(theirs, 1),
        share_of_bare=round(mine / theirs, 3),
        lean_per_second=round(leanest, 1),
        share_of_lean=round(mine / leanest, 3),
        cpu_ms=round(cpu * 1000, 2),
        bare_cpu_ms=round(bare_cpu * 1000, 2),
        lean_cpu_ms=round(lean_cpu * 1000, 2),
    )


def _settings(url: str, redis_url: str, sandbox_url: str) -> Settings:
    return Settings.model_validate(
        {
            "database_url": url,
            "redis_url": redis_url,
            "secret_key": "a secret only for the benchmark",
            "data_key": DATA_KEY,
            "wechat_app_id": credentials.APP_ID,
            "wechat_app_secret": credentials.APP_SECRET,
            "wechat_token": credentials.TOKEN,
            "wechat_aes_key": credentials.AES_KEY,
            "wechat_api_url": sandbox_url,
            "wechat_templates": {"pack": TEMPLATE},
        }
    )


def _deliver(settings: Settings, people: list[str]) -> tuple[float, float]:
    engine = make_engine(settings.database_url, Cipher((DATA_KEY,)), pool_size=THREADS + 2)
    upgrade(engine)
    packs = list(load_library().packs.values())
    _settle(engine, len(people), packs[:1])
    database = Database(engine)
    with database.transaction() as db:
        # Everybody is due the same first pack today.
        db.execute(text("DELETE FROM caregivers WHERE id > :many"), {"many": len(people)})
        born = DAY.date() - timedelta(days=packs[0].from_days)
        db.execute(
            text("UPDATE children SET birth_date = :born, packs_born = :born"), {"born": born}
        )
        for number, openid in enumerate(people, 1):
            db.execute(
                text("UPDATE caregivers SET openid = :openid WHERE id = :id"),
                {"openid": openid, "id": number},
            )
    plan_day(database, packs[:1], DAY)
    deliverer = make_deliverer(
        settings,
        database,
        Redis.from_url(settings.redis_url),
        worker="bench",
        stopping=threading.Event(),
    )
    began, cpu = time.perf_counter(), time.process_time()
    while deliverer.run_once(DAY):
        pass
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    with database.reading() as db:
        counted = db.execute(select(Notice.state, func.count()).group_by(Notice.state)).all()
    states = {row[0]: row[1] for row in counted}
    if states != {"sent": len(people)}:
        raise RuntimeError(f"not all were sent: {states}")
    deliverer.close()
    engine.dispose()
    return len(people) / seconds, cpu / len(people)


Post = Callable[[str, dict[str, object]], bytes]
"""Posts a body to a path; what is answered."""


def _with_requests(address: str) -> Post:
    local = threading.local()

    def post(path: str, body: dict[str, object]) -> bytes:
        http = getattr(local, "http", None)
        if http is None:
            http = local.http = requests.Session()
            http.trust_env = False
        answer: bytes = http.post(f"{address}{path}", json=body, timeout=10).content
        return answer

    return post


def _with_urllib3(address: str) -> Post:
    pool = urllib3.PoolManager(maxsize=THREADS, timeout=10)

    def post(path: str, body: dict[str, object]) -> bytes:
        said = json.dumps(body, ensure_ascii=False).encode()
        return pool.request("POST", f"{address}{path}", body=said, retries=False).data

    return post


def _bare_loop(
    sandbox: Sandbox, people: list[str], name: str, client: Callable[[str], Post]
) -> tuple[float, float]:
    path = f"/cgi-bin/message/template/send?access_token={sandbox.token()}"
    post = client(sandbox.url)

    def send(openid: str) -> None:
        answer = post(
            path,
            {
                "touser": openid,
                "template_id": TEMPLATE,
                "data": {"thing1": {"value": "新生儿访视"}, "thing2": {"value": "适合新生儿"}},
                "client_msg_id": f"{name}{openid}"[:32],
            },
        )
        if json.loads(answer).get("errcode"):
            raise RuntimeError(answer)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, people[: THREADS * 4]))  # connections are made once
        began, cpu = time.perf_counter(), time.process_time()
        list(pool.map(send, people))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return len(people) / seconds, cpu / len(people)


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    parser = argparse.ArgumentParser(prog="./dev bench packs", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--children", type=int, nargs="*", default=[100_000])
    parser.add_argument("--messages", type=int, default=2_000, help="0 leaves delivery out")
    chosen = parser.parse_args(arguments)
    planned = [planning(children) for children in chosen.children]
    delivered = [delivering(chosen.messages)] if chosen.messages else []
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
            f"delivery with {row.threads} threads: {row.per_second}/s,"
            f" {row.share_of_lean:.0%} of a bare loop with the deliverer's own library, urllib3"
            f" ({row.lean_per_second}/s), {row.share_of_bare:.0%} of one with requests"
            f" ({row.bare_per_second}/s);"
            f" CPU a message {row.cpu_ms} ms, bare {row.lean_cpu_ms} and {row.bare_cpu_ms} ms"
        )
