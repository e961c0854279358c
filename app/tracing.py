"""The id that ties log lines together: of a request, of a job's run, of a notice's origin.

A notice keeps the id under which it was queued, and the deliverer's lines bear it: from a family's
message to its answer on the phone, one search through the logs.
"""

import secrets

import structlog

ID_LENGTH = 16


def begin(**what: str | None) -> str:
    """A fresh id for what this thread does from now on; its log lines bear it, and `what`."""
    request_id = secrets.token_hex(ID_LENGTH // 2)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id, **what)
    return request_id


def current_id() -> str | None:
    """The id of what this thread does; None where nothing has begun."""
    found = structlog.contextvars.get_contextvars().get("request_id")
    return found if isinstance(found, str) else None
