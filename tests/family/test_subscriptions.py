"""微信提醒: what is held, the platform's button, and the whole way of a yes in a browser."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect
from pydantic import SecretStr
from sqlalchemy import select

from app.clock import now as real_now
from app.config import Settings
from app.factory import create_app
from app.family.subscriptions import BUTTON_HASH
from app.models import SubscriptionConsent
from app.services import subscriptions
from app.services.subscriptions import Answer
from app.wiring import Services
from sandbox import catalogue, credentials, template_ids
from sandbox import web as sandbox_web
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from tests.chromium import chromium
from tests.conversations.conftest import Clock, Person
from tests.family.conftest import Phone
from tests.family.test_browser import MAMA, PHONE
from tests.fitness import find_faults
from tests.serving import serving

ONE_TIME, LASTING = catalogue.VISIT_SOON.id, catalogue.GUIDANCE_DUE.id
WECHAT = "Mozilla/5.0 (Linux; Android 9) MicroMessenger/8.0.50"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"wechat_subscriptions": template_ids.DEMO_SUBSCRIPTION_IDS})


def test_the_page_says_what_a_tap_gives_and_what_is_held(
    registered: Person, open_as: Callable[[str], Phone], services: Services
) -> None:
    phone = open_as("o-mother")
    page = phone.opens("subscriptions")
    assert "带娃资料" in page
    assert "上门提醒" in page
    assert "现在一条也不能发，点一次发一条。" in page
    with services.database.transaction() as db:
        for template_id in (ONE_TIME, ONE_TIME, LASTING):
            yes = [Answer(template_id, "accept")]
            subscriptions.note_popup(db, "o-mother", yes, registered.clock(), lasting={LASTING})
    page = phone.opens("subscriptions")
    assert "还可以发给您2条。" in page
    assert "您允许过了，有了就发给您。" in page


def test_without_the_script_it_is_a_page_to_read(
    registered: Person, open_as: Callable[[str], Phone]
) -> None:
    """No script is named in the settings: nothing is loaded, and a sentence says what to do."""
    answer = open_as("o-mother").client.get("/family/subscriptions", headers={"User-Agent": WECHAT})
    page = answer.get_data(as_text=True)
    assert "<script" not in page
    assert "在公众号里跟我们说一句话" in page
    assert BUTTON_HASH not in answer.headers["Content-Security-Policy"]


class TestWithoutSubscriptions:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"wechat_subscriptions": {}})

    def test_nothing_has_to_be_allowed(
        self, registered: Person, open_as: Callable[[str], Phone]
    ) -> None:
        assert "现在用不着另外点「允许」" in open_as("o-mother").opens("subscriptions")


class TestInABrowser:
    """A yes, the whole way: chat, page, the platform's question, its event, the ledger."""

    pytestmark = pytest.mark.browser

    @pytest.fixture
    def clock(self) -> Clock:
        return Clock(real_now())

    @pytest.fixture
    def world(self) -> World:
        world = World(SandboxSettings(callback="http://127.0.0.1:8000/wechat"))
        world.add_person("妈妈", MAMA)
        return world

    @pytest.fixture
    def platform(self, world: World) -> Iterator[str]:
        with serving(sandbox_web.create_app_over(world)) as address:
            yield address

    @pytest.fixture
    def settings(self, settings: Settings, platform: str) -> Settings:
        return settings.model_copy(
            update={
                "wechat_api_url": platform,
                "wechat_app_id": credentials.APP_ID,
                "wechat_app_secret": SecretStr(credentials.APP_SECRET),
                "wechat_token": SecretStr(credentials.TOKEN),
                "wechat_aes_key": SecretStr(credentials.AES_KEY),
                "wechat_js_sdk_url": f"{platform}/jweixin.js",
            }
        )

    def test_a_yes_is_given_to_the_platform_and_counted_here(
        self,
        person: Callable[[str], Person],
        services: Services,
        settings: Settings,
        world: World,
        platform: str,
    ) -> None:
        mother = person(MAMA)
        mother.follows()
        world.get_person(MAMA).following = True
        with serving(create_app(services, commands=False)) as address, chromium() as browser:
            vars(services.settings)["public_url"] = address
            world.settings = replace(world.settings, callback=f"{address}/wechat")
            context = browser.new_context(viewport=PHONE, user_agent=WECHAT, locale="zh-CN")
            cookie = {"name": "sandbox_openid", "value": MAMA, "url": f"{platform}/connect"}
            context.add_cookies([cookie])  # type: ignore[list-item]
            page = context.new_page()
            faults: list[str] = []
            page.on("console", lambda said: faults.append(said.text))
            page.goto(f"{address}/family/subscriptions")
            button = page.get_by_role("button", name="允许发一条给我")
            expect(button).to_be_visible()
            assert page.locator(".without").is_hidden()
            for width in (PHONE["width"], 1280):
                page.set_viewport_size({"width": width, "height": 740})
                assert find_faults(page) == []
            self.answers(page, button, "拒绝")
            expect(page.get_by_role("status")).to_have_text("好的，不发。改了主意，随时再点。")
            self.answers(page, button, "允许")
            expect(page.get_by_role("status")).to_have_text("好的，记下了。有了就发给您。")
            lasting = page.get_by_role("button", name="允许一直发给我")
            self.answers(page, lasting, "允许")
            expect(page.get_by_role("status").nth(0)).to_be_visible()
            for _ in range(50):
                if held(services) == {ONE_TIME: (1, False), LASTING: (0, True)}:
                    break
                page.wait_for_timeout(50)
            page.reload()
            expect(page.get_by_text("还可以发给您1条。")).to_be_visible()
            expect(page.get_by_text("您允许过了，有了就发给您。")).to_be_visible()
            context.close()
        assert held(services) == {ONE_TIME: (1, False), LASTING: (0, True)}
        assert world.get_person(MAMA).consents == {ONE_TIME: 1}
        assert world.get_person(MAMA).long_term == {LASTING: True}
        assert faults == []

    @staticmethod
    def answers(page: Page, button: Locator, word: str) -> None:
        with page.expect_popup() as asked:
            button.click()
        question = asked.value
        with question.expect_event("close"):
            question.get_by_role("button", name=word).click()


def held(services: Services) -> dict[str, tuple[int, bool]]:
    with services.database.reading() as db:
        rows = db.scalars(select(SubscriptionConsent)).all()
        return {row.template_id: (row.sends_left, row.is_lasting) for row in rows}
