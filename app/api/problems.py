"""Refusals as problem details (RFC 9457): a code and its facts for the app, a sentence for the
person."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException

from app import errors as e
from app.clock import SHANGHAI
from app.words import api as words
from app.words.errors import say_error

MEDIA_TYPE = "application/problem+json"
NOT_FOUND = (
    e.SessionUnknown,
    e.ChildUnknown,
    e.SignUpUnknown,
    e.CaregiverUnknown,
    e.LogInUnknown,
    e.VisitUnknown,
)
WRONG = (
    e.BornInFuture,
    e.ChildTooOld,
    e.DueDateOutOfRange,
    e.MeasurementImplausible,
    e.TownshipUnknown,
)

log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """What went wrong. `detail` is for the person; `code` and `facts` are for the app."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, Any] = {}


def _documented(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema}}
    return {"description": words.TITLES[status], "content": content}


PROBLEMS: dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None] = {
    str(status): _documented(status) for status in words.TITLES
}
"""Of every operation: the description keeps nothing back."""


def problem(
    status: int, code: str, detail: str, facts: Mapping[str, Any] | None = None
) -> Response:
    """The answer that says so."""
    body = Problem(
        type=f"/api/#{code}",
        title=words.TITLES.get(status, words.TITLES[400]),
        status=status,
        detail=detail,
        code=code,
        facts=dict(facts or {}),
    )
    return Response(body.model_dump_json(), status, content_type=MEDIA_TYPE)


class ApiRefusal(Exception):
    """A refusal that only callers of this API meet."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


def register_problems(app: Flask) -> None:
    """Every refusal of this application in this one shape."""
    app.register_error_handler(ApiRefusal, _of_api)
    app.register_error_handler(e.DomainError, _of_domain)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(DBAPIError, _of_database)


def _of_api(error: ApiRefusal) -> Response:
    return problem(error.status, error.code, words.REFUSALS[error.code])


def _of_domain(error: e.DomainError) -> Response:
    """The same error, the same sentence as in the chat."""
    log.info("api_refused", error=type(error).__name__, endpoint=request.endpoint)
    status = 409
    if isinstance(error, NOT_FOUND):
        status = 404
    elif isinstance(error, WRONG):
        status = 422
    elif isinstance(error, e.NotGuardian):
        status = 403
    return problem(status, _code(type(error).__name__), say_error(error), _facts(error))


def _of_http(error: HTTPException) -> Response:
    status = error.code or 400
    answer = problem(status, f"http_{status}", words.say_status(status))
    for name, value in error.get_headers(request.environ):
        if name.lower() in ("allow", "retry-after"):
            answer.headers[name] = value
    return answer


def _of_database(error: DBAPIError) -> Response:
    log.error("api_failed", reason=type(error).__name__, endpoint=request.endpoint)
    return problem(503, "http_503", words.say_status(503))


def say_invalid(error: ValidationError) -> Response:
    """What was sent is not what is described: which fields, and never their values."""
    named = sorted({".".join(str(part) for part in fault["loc"]) for fault in error.errors()})
    return problem(422, "invalid", words.invalid(), {"fields": named})


def _code(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _facts(error: e.DomainError) -> dict[str, Any]:
    stated = vars(error).items()
    return {name: _plain(value) for name, value in stated if not name.startswith("_")}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
