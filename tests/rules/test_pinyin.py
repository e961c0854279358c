"""How characters are read."""

import pytest

from app.rules.pinyin import syllable
from devtools.syllables import PATH, make_table


@pytest.mark.parametrize(
    "character, read",
    [("城", "cheng"), ("女", "nv"), ("长", "chang"), ("堡", "bao"), ("〇", "ling")],
)
def test_a_character_has_its_usual_reading(character: str, read: str) -> None:
    assert syllable(character) == read


@pytest.mark.parametrize("other", ["", "a", "7", "。", "😀", "ｱ", "城桥", "\U00020000"])
def test_what_is_no_character_has_none(other: str) -> None:
    assert syllable(other) == ""


def test_the_kept_readings_are_those_of_pypinyin() -> None:
    assert PATH.read_text(encoding="utf-8") == make_table()
