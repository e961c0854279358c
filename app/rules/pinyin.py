"""How a Chinese character is read, without its tone."""

from array import array
from functools import lru_cache
from pathlib import Path
from typing import Final

FIRST, LAST = 0x3400, 0x9FFF
_NOUGHT: Final = "〇"

# Characters of several readings, as they are read in Chongming's names.
_HERE: Final = {"长": "chang", "堡": "bao", "沿": "yan", "行": "hang", _NOUGHT: "ling"}


def syllable(character: str) -> str:
    """The usual reading of one Chinese character without its tone, ü as v; "" for any other."""
    if len(character) != 1 or not FIRST <= ord(character) <= LAST:
        return _HERE.get(character, "")
    syllables, places = _table()
    return _HERE.get(character) or syllables[places[ord(character) - FIRST]]


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, ...], "array[int]"]:
    """Every syllable, the first one empty, and each character's place among them.

    Two bytes a character: pypinyin's own dictionary takes 12 MB in every process.
    """
    syllables = [""]
    places = array("H", bytes(2 * (LAST - FIRST + 1)))
    with (Path(__file__).parent / "syllables.txt").open(encoding="utf-8") as lines:
        for line in lines:
            read, _, characters = line.rstrip("\n").partition(" ")
            for character in characters:
                if character != _NOUGHT:
                    places[ord(character) - FIRST] = len(syllables)
            syllables.append(read)
    return tuple(syllables), places
