"""The course's files: what is refused, by which line; and that the real ones pass no guesser."""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from app.rules.lessons import CHOICES, grade
from app.words import course as words
from content.front_matter import ContentBroken, read_document
from content.lessons import (
    LEAST_LESSONS_A_MODULE,
    Course,
    Lesson,
    bytes_in_chat,
    find_course_faults,
    make_course,
    read_lesson,
)
from content.library import load_library
from content.shelf import CONTENT

LINK = "https://yuban.example.chongming.gov.cn/family/course/listen-children"


@pytest.fixture(scope="module")
def course() -> Course:
    return load_library().course


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str, str], list[str]]:
    """The faults of a real lesson after one of its passages was changed."""

    def faults(old: str, new: str) -> list[str]:
        text = (CONTENT / "course" / "care-warm.md").read_text("utf-8")
        assert old in text
        path = tmp_path / "care-warm.md"
        path.write_text(text.replace(old, new, 1), "utf-8")
        try:
            document = read_document(path, "content/course/care-warm.md")
        except ContentBroken as error:
            return [str(fault) for fault in error.faults]
        read_lesson(document)
        return [str(fault) for fault in document.faults]

    return faults


def test_the_real_course_has_seven_modules_of_three_lessons_or_more(course: Course) -> None:
    assert len(course.lessons) >= 22
    assert [module.number for module in course.modules] == list(range(1, 8))
    for module in course.modules:
        assert len(course.of_module(module.number)) >= LEAST_LESSONS_A_MODULE
    assert [course.number_of(lesson) for lesson in course.lessons] == list(
        range(1, len(course.lessons) + 1)
    )


def test_no_single_letter_passes_any_quiz(course: Course) -> None:
    for lesson in course.lessons:
        assert sorted(lesson.right) == list(CHOICES)
        assert not any(grade(letter * 3, lesson.right).is_passed for letter in CHOICES)


def test_no_pattern_of_letters_passes_half_the_course(course: Course) -> None:
    for pattern in product(CHOICES, repeat=3):
        passed = sum(grade(pattern, lesson.right).is_passed for lesson in course.lessons)
        assert passed * 2 < len(course.lessons), pattern


def test_every_lesson_fits_one_message_with_its_link(course: Course) -> None:
    for lesson in course.lessons:
        shown = words.lesson_shown(course, lesson, LINK, lead=words.quiz_changed())
        assert LINK in shown
        assert len(shown.encode()) <= words.ROOM_BYTES
        right = "".join(lesson.right)
        for letters in (right, right.translate(str.maketrans("ABC", "BCA"))):
            told = words.marked(lesson, letters, grade(letters, lesson.right), number=1)
            assert len(told.encode()) <= 1_500, "a certificate's announcement comes behind it"


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("id: care-warm", "id: Care_Warm", "编号用小写字母"),
        ("module: 1", "module: 8", "8 超出范围"),
        ("version: 1", "version: one", "version"),
        ("habit: 多裹多捂，孩子才不受凉", "habbit: 多裹", "没有这个字段"),
        ("  - 摸后颈和后背：温温的、没有汗，就是穿得刚好\n", "", "要正好3条"),
        ("answer: B", "answer: D", "要写 A、B 或 C"),
        ("answer: B", "answer: b", "要写 A、B 或 C"),
        ("    explanation: 手脚离心口远", "    why: 手脚离心口远", "四项"),
        ("      C: 用热水袋捂手\n", "", "依次写 A、B、C"),
        ("      C: 用热水袋捂手", "      C: 马上再加一件", "两个选项一样"),
        ("      C: 用热水袋捂手", "      C: 12", "写成文字"),
        ("title: 暖和，不等于捂", f"title: {'长' * 21}", "最多20"),
        ("  - 摸后颈和后背", f"  - {'长' * 41}", "最多40个"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    broken: Callable[[str, str], list[str]], old: str, new: str, says: str
) -> None:
    faults = broken(old, new)
    assert any(says in fault for fault in faults), faults
    assert all(fault.startswith("content/course/care-warm.md:") for fault in faults)


def test_a_quiz_that_one_letter_passes_is_refused(course: Course) -> None:
    first = course.lessons[0]
    leaning = replace(first, quiz=tuple(replace(one, answer="A") for one in first.quiz))
    faults = find_course_faults([leaning, *course.lessons[1:]])
    assert any("不能靠猜一个字母通过" in fault.reason for fault in faults)
    assert any(fault.file == first.file for fault in faults)
    assert find_course_faults(course.lessons) == []


def test_a_module_of_two_lessons_and_a_doubled_place_are_refused(course: Course) -> None:
    few = [lesson for lesson in course.lessons if lesson.module != 2][:]
    assert any("至少要3课" in fault.reason for fault in find_course_faults(few))
    doubled = replace(course.lessons[1], order=course.lessons[0].order)
    faults = find_course_faults([course.lessons[0], doubled, *course.lessons[2:]])
    assert any("已经是第1课" in fault.reason for fault in faults)


def test_an_edit_of_the_wording_leaves_the_quiz_its_key(course: Course) -> None:
    lesson = course.lessons[0]

    def key(changed: Lesson) -> str:
        return changed.quiz_key

    assert key(replace(lesson, message="另一句", version=2)) == key(lesson)
    explained = replace(lesson.quiz[0], explanation="另一种解释")
    assert key(replace(lesson, quiz=(explained, *lesson.quiz[1:]))) == key(lesson)
    asked = replace(lesson.quiz[0], text="另一个问题？")
    assert key(replace(lesson, quiz=(asked, *lesson.quiz[1:]))) != key(lesson)


def test_lessons_stand_in_the_order_of_their_modules(course: Course) -> None:
    assert make_course(reversed(course.lessons)).lessons == course.lessons
    assert all(bytes_in_chat(lesson) <= 1_300 for lesson in course.lessons)
