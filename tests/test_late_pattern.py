"""Patterns that are compiled at their first use mean what re's mean."""

import re
import subprocess
import sys

import pytest

from app.late_pattern import LatePattern, compile_all

PATTERN, TEXT = "(?:小|大)(宝)", "大宝和小宝"


def test_a_late_pattern_finds_what_re_finds() -> None:
    late, early = LatePattern(PATTERN), re.compile(PATTERN)

    assert [found.span() for found in late.finditer(TEXT)] == [(0, 2), (3, 5)]
    assert late.findall(TEXT) == early.findall(TEXT) == ["宝", "宝"]
    assert late.sub("娃", TEXT) == early.sub("娃", TEXT) == "娃和娃"
    searched, matched = late.search(TEXT, 1), late.match(TEXT, 3)
    assert searched is not None
    assert searched.span() == (3, 5)
    assert matched is not None
    assert matched.span() == (3, 5)
    assert late.fullmatch(TEXT) is None
    assert late.pattern == PATTERN


def test_what_is_no_pattern_is_said_at_the_first_use(monkeypatch: pytest.MonkeyPatch) -> None:
    # It would wait for ever among the others.
    monkeypatch.setattr("app.late_pattern._WAITING", set())
    broken = LatePattern("(")

    with pytest.raises(re.error):
        broken.search(TEXT)


def test_compile_all_leaves_nothing_to_the_first_message() -> None:
    kept = LatePattern("从未用过的")

    assert compile_all() >= 1
    assert compile_all() == 0
    assert kept.search("从未用过的") is not None


def test_every_pattern_of_the_service_compiles() -> None:
    command = "import handlers\nfrom app.late_pattern import compile_all\nprint(compile_all())"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) > 100
