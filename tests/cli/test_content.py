from pathlib import Path

import pytest

from app.wiring import Services
from tests.cli.running import Run
from tests.content.writing import write_pack


def test_lint_is_content_with_our_packs(run: Run) -> None:
    done = run("content", "lint")
    assert done.code == 0
    assert done.json["ok"] is True
    assert done.json["faults"] == []
    assert done.json["lessons"] >= 22
    shown = run("content", "lint", as_json=False).out
    assert f"{done.json['lessons']} lessons" in shown


def test_lint_names_file_line_and_reason_of_each_fault(
    run: Run, services: Services, tmp_path: Path
) -> None:
    services.shelf.folder = tmp_path
    write_pack(tmp_path, swap=("topic: 早期学习", "topic: 钓鱼"))
    done = run("content", "lint", as_json=False)
    assert done.code == 1
    assert "content/packs/T-01.md:4: topic：“钓鱼”" in done.out
    assert done.err.count("\n") == 1


def test_a_preview_shows_the_message_then_the_page_with_its_sources(run: Run) -> None:
    pack = run("content", "preview", "P00-07").json
    assert pack["status"] in ("active", "awaiting_sign_off")
    assert pack["is_pushed"] is True
    assert "<h2>今天就做</h2>" in pack["html"]
    shown = run("content", "preview", "P00-07", as_json=False).out
    places = [shown.index(part) for part in (pack["message"], pack["body"], pack["sources"][0])]
    assert places == sorted(places)


def test_a_lessons_preview_shows_its_message_the_answers_and_the_page(run: Run) -> None:
    lesson = run("content", "preview", "care-feed").json
    assert lesson["module"] == "会照料"
    assert "小测验" in lesson["message"]
    assert len(lesson["answers"]) == 3
    shown = run("content", "preview", "care-feed", as_json=False).out
    parts = (lesson["message"], lesson["answers"][0], lesson["body"], lesson["sources"][0])
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("name", ["P99-99", "../../README", ""])
def test_a_preview_of_what_is_not_there_is_refused(run: Run, name: str) -> None:
    assert run("content", "preview", name).error == "pack_unknown"
