"""The account's menu: three buttons of up to five, each limit with its own error code."""

from typing import Any

import pytest

from tests.sandbox.playing import Handle

CREATE = "/cgi-bin/menu/create"


def click(name: str = "活动", key: str = "sessions") -> dict[str, Any]:
    return {"type": "click", "name": name, "key": key}


def view(url: str) -> dict[str, Any]:
    return {"type": "view", "name": "看看", "url": url}


def under(*buttons: dict[str, Any], name: str = "更多") -> dict[str, Any]:
    return {"name": name, "sub_button": list(buttons)}


def test_a_menu_is_given_back_as_it_was_made(sandbox: Handle) -> None:
    made = [
        click(),
        under(click("我的", "mine"), view("https://example.test/")),
        click("帮助", "h"),
    ]
    assert sandbox.call(CREATE, {"button": made})["errcode"] == 0
    top = sandbox.call("/cgi-bin/menu/get")["menu"]["button"]
    assert [button["name"] for button in top] == ["活动", "更多", "帮助"]
    assert top[1]["sub_button"][1]["url"] == "https://example.test/"
    assert top[0] == click() | {"sub_button": []}


def test_the_phone_gets_the_menu(sandbox: Handle) -> None:
    assert sandbox.client.get("/_sandbox/phone").get_json()["menu"] is None
    sandbox.call(CREATE, {"button": [click()]})
    assert sandbox.client.get("/_sandbox/phone").get_json()["menu"][0]["key"] == "sessions"


def test_a_deleted_menu_is_gone(sandbox: Handle) -> None:
    sandbox.call(CREATE, {"button": [click()]})
    assert sandbox.call("/cgi-bin/menu/delete")["errcode"] == 0
    assert sandbox.call("/cgi-bin/menu/get")["errcode"] == 46003


@pytest.mark.parametrize(
    "button",
    [
        click(name="五个汉字长"),
        click(name="a" * 16),
        click(key="k" * 128),
        under(click(name="字" * 20)),
        under(*[click(key=str(number)) for number in range(5)]),
        view("https://example.test/" + "u" * (1024 - len("https://example.test/"))),
    ],
)
def test_what_just_fits_is_taken(sandbox: Handle, button: dict[str, Any]) -> None:
    assert sandbox.call(CREATE, {"button": [button]})["errcode"] == 0


@pytest.mark.parametrize(
    ("buttons", "errcode"),
    [
        ([], 40016),
        ([click()] * 4, 40016),
        ([{"type": "sing", "name": "唱"}], 40017),
        ([click(name="a" * 17)], 40018),
        ([click(name="")], 40018),
        ([under(click(), name="六个汉字太长")], 40018),
        ([click(key="k" * 129)], 40019),
        ([click(key="")], 40019),
        ([view("https://example.test/" + "u" * (1025 - len("https://example.test/")))], 40020),
        ([view("javascript:alert(1)")], 40020),
        ([under(*[click()] * 6)], 40023),
        ([under({"type": "sing", "name": "唱"})], 40024),
        ([under(under(click()))], 40024),
        ([under(click(name="a" * 61))], 40025),
        ([under(click(key="k" * 129))], 40026),
        ([under(view("ftp://example.test"))], 40027),
        ([{"type": "click"}], 47001),
    ],
)
def test_what_does_not_fit_is_refused_with_its_code_and_changes_nothing(
    sandbox: Handle, buttons: list[dict[str, Any]], errcode: int
) -> None:
    sandbox.call(CREATE, {"button": [click("原来的", "old")]})
    assert sandbox.call(CREATE, {"button": buttons})["errcode"] == errcode
    top = sandbox.call("/cgi-bin/menu/get")["menu"]["button"]
    assert [button["key"] for button in top] == ["old"]
