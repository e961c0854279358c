"""The console in a real browser, on a phone and on a desktop."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zlib import crc32

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from sqlalchemy import select

from app.clock import now as real_now
from app.config import Settings
from app.db import Database
from app.models import Family
from app.services import timekeeping
from tests.chromium import chromium
from tests.console.conftest import Rows, console_app
from tests.console.desk_world import (
    PASSWORD,
    make_child,
    make_follow_up,
    make_notice,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)
from tests.console.routes import SEES, filled
from tests.fitness import find_faults
from tests.serving import serving

pytestmark = pytest.mark.browser

WIDTHS = (375, 1280)
HEIGHT = 800
PATHS = (
    "/console/",
    "/console/pending",
    "/console/sessions",
    "/console/sessions/CQ-1",
    "/console/follow-ups",
    "/console/notices",
    "/console/notices?state=all",
    "/console/nonsense",
)
"""Where long names and many rows may not fit."""
NO_PAGES = frozenset(
    {
        "/console/files/template/<kind>.<suffix>",
        "/console/visits/visitors/<id:visitor_id>/photo",
        # Open on the day itself alone: test_teachers_day.py, test_timetable_browser.py.
        *(f"/console/sessions/<code>/{each}" for each in ("check-in", "walk-in", "paper")),
        "/console/sessions/<code>/walk-in/new",
    }
)
"""Routes that answer with a file or a picture, or send elsewhere."""
PARTS = 3
"""So that no one test takes minutes on a slow machine."""
MIN_TARGET = 44


@dataclass(frozen=True)
class Screen:
    """One page in the browser, and the address of the console that it talks to."""

    page: Page
    address: str
    widths: tuple[int, ...]
    """In pixels; what is looked at is looked at in each."""
    is_long: bool = False

    def is_examined(self, name: str, width: int) -> bool:
        """Whether axe has a look: with --long at every width, else at one, pages in turn."""
        turn = crc32(name.encode()) % len(self.widths)
        return self.is_long or width == self.widths[turn]

    def in_turn(self, name: str) -> "Screen":
        """With --long at every width, else at one: for pages that are many and plain."""
        width = self.widths[crc32(name.encode()) % len(self.widths)]
        return self if self.is_long else replace(self, widths=(width,))

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def log_in(self, username: str = "wang") -> None:
        self.open("/console/login")
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()

    def be_wide(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": HEIGHT})

    def shoot(self, name: str, width: int) -> None:
        """Keep a picture where SCREENSHOTS says to."""
        if folder := os.environ.get("SCREENSHOTS"):
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def address(settings: Settings, database: Database) -> Iterator[str]:
    """A served console. Its clock is the real one: a browser throws old cookies away."""
    with serving(console_app(settings, database)) as address:
        yield address


@contextmanager
def _looking(
    browser: Browser, address: str, widths: tuple[int, ...], *, is_long: bool
) -> Iterator[Screen]:
    size = ViewportSize(width=widths[0], height=HEIGHT)
    context = browser.new_context(viewport=size, locale="zh-CN")
    yield Screen(context.new_page(), address, widths, is_long)
    context.close()


@pytest.fixture(params=WIDTHS)
def screen(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Screen]:
    """A way that is gone once on a phone and once on a desktop."""
    is_long = bool(request.config.getoption("--long"))
    with _looking(browser, address, (request.param,), is_long=is_long) as screen:
        yield screen


@pytest.fixture
def screens(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Screen]:
    """Pages that are opened once, and looked at on a phone and on a desktop."""
    is_long = bool(request.config.getoption("--long"))
    with _looking(browser, address, WIDTHS, is_long=is_long) as screen:
        yield screen


@pytest.fixture
def busy_desk(database: Database) -> datetime:
    """A day on which much waits, with long names among it."""
    at = real_now()
    with database.transaction() as db:
        station = make_station(db, "CQ")
        wang = make_staff(db, "wang", at, station=station)
        make_staff(db, "visitor", at, role="visitor", station=station)
        session = make_session(db, station, "CQ-1", at + timedelta(days=2), places=12)
        make_session(
            db,
            station,
            "CQ-2026-12-SPRING",
            at + timedelta(days=4),
            title="祖辈课堂：带好孙辈有办法，玩具收纳和日常安全",
        )
        make_session(db, station, "CQ-3", at + timedelta(days=5), state="cancelled")
        for number, nickname in enumerate(("糖糖", "小豆子", "一个名字特别特别长的宝宝")):
            child = make_child(db, nickname, at, station=station)
            make_sign_up(db, session, child, at - timedelta(hours=5 - number))
        done = make_child(db, "米粒", at, station=station)
        make_sign_up(db, session, done, at, state="confirmed", decided_by=wang)
        waiting = make_child(db, "果果", at, station=station)
        make_sign_up(db, session, waiting, at, state="waitlisted")
        refused = make_child(db, "安安", at, station=station)
        make_sign_up(
            db, session, refused, at, state="declined", decided_by=wang, reason="名额已经满了"
        )
        make_follow_up(
            db, at, kind="emergency", child=done, station=station, detail="宝宝抽搐了怎么办"
        )
        make_follow_up(db, at, child=waiting, station=station)
        make_follow_up(
            db,
            at,
            kind="notice_unknown",
            child=done,
            station=station,
            detail="notice:12 sign_up_confirmed crashed_while_sending",
        )
        make_notice(db, done, at, reason="crashed_while_sending")
        make_notice(db, waiting, at, state="failed", reason="refused:40037")
        make_notice(db, refused, at, state="sent", text="报名确认啦！")
    return at


@pytest.fixture
def empty_desk(database: Database) -> None:
    with database.transaction() as db:
        make_staff(db, "wang", real_now(), station=make_station(db, "CQ"))


def check_page(screen: Screen, name: str) -> None:
    """Nothing for axe to find, nothing beyond the screen's edge, nothing too small to tap."""
    for width in screen.widths:
        screen.be_wide(width)
        screen.shoot(name, width)
        if screen.is_examined(name, width):
            found = find_faults(screen.page, is_long=screen.is_long)
            assert found == [], f"{name}, {width} px"
        overflow = screen.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} is {overflow} px too wide for {width}"
        small = screen.page.evaluate(
            """least => [...document.querySelectorAll(
                'a, button, summary, input:not([type=hidden])'
            )]
            .filter(element => element.checkVisibility() && !element.matches('.skip-link'))
            .map(element => element.closest('label') ?? element)
            .filter(element => element.getBoundingClientRect().height < least - 0.5)
            .map(element => element.outerHTML.slice(0, 80))""",
            MIN_TARGET,
        )
        assert small == [], f"{name} has targets under {MIN_TARGET} px at {width}: {small}"
    screen.be_wide(screen.widths[0])


PALE_AND_PLAIN = """<!doctype html><html lang="zh-CN"><title>名单</title><main><h1>名单</h1>
<ul>{rows}<li style="color: #aaa">看不清的字</li>
<li style="background: #444"><b>看不清的底</b></li></ul>
<label><input disabled style="color: #aaa" value="不用看清"> 填不了</label></main></html>"""


def test_one_pale_word_among_many_good_ones_is_found(browser: Browser) -> None:
    """Contrast is measured on one of each look: all that look otherwise are among them."""
    page = browser.new_page()
    page.set_content(PALE_AND_PLAIN.format(rows="<li>看得清的字</li>" * 30))
    quick = find_faults(page)
    assert page.locator("li[data-looked-at]").count() == 2
    assert [(rule, len(elements)) for rule, _, elements in quick] == [("color-contrast", 2)]
    assert find_faults(page, is_long=True) == quick
    page.close()


@pytest.fixture
def now() -> datetime:
    """The desk's day is today: the served console has the real clock."""
    return real_now()


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_that_there_is_is_fit_for_everybody(
    screens: Screen, rows: Rows, part: int
) -> None:
    """Those of the table of routes: a page that is new is looked at without being named here."""
    pages = [rule for rule in SEES if rule not in NO_PAGES]
    for username, role in (("district", "district"), ("v1", "visitor")):
        own = [rule for rule in pages if (SEES[rule] == "visitor") == (role == "visitor")]
        assert all(role in SEES[rule].split() for rule in own)
        screens.log_in(username)
        for rule in own[part::PARTS]:
            screens.open(filled(rule, rows))
            check_page(screens.in_turn(rule), name_of(rule))
        screens.page.get_by_role("button", name="退出").click()


def name_of(rule: str) -> str:
    """For the picture: /console/sessions/<code>/edit → sessions-code-edit."""
    return re.sub("[^a-z-]+", "-", rule.removeprefix("/console/")).strip("-") or "today"


def test_every_page_of_a_busy_desk_is_fit_for_everybody(
    screens: Screen, busy_desk: datetime
) -> None:
    screens.open("/console/login")
    check_page(screens, "log-in")
    screens.log_in()
    for path in PATHS:
        screens.open(path)
        name = path.removeprefix("/console/").replace("/", "-") or "today"
        check_page(screens.in_turn(name), name)


def picture(screen: Screen, name: str) -> None:
    """For the guide, where YUBAN_PICTURES says to keep it: as on a desktop."""
    folder = os.environ.get("YUBAN_PICTURES")
    if folder and screen.widths == WIDTHS[-1:]:
        screen.be_wide(WIDTHS[-1])
        screen.page.screenshot(path=Path(folder) / f"{name}.png")


def test_every_page_of_an_empty_desk_is_fit_for_everybody(
    screens: Screen, empty_desk: None
) -> None:
    screens.log_in()
    for path in ("/console/", "/console/pending", "/console/sessions", "/console/notices"):
        screens.open(path)
        name = "empty-" + (path.removeprefix("/console/") or "today")
        check_page(screens.in_turn(name), name)


def test_a_refused_log_in_and_a_role_without_pages_are_fit_for_everybody(
    screens: Screen, busy_desk: datetime
) -> None:
    screens.open("/console/login")
    screens.page.get_by_label("用户名").fill("wang")
    screens.page.get_by_label("密码").fill("a wrong guess")
    screens.page.get_by_role("button", name="登录").click()
    check_page(screens, "log-in-refused")
    screens.log_in("visitor")
    check_page(screens, "forbidden")


def test_the_districts_coverage_and_the_operators_page_are_fit_for_everybody(
    screens: Screen, busy_desk: datetime, database: Database
) -> None:
    with database.transaction() as db:
        timekeeping.record_start(db, "tidy", busy_desk - timedelta(days=3))
        timekeeping.record_end(db, "tidy", "failed", busy_desk, error="OperationalError")
        timekeeping.record_start(db, "queue_packs", busy_desk)
        timekeeping.record_end(db, "queue_packs", "queued 12 packs, skipped 3", busy_desk)
        make_staff(db, "district", busy_desk, role="district")
        for number, family in enumerate(db.scalars(select(Family).order_by(Family.id))):
            family.need = None if number == 0 else True
    screens.log_in("district")
    screens.open("/console/coverage")
    check_page(screens, "coverage-district")
    screens.open(f"/console/coverage?year={busy_desk.year - 1}")
    check_page(screens, "coverage-last-year")
    screens.open("/console/operations")
    check_page(screens, "operations")


def test_a_teacher_confirms_one_child_and_declines_another(
    screen: Screen, busy_desk: datetime
) -> None:
    screen.log_in()
    screen.page.get_by_role("link", name="个报名等您确认").click()
    row = screen.page.get_by_role("listitem").filter(has_text="糖糖")
    row.get_by_role("button", name="确认", exact=True).click()
    assert "已确认：糖糖" in screen.page.get_by_role("status").inner_text()

    row = screen.page.get_by_role("listitem").filter(has_text="小豆子")
    row.get_by_text("不能安排").click()
    row.get_by_label("这场的名额已经安排满了").check()
    check_page(screen, "pending-declining")
    row.get_by_role("button", name="婉拒并通知家长").click()
    assert "已婉拒：小豆子" in screen.page.get_by_role("status").inner_text()
    check_page(screen, "pending-declined")


def test_the_whole_way_can_be_gone_with_the_keyboard_alone(
    screen: Screen, busy_desk: datetime
) -> None:
    screen.open("/console/login")
    keyboard = screen.page.keyboard
    expect(screen.page.get_by_label("用户名")).to_be_focused()
    keyboard.type("wang")
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    screen.page.wait_for_url("**/console/")
    screen.page.get_by_role("link", name="个报名等您确认").focus()
    keyboard.press("Enter")
    screen.page.wait_for_url("**/console/pending")
    screen.page.locator("summary").first.focus()
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.press("Space")
    keyboard.press("Tab")
    keyboard.type("老师生病了")
    keyboard.press("Enter")
    assert "已婉拒：糖糖" in screen.page.get_by_role("status").inner_text()


def test_everything_works_with_scripts_switched_off(
    browser: Browser, address: str, busy_desk: datetime
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 375, "height": 800})
    screen = Screen(context.new_page(), address, WIDTHS[:1])
    screen.log_in()
    screen.page.get_by_role("link", name="更多").click()
    screen.page.get_by_role("link", name="要人来办的事").click()
    row = screen.page.get_by_role("listitem").filter(has_text="宝宝抽搐了怎么办")
    row.get_by_role("button", name="处理完了").click()
    assert "已记为处理完了" in screen.page.get_by_role("status").inner_text()
    screen.page.get_by_role("button", name="退出").click()
    assert screen.page.url == address + "/console/login"
    context.close()


def test_a_request_is_confirmed_by_the_keyboard_alone(
    screen: Screen,
    busy_desk: datetime,
) -> None:
    screen.log_in()
    screen.open("/console/pending")
    keyboard = screen.page.keyboard
    for key in ("j", "j", "k", "c"):
        keyboard.press(key)
    screen.page.wait_for_url("**/console/pending")
    assert "已确认：糖糖" in screen.page.get_by_role("status").inner_text()


def test_what_is_printed_has_no_buttons(screen: Screen, busy_desk: datetime) -> None:
    screen.log_in()
    screen.open("/console/families")
    screen.page.emulate_media(media="print")
    assert screen.page.locator(".listed").is_visible()
    assert not screen.page.locator(".find").is_visible()
    assert not screen.page.locator(".files").is_visible()
