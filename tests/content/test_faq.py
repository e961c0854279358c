"""Short answers: every file is sound, and a broken one is refused with its line."""

from pathlib import Path

import pytest

from content.faq import read_faq
from content.front_matter import read_document

FAQ = Path(__file__).parents[2] / "content" / "faq"


@pytest.mark.parametrize("path", sorted(FAQ.glob("*.md")), ids=lambda path: path.stem)
def test_every_answer_can_be_read_and_bears_its_name(path: Path) -> None:
    document = read_document(path, path.name)
    faq = read_faq(document)
    assert document.faults == []
    assert faq.id == path.stem


def test_an_answer_that_is_too_long_or_of_no_topic_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    text = (FAQ / "fees.md").read_text(encoding="utf-8").replace("faq_service", "fees")
    path.write_text(text + "长" * 300, encoding="utf-8")
    document = read_document(path, "x.md")
    read_faq(document)
    assert len(document.faults) == 2
