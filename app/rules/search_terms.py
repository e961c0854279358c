"""By which terms a family is found: names, how they sound, the last digits of a telephone.

Names and telephones are encrypted, so no query can look into them. What can be asked for is
spelt out beforehand: each term is stored as a keyed hash, and a search hashes what was typed.
"""

import unicodedata
from typing import Final

from app.late_pattern import LatePattern
from app.rules.pinyin import syllable

LONGEST_RUN: Final = 4
"""Characters or syllables in one term: longer ones are asked for as several that overlap."""
FEWEST_DIGITS: Final = 4
FEWEST_LETTERS: Final = 2

_WORDS: Final = LatePattern(r"[a-z]+|[^\W\da-z_]+|\d+")
_HAN: Final = LatePattern(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_LETTERS_APART: Final = LatePattern(r"(?<=[a-z])['\s]+(?=[a-z])")
_PHONE_MARKS: Final = LatePattern(r"[\s()\-+—－]")


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _words(text: str) -> list[str]:
    """Runs of letters, of characters and of digits.

    Pinyin is typed with a blank or an apostrophe between its syllables, or without.
    """
    return _WORDS.findall(_LETTERS_APART.sub("", _normal(text)))


def terms_of_name(name: str) -> frozenset[str]:
    """What a name or nickname is found by: parts of it, their pinyin, their initials.

    糖糖 is found by 糖, 糖糖, tang, tangtang and tt.
    """
    terms: set[str] = set()
    for word in _words(name):
        if _HAN.match(word):
            sounds = [syllable(mark) for mark in word]
            for start in range(len(word)):
                for end in range(start + 1, min(start + LONGEST_RUN, len(word)) + 1):
                    terms.add(f"name:{word[start:end]}")
                    terms.add(f"sound:{''.join(sounds[start:end])}")
                    terms.add(f"sound:{''.join(sound[:1] for sound in sounds[start:end])}")
        elif word.isdigit():
            terms.add(f"name:{word}")
        else:
            shortest = min(FEWEST_LETTERS, len(word))
            terms |= {f"sound:{word[:end]}" for end in range(shortest, len(word) + 1)}
    return frozenset(term for term in terms if not term.endswith(":"))


def terms_of_phone(phone: str) -> frozenset[str]:
    """The whole number and its last four digits or more."""
    digits = _digits(phone)
    return frozenset(f"digits:{digits[-count:]}" for count in range(FEWEST_DIGITS, len(digits) + 1))


def _digits(text: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFKC", text) if mark.isdigit())


def terms_of_query(text: str, *, by_sound: bool = False) -> tuple[str, ...] | None:
    """The terms that a family must all have, to be found by what was typed.

    None where nothing can be found by it, such as three digits. With `by_sound` Chinese
    characters stand for how they sound: voice input writes 唐唐 for 糖糖.
    """
    normal = _normal(text)
    compact = _PHONE_MARKS.sub("", normal)
    if compact.isdigit():
        digits = _digits(compact)
        return (f"digits:{digits}",) if len(digits) >= FEWEST_DIGITS else None
    terms: list[str] = []
    for word in _words(text):
        if _HAN.match(word):
            last = max(len(word) - LONGEST_RUN, 0)
            runs = [word[start : start + LONGEST_RUN] for start in range(last + 1)]
            terms += [
                f"sound:{''.join(map(syllable, run))}" if by_sound else f"name:{run}"
                for run in runs
            ]
        elif word.isdigit():
            terms.append(f"digits:{word}" if len(word) >= FEWEST_DIGITS else f"name:{word}")
        else:
            terms.append(f"sound:{word}")
    return tuple(dict.fromkeys(terms)) or None
