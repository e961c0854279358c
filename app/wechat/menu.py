"""The account's menu, as data: up to three groups of up to five buttons.

A button says for its person what they could have typed: its key is the word.
"""

from dataclasses import dataclass
from typing import Protocol

MAX_GROUPS = 3
MAX_BUTTONS = 5
GROUP_NAME_BYTES = 16
BUTTON_NAME_BYTES = 60
KEY_BYTES = 128


@dataclass(frozen=True, slots=True)
class Button:
    name: str
    word: str
    """What a tap says, the same as when it is typed."""


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Menu:
    groups: tuple[Group, ...]


class MenuInvalid(Exception):
    """The menu breaks a limit of the platform; the text says which."""


MENU = Menu(
    (
        Group(
            "找活动",
            (
                Button("近期活动", "活动"),
                Button("我的预约", "我的预约"),
                Button("年度计划", "年度计划"),
                Button("登记宝宝", "登记"),
            ),
        ),
        Group(
            "我家",
            (
                Button("育儿资料", "资料"),
                Button("七会课程", "课程"),
                Button("学下一课", "下一课"),
                Button("我的信息", "我的信息"),
                Button("邀请家人", "邀请"),
            ),
        ),
        Group(
            "帮助",
            (
                Button("怎么用", "帮助"),
                Button("找老师", "人工"),
            ),
        ),
    )
)


def check_menu(menu: Menu) -> None:
    """Raises MenuInvalid where the platform would refuse the menu."""
    if not 1 <= len(menu.groups) <= MAX_GROUPS:
        raise MenuInvalid(f"a menu has 1 to {MAX_GROUPS} groups")
    for group in menu.groups:
        if not 1 <= len(group.name.encode()) <= GROUP_NAME_BYTES:
            raise MenuInvalid(f"{group.name}: a group's name has 1 to {GROUP_NAME_BYTES} bytes")
        if not 1 <= len(group.buttons) <= MAX_BUTTONS:
            raise MenuInvalid(f"{group.name}: a group has 1 to {MAX_BUTTONS} buttons")
        for button in group.buttons:
            if not 1 <= len(button.name.encode()) <= BUTTON_NAME_BYTES:
                raise MenuInvalid(f"{button.name}: a name has 1 to {BUTTON_NAME_BYTES} bytes")
            if not 1 <= len(button.word.encode()) <= KEY_BYTES:
                raise MenuInvalid(f"{button.name}: a key has 1 to {KEY_BYTES} bytes")


def menu_body(menu: Menu) -> dict[str, object]:
    """The menu as the platform takes it. Raises MenuInvalid."""
    check_menu(menu)
    return {
        "button": [
            {
                "name": group.name,
                "sub_button": [
                    {"type": "click", "name": button.name, "key": button.word}
                    for button in group.buttons
                ],
            }
            for group in menu.groups
        ]
    }


class Publisher(Protocol):
    """Whoever can put a menu in place: app.wechat.client.PlatformClient."""

    def publish_menu(self, menu: Menu) -> None: ...


def publish(client: Publisher) -> Menu:
    """Make the account's menu this one. Raises what the client raises."""
    client.publish_menu(MENU)
    return MENU
