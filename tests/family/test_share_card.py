"""The card of forwarded pages: signed for our own pages, in WeChat, and missed by nobody."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from redis import Redis

from app.config import Settings
from app.factory import create_app
from app.family.looks import VERSIONS
from app.wechat.deliver import make_client
from app.wechat.js_tickets import JsTickets, sign
from app.wiring import Services
from sandbox import credentials, js_sdk
from sandbox import web as sandbox_web
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from tests.chromium import chromium
from tests.conversations.conftest import Person
from tests.family.conftest import Phone
from tests.serving import serving

WECHAT = "Mozilla/5.0 (Linux; Android 9) MicroMessenger/8.0.50"


@pytest.fixture
def world() -> World:
    return World(SandboxSettings(callback="http://127.0.0.1:8000/wechat"))


def with_card(services: Services, platform: str) -> Services:
    """The same service, with the sandbox's script named in its settings."""
    update: dict[str, object] = {
        "wechat_api_url": platform,
        "wechat_app_id": credentials.APP_ID,
        "wechat_app_secret": services.settings.wechat_app_secret.__class__(credentials.APP_SECRET),
        "wechat_js_sdk_url": f"{platform}/jweixin.js",
    }
    return replace(services, settings=services.settings.model_copy(update=update))


def test_a_signature_is_the_one_that_the_platform_publishes_as_its_example() -> None:
    signature = sign(
        ticket=(
            "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
        ),
        nonce="Wm3WZYTPz0wzccnW",
        timestamp=1414587457,
        url="http://mp.weixin.qq.com?params=value",
    )
    assert signature == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


def test_where_it_is_not_configured_pages_load_nothing_of_it(
    registered: Person, open_as: Callable[[str], Phone], services: Services
) -> None:
    phone = open_as("o-mother")
    lesson = services.library.course.lessons[0].id
    answer = phone.client.get(f"/family/course/{lesson}", headers={"User-Agent": WECHAT})
    assert "<script" not in answer.get_data(as_text=True)
    assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
    address = f"{services.settings.public_url}/family/course/{lesson}"
    assert phone.client.get(f"/family/share?url={address}").status_code == 404


def test_a_card_is_for_wechat_for_our_pages_and_for_those_that_are_forwarded(
    registered: Person, services: Services, world: World
) -> None:
    with serving(sandbox_web.create_app_over(world)) as platform:
        shared = with_card(services, platform)
        app = create_app(shared, commands=False)
        lesson = services.library.course.lessons[0].id
        pack = next(iter(services.library.packs))
        client = app.test_client()
        page = client.get(f"/family/packs/{pack}", headers={"User-Agent": WECHAT})
        assert f'<script src="{platform}/jweixin.js" defer>' in page.get_data(as_text=True)
        policy = page.headers["Content-Security-Policy"]
        assert f"script-src 'self' {platform}/jweixin.js;" in policy
        assert "unsafe" not in policy
        elsewhere = client.get(f"/family/packs/{pack}").get_data(as_text=True)
        assert "<script" not in elsewhere
        other = client.get("/family/", headers={"User-Agent": WECHAT})
        assert platform not in other.headers["Content-Security-Policy"]

        address = f"{shared.settings.public_url}/family/course/{lesson}?x=1"
        signed = client.get("/family/share", query_string={"url": f"{address}#quiz"}).get_json()
        assert signed["signature"] == sign(
            ticket=js_sdk.ticket(world),
            nonce=signed["nonceStr"],
            timestamp=signed["timestamp"],
            url=address,
        )
        for wrong in ("https://elsewhere.example/family/", "", f"{address}{'x' * 600}"):
            assert client.get("/family/share", query_string={"url": wrong}).status_code == 404


def test_one_ticket_is_fetched_and_a_silent_platform_is_left_alone(
    settings: Settings, services: Services, world: World
) -> None:
    asked: list[str] = []
    app = sandbox_web.create_app_over(world)

    @app.before_request
    def note() -> None:
        from flask import request

        asked.append(request.path)

    with serving(app) as platform:
        shared = with_card(services, platform)
        assert shared.find_js_ticket() == shared.find_js_ticket() == js_sdk.ticket(world)
        assert asked.count("/cgi-bin/ticket/getticket") == 1
    silent = with_card(services, "http://127.0.0.1:9")
    silent.redis.flushdb()
    tickets = _tickets(silent.settings, silent.redis)
    assert tickets.find() is None
    assert silent.redis.get(f"wechat:{silent.settings.wechat_app_id}:js_ticket:asked") == b"1"


def _tickets(settings: Settings, redis: Redis) -> JsTickets:
    return JsTickets(make_client(settings, redis), redis, settings.wechat_app_id)


def test_our_files_are_fetched_once(app: Flask) -> None:
    client = app.test_client()
    for name, version in VERSIONS.items():
        for query, is_kept in ((f"?v={version}", True), ("", False), ("?v=x", False)):
            with client.get(f"/family/static/{name}{query}") as answer:
                assert ("immutable" in answer.headers["Cache-Control"]) is is_kept


def test_the_page_gives_its_card_to_the_platforms_script(services: Services, world: World) -> None:
    pack = next(iter(services.library.packs.values()))
    with serving(sandbox_web.create_app_over(world)) as platform:
        shared = with_card(services, platform)
        app = create_app(shared, commands=False)
        with serving(app) as address, chromium() as browser:
            vars(shared.settings)["public_url"] = address
            page = browser.new_context(user_agent=WECHAT).new_page()
            faults: list[str] = []
            page.on("console", lambda said: faults.append(said.text))
            page.goto(f"{address}/family/packs/{pack.id}?from=a-mark")
            page.wait_for_selector("html[data-card]", state="attached", timeout=10_000)
            card = page.locator("html").get_attribute("data-card") or ""
    assert pack.title in card
    assert re.search(rf"{re.escape(address)}/family/packs/{pack.id}\"", card), "without the mark"
    assert faults == []
