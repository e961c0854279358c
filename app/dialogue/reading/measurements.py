"""Weight, length and head as people write and say them: 体重 7.2 身高 66, 体重十五斤."""

import re
from dataclasses import dataclass

from app.dialogue.reading.numerals import CHINESE_DIGITS, read_number
from app.late_pattern import LatePattern

LONGEST = 60
"""A longer message is no list of measures."""
_NUMBER = (
    rf"(?:\d{{1,3}}(?:[.．点]\d{{1,2}})?|[{CHINESE_DIGITS}]{{1,5}}(?:点[{CHINESE_DIGITS}]{{1,2}})?)"
)
_ONE = LatePattern(
    rf"(?P<what>体重|身高|身长|个子|头围)(?:是|为|有|:|：)?\s*(?P<number>{_NUMBER})\s*"
    r"(?P<unit>公斤|千克|kg|斤|市斤|厘米|公分|cm)?(?P<half>半)?[\s,，、。;；和]*"
)
_WHOLE = LatePattern(
    rf"^(?P<name>[^\d\s,，]{{0,8}}?)[\s,，]*(?:今天|今朝|刚刚?|现在)?(?:量了?|称了?)?[\s,，]*"
    rf"(?P<measures>(?:(?:体重|身高|身长|个子|头围)(?:是|为|有|:|：)?\s*{_NUMBER}\s*"
    r"(?:公斤|千克|kg|斤|市斤|厘米|公分|cm)?半?[\s,，、。;；和]*)+)[.!。！~～]*$"
)
_STARTS = LatePattern(r"体重|身高|身长|个子|头围")
_JIN = frozenset({"斤", "市斤"})


@dataclass(frozen=True, slots=True)
class Measures:
    """What was said; None where it was not."""

    name: str
    """What stood before the measures: a nickname, or nothing."""
    weight_grams: int | None
    length_millimetres: int | None
    head_millimetres: int | None


def read_measures(plain: str) -> Measures | None:
    """The measures of a normalised message that says nothing else; None for any other."""
    if len(plain) > LONGEST or not _STARTS.search(plain):
        return None
    whole = _WHOLE.match(plain)
    if whole is None:
        return None
    found: dict[str, int] = {}
    for one in _ONE.finditer(whole["measures"]):
        value = _value(one["number"])
        if value is None:
            return None
        if one["half"]:
            value += 0.5
        what = one["what"]
        if what == "体重":
            kilograms = value / 2 if one["unit"] in _JIN else value
            found["weight"] = round(kilograms * 1000)
        elif what == "头围":
            found["head"] = round(value * 10)
        else:
            found["length"] = round(value * 10)
    return Measures(
        whole["name"].strip("的 "), found.get("weight"), found.get("length"), found.get("head")
    )


def _value(number: str) -> float | None:
    """7.2, 七点二, 十五."""
    whole, point, part = re.sub("[.．]", "点", number).partition("点")
    value = read_number(whole)
    if value is None:
        return None
    if not point:
        return float(value)
    digits = [read_number(digit) for digit in part]
    if any(digit is None or digit > 9 for digit in digits):
        return None
    return float(f"{value}.{''.join(str(digit) for digit in digits)}")
