"""Whatever is written into the audit log, staff read it in Chinese."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.rules.sign_up import SessionState, SignUpState
from app.rules.visiting import VisitState
from app.services.staff import Role
from app.words.audit import ACTIONS, STATES, SUBJECTS
from devtools.environment import ROOT

ACTION_LIKE = re.compile("[a-z]+(_[a-z]+)*")


def calls() -> Iterator[ast.Call]:
    for path in sorted(Path(ROOT, "app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                yield node


def constants(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may come to."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


@cache
def written() -> dict[str, set[str]]:
    """Texts by the keyword that they are given for; the service's source is read once for all.

    Under "" those that are handed to a module's own _record(…): its action.
    """
    found: dict[str, set[str]] = {"": set()}
    for call in calls():
        for given in call.keywords:
            found.setdefault(given.arg or "**", set()).update(action_like(given.value))
        if isinstance(call.func, ast.Name) and call.func.id in ("_record", "record", "_step"):
            for argument in call.args:
                found[""].update(action_like(argument))
    return found


def action_like(node: ast.expr) -> set[str]:
    return {text for text in constants(node) if ACTION_LIKE.fullmatch(text)}


def test_every_action_has_its_word() -> None:
    actions = written()["action"] | written()[""] | {str(state) for state in SignUpState}

    assert len(actions) > 40
    assert sorted(actions - ACTIONS.keys() - SUBJECTS.keys()) == []


def test_every_subject_and_every_page_has_its_word() -> None:
    subjects = written()["subject_type"] | written()["page"]

    assert len(subjects) > 30
    assert sorted(subjects - SUBJECTS.keys()) == []


def test_every_state_has_its_word() -> None:
    states = {str(each) for each in (*SignUpState, *VisitState, *SessionState, *Role)}

    assert sorted(states - STATES.keys()) == []
