"""The phone page in a real browser."""

import shutil
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox import catalogue
from tests.sandbox.playing import MAMA, Answer, Received, Service
from tests.sandbox.process import Process

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN, OUT = '[data-testid="message-in"]', '[data-testid="message-out"]'
MENU = {
    "button": [
        {
            "name": "找活动",
            "sub_button": [
                {"type": "click", "name": "近期活动", "key": "sessions"},
                {"type": "scancode_waitmsg", "name": "扫码签到", "key": "check_in"},
            ],
        },
        {"type": "click", "name": "看资料", "key": "pack"},
        {"type": "view", "name": "网页", "url": "http://127.0.0.1:1/plan"},
    ]
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture(scope="module")
def process(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """One process for all phones here: it is reset before each."""
    process = Process(service, tmp_path_factory.mktemp("sandbox") / "state.json")
    yield process
    process.stop(signal.SIGKILL)


@pytest.fixture
def page(browser: Browser, process: Process, service: Service) -> Iterator[Page]:
    process.post("/_sandbox/reset", {})
    service.received.clear()
    service.respond = lambda received: Answer()
    context = browser.new_context(viewport={"width": 375, "height": 740})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(process.base)
    yield page
    context.close()
    assert troubles == []


@pytest.fixture
def chat(page: Page, service: Service) -> Page:
    """妈妈 follows and was welcomed."""
    service.respond = echo(service)
    page.click("#follow")
    expect(page.locator(IN)).to_have_count(1)
    return page


def echo(service: Service) -> Any:
    def respond(received: Received) -> Any:
        start = received.xml.rfind("<Content><![CDATA[")
        if start < 0:
            return service.reply(received, "知道了")
        content = received.xml[start + 18 :].split("]]></Content>")[0]
        return service.reply(received, f"你说：{content}")

    return respond


def publish_menu(process: Process) -> None:
    process.post(f"/cgi-bin/menu/create?access_token={process.token()}", MENU)


def check_accessible(page: Page) -> None:
    violations = Axe().run(page).response["violations"]
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in violations] == []


def test_a_parent_follows_writes_and_is_answered(chat: Page) -> None:
    expect(chat.locator('[data-testid="message-system"]')).to_have_text("你已关注崇明育伴")
    chat.fill("#text-input", "登记 糖糖 😀")
    chat.click("#send")
    expect(chat.locator(OUT)).to_have_text("登记 糖糖 😀")
    expect(chat.locator(IN).last).to_have_text("你说：登记 糖糖 😀")


def test_what_a_service_sends_is_never_html_and_links_open_a_new_tab(chat: Page) -> None:
    chat.fill(
        "#text-input",
        '<img src=x onerror=alert(1)> http://127.0.0.1:1/a?b=1。<a href="http://127.0.0.1:1/c">看看</a>'
        ' <a href="javascript:alert(2)">别点</a>',
    )
    chat.keyboard.press("Enter")
    answer = chat.locator(IN).last
    expect(answer).to_contain_text("<img src=x onerror=alert(1)>")
    assert answer.locator("img").count() == 0
    links = answer.locator("a")
    addresses = [link.get_attribute("href") for link in links.all()]
    assert addresses == ["http://127.0.0.1:1/a?b=1", "http://127.0.0.1:1/c"]
    assert {link.get_attribute("target") for link in links.all()} == {"_blank"}
    expect(answer).to_contain_text("别点")


def test_the_menu_clicks_and_gives_way_to_the_keyboard(chat: Page, process: Process) -> None:
    publish_menu(process)
    chat.click('[data-menu-name="找活动"]')
    chat.click('[data-menu-key="sessions"]')
    expect(chat.locator(IN).last).to_have_text("知道了")
    expect(chat.locator('[data-menu-key="sessions"]')).to_be_hidden()
    chat.click("#to-keyboard")
    expect(chat.locator("#text-input")).to_be_focused()
    chat.click("#to-menu")
    expect(chat.locator('[data-menu-url="http://127.0.0.1:1/plan"]')).to_be_visible()


def test_a_scanning_menu_button_asks_what_to_scan(
    chat: Page, process: Process, service: Service
) -> None:
    publish_menu(process)
    chat.click('[data-menu-name="找活动"]')
    chat.click('[data-menu-key="check_in"]')
    chat.fill("#scan-scene", "CQ-1206")
    chat.keyboard.press("Enter")
    expect(chat.locator(IN)).to_have_count(2)
    assert "<ScanResult><![CDATA[CQ-1206]]></ScanResult>" in service.received[-1].xml


def test_voice_is_sent_with_and_without_what_was_heard(chat: Page, service: Service) -> None:
    chat.click("#voice")
    chat.fill("#voice-text", "我要报名")
    chat.click("#voice-send")
    expect(chat.locator(OUT).last).to_contain_text("听写：我要报名")
    chat.click("#voice")
    chat.click("#voice-send")
    expect(chat.locator(OUT).last).to_contain_text("没有听写出来")
    chat.click("#voice")
    chat.keyboard.press("Escape")
    assert len(service.wait_for(3)) == 3


def test_a_stranger_scans_a_stations_code_and_follows(
    page: Page, process: Process, service: Service
) -> None:
    code = {
        "action_name": "QR_LIMIT_STR_SCENE",
        "action_info": {"scene": {"scene_str": "station:CQ"}},
    }
    process.post(f"/cgi-bin/qrcode/create?access_token={process.token()}", code)
    page.click("#scan")
    page.click('[data-scene="station:CQ"]')
    expect(page.locator("#unfollow")).to_be_enabled()
    assert "qrscene_station:CQ" in service.received[-1].xml


def test_an_unseen_message_puts_a_dot_on_its_person(chat: Page, process: Process) -> None:
    chat.click('[data-person="爸爸"]')
    expect(chat.locator("#follow")).to_be_visible()
    mama = chat.locator('[data-person="妈妈"]')
    expect(mama).not_to_have_attribute("data-unread", "")
    process.send_text(process.token())
    expect(mama).to_have_attribute("data-unread", "", timeout=1500)
    mama.click()
    expect(chat.locator(IN).last).to_have_text("你好")
    expect(mama).not_to_have_attribute("data-unread", "")


def test_a_template_card_shows_within_a_second(chat: Page, process: Process) -> None:
    values = {
        "thing1": "一起爬一爬",
        "time2": "2026年12月6日 09:30",
        "thing3": "城桥镇",
        "thing4": "糖糖",
        "phone_number5": "021-59610000",
    }
    process.post(
        f"/cgi-bin/message/template/send?access_token={process.token()}",
        {
            "touser": MAMA,
            "template_id": catalogue.BOOKING_CONFIRMED.id,
            "url": "http://127.0.0.1:1/booking",
            "data": {key: {"value": value} for key, value in values.items()},
        },
    )
    card = chat.locator(f'{IN}[data-kind="template"]')
    expect(card).to_contain_text("城桥镇", timeout=1000)
    expect(card.locator("a")).to_have_attribute("href", "http://127.0.0.1:1/booking")


def test_a_message_menu_answers_with_a_tap(chat: Page, process: Process) -> None:
    process.post(
        f"/cgi-bin/message/custom/send?access_token={process.token()}",
        {
            "touser": MAMA,
            "msgtype": "msgmenu",
            "msgmenu": {"head_content": "想问哪个？", "list": [{"id": "7", "content": "活动"}]},
        },
    )
    chat.click('[data-choice="7"]')
    expect(chat.locator(IN).last).to_contain_text("你说：活动")


def test_a_consent_is_asked_for_and_given(chat: Page, process: Process) -> None:
    process.post(f"/_sandbox/people/{MAMA}/ask_consent", {"template_id": catalogue.PACK_READY.id})
    chat.click("#asked .allow")
    expect(chat.locator("#asked")).to_be_hidden()
    chat.click("#consents")
    row = chat.locator(f'#subscriptions [data-template="{catalogue.PACK_READY.id}"]')
    expect(row).to_contain_text("还可以发 1 次")


def test_leaving_shows_the_account_again(chat: Page) -> None:
    chat.click("#unfollow")
    expect(chat.locator("#follow")).to_be_visible()
    expect(chat.locator("#unfollow")).to_be_disabled()


def test_a_page_opened_from_the_chat_learns_who_opened_it(chat: Page, process: Process) -> None:
    state = process.http.request("GET", process.base + "/_sandbox/state").json()
    back = quote(process.base + "/_sandbox/stats", safe="")
    link = (
        f"{process.base}/connect/oauth2/authorize?appid={state['app_id']}"
        f"&redirect_uri={back}&response_type=code&scope=snsapi_base&state=1"
    )
    chat.fill("#text-input", link)
    chat.click("#send")
    with chat.context.expect_page() as opened:
        chat.locator(IN).last.locator("a").click()
    opened.value.wait_for_url("**/_sandbox/stats?code=*")


def test_after_a_reset_the_page_begins_anew(chat: Page, process: Process) -> None:
    process.post("/_sandbox/reset", {})
    expect(chat.locator("#follow")).to_be_visible()
    expect(chat.locator(IN)).to_have_count(0)


def test_it_all_works_by_keyboard(page: Page, service: Service) -> None:
    service.respond = echo(service)
    page.locator('[data-person="外婆"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#owner")).to_have_text("外婆的手机")
    page.locator("#follow").focus()
    page.keyboard.press("Space")
    expect(page.locator(IN)).to_have_count(1)
    page.locator("#text-input").focus()
    page.keyboard.type("你好")
    page.keyboard.press("Tab")
    expect(page.locator("#send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(IN).last).to_have_text("你说：你好")


@pytest.mark.parametrize("width", [375, 1280])
def test_the_phone_is_accessible_and_fits(chat: Page, process: Process, width: int) -> None:
    publish_menu(process)
    chat.set_viewport_size({"width": width, "height": 800})
    chat.click('[data-menu-name="找活动"]')
    check_accessible(chat)
    assert chat.evaluate("document.documentElement.scrollWidth") == width
    small = chat.evaluate(
        """[...document.querySelectorAll('.phone button, .phone input, .menu-buttons a, .try')]
        .filter((one) => one.offsetParent && (one.offsetHeight < 44 || one.offsetWidth < 44))
        .map((one) => one.outerHTML)"""
    )
    assert small == []
    for opens in ("#voice", "#scan", "#consents"):
        chat.click(opens)
        check_accessible(chat)
        chat.keyboard.press("Escape")


def test_the_operator_page_is_accessible_and_lays_a_fault(page: Page, process: Process) -> None:
    page.goto(process.base + "/_sandbox/")
    page.select_option('select[name="errcode"]', "45009")
    page.select_option('select[name="path"]', "/cgi-bin/message/custom/send")
    page.click("text=放一个故障")
    expect(page.locator("#said")).to_have_text("好了。")
    (fault,) = process.http.request("GET", process.base + "/_sandbox/faults").json()
    assert (fault["errcode"], fault["times"]) == (45009, 1)
    check_accessible(page)
    page.set_viewport_size({"width": 375, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_a_code_that_has_run_out_is_told_on_the_phone(chat: Page, process: Process) -> None:
    code = {
        "action_name": "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": "today"}},
        "expire_seconds": 60,
    }
    process.post(f"/cgi-bin/qrcode/create?access_token={process.token()}", code)
    process.post("/_sandbox/clock", {"offset_seconds": 61})
    chat.click("#scan")
    chat.fill("#scan-scene", "today")
    chat.click("#scan-send")
    expect(chat.locator("#toast")).to_have_text("这个二维码已经过期，请换一个。")
