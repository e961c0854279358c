"""The whole way in a browser: a parent's message becomes a place that a teacher confirms.

Everything is real but the WeChat platform: ./dev run with its web server, scheduler,
deliverer, Redis and demo data, the sandbox's phone, and the console. With YUBAN_PICTURES
naming a folder, the README's pictures are taken on the way.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from app.clock import SHANGHAI, now
from app.demo import DEMO_LOGINS
from tests.chromium import chromium
from tests.devtools.whole_run import Run, folder_of_links, running
from tests.whole_way.screens import (
    DESK,
    PATIENCE_MS,
    PHONE,
    SMALL_DESK,
    Console,
    Phone,
    take_picture,
)

pytestmark = pytest.mark.browser

STAFF_SESSION = "CQ-11"
"""Of the demo data: a teacher confirms it, it lies 6 to 13 days ahead, for 3 to 8 months."""
HALF_A_YEAR = timedelta(days=170)
TEACHER = next(login for login in DEMO_LOGINS if login.username == "chengqiao")

log = logging.getLogger(__name__)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One service for all ways: each goes with people and children of its own."""
    with folder_of_links(tmp_path_factory.mktemp("run")) as root, running(root) as run:
        yield run


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Opens pages of a phone's size; a script error on any of them fails the test."""
    contexts = []
    troubles: list[str] = []

    def open_one() -> Page:
        width, height = PHONE
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.fixture
def phone(open_page: Callable[[], Page], run: Run) -> Phone:
    page = open_page()
    page.goto(run.phone)
    return Phone(page)


@pytest.fixture
def console(open_page: Callable[[], Page], run: Run) -> Console:
    return Console(open_page(), run.console)


def half_a_year_ago() -> str:
    return (now().astimezone(SHANGHAI).date() - HALF_A_YEAR).isoformat()


def register_step_by_step(phone: Phone) -> None:
    phone.tap("找活动", "登记宝宝")
    phone.hears("儿童个人信息告知")
    phone.say("同意")
    phone.hears("小名")
    phone.say("糖糖")
    phone.hears("糖糖的生日是哪天")
    phone.say(half_a_year_ago())
    phone.hears("哪个乡镇")
    phone.say("城桥")
    phone.hears("男宝宝还是女宝宝")
    phone.say("女")
    phone.hears("足月")
    phone.say("足月")
    phone.hears("登记成功")
    phone.say("需要")
    phone.hears("记下了：需要")


def test_a_parents_wish_becomes_a_place_that_a_teacher_confirms(
    phone: Phone, console: Console, record_property: Callable[[str, object], None]
) -> None:
    phone.hand_to("妈妈")
    phone.follow()
    register_step_by_step(phone)
    take_picture(phone.page, "phone-registered")

    phone.tap("找活动", "近期活动")
    assert STAFF_SESSION in phone.hears("能参加的活动")
    phone.show_newest_from_its_start()
    take_picture(phone.page, "phone-sessions")
    phone.say(f"报名 {STAFF_SESSION}")
    phone.hears("待确认")
    phone.say("我的预约")
    assert "待确认" in phone.hears("您约了这些")

    console.log_in(TEACHER.username, TEACHER.password)
    row = console.find_pending("糖糖")
    take_picture(console.page, "console-pending", DESK)
    row.evaluate("row => row.scrollIntoView({block: 'start'})")
    take_picture(console.page, "console-pending-phone")
    began = time.monotonic()
    row.get_by_role("button", name="确认", exact=True).click()
    confirmation = phone.hears("报名确认啦！糖糖可以来参加")
    seconds = round(time.monotonic() - began, 2)

    expect(console.page.get_by_role("status")).to_contain_text("已确认：糖糖")
    assert seconds < PATIENCE_MS / 1000
    assert f"取消 {STAFF_SESSION}" in confirmation
    record_property("seconds_from_the_teachers_click_to_the_phone", seconds)
    log.info("%s s from the teacher's click to the phone", seconds)
    take_picture(phone.page, "phone-confirmed")
    take_picture(phone.page, "phone-page", SMALL_DESK)
    phone.say("我的预约")
    assert "已报名" in phone.hears("您约了这些")


def test_a_grandmother_joins_her_daughters_family_and_is_forgotten_when_she_leaves(
    phone: Phone,
) -> None:
    phone.hand_to("爸爸")
    phone.follow()
    phone.say(f"登记 豆豆 {half_a_year_ago()} 男 堡镇")
    phone.hears("儿童个人信息告知")
    phone.say("同意")
    phone.hears("登记成功")
    phone.tap("我家", "邀请家人")
    invitation = re.search(r"加入 ([0-9A-Z]{8})", phone.hears("3天内有效"))
    assert invitation is not None

    phone.hand_to("外婆")
    phone.follow()
    phone.say(f"加入 {invitation[1]}")
    phone.hears("加入成功！您现在可以一起照应豆豆了")
    phone.say("外婆")
    phone.hears("记下了")
    phone.say("我的信息")
    assert "家里有2位养育人" in phone.hears("豆豆")
    phone.hand_to("爸爸")
    phone.hears("已经加入您的家庭")

    phone.hand_to("外婆")
    phone.page.click("#unfollow")
    expect(phone.page.locator("#follow")).to_be_visible(timeout=PATIENCE_MS)
    phone.follow()
    phone.say("我的信息")
    phone.hears("没有存您家宝宝的信息")
