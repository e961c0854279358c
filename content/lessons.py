"""The seven-skills course: modules and lessons, read from content/course/*.md.

A lesson's id outlives every edit: learners' progress hangs on it. `version` is raised with an
edit; a quiz that changes gets another key by itself, and answers to the old one are not marked.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from app.rules.lessons import CHOICES, MODULES, Outline, spreads
from content.front_matter import Document, Fault

FIELDS = (
    # habit and instead may be missing: the text below says them, then.
    "id",
    "module",
    "order",
    "title",
    "message",
    "points",
    "practice",
    "habit",
    "instead",
    "quiz",
    "sources",
    "version",
)
COURSE_VERSION = "2026"
"""Of the course as a whole, as certificates name it: raised when the district issues it anew."""
LEAST_LESSONS_A_MODULE = 3
QUESTIONS = 3
POINTS = 3
ID_PATTERN = re.compile(r"[a-z][a-z0-9_-]{1,23}")
LONGEST_IN_CHAT = 1300
"""Bytes of a lesson and its quiz in one message: the platform takes 2048, and the words around
them and a link come to it."""


@dataclass(frozen=True, slots=True)
class Module:
    number: int
    name: str
    goal: str


_MODULES = (
    Module(1, "会照料", "吃、睡、安全和生病时，心里有数"),
    Module(2, "会抚爱", "抱一抱、看一看，让孩子安心"),
    Module(3, "会陪玩", "家里的东西，就能玩出花样"),
    Module(4, "会倾听", "看懂孩子，也听得进儿女的话"),
    Module(5, "会沟通", "话说清楚，规矩说齐"),
    Module(6, "会放手", "该他自己来，就退半步"),
    Module(7, "会等待", "哪些不用急，哪些不能等"),
)


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    choices: tuple[str, ...]
    answer: str
    """A, B or C."""
    explanation: str


@dataclass(frozen=True)
class Lesson:
    """One lesson as its file says: one idea, three points, one thing to try, a quiz of three."""

    id: str
    module: int
    order: int
    title: str
    message: str
    """The one idea."""
    points: tuple[str, ...]
    practice: str
    habit: str
    """The habit that it replaces, as people say it; empty where the text tells of it."""
    instead: str
    """Why, and what to do instead; with the habit, or empty."""
    quiz: tuple[Question, ...]
    sources: tuple[str, ...]
    version: int
    body: str
    """More for the page, in Markdown; may be empty."""
    file: str

    @property
    def right(self) -> tuple[str, ...]:
        return tuple(question.answer for question in self.quiz)

    @cached_property
    def quiz_key(self) -> str:
        """Changes with the questions, their choices and answers, and with nothing else."""
        asked = "\n".join(
            "\n".join((question.text, *question.choices, question.answer)) for question in self.quiz
        )
        return sha256(asked.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Course:
    """All lessons in their order."""

    lessons: tuple[Lesson, ...]
    version: str = COURSE_VERSION
    modules: tuple[Module, ...] = _MODULES

    @cached_property
    def by_id(self) -> Mapping[str, Lesson]:
        return {lesson.id: lesson for lesson in self.lessons}

    @cached_property
    def ids(self) -> frozenset[str]:
        return frozenset(self.by_id)

    @cached_property
    def outline(self) -> Outline:
        return Outline(
            {
                module.number: tuple(
                    lesson.id for lesson in self.lessons if lesson.module == module.number
                )
                for module in self.modules
            }
        )

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {lesson.id: number for number, lesson in enumerate(self.lessons, 1)}

    def number_of(self, lesson: Lesson) -> int:
        """From 1, over the whole course: what 重学 5 means."""
        return self._numbers[lesson.id]

    def module(self, number: int) -> Module:
        return self.modules[number - 1]

    def of_module(self, number: int) -> tuple[Lesson, ...]:
        return tuple(lesson for lesson in self.lessons if lesson.module == number)


def make_course(lessons: Iterable[Lesson]) -> Course:
    """The course of these lessons, by module and order."""
    return Course(tuple(sorted(lessons, key=lambda one: (one.module, one.order, one.id))))


def read_lesson(document: Document) -> Lesson:
    """The lesson of a file; what is wrong with it is noted in the document."""
    document.check_keys(FIELDS)
    lesson_id = document.text("id", longest=24)
    if lesson_id and not ID_PATTERN.fullmatch(lesson_id):
        document.fault("编号用小写字母、数字和横线，字母开头", key="id")
    points = document.texts("points")
    if points and len(points) != POINTS:
        document.fault(f"要点要正好{POINTS}条，现在有{len(points)}条", key="points")
    lesson = Lesson(
        id=lesson_id,
        module=document.number("module", lowest=1, highest=MODULES),
        order=document.number("order", lowest=1, highest=99),
        title=document.text("title", longest=20),
        message=document.text("message", longest=110),
        points=points,
        practice=document.text("practice", longest=60),
        habit=document.text("habit", longest=30, optional=True),
        instead=document.text("instead", longest=80, optional=True),
        quiz=_read_quiz(document),
        sources=document.texts("sources"),
        version=document.number("version", lowest=1, highest=9999),
        body=document.body,
        file=document.file,
    )
    if bool(lesson.habit) is not bool(lesson.instead):
        document.fault("habit 和 instead 要写就都写：老习惯是什么，为什么、换成怎样")
    for point, line in zip(points, _lines(document, "points"), strict=False):
        if len(point) > 40:
            document.fault(f"这一条有{len(point)}个字，最多40个，微信里才一眼看得完", line=line)
    size = bytes_in_chat(lesson)
    if size > LONGEST_IN_CHAT:
        document.fault(
            f"整课在微信里有{size}字节，最多{LONGEST_IN_CHAT}"
            f"（约{LONGEST_IN_CHAT // 3}个字），请写短些"
        )
    return lesson


def bytes_in_chat(lesson: Lesson) -> int:
    """What a lesson with its quiz weighs in one message, without the words around it."""
    parts = [lesson.title, lesson.message, lesson.practice, lesson.habit, lesson.instead]
    parts += lesson.points
    for question in lesson.quiz:
        parts += [question.text, *question.choices]
    return sum(len(part.encode()) + 4 for part in parts)


def find_course_faults(lessons: Sequence[Lesson]) -> list[Fault]:
    """What is wrong with the course as a whole, whatever each file says for itself."""
    faults = []
    for module in _MODULES:
        ours = [lesson for lesson in lessons if lesson.module == module.number]
        if len(ours) < LEAST_LESSONS_A_MODULE:
            reason = (
                f"第{module.number}单元「{module.name}」只有{len(ours)}课，"
                f"至少要{LEAST_LESSONS_A_MODULE}课"
            )
            faults.append(Fault("content/course", 1, reason))
        taken: dict[int, Lesson] = {}
        for lesson in ours:
            other = taken.setdefault(lesson.order, lesson)
            if other is not lesson:
                reason = f"order：同一单元里 {other.file} 已经是第{lesson.order}课"
                faults.append(Fault(lesson.file, 1, reason))
    faults += _unspread(lessons)
    return faults


def _unspread(lessons: Sequence[Lesson]) -> list[Fault]:
    """Quizzes that one letter passes, and a course whose right answers lean to one letter."""
    faults = []
    for lesson in lessons:
        if lesson.quiz and len(set(lesson.right)) < min(len(CHOICES), len(lesson.quiz)):
            reason = (
                f"quiz：三题的正确答案是 {''.join(lesson.right)}，"
                "要 A、B、C 各一个，不能靠猜一个字母通过"
            )
            faults.append(Fault(lesson.file, 1, reason))
    for module in _MODULES:
        right = [letter for one in lessons if one.module == module.number for letter in one.right]
        if right and not spreads(right):
            reason = f"第{module.number}单元的正确答案没有分散在 A、B、C 上"
            faults.append(Fault("content/course", 1, reason))
    orders = {lesson.right for lesson in lessons}
    if len(lessons) > 6 and len(orders) < 4:
        faults.append(Fault("content/course", 1, "各课正确答案的顺序太像了，请换一换"))
    return faults


def _read_quiz(document: Document) -> tuple[Question, ...]:
    found = document.fields.get("quiz")
    if found is None or not isinstance(found.value, list):
        document.fault("要写成列表，三道题，每题以“- question:”开头", key="quiz")
        return ()
    if len(found.value) != QUESTIONS:
        document.fault(f"要正好{QUESTIONS}题，现在有{len(found.value)}题", key="quiz")
    read = [
        _read_question(document, item, line)
        for item, line in zip(found.value, found.lines, strict=True)
    ]
    return tuple(question for question in read if question is not None)


def _read_question(document: Document, item: object, line: int) -> Question | None:
    wanted = {"question", "choices", "answer", "explanation"}
    if not isinstance(item, dict) or set(item) != wanted:
        document.fault("每题要有 question、choices、answer、explanation 四项，不多不少", line=line)
        return None
    choices = item["choices"]
    if isinstance(choices, list) and len(choices) == len(CHOICES):
        choices = dict(zip(CHOICES, choices, strict=True))
    if not isinstance(choices, dict) or list(choices) != list(CHOICES):
        document.fault("choices 下面要依次写 A、B、C 三项", line=line)
        return None
    texts = [item["question"], item["explanation"], *choices.values()]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        document.fault("题目、选项和解释都要写成文字，不能空着；像数字的请加引号", line=line)
        return None
    if item["answer"] not in tuple(CHOICES):
        document.fault("answer 要写 A、B 或 C", line=line)
        return None
    if len(set(choices.values())) < len(CHOICES):
        document.fault("有两个选项一样，请改一个", line=line)
    return Question(
        text=item["question"].strip(),
        choices=tuple(str(text).strip() for text in choices.values()),
        answer=item["answer"],
        explanation=item["explanation"].strip(),
    )


def _lines(document: Document, key: str) -> tuple[int, ...]:
    found = document.fields.get(key)
    return found.lines if found else ()
