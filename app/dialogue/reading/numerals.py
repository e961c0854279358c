"""Numbers as people write them: 12, １２, 十二, 廿三, 两, 八个半月, 第二."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.dialogue.reading.plain import normalise
from app.late_pattern import LatePattern

CHINESE_DIGITS: Final = "零〇一二两三四五六七八九十廿卅百千"
"""What a Chinese number is made of, for the patterns of other readers."""

LONGEST_NUMERAL: Final = 12
"""A longer row of Chinese digits counts nothing that a family has."""

COUNTERS: Final = (
    "周岁|个|岁|次|天|日|周|月|年|号|位|人|场|节|课|斤|公斤|千克|克|厘米|公分|米|毫升|度|点|分|"
    "小时|钟头|秒|顿|片|粒|颗|口|勺|碗|瓶|倍|块|元|角|胎|宝|套|份|本|遍|趟|回|名|条|页|楼|米|"
    "kg|g|cm|ml|礼拜|星期|单元|题|项|针|剂|滴|包|袋|只|滩|成"
)
"""Words that count: a lone Chinese digit is a number only before one of these."""

_OLD_DIGITS: Final = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟弍弎", "一二三四五六七八九十百千二三")
_SHORT_TENS: Final = {"廿": "二十", "卅": "三十"}

_NUMBER: Final = LatePattern(
    rf"(?P<ordinal>第)?(?P<number>\d+(?:\.\d+)?|[{CHINESE_DIGITS}万壹贰叁肆伍陆柒捌玖拾佰仟]+|"
    "半(?=个|年|天|岁|碗|勺|片|小时|斤))"
    rf"(?P<half>(?:个|岁|年|点|天|斤|周)?半)?(?P<counter>{COUNTERS})?"
)
# 一 and its like inside words that count nothing.
_NO_NUMBER: Final = LatePattern(
    "一下|一起|一样|一直|一定|一般|一点|一些|一会|一共|一边|一旦|一切|一家|一放|一不|一走|一堆|"
    "万一|唯一|统一|之一|十分(?!钟)|三星|七会|千万|百白破|五联|九价|三方|百度|万分|四处|半天|一大片"
)


@dataclass(frozen=True, slots=True)
class NumberFound:
    """A number in a text, with its place in the normalised text."""

    value: int | float
    text: str
    start: int
    end: int
    is_ordinal: bool
    """第二 rather than 二."""


@lru_cache(maxsize=2048)
def read_number(numeral: str) -> int | float | None:
    """The value of one numeral such as 12, 8.5, 二十三, 廿三, 两, 八个半 or 半; None if it is none.

    第二 is 2. An integer wherever it is whole.
    """
    numeral = normalise(numeral).replace(" ", "").translate(_OLD_DIGITS).removeprefix("第")
    if numeral == "半" or numeral == "半个":
        return 0.5
    half = 0.0
    if numeral.endswith("半"):
        half = 0.5
        numeral = numeral[:-1].removesuffix("个").removesuffix("岁").removesuffix("年")
    numeral = numeral.removesuffix("个")
    if re.fullmatch(r"\d{1,15}(?:\.\d{1,6})?", numeral):
        value = float(numeral) if "." in numeral else int(numeral)
    elif numeral and all(character in CHINESE_DIGITS + "万" for character in numeral):
        whole = _read_chinese(numeral)
        if whole is None:
            return None
        value = whole
    else:
        return None
    if half:
        value += half
    return int(value) if value == int(value) else value


def _read_chinese(numeral: str) -> int | None:
    if len(numeral) > LONGEST_NUMERAL:
        return None
    for short, tens in _SHORT_TENS.items():
        numeral = numeral.replace(short, tens)
    if numeral[0] in "百千万":
        numeral = "一" + numeral
    if "两" in numeral and numeral != "两" and not re.search("两[百千万]", numeral):
        return None
    try:
        # Imported with the first Chinese numeral: it takes longer than all else of a start.
        from cn2an import cn2an

        return int(cn2an(numeral.replace("〇", "零"), "smart"))
    except (ValueError, KeyError):
        # cn2an refuses most ill-formed numerals with a ValueError, and 〇十〇 with a KeyError.
        return None


def find_numbers(text: str) -> tuple[NumberFound, ...]:
    """Every number in a text, in order.

    Arabic digits always count. A Chinese number counts where something shows that it is one:
    第, a counter after it, two digits or more, or the whole text being it. 一下 is no number.
    """
    plain = normalise(text)
    return tuple(_numbers(plain))


def _numbers(plain: str) -> Iterator[NumberFound]:
    words = [found.span() for found in _NO_NUMBER.finditer(plain)]
    for found in _NUMBER.finditer(plain):
        numeral = found["number"]
        start, end = found.start("number"), found.end("number")
        if not numeral[0].isdigit():
            is_shown = bool(
                found["ordinal"]
                or found["counter"]
                or found["half"]
                or len(numeral) > 1
                or found.group() == plain
            )
            in_word = any(first <= start < last for first, last in words)
            if not is_shown or (in_word and not found["ordinal"]):
                continue
        half = found["half"]
        value = read_number(numeral + ("半" if half else ""))
        if value is None:
            continue
        if half:
            end = found.end("half")
        first = found.start()
        yield NumberFound(
            value=value,
            text=plain[first:end],
            start=first,
            end=end,
            is_ordinal=bool(found["ordinal"]),
        )
