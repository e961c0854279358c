"""`content`: looks at what authors wrote, before families do."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app import clock
from app.cli.speaking import Answer, Group, Refused, table
from app.clock import SHANGHAI
from app.wiring import Services

if TYPE_CHECKING:
    from content.ages import Band
    from content.lessons import Course, Lesson
    from content.library import Library


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One thing that is wrong with the content."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lint:
    ok: bool
    packs: int
    lessons: int
    answers: int
    faults: list[FaultRow]


@dataclass(frozen=True, slots=True)
class Preview:
    """A pack as a family would get it."""

    id: str
    title: str
    topic: str
    audience: str
    from_days: int
    until_days: int
    message: str
    body: str
    html: str
    sources: tuple[str, ...]
    version: int
    reviewed_by: str
    review_by: date
    status: str
    is_signed_off: bool
    is_pushed: bool
    file: str


@dataclass(frozen=True, slots=True)
class LessonPreview:
    """A lesson as a learner would get it."""

    id: str
    module: str
    title: str
    message: str
    """The one message in the chat, with its quiz."""
    body: str
    html: str
    answers: list[str]
    """The right letters with what is said to them, in the quiz's order."""
    sources: tuple[str, ...]
    version: int
    file: str


@dataclass(frozen=True, slots=True)
class Gaps:
    bands: "list[Band]"
    gaps: list[str]


@dataclass(frozen=True, slots=True)
class ToReview:
    """A pack that the health authority has not signed yet."""

    id: str
    title: str
    topic: str
    version: int
    review_by: date
    file: str


@click.group("content", cls=Group)
def content() -> None:
    """Look at packs before families do."""


@content.command("lint")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A text that no pack may share a sentence with.",
)
def lint_command(services: Services, against: tuple[Path, ...]) -> Answer:
    """Check packs, lessons and answers: fields, lengths, dates, ages, wording, links, sources,
    and that a quiz's right letters are spread."""
    from content.lint import lint

    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in against}
    report = lint(services.shelf.folder, _today(), against=texts)
    rows = [FaultRow(fault.file, fault.line, fault.reason) for fault in report.faults]
    found = Lint(
        ok=not rows,
        packs=report.packs,
        lessons=report.lessons,
        answers=report.answers,
        faults=rows,
    )
    counts = f"{report.packs} packs, {report.lessons} lessons, {report.answers} answers, no faults"
    text = "\n".join(str(fault) for fault in report.faults) or counts
    refusal = (
        Refused("content_broken", f"content has {len(rows)} faults, the first: {report.faults[0]}")
        if rows
        else None
    )
    return Answer(found, text, refusal)


@content.command("gaps")
def gaps_command(services: Services) -> Answer:
    """Show how many packs begin, and how many are open, by age and topic."""
    from content.ages import as_markdown, find_gaps, tabulate

    packs = tuple(_library(services).packs.values())
    bands = tabulate([pack for pack in packs if pack.is_pushed(_today())])
    gaps = list(find_gaps(packs, _today()))
    return Answer(Gaps(bands, gaps), "\n".join([as_markdown(bands), *gaps]))


@content.command("review")
def review_command(services: Services) -> Answer:
    """List the packs that wait for the health authority's sign-off, by topic and age."""
    waiting = [
        ToReview(pack.id, pack.title, pack.topic, pack.version, pack.review_by, pack.file)
        for pack in _library(services).packs.values()
        if pack.status == "awaiting_sign_off"
    ]
    rows: list[tuple[object, ...]] = [
        (row.id, row.topic, row.title, f"version {row.version}", row.review_by) for row in waiting
    ]
    return Answer(waiting, table(rows, "nothing waits for a sign-off"))


@content.command("preview")
@click.argument("pack_id", metavar="ID")
def preview_command(services: Services, pack_id: str) -> Answer:
    """Show a pack, or a lesson of the course, as families get it: the message, then the page."""
    from content.pages import render_html

    library = _library(services)
    lesson = library.course.by_id.get(pack_id)
    if lesson is not None:
        return _of_lesson(library.course, lesson)
    pack = library.packs.get(pack_id)
    if pack is None:
        raise Refused(
            "pack_unknown",
            f"there is no pack and no lesson {pack_id}: content/packs and content/course hold none",
        )
    found = Preview(
        id=pack.id,
        title=pack.title,
        topic=pack.topic,
        audience=pack.audience,
        from_days=pack.from_days,
        until_days=pack.until_days,
        message=pack.message,
        body=pack.body,
        html=render_html(pack.body),
        sources=pack.sources,
        version=pack.version,
        reviewed_by=pack.reviewed_by,
        review_by=pack.review_by,
        status=pack.status,
        is_signed_off=pack.is_signed_off,
        is_pushed=pack.is_pushed(_today()),
        file=pack.file,
    )
    head: list[tuple[object, ...]] = [
        (pack.id, pack.title),
        (pack.topic, pack.audience, f"days {pack.from_days}-{pack.until_days - 1}"),
        (f"version {pack.version}", pack.status, f"review by {pack.review_by}", pack.reviewed_by),
    ]
    sources = "\n".join(f"- {source}" for source in pack.sources)
    return Answer(found, f"{table(head, '')}\n\n{pack.message}\n\n{pack.body}\n\n{sources}")


def _of_lesson(course: "Course", lesson: "Lesson") -> Answer:
    from app.words.course import lesson_shown
    from content.pages import render_html

    answers = [f"{question.answer}：{question.explanation}" for question in lesson.quiz]
    found = LessonPreview(
        id=lesson.id,
        module=course.module(lesson.module).name,
        title=lesson.title,
        message=lesson_shown(course, lesson),
        body=lesson.body,
        html=render_html(lesson.body),
        answers=answers,
        sources=lesson.sources,
        version=lesson.version,
        file=lesson.file,
    )
    sources = "\n".join(f"- {source}" for source in lesson.sources)
    said = "\n".join(f"{number}. {answer}" for number, answer in enumerate(answers, 1))
    parts = (f"{lesson.id}  version {lesson.version}", found.message, said, lesson.body, sources)
    return Answer(found, "\n\n".join(part for part in parts if part))


def _library(services: Services) -> "Library":
    """Raises Refused with the first fault where the content is broken."""
    from content.front_matter import ContentBroken

    try:
        return services.library
    except ContentBroken as broken:
        raise Refused("content_broken", str(broken.faults[0])) from None


def _today() -> date:
    return clock.now().astimezone(SHANGHAI).date()
