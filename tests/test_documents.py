"""Documents that name tests name tests that exist."""

import re

from devtools.environment import ROOT

NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")


def test_every_threat_names_a_test_that_is_there() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = NAMED.findall(page)

    assert len(named) > 30
    for path, name in named:
        assert (ROOT / path).exists(), path
        if name:
            assert f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{name}"
    rows = [line for line in page.splitlines() if line.startswith("| ") and "Shown by" not in line]
    assert [row for row in rows if "`tests/" not in row] == []
