"""Text as typed to text that can be compared: width, punctuation, script, dialect, homophones.

Three steps, each building on the one before:

- `tidy` keeps what a person would see: width and invisible characters only.
- `normalise` folds case, punctuation and traditional characters, one character for one, so
  that a position in it is a position in the tidied text. Dates and numbers are read from it.
- `say_plain` rewrites Shanghainese and what voice input mishears. Meaning is read from it;
  names are not, for 囡囡 may be one.
"""

import unicodedata
from typing import Final

from app.dialogue.reading.spellings import DIALECT, HOMOPHONES, TRADITIONAL
from app.late_pattern import LatePattern

_EMOJI: Final = "\U0001f000-\U0001faff\u2600-\u27bf\ufe0f"
# Controls, soft hyphen, zero-width space and non-joiner, direction marks, joiners of lines,
# byte-order mark, private use. The joiner U+200D is left to _LONE_JOINER: it builds emoji.
_INVISIBLE: Final = LatePattern(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\uffff"
    "\ud800-\udfff\ue000-\uf8ff]"
)
_LONE_JOINER: Final = LatePattern(f"(?<![{_EMOJI}])\u200d+|\u200d+(?![{_EMOJI}])")
_KEYCAP: Final = LatePattern("(?<=[0-9\uff10-\uff19])\ufe0f?\u20e3")
_SPACES: Final = LatePattern(r"\s+")

_FOLD: Final = str.maketrans(
    {
        **{upper: upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
        **TRADITIONAL,
        "。": ".",
        "、": ",",
        "「": '"',
        "」": '"',
        "『": '"',
        "』": '"',
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "【": "(",
        "】": ")",
        "《": '"',
        "》": '"',
        "〈": '"',
        "〉": '"',
        "—": "-",
        "–": "-",
        "‒": "-",
        "―": "-",
        "‐": "-",
        "‑": "-",
        "−": "-",
        "〜": "~",
        "∼": "~",
        "•": "·",
        "・": "·",
        "∶": ":",
        "⁄": "/",
        "○": "〇",
        "◯": "〇",
    }
)

_HOMOPHONE: Final = LatePattern("|".join(sorted(HOMOPHONES, key=len, reverse=True)))
_DIALECT: Final = tuple((LatePattern(pattern), plain) for pattern, plain in DIALECT)


def tidy(text: str) -> str:
    """The text without control and zero-width characters, full width made half, spaces single.

    Case, punctuation marks of Chinese and emoji stay. Tidying twice changes nothing more.
    """
    text = _INVISIBLE.sub("", text)
    text = _KEYCAP.sub("", text)
    text = _LONE_JOINER.sub("", text)
    text = unicodedata.normalize("NFKC", text)
    text = _INVISIBLE.sub("", text)
    return _SPACES.sub(" ", text).strip()


def normalise(text: str) -> str:
    """The tidied text with Latin letters lowered, punctuation and traditional script folded.

    As long as `tidy(text)`, character for character. Normalising twice changes nothing more.
    """
    return tidy(text).translate(_FOLD)


def say_plain(text: str) -> str:
    """The normalised text in plain Mandarin words.

    Shanghainese is translated and well-known mishearings are mended. The length may change.
    """
    plain = _HOMOPHONE.sub(lambda found: HOMOPHONES[found.group()], normalise(text))
    for pattern, replacement in _DIALECT:
        plain = pattern.sub(replacement, plain)
    return plain
