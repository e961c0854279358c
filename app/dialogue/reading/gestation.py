"""Weeks of gestation as families state them: 孕32周, 36周+5, 三十四周早产, 34w2d."""

from dataclasses import dataclass
from typing import Final

from app.dialogue.reading.numerals import read_number
from app.dialogue.reading.plain import normalise
from app.late_pattern import LatePattern

FEWEST_WEEKS: Final = 20
MOST_WEEKS: Final = 44
"""Outside of these bounds weeks are an age or a mistake, not a gestation."""

_NUM: Final = r"(?:\d{2}|[二三四廿卅]?十?[一二三四五六七八九十])"


def _weeks(name: str, *, unit: str = "(?:周|w|个?星期|个?礼拜)") -> str:
    """A pattern for weeks and days, 36周+5 or 36+5周, whose groups begin with a name."""
    return (
        rf"(?P<{name}>{_NUM})\s?(?:\+\s?(?P<{name}_plus>[0-6])\s?)?{unit}"
        rf"(?:\s?(?:\+|加|零|又)?\s?(?P<{name}_days>[0-6一二三四五六])\s?(?:天|d)"
        rf"|\s?\+\s?(?P<{name}_more>[0-6]))?"
    )


_BORN: Final = (
    r"(?:就|时|左右|多|的?时候)*+\s?"
    "(?:的?早产|出生|出世|生的|生下|生了|生产|剖|顺产|分娩|出来|足月|妊娠|生(?!日))"
)
_STATED: Final = LatePattern(
    rf"(?:怀孕|孕周|孕期|孕龄|胎龄|妊娠|早产|孕)(?:是|为|:|,|大概|大约|了|在|\s)*+{_weeks('a')}"
    rf"|(?:孕周|胎龄|孕龄)(?:是|为|:|\s)*+{_weeks('c', unit='')}(?![\d年月])"
    rf"|{_weeks('b')}(?={_BORN})"
)
_WHOLE: Final = LatePattern(
    rf"(?:是|大概|大约|差不多)?\s?(?:{_weeks('a')}|{_weeks('b', unit='')})(?:左右|吧|的|多)?"
)
_FULL_TERM: Final = LatePattern("(?<!不)(?<!没)(?<!没有)(?<!非)足月|(?:不|没有?)是?早产")


@dataclass(frozen=True, slots=True)
class GestationFound:
    """Completed weeks and days of gestation at birth, and their place in the normalised text."""

    weeks: int
    days: int
    text: str
    start: int
    end: int


def find_gestation(text: str) -> GestationFound | None:
    """The gestation that a text states, between 20 and 44 weeks.

    32周 alone is an age in the middle of a sentence, and a gestation as the whole answer.
    """
    plain = normalise(text)
    found = _STATED.search(plain) or _WHOLE.fullmatch(plain.strip(" .,!"))
    if found is None:
        return None
    groups = found.groupdict()
    name = next(name for name in ("a", "b", "c") if groups.get(name))
    weeks = _value(groups[name])
    days = _value(groups[f"{name}_plus"] or groups[f"{name}_days"] or groups[f"{name}_more"])
    if weeks is None or not FEWEST_WEEKS <= weeks <= MOST_WEEKS:
        return None
    return GestationFound(weeks, days or 0, found.group(), found.start(), found.end())


def says_full_term(text: str) -> bool:
    """Whether a text says 足月 or 不是早产, without weeks."""
    return _FULL_TERM.search(normalise(text)) is not None


def _value(numeral: str | None) -> int | None:
    value = read_number(numeral) if numeral else None
    return int(value) if value is not None else None
