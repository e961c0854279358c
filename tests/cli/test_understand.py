"""`understand` reads a message a line, and answers each with a line."""

import json

from tests.cli.running import Run


def test_each_line_gets_a_line_with_intent_and_values(run: Run) -> None:
    said = "帮我报下周六城桥那个活动，两个孩子都去\n\n宝宝噎住了\r\n电话13812345678\n"

    done = run("understand", "--now", "2026-11-22T10:00", stdin=said)

    first, empty, danger, phone = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert (first["text"], first["intent"]) == (said.splitlines()[0], "book_session")
    assert first["confidence"] >= 0.8
    assert first["slots"] == {
        "dates": ["2026-11-28"],
        "times": [],
        "numbers": [2],
        "names": [],
        "townships": ["城桥镇"],
        "codes": [],
        "phones": [],
    }
    assert (empty["intent"], empty["confidence"]) == (None, 0.0)
    assert (danger["text"], danger["intent"]) == ("宝宝噎住了", "emergency")
    assert phone["slots"]["phones"] == ["+8613812345678"]


def test_people_read_it_as_words(run: Run) -> None:
    done = run("understand", stdin="退订吧\n", as_json=False)
    assert done.out.startswith("opt_out")


def test_a_time_that_is_none_is_refused(run: Run) -> None:
    assert run("understand", "--now", "tomorrow").error == "bad_parameter"
