"""生长曲线: the page."""

import base64
import re
from collections.abc import Callable

import pytest

from tests.conversations.conftest import Person
from tests.family.conftest import Phone


@pytest.fixture
def phone(registered: Person, open_as: Callable[[str], Phone]) -> Phone:
    return open_as(registered.openid)


def child_of(page: str) -> str:
    return str(re.findall(r'name="child" value="(\d+)"', page)[0])


def test_what_is_typed_is_kept_charted_and_said(phone: Phone) -> None:
    child = child_of(phone.opens("growth"))
    page = phone.posts("growth", child=child, weight="7.2", length="66")
    assert "记下了" in page
    assert "体重 7.2 公斤：" in page
    images = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(images) == 2
    svg = base64.b64decode(images[0]).decode()
    assert svg.startswith("<svg")
    assert "<script" not in svg


@pytest.mark.parametrize("typed", ["", "很重", "7.2.1", "<b>7</b>", "1e9"])
def test_what_is_no_number_is_not_kept(phone: Phone, typed: str) -> None:
    child = child_of(phone.opens("growth"))
    page = phone.posts("growth", child=child, weight=typed)
    assert "没看懂这几个数" in page
    assert "量过的" not in page


def test_an_impossible_number_is_refused_with_its_sentence(phone: Phone) -> None:
    child = child_of(phone.opens("growth"))
    assert "是不是小数点漏了" in phone.posts("growth", status=409, child=child, weight="72")


def test_another_familys_child_is_not_shown(phone: Phone) -> None:
    child = child_of(phone.opens("growth"))
    assert child_of(phone.opens("growth?child=99999")) == child
    assert child_of(phone.opens("growth?child=abc")) == child
