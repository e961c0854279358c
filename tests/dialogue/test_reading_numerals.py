"""Numbers, and words that hold a numeral and count nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.numerals import find_numbers, read_number


@pytest.mark.parametrize(
    "numeral, value",
    [
        ("12", 12),
        ("１２", 12),
        ("8.5", 8.5),
        ("8.0", 8),
        ("三", 3),
        ("两", 2),
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("廿三", 23),
        ("卅", 30),
        ("一百零五", 105),
        ("两百", 200),
        ("百", 100),
        ("二〇二六", 2026),
        ("壹拾贰", 12),
        ("半", 0.5),
        ("一岁半", 1.5),
        ("八个半", 8.5),
        ("8个半", 8.5),
        ("第二", 2),
        ("第十二", 12),
        ("1️⃣", 1),
        ("〇", 0),
    ],
)
def test_a_numeral_has_its_value(numeral: str, value: float) -> None:
    assert read_number(numeral) == value
    assert type(read_number(numeral)) is type(value)


@pytest.mark.parametrize("numeral", ["", "糖糖", "十几", "两三", "三星", "1-2", "一" * 40])
def test_what_is_no_numeral_has_no_value(numeral: str) -> None:
    assert read_number(numeral) is None


@pytest.mark.parametrize(
    "text, values",
    [
        ("8个月17斤偏轻吗", [8, 17]),
        ("八个半月", [8.5]),
        ("8个半月", [8.5]),
        ("一个半月", [1.5]),
        ("半岁", [0.5]),
        ("两岁半", [2.5]),
        ("十一个月的宝宝", [11]),
        ("三十四周", [34]),
        ("身高78正常伐 14个月", [78, 14]),
        ("第2个活动", [2]),
        ("第二个活动", [2]),
        ("38.5度", [38.5]),
        ("两大一小", []),
        ("我有两个宝宝", [2]),
        ("三", [3]),
        ("一下子", []),
        ("一样吗", []),
        ("万一噎住", []),
        ("三星镇", []),
        ("七会课程", []),
        ("有一点咳嗽", []),
        ("十分感谢", []),
        ("百白破", []),
        ("今天", []),
    ],
)
def test_numbers_are_found_where_something_is_counted(text: str, values: list[float]) -> None:
    assert [found.value for found in find_numbers(text)] == values


def test_an_ordinal_says_so() -> None:
    assert [found.is_ordinal for found in find_numbers("第二场要3个位子")] == [True, False]


@given(st.integers(0, 99_999))
def test_digits_read_as_themselves(value: int) -> None:
    assert read_number(str(value)) == value


@given(st.text(alphabet="零〇一二两三四五六七八九十廿卅百千万半个岁第0123456789.", max_size=30))
def test_any_row_of_numerals_is_read_or_refused(text: str) -> None:
    for found in find_numbers(text):
        assert found.value >= 0
