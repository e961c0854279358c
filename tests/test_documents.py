"""Documents that name tests name tests that exist; what they tell of the code, the code tells."""

import re

import pytest

from app.models import Caregiver
from app.services.holdings import ROOTS
from app.words.privacy import COLUMNS, is_for_reading
from devtools import documents
from devtools.environment import ROOT

NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")


@pytest.mark.parametrize("page, at_least", [("threat-model.md", 30), ("data-protection.md", 15)])
def test_every_test_that_a_page_names_is_there(page: str, at_least: int) -> None:
    named = NAMED.findall((ROOT / "docs" / page).read_text(encoding="utf-8"))

    assert len(named) > at_least
    for path, name in named:
        assert (ROOT / path).exists(), path
        if name:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"


def test_every_threat_names_a_test() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")

    rows = [line for line in page.splitlines() if line.startswith("| ") and "Shown by" not in line]
    assert [row for row in rows if "`tests/" not in row] == []


def test_what_the_pages_tell_of_the_code_is_as_the_code_tells_it() -> None:
    assert documents.find_document_faults(ROOT) == []


def test_a_changed_part_is_told_anew_and_the_rest_is_left() -> None:
    page = "before\n<!-- from the code: removals -->\nold\n<!-- end -->\nafter\n"

    told = documents.told_anew(page)

    assert "`apply_retention`" in told
    assert "old" not in told
    assert told.startswith("before\n")
    assert told.endswith("<!-- end -->\nafter\n")
    assert documents.told_anew(told) == told


def test_every_part_is_in_a_page() -> None:
    text = "".join((ROOT / page).read_text(encoding="utf-8") for page in documents.PAGES)

    assert {name for _, name, *_ in documents.PART.findall(text)} == documents.PARTS.keys()


def test_a_family_reads_no_column_by_its_name_in_the_database() -> None:
    """Of every table that may hold something of a family; a topic adds its words with its table."""
    of_a_family = {*ROOTS}
    for table in Caregiver.metadata.sorted_tables:
        refers = {key.column.table.name for key in table.foreign_keys if key.column.name == "id"}
        if refers & of_a_family or "openid" in table.c:
            of_a_family.add(table.name)
    unnamed = [
        f"{name}.{column.name}"
        for name in sorted(of_a_family)
        for column in Caregiver.metadata.tables[name].c
        if is_for_reading(column.name) and column.name not in COLUMNS
    ]
    assert unnamed == []
