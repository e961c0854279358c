"""One grandmother in a browser without JavaScript: from 报名 to the certificate and its check.

The clock is the real one: a browser throws old cookies away.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from app.clock import now as real_now
from app.family.cookies import NAME
from app.wiring import Services
from content.lessons import Course
from tests.chromium import chromium
from tests.conversations.conftest import Clock, Person
from tests.family.conftest import Phone
from tests.family.test_course import hands_in
from tests.fitness import find_faults
from tests.serving import serving

pytestmark = pytest.mark.browser
PHONE = ViewportSize(width=375, height=812)


@pytest.fixture
def clock() -> Clock:
    return Clock(real_now())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture
def phone(registered: Person, open_as: Callable[[str], Phone]) -> Phone:
    """What the browser of the test is, as one that draws nothing."""
    return open_as(registered.openid)


@pytest.fixture
def opened(
    browser: Browser, address: str, phone: Phone
) -> Iterator[Callable[[bool], BrowserContext]]:
    """Browsers that WeChat has told who taps: with JavaScript, or without."""
    contexts: list[BrowserContext] = []
    phone.client.get("/family/")
    cookie = phone.client.get_cookie(NAME, path="/family")
    assert cookie is not None

    def open_one(has_javascript: bool) -> BrowserContext:
        context = browser.new_context(
            viewport=PHONE, locale="zh-CN", java_script_enabled=has_javascript, base_url=address
        )
        context.add_cookies(
            [{"name": NAME, "value": cookie.value, "domain": "127.0.0.1", "path": "/family"}]
        )
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()


def shoot(page: Page, name: str) -> None:
    """Keep a picture where SCREENSHOTS says to."""
    if folder := os.environ.get("SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def assert_is_sound(page: Page, path: str) -> None:
    """axe finds nothing, nothing runs out of a phone's screen, and what is tapped is large."""
    # So tall that nothing lies under the tabs at the foot.
    page.set_viewport_size({"width": PHONE["width"], "height": 3600})
    page.goto(path)
    assert find_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll("main button, main a.button, main .choice")]
        .map(one => [one.innerText, one.getBoundingClientRect().height])
        .filter(([, height]) => height && height < 44)"""
    )
    assert small == []


def learns_by_hand(page: Page, course: Course, module: int) -> None:
    """One module's lessons read, answered and practised, a tap at a time."""
    for lesson in course.of_module(module):
        page.get_by_role("link", name=f"下一课：{lesson.title}").first.click()
        shoot(page, f"lesson-{module}")
        for question, letter in zip(lesson.quiz, lesson.right, strict=True):
            choice = f"{letter}. {question.choices['ABC'.index(letter)]}"
            page.get_by_role("group", name=question.text).get_by_label(choice).check()
        page.get_by_role("button", name="交卷").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("这一课过了")
        shoot(page, f"marked-{module}")
    page.get_by_label("试过了，说一句？").fill("今天试了")
    page.get_by_role("button", name="打卡：我试过了").click()
    expect(page.get_by_text("这一瓣开了").first).to_be_visible()
    shoot(page, f"progress-{module}")


def test_a_grandmother_completes_the_course_without_javascript(
    opened: Callable[[bool], BrowserContext],
    phone: Phone,
    services: Services,
    browser: Browser,
    address: str,
) -> None:
    course = services.library.course
    page = opened(False).new_page()
    page.goto("/family/course")
    shoot(page, "about")
    page.get_by_role("button", name="报名").click()
    shoot(page, "begun")
    for module in course.modules[:-1]:
        # More of the same: on the phone that is hers too, without a browser's drawing it.
        for lesson in course.of_module(module.number):
            assert "这一课过了" in hands_in(phone, lesson)
        phone.posts("course/practice", module=module.number)
    page.goto("/family/course")
    learns_by_hand(page, course, course.modules[-1].number)
    page.get_by_role("link", name="看结业证书").click()
    page.get_by_label("姓名").fill("王秀英")
    page.get_by_role("button", name="写上去").click()
    picture = page.get_by_role("img", name=re.compile("结业证书"))
    expect(picture).to_be_visible()
    shoot(page, "certificate")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", page.inner_text("main"))
    assert code is not None

    anybody = browser.new_context(viewport=PHONE, java_script_enabled=False).new_page()
    anybody.goto(f"{address}/certificates/")
    anybody.get_by_label("证书编号").fill(code[0].lower())
    anybody.get_by_role("button", name="查一查").click()
    expect(anybody.get_by_role("heading", level=1)).to_have_text("证书有效")
    expect(anybody.locator("main")).to_contain_text("王*英")
    expect(anybody.locator("main")).not_to_contain_text("王秀英")
    shoot(anybody, "check")
    anybody.context.close()

    sound = opened(True).new_page()
    lesson = course.lessons[0]
    for path in (
        "/family/course",
        f"/family/course/{lesson.id}",
        f"/family/course/{lesson.id}/marked",
        "/family/course/certificate",
        f"/certificates/{code[0]}",
        "/certificates/NONE",
    ):
        assert_is_sound(sound, path)
