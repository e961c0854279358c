from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.library import load_library
from content.lint import lint
from content.pages import render_html
from content.shelf import CONTENT
from tests.content.writing import write_pack

TODAY = date(2026, 11, 25)


def test_the_window_is_open_from_its_first_day_to_the_day_before_its_last(tmp_path: Path) -> None:
    write_pack(tmp_path, swap=("from_days: 0", "from_days: 7"))
    pack = load_library(tmp_path).packs["T-01"]
    born = date(2028, 2, 22)
    days = [born + timedelta(days=n) for n in (6, 7, 28, 29)]
    assert [pack.is_open(born, day) for day in days] == [False, True, True, False]
    assert (pack.opens_on(born), pack.closes_on(born)) == (date(2028, 2, 29), date(2028, 3, 22))


@pytest.mark.parametrize(
    "status, on, pushed, signed",
    [
        ("active", date(2027, 11, 25), True, True),
        ("active", date(2027, 11, 26), False, True),
        ("awaiting_sign_off", TODAY, True, False),
        ("draft", TODAY, False, False),
        ("retired", TODAY, False, False),
    ],
)
def test_what_is_pushed_is_in_use_and_not_past_its_review(
    tmp_path: Path, status: str, on: date, pushed: bool, signed: bool
) -> None:
    write_pack(tmp_path, swap=("status: active", f"status: {status}"))
    pack = load_library(tmp_path).packs["T-01"]
    assert (pack.is_pushed(on), pack.is_signed_off) == (pushed, signed)


@pytest.mark.parametrize(
    "topic, corrected", [("早期学习", True), ("预防接种", False), ("新生儿访视", False)]
)
def test_play_goes_by_corrected_age_and_vaccination_never(
    tmp_path: Path, topic: str, corrected: bool
) -> None:
    write_pack(tmp_path, swap=("topic: 早期学习", f"topic: {topic}"))
    assert load_library(tmp_path).packs["T-01"].uses_corrected_age is corrected


@given(st.text(alphabet="<>&\"'[]()/!-scriptjavas:`# \n", max_size=80))
def test_no_text_becomes_an_element_that_markdown_does_not_have(text: str) -> None:
    html = render_html(text).lower()
    assert "<script" not in html
    assert "<svg" not in html
    assert 'href="javascript:' not in html


def test_our_own_content_has_no_faults() -> None:
    report = lint(CONTENT, TODAY)
    assert report.packs > 0
    assert [str(fault) for fault in report.faults] == []
