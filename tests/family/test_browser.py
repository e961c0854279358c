"""The pages in a real browser, on a phone: opened from the chat, read, tapped, checked by axe."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pydantic import SecretStr

from app.clock import now as real_now
from app.config import Settings
from app.wiring import Services
from sandbox import credentials
from sandbox import web as sandbox_web
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from tests.chromium import chromium
from tests.conversations.conftest import Clock, Person, Publisher
from tests.fitness import find_faults
from tests.serving import serving, whole_application

pytestmark = pytest.mark.browser

MAMA = "oSbx0-mama-of-the-tests-0001"
PHONE = ViewportSize(width=375, height=740)
MAX_BYTES = 150_000
PATHS = (
    "",
    "sessions",
    "sessions?township=横沙乡",
    "sessions/CQ-1",
    "sessions/CQ-2",
    "sessions/NONE",
    "bookings",
    "year-plan",
    "packs",
    "packs/ages",
    "visits",
    "growth",
    "me",
    "me/children/1",
    "me/consents",
    "me/children/1/withdraw",
    "me/data",
    "me/erase",
    "nonsense",
)


@dataclass(frozen=True)
class Served:
    """A served application with its platform, and a family that uses it."""

    address: str
    platform: str


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def clock() -> Clock:
    """The real time: a browser throws old cookies away."""
    return Clock(real_now())


@pytest.fixture
def platform() -> Iterator[str]:
    world = World(SandboxSettings(callback="http://127.0.0.1:8000/wechat"))
    world.add_person("妈妈", MAMA)
    with serving(sandbox_web.create_app_over(world)) as address:
        yield address


@pytest.fixture
def settings(settings: Settings, platform: str) -> Settings:
    return settings.model_copy(
        update={
            "wechat_api_url": platform,
            "wechat_app_id": credentials.APP_ID,
            "wechat_app_secret": SecretStr(credentials.APP_SECRET),
        }
    )


@pytest.fixture
def served(services: Services, platform: str) -> Iterator[Served]:
    with serving(whole_application(services)) as address:
        # Frozen for everybody but this test, which learns its port only now.
        vars(services.settings)["public_url"] = address
        yield Served(address, platform)


@pytest.fixture
def family(person: Callable[[str], Person], publish: Publisher, clock: Clock) -> Person:
    """A mother with a child of half a year, one booking, one session full, six more to choose."""
    mother = person(MAMA)
    mother.follows()
    born = (clock() - timedelta(days=200)).date()
    mother.says(f"登记 糖糖 {born} 女 城桥镇")
    mother.says("同意")
    mother.says("需要")
    publish("CQ-1", days=3, title="亲子抚触：一起摸摸小手小脚")
    publish("CQ-2", days=4, places=0, waiting_list="first_come")
    for number in range(3, 9):
        publish(f"CQ-{number}", days=5 * number, title="亲子游戏")
    mother.says("报名 CQ-1")
    return mother


@dataclass(frozen=True)
class Screen:
    page: Page
    served: Served

    def open(self, path: str) -> int:
        response = self.page.goto(f"{self.served.address}/family/{path}")
        assert response is not None
        return len(response.body())

    def shoot(self, name: str) -> None:
        """Keep a picture where SCREENSHOTS says to."""
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        wide: int = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return wide


def screen_of(browser: Browser, served: Served, *, javascript: bool = True) -> Screen:
    context = browser.new_context(viewport=PHONE, java_script_enabled=javascript, locale="zh-CN")
    # What the phone page leaves behind when a link in the chat is tapped.
    cookie = {"name": "sandbox_openid", "value": MAMA, "url": f"{served.platform}/connect"}
    context.add_cookies([cookie])  # type: ignore[list-item]
    return Screen(context.new_page(), served)


def test_every_page_is_readable_by_everybody(
    browser: Browser, served: Served, family: Person, request: pytest.FixtureRequest
) -> None:
    """axe on the phone, in the largest type, and what a wide screen changes: its places."""
    is_long = bool(request.config.getoption("--long"))
    screen = screen_of(browser, served)
    for path in PATHS:
        name = path.partition("?")[0].replace("/", "_") or "home"
        weight = screen.open(path)
        assert weight <= MAX_BYTES, path
        assert find_faults(screen.page, is_long=is_long) == [], path
        assert screen.overflow() <= 0, f"{path} is wider than the screen"
        screen.shoot(f"{name}-375")
        screen.page.evaluate("document.documentElement.className = 'largest'")
        assert screen.overflow() <= 0, f"{path} is wider than the screen in the largest type"
        screen.shoot(f"{name}-largest")
        screen.page.evaluate("document.documentElement.className = ''")
        screen.page.set_viewport_size({"width": 1280, "height": 740})
        assert screen.overflow() <= 0, f"{path} is wider than a wide screen"
        screen.shoot(f"{name}-1280")
        screen.page.set_viewport_size(PHONE)
    screen.page.context.close()


def test_larger_type_is_a_tap_away_and_remembered(
    browser: Browser, served: Served, family: Person
) -> None:
    screen = screen_of(browser, served)
    screen.open("")
    for _ in range(2):
        screen.page.get_by_role("button", name="字再大些").click()
    expect(screen.page.locator("html")).to_have_class("largest")
    screen.open("me")
    expect(screen.page.locator("html")).to_have_class("largest")
    screen.page.context.close()


def test_a_mother_finds_signs_up_and_cancels_without_javascript(
    browser: Browser, served: Served, family: Person
) -> None:
    screen = screen_of(browser, served, javascript=False)
    page = screen.page
    screen.open("")
    page.get_by_role("navigation").get_by_role("link", name="活动").click()
    page.get_by_role("link", name="亲子游戏", exact=True).first.click()
    page.get_by_role("button", name="报名：糖糖").click()
    expect(page.get_by_role("status")).to_contain_text("糖糖报名成功")
    address = page.url
    page.go_back()
    page.goto(address)
    expect(page.get_by_role("heading", name="糖糖：已报名")).to_be_visible()
    page.get_by_text("去不了了").click()
    page.get_by_role("button", name="取消糖糖的报名").click()
    expect(page.get_by_role("status")).to_contain_text("名额已取消")
    page.context.close()


def test_the_year_is_planned_at_a_tap(browser: Browser, served: Served, family: Person) -> None:
    screen = screen_of(browser, served)
    screen.open("year-plan")
    screen.page.get_by_role("button", name="全部报名").click()
    expect(screen.page.get_by_role("status")).to_contain_text("都报上了")
    screen.shoot("year_agreed")
    screen.page.context.close()


def test_a_full_session_is_waited_for(browser: Browser, served: Served, family: Person) -> None:
    screen = screen_of(browser, served)
    screen.open("sessions/CQ-2")
    screen.page.get_by_role("button", name="排候补").click()
    expect(screen.page.get_by_role("status")).to_contain_text("第1位")
    screen.shoot("waiting")
    screen.page.context.close()


def test_a_page_prints_without_its_buttons(
    browser: Browser, served: Served, family: Person
) -> None:
    screen = screen_of(browser, served)
    screen.open("me/data")
    screen.page.emulate_media(media="print")
    expect(screen.page.get_by_role("navigation")).to_be_hidden()
    expect(screen.page.get_by_role("heading", name="宝宝")).to_be_visible()
    screen.page.context.close()


def test_an_erased_family_is_gone(browser: Browser, served: Served, family: Person) -> None:
    screen = screen_of(browser, served)
    screen.open("me/erase")
    screen.page.get_by_label("我知道不能恢复").check()
    screen.page.get_by_role("button", name="注销并删除").click()
    expect(screen.page.get_by_role("status")).to_contain_text("已注销")
    screen.page.context.close()
