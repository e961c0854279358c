"""Telephone numbers and codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.contacts import find_codes, find_phones, read_phone


@pytest.mark.parametrize(
    "text, e164",
    [
        ("13812345678", "+8613812345678"),
        ("138 1234 5678", "+8613812345678"),
        ("138-1234-5678", "+8613812345678"),
        ("我的手机是13812345678，谢谢", "+8613812345678"),
        ("１３８１２３４５６７８", "+8613812345678"),
        ("+86 13812345678", "+8613812345678"),
        ("021-59612345", "+862159612345"),
        ("021 5961 2345", "+862159612345"),
        ("02159612345", "+862159612345"),
        ("59612345", "+862159612345"),
        ("5961 2345", "+862159612345"),
    ],
)
def test_a_telephone_number_is_read(text: str, e164: str) -> None:
    assert read_phone(text) == e164


@pytest.mark.parametrize(
    "text", ["1381234567", "138123456789", "20260501", "2026-05-01", "12345", "CQ-1206", "你好", ""]
)
def test_what_is_no_telephone_number_is_none(text: str) -> None:
    assert read_phone(text) is None


def test_two_different_numbers_are_not_one() -> None:
    text = "13812345678或者13912345678"
    assert read_phone(text) is None
    assert [found.e164 for found in find_phones(text)] == ["+8613812345678", "+8613912345678"]


@pytest.mark.parametrize(
    "text, codes",
    [
        ("报名 CQ-1206", ["CQ-1206"]),
        ("报名 cq-1206 糖糖", ["CQ-1206"]),
        ("报名CQ-1206", ["CQ-1206"]),
        ("报名 ＣＱ－1206", ["CQ-1206"]),
        ("HUODONG01", ["HUODONG01"]),
        ("取消 XH_20261203", ["XH_20261203"]),
        ("报名 1206", ["1206"]),
        ("加入 A7K2Q", ["A7K2Q"]),
        ("报名 CQ-1206 BZ-1207", ["CQ-1206", "BZ-1207"]),
        ("报名 3", []),
        ("12", []),
        ("我的电话138 1234 5678", []),
        ("a", []),
        ("-AB-", []),
        ("A" * 20, ["A" * 20]),
        ("A" * 21, []),
        ("你好", []),
    ],
)
def test_a_code_is_a_token_of_letters_and_digits(text: str, codes: list[str]) -> None:
    assert [found.code for found in find_codes(text)] == codes


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read_phone(text)
    for found in find_codes(text):
        assert 2 <= len(found.code) <= 20
