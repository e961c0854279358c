"""All content, read and checked as a whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from content.faq import Faq, read_faq
from content.front_matter import ContentBroken, Fault, find_repeated_ids, read_folder
from content.lessons import Course, find_course_faults, make_course, read_lesson
from content.packs import Pack, read_pack
from content.shelf import CONTENT


@dataclass(frozen=True, slots=True)
class Library:
    """What authors wrote. Frozen: it is shared by every thread of a process."""

    packs: Mapping[str, Pack]
    """By id, in the order of ages."""
    course: Course
    faqs: Mapping[str, Faq]
    """By id."""


def load_library(folder: Path = CONTENT) -> Library:
    """Everything in a content folder. Raises ContentBroken with all that is wrong."""
    faults: list[Fault] = []
    found, broken = read_folder(folder / "packs", read_pack)
    faults += broken
    faults += find_repeated_ids((document, pack.id) for document, pack in found)
    if not found and not faults:
        faults.append(Fault("content/packs", 1, "这个文件夹里一篇资源包也没有"))
    lessons, broken = read_folder(folder / "course", read_lesson)
    faults += broken
    faults += find_repeated_ids((document, lesson.id) for document, lesson in lessons)
    if lessons and not faults:
        faults += find_course_faults([lesson for _, lesson in lessons])
    faqs, broken = read_folder(folder / "faq", read_faq)
    faults += broken
    faults += find_repeated_ids((document, faq.id) for document, faq in faqs)
    if faults:
        raise ContentBroken(faults)
    packs = sorted((pack for _, pack in found), key=lambda p: (p.from_days, p.until_days, p.id))
    return Library(
        packs=MappingProxyType({pack.id: pack for pack in packs}),
        course=make_course(lesson for _, lesson in lessons),
        faqs=MappingProxyType({faq.id: faq for _, faq in faqs}),
    )
