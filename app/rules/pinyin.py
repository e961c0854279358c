"""How a Chinese character is read, without its tone."""

import os
from functools import lru_cache
from typing import Final

# Characters are read one by one here: without its phrases pypinyin takes 12 MB, not 55.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")

# Characters of several readings, as they are read in Chongming's names.
_HERE: Final = {"长": "chang", "堡": "bao", "沿": "yan", "行": "hang"}


@lru_cache(maxsize=8192)
def syllable(character: str) -> str:
    """The usual reading of one Chinese character without its tone, ü as v; "" for any other."""
    # Late: a process that never reads a name does not load the dictionary.
    from pypinyin import lazy_pinyin

    read = _HERE.get(character) or next(iter(lazy_pinyin(character, errors="ignore")), "")
    return str(read)
