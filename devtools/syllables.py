"""Writes app/rules/syllables.txt: every Chinese character by its usual reading, from pypinyin.

`python -m devtools.syllables`, when pypinyin has come in a new version; a test compares.
"""

import os
from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / "app" / "rules" / "syllables.txt"
FIRST, LAST = 0x3400, 0x9FFF
"""The characters of the basic plane: all that a telephone's keyboard writes."""


def make_table() -> str:
    """A line a syllable: the syllable, a space, its characters."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    from pypinyin import lazy_pinyin

    by_syllable: dict[str, list[str]] = {}
    for code in (0x3007, *range(FIRST, LAST + 1)):
        character = chr(code)
        for syllable in lazy_pinyin(character, errors="ignore"):
            by_syllable.setdefault(str(syllable), []).append(character)
    return "".join(
        f"{syllable} {''.join(characters)}\n"
        for syllable, characters in sorted(by_syllable.items())
    )


if __name__ == "__main__":
    PATH.write_text(make_table(), encoding="utf-8")
