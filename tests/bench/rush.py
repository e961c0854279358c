"""./dev bench rush: a whole town at the callback's door at once, each message delivered twice.

Everything is real but the platform: gunicorn and its workers, the envelope, Redis, the database.
The callbacks are sealed beforehand. Each has a connection of its own, and all are sent at the same
moment; a reply's time runs from there to its last byte.
"""

import argparse
import json
import selectors
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from wechatpy.crypto import PrpCrypto, WeChatCrypto

from app.clock import now
from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.migrating import upgrade
from devtools import embedded_redis
from devtools.environment import ROOT, socket_folder
from tests.bench import load
from tests.bench.engines import database, look_after
from tests.bench.server import serving
from tests.concurrency import crowd

PLACES = 20
WARM = 800
"""Messages that the workers have answered before: those of a real one have seen the families."""
WARM_CONNECTIONS = 16
CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Row:
    """One rush."""

    engine: str
    families: int
    replies: int
    won: int
    full: int
    p50_seconds: float
    p99_seconds: float
    last_seconds: float


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="./dev bench rush", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument("--families", type=int, default=1000)
    asked = parser.parse_args(arguments)
    engines = (asked.engine,) if asked.engine else ("sqlite", "postgresql")
    rows = [_measure(engine, asked.families) for engine in engines]
    if asked.json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    print(f"{PLACES} places, every message twice at once; seconds from the sending")
    print(f"{'engine':12}{'families':>9}{'won':>6}{'full':>7}{'p50':>8}{'p99':>8}{'last':>8}")
    for row in rows:
        print(
            f"{row.engine:12}{row.families:>9}{row.won:>6}{row.full:>7}"
            f"{row.p50_seconds:>8.2f}{row.p99_seconds:>8.2f}{row.last_seconds:>8.2f}"
        )


def _measure(engine: str, families: int) -> Row:
    from tests.bench.__main__ import DATA_KEY, environment, settings_of

    with tempfile.TemporaryDirectory() as name, database(engine, Path(name)) as url:
        folder = Path(name)
        door = socket_folder(ROOT, folder) / f"bench-{folder.name}.sock"
        with embedded_redis.serving(folder / "redis", door):
            variables = environment(url, f"unix://{door}?db=0")
            settings = settings_of(variables)
            made = make_engine(url, Cipher((DATA_KEY,)))
            upgrade(made)
            opened = now() - timedelta(minutes=1)
            crowd.settle(Database(made), opened, families=families, places=PLACES, waits="no")
            look_after(made)
            made.dispose()
            with serving("wsgi:app", variables) as server:
                load.closed_loop(server.url, _before(settings, families), WARM_CONNECTIONS, 0)
                seconds, bodies = _all_at_once(server.url, _messages(settings, families))
    words = [_words(settings, body) for body in bodies]
    last = len(seconds) - 1
    return Row(
        engine=engine,
        families=families,
        replies=len(words),
        won=sum("报名成功" in each for each in words),
        full=sum("名额已满" in each for each in words),
        p50_seconds=seconds[last // 2],
        p99_seconds=seconds[min(last, int(len(seconds) * 0.99))],
        last_seconds=seconds[last],
    )


def _before(settings: Settings, families: int) -> list[load.Sealed]:
    return [
        load.seal(
            settings,
            crowd.openid(1 + number % families),
            "我的预约" if number % 2 else "报名 NOSUCH",
            1_000_000 + number,
        )
        for number in range(WARM)
    ]


def _messages(settings: Settings, families: int) -> list[load.Sealed]:
    once = [
        load.seal(settings, crowd.openid(number), f"报名 {crowd.CODE}", number)
        for number in range(1, families + 1)
    ]
    return once + once


def _all_at_once(url: str, messages: Sequence[load.Sealed]) -> tuple[list[float], list[bytes]]:
    """Seconds of each reply, sorted, and the replies' bodies, in no order."""
    host, _, port = url.removeprefix("http://").partition(":")
    doors = selectors.DefaultSelector()
    heard: dict[socket.socket, bytes] = {}
    for _ in messages:
        connection = socket.create_connection((host, int(port)))
        doors.register(connection, selectors.EVENT_READ)
        heard[connection] = b""
    wires = [
        f"POST {each.path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/xml\r\n"
        f"Content-Length: {len(each.body)}\r\n\r\n".encode()
        + each.body
        for each in messages
    ]
    seconds: list[float] = []
    bodies: list[bytes] = []
    start = time.perf_counter()
    for connection, wire in zip(heard, wires, strict=True):
        connection.sendall(wire)
    while heard:
        for key, _ in doors.select():
            answered = key.fileobj
            assert isinstance(answered, socket.socket)
            heard[answered] += _read(answered)
            body = _body_of(heard[answered])
            if body is None:
                continue
            seconds.append(time.perf_counter() - start)
            bodies.append(body)
            doors.unregister(answered)
            answered.close()
            del heard[answered]
    return sorted(seconds), bodies


def _read(connection: socket.socket) -> bytes:
    found = connection.recv(CHUNK)
    assert found, "a connection was closed without an answer"
    return found


def _body_of(answer: bytes) -> bytes | None:
    """The body once it is whole."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return None
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return body if len(body) >= int(length) else None


def _words(settings: Settings, body: bytes) -> str:
    """What a sealed reply says; junk is shown as it is."""
    sealed = body.decode().partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
    if not sealed:
        return body.decode()
    crypto = WeChatCrypto(
        settings.wechat_token.get_secret_value(),
        settings.wechat_aes_key.get_secret_value(),
        settings.wechat_app_id,
    )
    return str(PrpCrypto(crypto.key).decrypt(sealed, settings.wechat_app_id))
