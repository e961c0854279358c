"""Answers with their validators: what did not change is not sent again."""

from flask import Response, request
from pydantic import BaseModel


def answer(shape: BaseModel, status: int = 200) -> Response:
    """The shape as JSON."""
    return Response(shape.model_dump_json(), status, content_type="application/json")


def finish(response: Response) -> Response:
    """An ETag on every answer to a GET; 304 where the caller has it already."""
    if request.method == "GET" and response.status_code == 200:
        response.headers["Cache-Control"] = "private, no-cache"
        response.vary.add("Authorization")
        response.add_etag()
        response.make_conditional(request)
        return response
    response.headers["Cache-Control"] = "no-store"
    return response
