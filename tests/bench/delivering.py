"""How fast packs leave, beside bare loops of the same requests; a part of ./dev bench packs.

The bare loops have the same number of threads and post to the same sandbox: one with a session of
`requests` a thread, as most would write it, one with urllib3, the leanest that people use, and one
with the deliverer's own connections, which shows what all the rest of a delivery costs. They take
turns, round by round in changing order, and each round is compared with its neighbours of the same
round: what else the machine does meanwhile comes and goes within seconds. Nobody begins before the
sandbox has come to rest, which goes on with receipts when the last message is answered.
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import requests
import urllib3
from redis import Redis
from sqlalchemy import Engine, func, select, text

from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.migrating import upgrade
from app.models import Notice
from app.wechat.connections import connections_to
from app.wechat.deliver import THREADS, Deliverer, make_deliverer
from content.library import load_library
from devtools import embedded_postgres, embedded_redis
from devtools.environment import ROOT, socket_folder
from sandbox import credentials
from scheduler.queue_packs import plan_day
from tests.bench.pack_families import DATA_KEY, DAY, settle
from tests.bench.sandbox_process import Sandbox, playing

TEMPLATE = "bench-pack-template"
APART = timedelta(minutes=10)
"""Between what is due in one round and in the next."""
REST_SECONDS = 0.3
RESTING_SHARE = 0.05
"""Of one processor: a sandbox that takes less of it has nothing left to do."""


@dataclass(frozen=True, slots=True)
class Delivering:
    messages: int
    """A round."""
    rounds: int
    threads: int
    per_second: float
    spread: float
    """Highest less lowest of the rounds, messages a second."""
    bare_per_second: float
    bare_spread: float
    share_of_bare: float
    """The median of what each round's shares were."""
    lean_per_second: float
    lean_spread: float
    share_of_lean: float
    """Of a loop with urllib3: the bar is 85 %."""
    lowest_share_of_lean: float
    highest_share_of_lean: float
    own_per_second: float
    share_of_own: float
    """Of a loop with the deliverer's own connections."""
    cpu_ms: float
    bare_cpu_ms: float
    lean_cpu_ms: float
    own_cpu_ms: float
    """Of the sending process, a message: what the machine's other work does not disturb."""
    server_cpu_ms: float
    """Of PostgreSQL for the deliverer, a message."""


@dataclass(frozen=True, slots=True)
class _Timed:
    """One round of one of them."""

    per_second: float
    cpu: float
    """Seconds a message."""
    server_cpu: float = 0.0


Run = Callable[[int, Sequence[str]], _Timed]
"""Sends everybody one message in a round of that number."""


def delivering(messages: int, rounds: int) -> Delivering:
    """Template messages of one day's packs, ours and bare, in turns."""
    with (
        tempfile.TemporaryDirectory() as name,
        embedded_postgres.serving(ROOT) as server,
        playing(Path(name)) as sandbox,
    ):
        folder = Path(name)
        socket = socket_folder(ROOT, folder) / f"bench-{folder.name}.sock"
        with embedded_redis.serving(folder / "redis", socket):
            sandbox.add_template(TEMPLATE)
            groups = [sandbox.add_people(messages) for _ in range(rounds + 1)]
            server.create_database("bench")
            settings = _settings(server.url("bench"), f"unix://{socket}?db=0", sandbox.url)
            engine = make_engine(settings.database_url, Cipher((DATA_KEY,)), pool_size=THREADS + 2)
            deliverer = _make_due(settings, engine, groups)
            runs: dict[str, Run] = {
                "ours": _ours(deliverer, engine),
                "lean": _bare_loop(sandbox, "lean", _with_urllib3(sandbox.url)),
                "bare": _bare_loop(sandbox, "bare", _with_requests(sandbox.url)),
                "own": _bare_loop(sandbox, "own", _with_connections(sandbox.url)),
            }
            [worker] = psutil.Process(sandbox.pid).children()
            took = _in_turns(runs, groups, worker)
            deliverer.close()
            engine.dispose()
    return _compared(messages, took)


def _in_turns(
    runs: dict[str, Run], groups: Sequence[Sequence[str]], sandbox: psutil.Process
) -> dict[str, list[_Timed]]:
    """What each took in every round; the first one only makes connections and warms up."""
    took: dict[str, list[_Timed]] = {name: [] for name in runs}
    order = list(runs)
    for number, people in enumerate(groups):
        order = [*order[1:], order[0]] if number % 2 else [*reversed(order)]
        for name in order:
            _let_rest(sandbox)
            timed = runs[name](number, people)
            if number:
                took[name].append(timed)
        if number:
            said = ", ".join(f"{name} {took[name][-1].per_second:.0f}/s" for name in runs)
            print(f"delivery, round {number}: {said}", file=sys.stderr)
    return took


def _let_rest(process: psutil.Process) -> None:
    while process.cpu_percent(REST_SECONDS) > RESTING_SHARE * 100:
        pass


def _compared(messages: int, took: dict[str, list[_Timed]]) -> Delivering:
    ours, lean, bare, own = (took[name] for name in ("ours", "lean", "bare", "own"))
    of_lean = _shares(ours, lean)
    return Delivering(
        messages=messages,
        rounds=len(ours),
        threads=THREADS,
        per_second=_speed(ours),
        spread=_spread(ours),
        bare_per_second=_speed(bare),
        bare_spread=_spread(bare),
        share_of_bare=round(statistics.median(_shares(ours, bare)), 3),
        lean_per_second=_speed(lean),
        lean_spread=_spread(lean),
        share_of_lean=round(statistics.median(of_lean), 3),
        lowest_share_of_lean=round(min(of_lean), 3),
        highest_share_of_lean=round(max(of_lean), 3),
        own_per_second=_speed(own),
        share_of_own=round(statistics.median(_shares(ours, own)), 3),
        cpu_ms=_milliseconds(one.cpu for one in ours),
        bare_cpu_ms=_milliseconds(one.cpu for one in bare),
        lean_cpu_ms=_milliseconds(one.cpu for one in lean),
        own_cpu_ms=_milliseconds(one.cpu for one in own),
        server_cpu_ms=_milliseconds(one.server_cpu for one in ours),
    )


def _shares(ours: Sequence[_Timed], theirs: Sequence[_Timed]) -> list[float]:
    return [a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True)]


def _speed(rounds: Sequence[_Timed]) -> float:
    return round(statistics.median(one.per_second for one in rounds), 1)


def _spread(rounds: Sequence[_Timed]) -> float:
    speeds = [one.per_second for one in rounds]
    return round(max(speeds) - min(speeds), 1)


def _milliseconds(seconds: Iterable[float]) -> float:
    return round(statistics.median(seconds) * 1000, 2)


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


def _make_due(settings: Settings, engine: Engine, groups: Sequence[Sequence[str]]) -> Deliverer:
    """A deliverer, with one pack for each family: a group of them at a time is due."""
    upgrade(engine)
    packs = list(load_library().packs.values())[:1]
    people = [openid for group in groups for openid in group]
    settle(engine, len(people), packs)
    database = Database(engine)
    born = DAY.date() - timedelta(days=packs[0].from_days)
    with database.transaction() as db:
        db.execute(text("DELETE FROM caregivers WHERE id > :many"), {"many": len(people)})
        db.execute(
            text("UPDATE children SET birth_date = :born, packs_born = :born"), {"born": born}
        )
        db.execute(
            text("UPDATE caregivers SET openid = :openid WHERE id = :id"),
            [{"openid": openid, "id": number} for number, openid in enumerate(people, 1)],
        )
    plan_day(database, packs, DAY)
    with database.transaction() as db:
        for number, group in enumerate(groups):
            db.execute(
                text(
                    "UPDATE notices SET due_at = :at WHERE caregiver_id > :first"
                    " AND caregiver_id <= :last"
                ),
                {
                    "at": _due_at(number),
                    "first": number * len(group),
                    "last": (number + 1) * len(group),
                },
            )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return make_deliverer(
        settings,
        database,
        Redis.from_url(settings.redis_url),
        worker="bench",
        stopping=threading.Event(),
    )


def _due_at(number: int) -> datetime:
    return DAY + number * APART


def _ours(deliverer: Deliverer, engine: Engine) -> Run:
    database = Database(engine)

    def run(number: int, people: Sequence[str]) -> _Timed:
        servers = _servers(engine)
        server_cpu = _cpu(servers)
        began, cpu = time.perf_counter(), time.process_time()
        while deliverer.run_once(_due_at(number)):
            pass
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        server_cpu = _cpu(servers) - server_cpu
        with database.reading() as db:
            sent = db.execute(select(func.count()).where(Notice.state == "sent")).scalar_one()
        if sent != (number + 1) * len(people):
            raise RuntimeError(f"not all were sent: {sent}")
        return _Timed(len(people) / seconds, cpu / len(people), server_cpu / len(people))

    return run


def _servers(engine: Engine) -> list[psutil.Process]:
    """PostgreSQL's processes of the connections that are open."""
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        ).scalars()
        return [psutil.Process(pid) for pid in found]


def _cpu(processes: Sequence[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


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


def _with_connections(address: str) -> Post:
    connections = connections_to(address)

    def post(path: str, body: dict[str, object]) -> bytes:
        said = json.dumps(body, ensure_ascii=False).encode()
        return connections.exchange("POST", path, said, {"Content-Type": "application/json"})[1]

    return post


def _bare_loop(sandbox: Sandbox, name: str, post: Post) -> Run:
    path = f"/cgi-bin/message/template/send?access_token={sandbox.token()}"

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

    # Kept from round to round, and with it the connections, as the deliverer keeps its own.
    pool = ThreadPoolExecutor(THREADS)

    def run(_number: int, people: Sequence[str]) -> _Timed:
        began, cpu = time.perf_counter(), time.process_time()
        list(pool.map(send, people))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        return _Timed(len(people) / seconds, cpu / len(people))

    return run
