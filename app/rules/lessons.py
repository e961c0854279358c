"""The seven-skills course: what passes a quiz, a lesson, a module and the course.

Lessons are named by their ids, which outlive every edit of their text: what was passed once
stays passed, whatever becomes of the lesson later.
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

CHOICES = "ABC"
MODULES = 7
NUDGE_EVERY = timedelta(days=7)
MOST_NUDGES = 4
"""Weekly to whoever is stuck, four times; then a pause until the next step forward."""
GRANDPARENTS = frozenset({"grandmother", "grandfather"})


@dataclass(frozen=True, slots=True)
class Grade:
    """One quiz, marked."""

    correct: int
    questions: int
    wrong: tuple[int, ...]
    """Numbers of the questions that were answered otherwise, from 1."""

    @property
    def is_passed(self) -> bool:
        """At two thirds of the questions: two of three."""
        return self.correct * 3 >= self.questions * 2


@dataclass(frozen=True)
class Outline:
    """Which lessons the course has, in order, by module."""

    modules: Mapping[int, tuple[str, ...]]

    @cached_property
    def lessons(self) -> tuple[str, ...]:
        return tuple(one for number in sorted(self.modules) for one in self.modules[number])

    def module_of(self, lesson: str) -> int | None:
        """The module that a lesson is in; None where it is in the course no longer."""
        return next((number for number, ids in self.modules.items() if lesson in ids), None)


def grade(answers: Sequence[str], right: Sequence[str]) -> Grade:
    """Both as letters, one a question. Raises ValueError where their numbers differ."""
    wrong = tuple(
        number
        for number, (given, wanted) in enumerate(zip(answers, right, strict=True), 1)
        if given != wanted
    )
    return Grade(len(right) - len(wrong), len(right), wrong)


def next_lesson(outline: Outline, passed: Set[str]) -> str | None:
    """The first lesson that is not passed yet; None where all are."""
    return next((lesson for lesson in outline.lessons if lesson not in passed), None)


def modules_passed(
    outline: Outline, passed: Set[str], practised: Set[int], already: Set[int] = frozenset()
) -> frozenset[int]:
    """Modules whose lessons are all passed and whose practice is logged.

    With those that were passed already: a lesson that is added later takes none away.
    """
    reached = {
        number
        for number, lessons in outline.modules.items()
        if number in practised and passed >= set(lessons)
    }
    return frozenset(reached | already)


def is_complete(modules: Collection[int]) -> bool:
    return set(modules).issuperset(range(1, MODULES + 1))


def current_module(outline: Outline, passed: Set[str], modules: Set[int]) -> int:
    """Where the learner stands: the module of the next lesson, else what lacks its practice.

    The last module where nothing is left to do.
    """
    lesson = next_lesson(outline, passed)
    found = outline.module_of(lesson) if lesson is not None else None
    if found is not None:
        return found
    return min(set(outline.modules) - set(modules), default=MODULES)


def practice_module(
    outline: Outline, passed: Set[str], practised: Set[int], opened: str | None = None
) -> int:
    """Which module a practice counts for, where the learner does not say.

    The module of the lesson that lies open; else the earliest begun one that lacks it; else
    where the learner stands.
    """
    lying_open = outline.module_of(opened) if opened is not None else None
    if lying_open is not None and lying_open not in practised:
        return lying_open
    begun = [
        number
        for number in sorted(outline.modules)
        if number not in practised and passed & set(outline.modules[number])
    ]
    return begun[0] if begun else lying_open or current_module(outline, passed, practised)


@dataclass(frozen=True, slots=True)
class Stillness:
    """How long a learner has not gone on, and what was said to that."""

    since: datetime
    """The last step forward: enrolled, a quiz answered, a practice logged."""
    nudged_at: datetime | None
    nudges: int
    """Since that step."""


def is_nudge_due(stillness: Stillness, now: datetime) -> bool:
    """A week after the last step or the last nudge, four times at most."""
    last = max(stillness.since, stillness.nudged_at or stillness.since)
    return stillness.nudges < MOST_NUDGES and now - last >= NUDGE_EVERY


def mask_name(name: str) -> str:
    """王*英 for 王秀英, 王* for 王英: as much as whoever checks a certificate may read.

    The first character, stars, and the last one of three or more. At most four characters,
    so that a long name is not known by its length.
    """
    name = name.strip()
    if len(name) < 2:
        return "*"
    if len(name) == 2:
        return f"{name[0]}*"
    return f"{name[0]}{'*' * min(len(name) - 2, 2)}{name[-1]}"


def who_was_taught(
    learners: Sequence[tuple[int, int | None, str | None]], signed_up_by: int
) -> tuple[int, ...]:
    """Whose practice a family's attendance of a grandparents' class is.

    `learners` are (learner, caregiver, relation). The one who signed up or checked in, where
    that is a grandparent; else the family's grandparents, for the mother's telephone is often
    the one that scans; else the one who signed up.
    """
    grand = [one for one in learners if one[2] in GRANDPARENTS]
    scanned = [one for one in learners if one[1] == signed_up_by]
    chosen = [one for one in grand if one in scanned] or grand or scanned
    return tuple(one[0] for one in chosen)


def spreads(right: Sequence[str]) -> bool:
    """Whether right answers lie on all three letters, none on less than a fifth of them.

    One letter for every question passes no course.
    """
    return all(right.count(letter) * 5 >= len(right) for letter in CHOICES)
