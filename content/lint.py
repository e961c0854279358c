"""What a reviewer would send back: checks beyond what loading refuses."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from content.ages import find_crowds, find_gaps
from content.copying import find_shared
from content.front_matter import ContentBroken, Fault
from content.lessons import Lesson
from content.library import load_library
from content.packs import DOCTOR, TODAY, Pack
from content.wording import find_forbidden, find_hard_reading

TITLE_LENGTH = (4, 24)
MESSAGE_LENGTH = (60, 120)
EXPLANATION_LENGTH = (8, 45)
"""Of a quiz's explanation. All three come back in one message, each behind the answer that was
chosen, and a module's or the certificate's news behind them: 45 characters are what fits the
platform's 2048 bytes, and two or three lines of large type, which are read. Fewer than 8 only
repeat the right answer."""
PAGE_LENGTH = (300, 600)
"""Characters, blanks and markup not counted."""
STEPS = (3, 12)
"""Things to do today."""
LONGEST_TRUST = timedelta(days=550)
"""A review that is further off would never happen."""
MARKUP = re.compile(r"[\s#*_>`\-]|\[|\]\([^)]*\)")
LINK = re.compile(r"\]\(([^)]*)\)")
ASKED = re.compile(r"「([^」]*)」")
CHAT_WORDS = frozenset(
    [
        "活动",
        "年度计划",
        "上门",
        "取消上门",
        "资料",
        "课程",
        "报名课程",
        "下一课",
        "我的预约",
        "人工",
        "邀请",
        "帮助",
        "取消",
        "暂停推送",
        "恢复推送",
        "退订",
        "登记",
        "修改",
    ]
)
"""What a text may tell people to write to us, between 「」."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and what is wrong with it."""

    packs: int
    lessons: int
    answers: int
    """Of content/faq."""
    faults: tuple[Fault, ...]


def lint(folder: Path, today: date, *, against: Mapping[str, str] | None = None) -> Report:
    """Everything that is wrong with a content folder, in the order of files and lines.

    `against`: other texts by name, which no pack may share a sentence with.
    """
    try:
        library = load_library(folder)
    except ContentBroken as broken:
        return Report(0, 0, 0, broken.faults)
    packs = tuple(library.packs.values())
    sources = _known_sources(folder)
    faults: list[Fault] = []
    for pack in packs:
        lines = _lines(pack, folder)
        for where, reason in _check_pack(pack, today, sources, library.packs):
            faults.append(Fault(pack.file, _find_line(lines, where), reason))
    faults += [Fault("content/packs", 1, reason) for reason in find_gaps(packs, today)]
    faults += [
        Fault(pack.file, _find_line(_lines(pack, folder), "from_days:"), f"from_days：{reason}")
        for pack, reason in find_crowds(packs)
    ]
    for lesson in library.course.lessons:
        lines = _file_lines(folder / "course", lesson.file)
        for piece, reason in _check_lesson(lesson):
            faults.append(Fault(lesson.file, _find_line(lines, piece), reason))
    by_file = {pack.file: pack for pack in packs}
    texts = dict(against or {}) | {p.file: f"{p.title}\n#{p.message}\n#{p.body}" for p in packs}
    for other, name, run in find_shared(texts):
        if name in by_file:
            reason = f"和 {other} 有一样的话：“{run}”，请换个说法"
            faults.append(Fault(name, _find_line(_lines(by_file[name], folder), run[:6]), reason))
    return Report(len(packs), len(library.course.lessons), len(library.faqs), tuple(sorted(faults)))


def page_length(body: str) -> int:
    """Characters that a reader sees on the page."""
    return len(MARKUP.sub("", body))


def _check_pack(
    pack: Pack, today: date, sources: frozenset[str], packs: Mapping[str, Pack]
) -> Iterator[tuple[str, str]]:
    """Where in the file (the beginning or a piece of a line), and what is wrong there."""
    if Path(pack.file).stem != pack.id:
        yield "id:", f"id：要和文件名一样，{pack.id}.md"
    for name, length, (shortest, longest), where in (
        ("title：", len(pack.title), TITLE_LENGTH, "title:"),
        ("message：", len(pack.message), MESSAGE_LENGTH, "message:"),
        ("正文：", page_length(pack.body), PAGE_LENGTH, "## "),
    ):
        if not shortest <= length <= longest:
            yield where, f"{name}有{length}个字，要在{shortest}到{longest}之间"
    body_lines = pack.body.splitlines()
    for heading in (TODAY, DOCTOR):
        if f"## {heading}" not in body_lines:
            yield "## ", f"正文：缺少一节“## {heading}”"
    steps = sum(line.startswith("- ") for line in pack.body.split(f"## {DOCTOR}")[0].splitlines())
    if not STEPS[0] <= steps <= STEPS[1]:
        yield f"## {TODAY}", f"正文：{TODAY}有{steps}条，要在{STEPS[0]}到{STEPS[1]}之间"
    if pack.review_by < today:
        yield "review_by:", f"review_by：{pack.review_by} 已过，请复审后改日期"
    if pack.review_by > today + LONGEST_TRUST:
        yield "review_by:", "review_by：太远了，一年左右就要复审"
    for source in pack.sources:
        if sources and source not in sources:
            yield source[:12], f"sources：“{source}”不在 content/sources.txt 里，请先登记全名"
    text = f"{pack.title}\n{pack.message}\n{pack.body}"
    for target in LINK.findall(pack.body):
        if target not in packs:
            yield f"]({target})", f"链接：没有 {target} 这一篇"
    for word in ASKED.findall(text):
        if word not in CHAT_WORDS:
            yield f"「{word}」", f"「{word}」：聊天里不认这个词"
    for piece, reason in find_forbidden(text):
        yield piece, f"“{piece}”：{reason}"
    for piece, reason in find_hard_reading(text):
        yield piece, f"{reason}（{piece}…）" if piece else reason


def _check_lesson(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Wording, as in packs, and the lengths of explanations.

    What is asked in a quiz, and how answers are spread, loading checks.
    """
    if not lesson.habit and not lesson.body:
        yield "practice:", "habit、instead：没有写老习惯和换成怎样；也可以写在下面的正文里"
    for question in lesson.quiz:
        shortest, longest = EXPLANATION_LENGTH
        length = len(question.explanation)
        if not shortest <= length <= longest:
            yield (
                question.explanation[:8],
                f"explanation：有{length}个字，要在{shortest}到{longest}之间，"
                "三题的解释要放得进一条微信消息，字大也一眼看得完",
            )
    text = "\n".join(
        [
            *(lesson.title, lesson.message, *lesson.points, lesson.practice),
            *(lesson.habit, lesson.instead, lesson.body),
            *(
                part
                for question in lesson.quiz
                for part in (question.text, *question.choices, question.explanation)
            ),
        ]
    )
    for word in ASKED.findall(text):
        if word not in CHAT_WORDS:
            yield f"「{word}」", f"「{word}」：聊天里不认这个词"
    for piece, reason in find_forbidden(text):
        yield piece, f"“{piece}”：{reason}"
    for piece, reason in find_hard_reading(text):
        yield piece, f"{reason}（{piece}…）" if piece else reason


def _known_sources(folder: Path) -> frozenset[str]:
    """The names in sources.txt; empty where there is no such file."""
    path = folder / "sources.txt"
    if not path.exists():
        return frozenset()
    return frozenset(path.read_text(encoding="utf-8").splitlines())


def _lines(pack: Pack, folder: Path) -> list[str]:
    return _file_lines(folder / "packs", pack.file)


def _file_lines(folder: Path, file: str) -> list[str]:
    return (folder / Path(file).name).read_text(encoding="utf-8-sig").splitlines()


def _find_line(lines: list[str], piece: str) -> int:
    """The first line that begins with the piece, else the first that holds it, else 1."""
    for number, line in enumerate(lines, 1):
        if line.startswith(piece):
            return number
    return next((number for number, line in enumerate(lines, 1) if piece in line), 1)
