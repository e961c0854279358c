"""Short answers to what families often ask, read from content/faq/*.md."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from content.examples import LABELS
from content.front_matter import Document

FIELDS: Final = (
    "id", "topic", "question", "also", "sources", "version", "reviewed_by", "review_by",
)  # fmt: skip
TOPICS: Final = tuple(label for label in LABELS if label.startswith("faq_"))
LONGEST_ANSWER: Final = 300


@dataclass(frozen=True, slots=True)
class Faq:
    """One question, the ways in which it is asked, and its reviewed answer."""

    id: str
    topic: str
    """An intent of the examples: faq_sleep and so on."""
    question: str
    also: tuple[str, ...]
    """Other wordings of the question."""
    sources: tuple[str, ...]
    version: int
    reviewed_by: str
    review_by: date
    answer: str
    file: str

    def is_given(self, on: date) -> bool:
        """False past its review date: then a person answers."""
        return on <= self.review_by


def read_faq(document: Document) -> Faq:
    """An answer of a document; whatever is wrong is noted there."""
    document.check_keys(FIELDS)
    answer = document.body.strip()
    if not answer:
        document.fault("没有写答案，请写在第二个“---”下面", line=document.body_line)
    if len(answer) > LONGEST_ANSWER:
        document.fault(f"答案有{len(answer)}个字，最多{LONGEST_ANSWER}个", line=document.body_line)
    return Faq(
        id=document.text("id", longest=40),
        topic=document.choice("topic", TOPICS),
        question=document.text("question", longest=30),
        also=document.texts("also", at_least=0),
        sources=document.texts("sources"),
        version=document.number("version", lowest=1, highest=9999),
        reviewed_by=document.text("reviewed_by", longest=60),
        review_by=document.day("review_by"),
        answer=answer,
        file=document.file,
    )
