"""The families' pages on a slow phone: weight and first paint.

./dev bench pages: a real browser, slow 3G (400 kbit/s, 400 ms a round trip), the
processor slowed four times. --json prints the figures for machines.
"""

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread

from playwright.sync_api import BrowserContext
from werkzeug.serving import make_server

from app.clock import now
from app.config import Settings
from app.db import Database
from app.demo.loading import load
from app.factory import create_app
from app.family.opening import CAREGIVER, LOG_IN, MARK
from app.migrating import upgrade
from app.rules.identity import Device, mark_of
from app.services import log_ins, registration
from app.services.registration import ChildDraft, ConsentGiven
from app.services.sessions import find_open
from app.wiring import Services, make_services
from devtools import embedded_redis
from devtools.environment import ROOT, socket_folder
from handlers import HANDLERS
from tests.bench.__main__ import CREDENTIALS, DATA_KEY
from tests.chromium import chromium

BYTES_A_SECOND = 400_000 / 8
ROUND_TRIP_MS = 400
SLOWDOWN = 4
ROUNDS = 5
"""One after the other through all the pages: what else the machine does falls on each alike."""
OPENID = "oBench-mother-of-the-pages-01"
FLOOR = "one-word"
"""One character and no style: what browser, line and machine take for a page of nothing."""
PATHS = (
    FLOOR,
    "",
    "sessions",
    "sessions/{code}",
    "bookings",
    "year-plan",
    "packs",
    "course",
    "course/care-warm",
    "growth",
    "visits",
    "me",
    "me/data",
)
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
HAS_PAINTED = "performance.getEntriesByName('first-contentful-paint').length > 0"
LONGEST_WAIT_SECONDS = 60
WEIGHT = (
    "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
    ".reduce((sum, one) => sum + one.transferSize, 0)"
)


@dataclass(frozen=True, slots=True)
class PageFigure:
    """One page: the median of the rounds, and the slowest of them."""

    path: str
    bytes_sent: int
    first_paint_ms: float
    slowest_ms: float


@contextmanager
def _served(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Address, cookie and a session's code of a service with the demo's data and one mother."""
    with embedded_redis.serving(folder, socket_folder(ROOT, folder) / "pages.sock") as _:
        redis_url = f"unix://{socket_folder(ROOT, folder) / 'pages.sock'}?db=0"
        settings = Settings.model_validate(
            {
                "database_url": f"sqlite:///{folder}/pages.db",
                "redis_url": redis_url,
                "secret_key": "a secret only for the benchmark",
                "data_key": DATA_KEY,
                "wechat_api_url": "http://127.0.0.1:9",
                **{name.lower(): value for name, value in CREDENTIALS.items()},
            }
        )
        services = make_services(settings, HANDLERS)
        upgrade(services.database.engine)
        code = _fill(services, services.database)
        app = create_app(services, commands=False)
        app.add_url_rule(f"/family/{FLOOR}", FLOOR, lambda: "<!doctype html><p>好")
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        client = app.test_client()
        with services.database.transaction() as db, client.session_transaction("/family/") as kept:
            mother = registration.find_caregiver(db, OPENID)
            assert mother is not None
            made = log_ins.begin(db, mother, way="pages", device=Device.ANDROID, now=now())
            kept[CAREGIVER], kept[MARK], kept[LOG_IN] = mother.id, mark_of(OPENID), made.id
        cookie = client.get_cookie("yuban_family", path="/family")
        assert cookie is not None, "the session was just written"
        yield f"http://127.0.0.1:{server.server_port}", cookie.value, code
        server.shutdown()
        services.turns.close()


def _fill(services: Services, database: Database) -> str:
    at = now()
    load(database, at)
    with database.transaction() as db:
        mother = registration.follow(db, OPENID, at)
        born = (at - timedelta(days=200)).date()
        registration.register_child(
            db,
            caregiver=mother,
            draft=ChildDraft("糖糖", born, None, "girl", None, "城桥镇"),
            consent=ConsentGiven("child_data", "2026-11", "bench"),
            now=at,
        )
    with database.reading() as db:
        found = find_open(db, None, at, limit=1)
    return found[0].code


def _open(context: BrowserContext, url: str) -> tuple[int, float]:
    """What was sent and when it was seen, in a browser that is up but has nothing of it yet.

    WeChat is up when somebody taps a link in it: its fonts are loaded, its processes run.
    """
    page = context.new_page()
    page.goto(url.partition("/family/")[0] + "/certificates/")
    cdp = context.new_cdp_session(page)
    cdp.send("Network.enable")
    cdp.send("Network.setCacheDisabled", {"cacheDisabled": True})
    cdp.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": ROUND_TRIP_MS,
            "downloadThroughput": BYTES_A_SECOND,
            "uploadThroughput": BYTES_A_SECOND,
        },
    )
    cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
    page.goto(url)
    # Asked again and again: waiting for a function would be an eval, which the pages forbid.
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not page.evaluate(HAS_PAINTED):
        if time.monotonic() > deadline:
            raise TimeoutError(url)
        page.wait_for_timeout(50)
    figures = int(page.evaluate(WEIGHT)), float(page.evaluate(FIRST_PAINT))
    page.close()
    return figures


def measure() -> list[PageFigure]:
    """Every page, some rounds each."""
    found: dict[str, list[tuple[int, float]]] = {path: [] for path in PATHS}
    with (
        tempfile.TemporaryDirectory() as folder,
        _served(Path(folder)) as (address, cookie, code),
        chromium() as browser,
    ):
        context = browser.new_context(viewport={"width": 375, "height": 740})
        context.add_cookies([{"name": "yuban_family", "value": cookie, "url": f"{address}/family"}])
        for _ in range(ROUNDS):
            for path, figures in found.items():
                figures.append(_open(context, f"{address}/family/{path.format(code=code)}"))
    return [_figure(path, figures) for path, figures in found.items()]


def _figure(path: str, rounds: list[tuple[int, float]]) -> PageFigure:
    paints = [paint for _, paint in rounds]
    return PageFigure(
        path or "(first page)",
        max(sent for sent, _ in rounds),
        round(statistics.median(paints), 1),
        round(max(paints), 1),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="./dev bench pages")
    parser.add_argument("--json", action="store_true", help="figures for machines")
    wanted = parser.parse_args(arguments)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    figures = measure()
    if wanted.json:
        json.dump([asdict(figure) for figure in figures], sys.stdout, ensure_ascii=False)
        return
    print(f"{'page':<22} {'bytes':>8} {'first paint':>12} {'slowest':>12}")
    for figure in figures:
        paint, slowest = f"{figure.first_paint_ms:.0f} ms", f"{figure.slowest_ms:.0f} ms"
        print(f"{figure.path:<22} {figure.bytes_sent:>8} {paint:>12} {slowest:>12}")


if __name__ == "__main__":
    main()
