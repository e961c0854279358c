"""What passes a quiz, a lesson, a module and the course; when a nudge is due."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import SHANGHAI
from app.rules import lessons
from app.rules.lessons import MODULES, Outline, Stillness

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
OUTLINE = Outline({n: tuple(f"m{n}-{k}" for k in range(1, 4)) for n in range(1, MODULES + 1)})


@pytest.mark.parametrize(
    "correct, questions, is_passed",
    [(0, 3, False), (1, 3, False), (2, 3, True), (3, 3, True), (3, 5, False), (4, 5, True)],
)
def test_a_quiz_is_passed_at_two_thirds(correct: int, questions: int, is_passed: bool) -> None:
    right = "A" * questions
    given_ = "A" * correct + "B" * (questions - correct)
    grade = lessons.grade(given_, right)
    assert (grade.correct, grade.is_passed) == (correct, is_passed)
    assert grade.wrong == tuple(range(correct + 1, questions + 1))


def test_a_quiz_with_a_missing_answer_is_not_marked() -> None:
    with pytest.raises(ValueError, match="zip"):
        lessons.grade("AB", "ABC")


def test_the_next_lesson_is_the_first_that_is_not_passed() -> None:
    assert lessons.next_lesson(OUTLINE, set()) == "m1-1"
    assert lessons.next_lesson(OUTLINE, {"m1-1", "m1-3"}) == "m1-2"
    assert lessons.next_lesson(OUTLINE, set(OUTLINE.lessons)) is None


def test_a_module_wants_its_lessons_and_its_practice() -> None:
    lessons_of_one = set(OUTLINE.modules[1])
    assert lessons.modules_passed(OUTLINE, lessons_of_one, set()) == frozenset()
    assert lessons.modules_passed(OUTLINE, lessons_of_one - {"m1-2"}, {1}) == frozenset()
    assert lessons.modules_passed(OUTLINE, lessons_of_one, {1}) == {1}


@given(
    passed=st.sets(st.sampled_from(OUTLINE.lessons)),
    practised=st.sets(st.integers(1, MODULES)),
    already=st.sets(st.integers(1, MODULES)),
    new=st.text("xyz", min_size=1, max_size=4),
    module=st.integers(1, MODULES),
)
def test_an_edit_of_the_course_takes_no_module_away(
    passed: set[str], practised: set[int], already: set[int], new: str, module: int
) -> None:
    before = lessons.modules_passed(OUTLINE, passed, practised, already)
    longer = {**OUTLINE.modules, module: (*OUTLINE.modules[module], new)}
    shorter = {**OUTLINE.modules, module: OUTLINE.modules[module][:1]}
    for edited in (longer, shorter):
        assert lessons.modules_passed(Outline(edited), passed, practised, before) >= before


def test_the_current_module_is_the_next_lessons_and_then_what_lacks_practice() -> None:
    everything = set(OUTLINE.lessons)
    assert lessons.current_module(OUTLINE, set(), set()) == 1
    assert lessons.current_module(OUTLINE, set(OUTLINE.modules[1]), set()) == 2
    assert lessons.current_module(OUTLINE, everything, {1, 2, 4, 5, 6, 7}) == 3
    assert lessons.current_module(OUTLINE, everything, set(range(1, 8))) == 7


@pytest.mark.parametrize(
    "passed, practised, opened, module",
    [
        (set(), set(), None, 1),
        ({"m1-1"}, set(), None, 1),
        # The lesson that lies open is what was just read.
        ({"m1-1"}, set(), "m2-1", 2),
        ({"m1-1"}, {2}, "m2-1", 1),
        (set(OUTLINE.modules[1]), {1}, None, 2),
        (set(OUTLINE.lessons), {1, 2, 3, 5, 6, 7}, None, 4),
        # A lesson that has left the course lies open: no module of its own.
        ({"m1-1"}, set(), "gone", 1),
        (set(OUTLINE.modules[1]), {1}, "m1-1", 1),
    ],
)
def test_a_practice_counts_for_the_module_it_is_due_in(
    passed: set[str], practised: set[int], opened: str | None, module: int
) -> None:
    assert lessons.practice_module(OUTLINE, passed, practised, opened) == module


@pytest.mark.parametrize(
    "still_days, nudged_days, nudges, is_due",
    [
        (6.99, None, 0, False),
        (7, None, 0, True),
        (14, 7, 1, True),
        (14, 6.9, 1, False),
        (28, 7, 3, True),
        (60, 30, 4, False),
        # A step forward after the last nudge: the week begins anew.
        (3, 10, 0, False),
    ],
)
def test_whoever_is_stuck_is_nudged_weekly_and_four_times_at_most(
    still_days: float, nudged_days: float | None, nudges: int, is_due: bool
) -> None:
    nudged = None if nudged_days is None else NOW - timedelta(days=nudged_days)
    stillness = Stillness(NOW - timedelta(days=still_days), nudged, nudges)
    assert lessons.is_nudge_due(stillness, NOW) is is_due


@pytest.mark.parametrize(
    "name, masked",
    [
        ("王英", "王*"),
        ("王秀英", "王*英"),
        ("欧阳秀英", "欧**英"),
        ("阿依古丽·买买提", "阿**提"),
        ("王", "*"),
        ("", "*"),
        (" 王秀英 ", "王*英"),
    ],
)
def test_a_name_is_masked(name: str, masked: str) -> None:
    assert lessons.mask_name(name) == masked


MOTHER, GRANNY, GRANDPA = (1, 11, "mother"), (2, 12, "grandmother"), (3, 13, "grandfather")


@pytest.mark.parametrize(
    "learners, signed_up_by, taught",
    [
        ([GRANNY], 12, (2,)),
        # The mother's telephone scans; the grandmother sat in the class.
        ([MOTHER, GRANNY], 11, (2,)),
        ([GRANNY, GRANDPA], 13, (3,)),
        ([GRANNY, GRANDPA], 11, (2, 3)),
        ([MOTHER], 11, (1,)),
        ([MOTHER], 12, ()),
        ([], 11, ()),
    ],
)
def test_a_class_counts_for_the_grandparent_who_was_there(
    learners: list[tuple[int, int | None, str | None]], signed_up_by: int, taught: tuple[int, ...]
) -> None:
    assert lessons.who_was_taught(learners, signed_up_by) == taught


def test_right_answers_lie_on_all_letters() -> None:
    assert lessons.spreads("ABC" * 4)
    assert not lessons.spreads("AABBAABB")
    assert not lessons.spreads("AAAAABAAAC")
