"""Answers to a quiz as people give them: ABA, a b a, ＡＢＡ, 一二一, 1A 2B, 选B, 第二题C."""

import re
from typing import Final

from app.dialogue.reading.plain import normalise
from app.late_pattern import LatePattern

_LETTER: Final = "abc"
_DIGITS: Final = {"1": "A", "2": "B", "3": "C", "一": "A", "二": "B", "三": "C", "两": "B"}
# What voice input makes of the letters' names.
_HEARD: Final = str.maketrans(
    {
        **dict.fromkeys("诶欸哎唉甲壹①", "a"),
        **dict.fromkeys("必比币逼毕笔乙贰②", "b"),
        **dict.fromkeys("西希丙叁③", "c"),
    }
)
_FILLER: Final = LatePattern(
    "答案?(?:是|为)?|我?觉得|我?(?:们)?(?:都)?选择?(?:的)?(?:是)?|应该|回答|都是|是|个|项|老师|吧|呀|了"
    "|的|哦|和|我"
)
_MARKS: Final = LatePattern(r"[\s,.;:/\\|~!?·()\"'\-_+*]+")
_NUMBERED: Final = re.compile(r"(?:第)?([1-9一二三四五六七八九])(?:题|道|问)?([abc])")
_NUMBERED_DIGIT: Final = re.compile(r"第([1-9一二三四五六七八九])(?:题|道|问)?([123一二三两])")
_ORDINALS: Final = "一二三四五六七八九"


def read_quiz_answers(text: str, questions: int) -> dict[int, str] | None:
    """The letters given, by question from 1; None where this is no answer to a quiz.

    Without numbers they are taken in order, also where they are fewer: a lone B is under 1, and
    the caller knows which question it was asked last. More letters than questions, or a
    letter that no choice has, is no answer.
    """
    plain = _MARKS.sub("", normalise(text).translate(_HEARD))
    plain = _FILLER.sub("", plain)
    if not plain or len(plain) > questions * 4:
        return None
    numbered = _read_numbered(plain, questions)
    if numbered is not None:
        return numbered
    letters = [letter.upper() if letter in _LETTER else _DIGITS.get(letter) for letter in plain]
    found = [letter for letter in letters if letter is not None]
    if len(found) != len(letters) or len(found) > questions:
        return None
    return dict(enumerate(found, 1))


def is_numbered(text: str) -> bool:
    """Whether the answers say which questions they are for: 2B, 第二题选B."""
    plain = _FILLER.sub("", _MARKS.sub("", normalise(text).translate(_HEARD)))
    return bool(_NUMBERED.match(plain) or _NUMBERED_DIGIT.match(plain))


def _read_numbered(plain: str, questions: int) -> dict[int, str] | None:
    for pattern in (_NUMBERED, _NUMBERED_DIGIT):
        pairs = pattern.findall(plain)
        if pairs and pattern.sub("", plain) == "":
            found = {_number(number): _letter(given) for number, given in pairs}
            is_whole = len(found) == len(pairs) and max(found) <= questions
            return found if is_whole else None
    return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _ORDINALS.index(text) + 1


def _letter(text: str) -> str:
    return text.upper() if text in _LETTER else _DIGITS[text]
