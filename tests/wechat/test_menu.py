"""The menu within the platform's limits, and its words."""

import pytest

from app.wechat.menu import MENU, Button, Group, Menu, MenuInvalid, check_menu, menu_body


def group(
    name: str = "找活动", buttons: tuple[Button, ...] = (Button("近期活动", "活动"),)
) -> Group:
    return Group(name, buttons)


def test_our_menu_keeps_to_the_limits() -> None:
    check_menu(MENU)


def test_every_button_says_a_word_once() -> None:
    words = [button.word for each in MENU.groups for button in each.buttons]

    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    "menu",
    [
        Menu(()),
        Menu((group(),) * 4),
        Menu((group(buttons=()),)),
        Menu((group(buttons=(Button("活动", "活动"),) * 6),)),
        Menu((group(name=""),)),
        Menu((group(name="一二三四五六"),)),
        Menu((group(buttons=(Button("", "活动"),)),)),
        Menu((group(buttons=(Button("一" * 21, "活动"),)),)),
        Menu((group(buttons=(Button("活动", ""),)),)),
        Menu((group(buttons=(Button("活动", "一" * 43),)),)),
    ],
)
def test_what_the_platform_would_refuse_is_refused_here(menu: Menu) -> None:
    with pytest.raises(MenuInvalid):
        menu_body(menu)


def test_names_and_keys_at_their_limits_pass() -> None:
    check_menu(Menu((group("一二三四五a", (Button("一" * 20, "一" * 42 + "ab"),)),)))
