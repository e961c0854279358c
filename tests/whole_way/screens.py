"""The whole way's two screens, a parent's phone and a teacher's console, and their pictures."""

import os
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

PATIENCE_MS = 10_000
"""The longest that a screen may take to show what was done; on two busy cores, too."""
PHONE = (375, 812)
DESK = (1280, 960)
# For the phone page beside its guide: there shadows and slow changes of colour would make the
# picture three times as large, and a window that grew smaller hides the newest words.
SMALL_DESK = (1280, 720)
PLAIN_DESK = """() => {
    document.body.style.background = "#eceee6"
    document.querySelector(".phone").style.boxShadow = "none"
    const conversation = document.querySelector("#conversation")
    conversation.scrollTop = conversation.scrollHeight
}"""
IN = '[data-testid="message-in"]'
OUT = '[data-testid="message-out"]'


def take_picture(page: Page, name: str, size: tuple[int, int] = PHONE) -> None:
    """Keep a picture in the folder that YUBAN_PICTURES names; without it, nothing."""
    folder = os.environ.get("YUBAN_PICTURES")
    if not folder:
        return
    width, height = size
    was = page.viewport_size
    page.set_viewport_size({"width": width, "height": height})
    # Everything that slides in has arrived, and another width is laid out.
    page.wait_for_timeout(400)
    Path(folder).mkdir(parents=True, exist_ok=True)
    if size == SMALL_DESK:
        page.evaluate(PLAIN_DESK)
    page.screenshot(path=Path(folder) / f"{name}.png")
    if was is not None:
        page.set_viewport_size(was)


@dataclass(frozen=True)
class Phone:
    """The sandbox's phone page, in the hands of one person at a time."""

    page: Page

    def hand_to(self, person: str) -> None:
        button = self.page.locator(f'[data-person="{person}"]')
        button.click()
        expect(button).to_have_attribute("aria-pressed", "true")

    def follow(self) -> None:
        self.page.click("#follow")
        self.hears("这里是崇明育伴")

    def tap(self, group: str, button: str) -> None:
        """A line of the account's menu."""
        keyboard = self.page.locator("#to-menu")
        if keyboard.is_visible():
            keyboard.click()
        self.page.locator(f'[data-menu-name="{group}"]').click(timeout=PATIENCE_MS)
        self.page.locator(f'[data-menu-name="{button}"]').click()

    def say(self, text: str) -> None:
        """Typed and sent. The account has a menu, so that a phone begins with that."""
        if not self.page.locator("#text-input").is_visible():
            self.page.locator("#to-keyboard").click()
        self.page.fill("#text-input", text)
        self.page.click("#send")
        expect(self.page.locator(OUT).last).to_have_text(text, timeout=PATIENCE_MS)

    def hears(self, words: str) -> str:
        """The account's newest message, once it holds the words."""
        newest = self.page.locator(IN).last
        expect(newest).to_contain_text(words, timeout=PATIENCE_MS)
        return newest.inner_text()

    def show_newest_from_its_start(self) -> None:
        self.page.locator(IN).last.evaluate("bubble => bubble.scrollIntoView({block: 'start'})")


@dataclass(frozen=True)
class Console:
    """The staff pages."""

    page: Page
    address: str

    def log_in(self, username: str, password: str) -> None:
        self.page.goto(self.address)
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码").fill(password)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text("今天")

    def find_pending(self, nickname: str) -> Locator:
        """The child's row, reached by links from the first page."""
        self.page.goto(self.address)
        self.page.get_by_role("link", name="个报名等您确认").click()
        row = self.page.get_by_role("listitem").filter(has_text=nickname)
        expect(row).to_have_count(1)
        return row
