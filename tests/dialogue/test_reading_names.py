"""The answer to "what is the child called"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.names import find_called, name_length, read_nickname


@pytest.mark.parametrize(
    "answer, nickname",
    [
        ("糖糖", "糖糖"),
        ("宝宝", "宝宝"),
        ("囡囡", "囡囡"),
        ("Coco", "Coco"),
        ("「糖糖」", "糖糖"),
        ("小名叫糖糖", "糖糖"),
        ("叫毛毛", "毛毛"),
        ("我家宝宝叫糖糖", "糖糖"),
        ("小名糖糖", "糖糖"),
        ("大名王小禾小名糖糖", "糖糖"),
        ("我家的小名就叫豆豆吧", "豆豆"),
        ("把小名改成豆豆", "豆豆"),
        ("名字是王小明", "王小明"),
        ("糖糖，谢谢", "糖糖"),
        ("王小禾", "王小禾"),
        ("东平", "东平"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("🍬糖糖", "🍬糖糖"),
        ("安琪儿·张", "安琪儿·张"),
        ("一二三四五六七八九十", "一二三四五六七八九十"),
    ],
)
def test_a_nickname_is_taken_as_typed(answer: str, nickname: str) -> None:
    assert read_nickname(answer) == nickname


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   ",
        "？？？",
        "2026-05-01",
        "5月1号",
        "城桥镇",
        "取消",
        "人工",
        "女",
        "还没取",
        "没有名字",
        "不知道",
        "你好吗？",
        "叫什么好",
        "叫不醒了",
        "叫老师来",
        "一二三四五六七八九十甲",
    ],
)
def test_what_is_no_name_is_none(answer: str) -> None:
    assert read_nickname(answer) is None


def test_a_name_is_told_with_its_place() -> None:
    assert find_called("宝宝叫王小禾，女孩") == ("王小禾", 3, 6)


@pytest.mark.parametrize(
    "name, length", [("糖糖", 2), ("👨‍👩‍👧", 1), ("👍🏻", 1), ("❤️", 1), ("Coco", 4), ("", 0)]
)
def test_the_length_of_a_name_is_what_a_person_sees(name: str, length: int) -> None:
    assert name_length(name) == length


@given(st.text(max_size=40))
def test_a_nickname_has_one_to_ten_characters(answer: str) -> None:
    nickname = read_nickname(answer)
    assert nickname is None or 1 <= name_length(nickname) <= 10
