"""How Chinese sounds, without tones: for words that voice input or a dialect spelt otherwise."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from app.rules.pinyin import syllable

# What speakers of Shanghainese do not tell apart, and their voice input neither.
_NEAR: Final = (
    (re.compile("^zh"), "z"),
    (re.compile("^ch"), "c"),
    (re.compile("^sh"), "s"),
    (re.compile("^n"), "l"),
    (re.compile("^r"), "l"),
    (re.compile("^hu(?=[aoei])"), "w"),
    (re.compile("([aei])ng$"), r"\1n"),
)


@lru_cache(maxsize=4096)
def near_syllable(sound: str) -> str:
    """A syllable with the sounds levelled that are often confused: zh/z, n/l, ang/an, hu/w."""
    for pattern, level in _NEAR:
        sound = pattern.sub(level, sound)
    return sound


def syllables(text: str) -> tuple[str, ...]:
    """The readings of a text's characters, one for one; "" where it is no Chinese character."""
    return tuple(syllable(character) for character in text)


def plain_latin(text: str) -> str:
    """Pinyin as typed, without tone marks, tone digits, apostrophes and spaces, ü as v."""
    text = text.lower().replace("ü", "v").replace("ǖ", "v").replace("ǘ", "v").replace("ǚ", "v")
    text = text.replace("ǜ", "v")
    unmarked = "".join(
        character
        for character in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(character)
    )
    return re.sub(r"[\s'1-5-]", "", unmarked)
