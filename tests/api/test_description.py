"""What the API answers is what its description says, whatever is sent to it."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.factory import Application
from tests.api.conftest import MAMA, Caller, register
from tests.conversations.conftest import Publisher

EXAMPLES, EXAMPLES_LONG = 2, 60
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDING = frozenset({("DELETE", "/api/v1/family")})
"""Ends the log-in under the feet of all that follow; tests of its own cover it."""


def check_everything(
    app: Flask, caller: Caller, examples: int, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Every operation with made-up calls, valid and not; how many calls those were."""
    assert isinstance(app, Application)
    limiter = app.api.extensions["security"].limiter
    monkeypatch.setattr(limiter, "enabled", False)
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    calls = 0
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if (operation.method.upper(), operation.path) in ENDING:
            continue

        @settings(
            max_examples=examples,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy())
        def run(case: schemathesis.Case[Any]) -> None:
            nonlocal calls
            calls += 1
            headers = {"Authorization": f"Bearer {caller.token}"}
            case.call_and_validate(headers=headers, checks=CHECKS)

        run()
    return calls


def test_no_answer_is_undocumented(
    app: Flask,
    log_in: Callable[[str], Caller],
    publish: Publisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish("CQ-1")
    caller = log_in(MAMA)
    register(caller, "糖糖")
    assert check_everything(app, caller, EXAMPLES, monkeypatch) > 50


@pytest.mark.long
def test_no_answer_is_undocumented_at_length(
    app: Flask,
    log_in: Callable[[str], Caller],
    publish: Publisher,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish("CQ-1")
    caller = log_in(MAMA)
    register(caller, "糖糖")
    assert check_everything(app, caller, EXAMPLES_LONG, monkeypatch) > 1000
