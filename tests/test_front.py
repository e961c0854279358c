"""What a web worker answers before its pages are loaded, and that it starts without them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from app.clock import now
from app.config import Settings
from app.dialogue.message import Inbound, Reply
from app.front import Front
from deploy import gunicorn_conf
from devtools.environment import ROOT
from tests.deploy.conftest import environment
from tests.wechat.callbacks import message_xml, safe_callback, said

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["environment"]

FOR_PAGES = ("flask", "jinja2", "app.console", "app.family", "scheduler.timetable")
FOR_CALLS = ("requests", "urllib3", "wechatpy.client", "app.wechat.platform")
FOR_SOME_MESSAGES = ("phonenumbers", "jieba", "app.api", "alembic", "PIL", "openpyxl")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One engine is enough: nothing here asks it."""
    return sqlite_url


class Turns:
    def handle(self, inbound: Inbound) -> Reply:
        return Reply(f"听到{inbound.text}")


@dataclass(frozen=True)
class Edge:
    """What the callback needs of the services."""

    settings: Settings
    turns: Turns


class Pages:
    """Pages that tell how often they were made."""

    def __init__(self) -> None:
        self.made = 0

    def make(self) -> "WSGIApplication":
        self.made += 1

        def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
            return Response(f"page {environ['PATH_INFO']}")(environ, start)

        return answer


@pytest.fixture
def pages() -> Pages:
    return Pages()


@pytest.fixture
def front(settings: Settings, pages: Pages) -> Front:
    return Front(Edge(settings, Turns()), pages.make)


def test_a_message_waits_for_no_page(front: Front, settings: Settings, pages: Pages) -> None:
    callback = safe_callback(settings, message_xml(Content="活动"), now())
    answer = Client(front).post("/wechat", query_string=callback.query, data=callback.body)

    assert said(settings, answer.data)["Content"] == "听到活动"
    assert pages.made == 0


def test_who_asks_whether_it_lives_waits_for_no_page(front: Front, pages: Pages) -> None:
    answer = Client(front).get("/healthz")

    assert (answer.status_code, answer.get_json()) == (200, {"ok": True})
    assert pages.made == 0


def test_the_pages_are_made_once_though_many_ask_at_once(front: Front, pages: Pages) -> None:
    together = Barrier(4)

    def ask() -> str:
        together.wait(10)
        return Client(front).get("/console/").text

    with ThreadPoolExecutor(4) as pool:
        answers = [asked.result() for asked in [pool.submit(ask) for _ in range(4)]]

    assert answers == ["page /console/"] * 4
    assert pages.made == 1


def test_pages_that_cannot_be_made_are_tried_again(settings: Settings, pages: Pages) -> None:
    tries: list[Callable[[], WSGIApplication]] = [_break, pages.make]
    front = Front(Edge(settings, Turns()), lambda: tries.pop(0)())

    with pytest.raises(ImportError):
        Client(front).get("/console/")
    assert Client(front).get("/console/").text == "page /console/"


def _break() -> "WSGIApplication":
    raise ImportError("a file that is just being replaced")


def test_a_worker_makes_them_by_itself(front: Front, pages: Pages) -> None:
    gunicorn_conf._load_the_rest(front)

    assert pages.made == 1
    assert Client(front).get("/healthz").text == "page /healthz"


def _loaded(command: str, environment: dict[str, str]) -> set[str]:
    """The modules that a Python has loaded after a command."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {command}; print(*sys.modules)"],
        env={**os.environ, **environment, "WECHAT_API_URL": "http://127.0.0.1:9"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_a_worker_starts_without_what_it_can_load_later(environment: dict[str, str]) -> None:
    loaded = _loaded("wsgi", environment)

    assert {"handlers", "app.wechat.route"} <= loaded, "or there is nothing to see here"
    assert loaded.isdisjoint((*FOR_PAGES, *FOR_CALLS, *FOR_SOME_MESSAGES))


def test_the_pages_call_nobody_before_somebody_logs_in(environment: dict[str, str]) -> None:
    loaded = _loaded("wsgi; wsgi.app.pages()", environment)

    assert loaded.issuperset(FOR_PAGES), "or there is nothing to see here"
    assert loaded.isdisjoint(FOR_CALLS)


def test_what_calls_the_platform_guesses_no_encodings(environment: dict[str, str]) -> None:
    loaded = _loaded(
        "app.wechat.platform as p; p.Platform('http://127.0.0.1:9', 'wx')", environment
    )

    assert loaded.issuperset(FOR_CALLS), "or there is nothing to see here"
    assert loaded.isdisjoint(("charset_normalizer", "chardet"))
