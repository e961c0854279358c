"""What a reviewer would send back: checks beyond what loading refuses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from content.front_matter import ContentBroken, Fault
from content.library import load_library
from content.packs import DOCTOR, TODAY, Pack

MESSAGE_LENGTH = (60, 120)
PAGE_LENGTH = (300, 600)
"""Characters, blanks and markup not counted."""
MARKUP = re.compile(r"[\s#*_>`\-]|\[|\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and what is wrong with it."""

    packs: int
    faults: tuple[Fault, ...]


def lint(folder: Path, today: date) -> Report:
    """Everything that is wrong with a content folder, in the order of files and lines."""
    try:
        library = load_library(folder)
    except ContentBroken as broken:
        return Report(0, broken.faults)
    packs = tuple(library.packs.values())
    faults = [fault for pack in packs for fault in _check_pack(pack, folder, today)]
    return Report(len(packs), tuple(sorted(faults)))


def page_length(body: str) -> int:
    """Characters that a reader sees on the page."""
    return len(MARKUP.sub("", body))


def _check_pack(pack: Pack, folder: Path, today: date) -> Iterator[Fault]:
    lines = (folder / "packs" / Path(pack.file).name).read_text(encoding="utf-8-sig").splitlines()

    def fault(reason: str, starts: str) -> Fault:
        line = next((n for n, text in enumerate(lines, 1) if text.startswith(starts)), 1)
        return Fault(pack.file, line, reason)

    if Path(pack.file).stem != pack.id:
        yield fault(f"id：要和文件名一样，{pack.id}.md", "id:")
    for name, length, (shortest, longest), starts in (
        ("message：", len(pack.message), MESSAGE_LENGTH, "message:"),
        ("正文：", page_length(pack.body), PAGE_LENGTH, "## "),
    ):
        if not shortest <= length <= longest:
            yield fault(f"{name}有{length}个字，要在{shortest}到{longest}之间", starts)
    for heading in (TODAY, DOCTOR):
        if f"## {heading}" not in pack.body.splitlines():
            yield fault(f"正文：缺少一节“## {heading}”", "## ")
    if pack.review_by < today:
        yield fault(f"review_by：{pack.review_by} 已过，请复审后改日期", "review_by:")
