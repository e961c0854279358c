"""Whatever a job says that it did, the operators' page says in Chinese."""

import ast
import inspect
import re
import sys

import pytest

from app.words.job_outcomes import NOTHING, OUTCOMES, say_outcome
from scheduler.timetable import JOBS

CHINESE = re.compile("[\u4e00-\u9fff]")


def said_by(name: str, number: str) -> list[str]:
    """The sentences in a job's source, with a number in each gap."""
    (job,) = [job for job in JOBS if job.name == name]
    source = inspect.getsource(sys.modules[job.run.__module__])
    returned = [
        node.value
        for function in ast.parse(source).body
        if isinstance(function, ast.FunctionDef)
        and isinstance(function.returns, ast.Name)
        and function.returns.id == "str"
        for node in ast.walk(function)
        if isinstance(node, ast.Return)
        and isinstance(node.value, ast.JoinedStr | ast.Constant | ast.IfExp)
    ]
    sentences: list[str] = []
    for value in returned:
        choices = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
        sentences += [_spelt(choice, number) for choice in choices]
    return sentences


def _spelt(node: ast.expr, number: str) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else number for part in node.values
        )
    assert isinstance(node, ast.Constant), "a job ends in a sentence"
    return str(node.value)


@pytest.mark.parametrize("name", [job.name for job in JOBS])
def test_every_sentence_of_a_job_has_its_chinese(name: str) -> None:
    sentences = said_by(name, "7")
    assert sentences
    for sentence in sentences:
        said = say_outcome(sentence)
        assert CHINESE.search(said), sentence
        assert said.count("7") == sentence.count("7")


def test_no_sentence_is_left_over() -> None:
    all_said = {sentence for job in JOBS for sentence in said_by(job.name, "0")}
    assert len(all_said) == len(OUTCOMES)


def test_where_nothing_was_to_be_done_it_says_so() -> None:
    assert say_outcome("queued 0 reminders for 0 sessions") == NOTHING
    assert say_outcome("queued 3 reminders for 1 sessions") == "排了3条提醒，1场活动"
    assert say_outcome("froze 2026-10") == "存了2026-10的档"


def test_what_nobody_has_translated_stands_as_it_is() -> None:
    assert say_outcome("failed") == "failed"
