"""Letters as people give them: typed, spoken, one at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.quiz_answers import is_numbered, read_quiz_answers


@pytest.mark.parametrize(
    "text, letters",
    [
        ("ABA", "ABA"),
        ("aba", "ABA"),
        ("ＡＢＡ", "ABA"),
        ("ａｂａ", "ABA"),
        ("a b a", "ABA"),
        ("A、B、A", "ABA"),
        ("A，B，A。", "ABA"),
        ("一二一", "ABA"),
        ("121", "ABA"),
        ("１２１", "ABA"),
        ("一 二 三", "ABC"),
        ("①②①", "ABA"),
        ("答案是ABA", "ABA"),
        ("我选aba", "ABA"),
        ("诶必西", "ABC"),
        ("选B", "B"),
        ("B吧", "B"),
        ("c", "C"),
        ("三", "C"),
        ("1A 2B 3A", "ABA"),
        ("1.A 2.B 3.A", "ABA"),
        ("第一题A，第二题B，第三题A", "ABA"),
        ("第一题选一第二题选二第三题选三", "ABC"),
    ],
)
def test_letters_are_read_however_they_come(text: str, letters: str) -> None:
    assert read_quiz_answers(text, 3) == dict(enumerate(letters, 1))


@pytest.mark.parametrize("text", ["2B", "第二题B", "第二题选B", "2、b"])
def test_a_number_says_which_question(text: str) -> None:
    assert is_numbered(text)
    assert read_quiz_answers(text, 3) == {2: "B"}


@pytest.mark.parametrize("text", ["ABA", "B", "121", "一"])
def test_without_numbers_letters_come_in_order(text: str) -> None:
    assert not is_numbered(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "D",
        "ABD",
        "ABAB",
        "好",
        "活动",
        "下一课",
        "报名 CQ-12",
        "4",
        "孩子发烧",
        "4B",
        "1A1B",
        "abc123",
    ],
)
def test_what_is_no_answer_is_left_to_others(text: str) -> None:
    assert read_quiz_answers(text, 3) is None


@given(st.text(max_size=40))
def test_anything_at_all_is_read_or_refused(text: str) -> None:
    found = read_quiz_answers(text, 3)
    assert found is None or (0 < len(found) <= 3 and set(found) <= {1, 2, 3})


@given(
    st.lists(st.sampled_from("ABC"), min_size=3, max_size=3),
    st.lists(st.sampled_from([" ", "", "、", "，", "."]), min_size=3, max_size=3),
)
def test_separators_change_nothing(letters: list[str], between: list[str]) -> None:
    text = "".join(letter + mark for letter, mark in zip(letters, between, strict=True))
    assert read_quiz_answers(text, 3) == dict(enumerate(letters, 1))
