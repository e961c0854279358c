"""What the service tells of itself: JSON log lines on standard error, and metrics.

Log lines carry ids and codes, never names, telephones, openids or what was written. Messages
of exceptions can hold any of these (a database's quotes the row), so an exception is logged
by its type and the places it passed through.
"""

import logging
import sys
import traceback
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter, Histogram
from structlog.typing import EventDict, Processor, WrappedLogger

from app import tracing

if TYPE_CHECKING:
    from flask import Flask, Response

FASTEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0)
DELIVERY_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 600.0, 3600.0)
QUIET_LIBRARIES = ("urllib3", "apscheduler", "alembic", "werkzeug", "PIL", "jieba")
"""They say little below a warning, and urllib3 says whole addresses with their tokens."""

CALLBACKS = Counter("yuban_callbacks_total", "Callbacks of the platform.", ["kind", "outcome"])
CALLBACK_SECONDS = Histogram(
    "yuban_callback_seconds", "Time to answer a callback.", buckets=FASTEST_BUCKETS
)
NOTICES = Counter("yuban_notices_total", "Notices by what became of them.", ["state", "channel"])
NOTICE_SECONDS = Histogram(
    "yuban_notice_seconds",
    "Time from a notice's queueing to its sending.",
    buckets=DELIVERY_BUCKETS,
)
PLATFORM_ERRORS = Counter(
    "yuban_platform_errors_total", "Calls of the platform that did not succeed.", ["what"]
)
JOBS = Counter("yuban_jobs_total", "Scheduled jobs run.", ["name", "outcome"])


def configure_logging(level: str) -> None:
    """One JSON object a line on standard error, for our loggers and the libraries'."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        describe_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def describe_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace exc_info by the exception's types and the lines of code it passed through."""
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given[1] if isinstance(given, tuple) else given
    if not isinstance(error, BaseException):
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = _chain(error)
    return event


def _chain(error: BaseException) -> list[str]:
    """The last frames of an exception, then of what it came from."""
    lines: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(lines) < 60:
        name = f"{type(seen).__module__}.{type(seen).__qualname__}"
        # An operating system's own words ("Connection refused") hold nothing personal.
        spoken = f": {seen.strerror}" if isinstance(seen, OSError) and seen.strerror else ""
        lines.append(name + spoken)
        frames = traceback.extract_tb(seen.__traceback__)[-12:]
        lines.extend(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return lines


def follow_requests(app: "Flask") -> None:
    """Give each request an id, which its log lines and its answer bear."""
    from flask import request  # a web worker counts messages before it has loaded the pages

    @app.before_request
    def _begin() -> None:
        tracing.begin(endpoint=request.endpoint)

    @app.after_request
    def _end(response: "Response") -> "Response":
        request_id = tracing.current_id()
        if request_id:
            response.headers["X-Request-Id"] = request_id
        return response
