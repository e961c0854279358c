"""Texts and their numbers, looked up in bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.understanding import kept
from app.dialogue.understanding.model import Trained
from app.dialogue.understanding.numbered import Numbered, packed

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.dictionaries(TEXTS, st.integers(0, 2**32 - 1), max_size=60), st.lists(TEXTS, max_size=20))
def test_every_text_has_its_number_and_no_other_text_has_one(
    numbers: dict[str, int], others: list[str]
) -> None:
    found = Numbered(memoryview(packed(numbers)), len(numbers))

    assert dict(found) == numbers
    assert list(found) == list(numbers)
    assert [found.get(other) for other in others] == [numbers.get(other) for other in others]
    assert all((other in found) == (other in numbers) for other in others)


def test_many_texts_are_each_found_at_their_place() -> None:
    numbers = {f"w:{number:x}": number for number in range(5000)}
    found = Numbered(memoryview(packed(numbers)), len(numbers))

    assert all(found[text] == number for text, number in numbers.items())
    assert found.get("w:") is None
    with pytest.raises(KeyError, match="w:g"):
        found["w:g"]


def test_a_model_comes_back_from_its_file_and_from_no_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "small.model"
    made = Trained(
        ("睡", "吃"), {"夜": 0, "s:ye li": 1, "奶": 2}, [0.5, -1, 2, 0, 1, 1], {"夜里": 3}
    )
    kept._write(path, made)
    whole = path.read_bytes()

    read = kept._read(path)

    assert read is not None
    assert (read.labels, dict(read.places), list(read.weights), read.words) == (
        made.labels,
        made.places,
        made.weights,
        made.words,
    )
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert kept._read(path) is None, f"of {len(whole)} bytes {length} are no model"
