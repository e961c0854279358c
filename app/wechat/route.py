"""The platform's callback address, and the files by which it verifies our domain."""

import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import structlog
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.wrappers import Request, Response

from app import tracing
from app.clock import now
from app.config import Settings
from app.dialogue.message import Inbound, Reply
from app.telemetry import CALLBACK_SECONDS, CALLBACKS
from app.wechat.envelope import (
    MAX_BODY_BYTES,
    NOTHING_TO_SAY,
    check_url,
    open_callback,
    seal_reply,
)
from app.wechat.errors import BadCallback

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH = "/wechat"
_VERIFY_PATH = re.compile(r"/MP_verify_[A-Za-z0-9]{1,64}\.txt")
VERIFY_MAX_BYTES = 1_024
PLAIN = "text/plain; charset=utf-8"
XML = "application/xml; charset=utf-8"

log = structlog.get_logger(__name__)


class TurnHandler(Protocol):
    """Who answers: app.wechat.turns.Turns."""

    def handle(self, inbound: Inbound) -> Reply | None: ...


class CallbackServices(Protocol):
    """What the callback needs of app.wiring.Services."""

    @property
    def settings(self) -> Settings: ...

    @property
    def turns(self) -> TurnHandler: ...


class CallbackApp:
    """GET and POST /wechat, and /MP_verify_….txt, as a WSGI application.

    Bare of Flask: routing and contexts for one address would cost a message a tenth of its time.
    """

    def __init__(self, services: CallbackServices) -> None:
        self._settings = services.settings
        self._turns = services.turns

    @staticmethod
    def is_for(path: str) -> bool:
        """Whether a path is answered here."""
        return path == PATH or _VERIFY_PATH.fullmatch(path) is not None

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        request_id = tracing.begin(endpoint="wechat")
        try:
            response = self._answer(request)
        except HTTPException as error:
            response = Response(error.get_body(), status=error.code, headers=error.get_headers())
        except Exception:
            log.exception("callback_broke")
            response = Response(NOTHING_TO_SAY, content_type=PLAIN)
        response.headers["X-Request-Id"] = request_id
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        is_callback = request.path == PATH
        if is_callback and request.method == "POST":
            return self._receive(request)
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(["GET", "HEAD", "POST"] if is_callback else ["GET", "HEAD"])
        if not is_callback:
            return Response(_verify_file(self._settings, request.path), content_type=PLAIN)
        try:
            return Response(check_url(self._settings, request.args, now()), content_type=PLAIN)
        except BadCallback as bad:
            return _refuse(bad)

    def _receive(self, request: Request) -> Response:
        began = time.monotonic()
        try:
            return _receive(self._settings, self._turns, request)
        except BadCallback as bad:
            return _refuse(bad)
        finally:
            CALLBACK_SECONDS.observe(time.monotonic() - began)


def _receive(settings: Settings, turns: TurnHandler, request: Request) -> Response:
    """Open, answer, seal. Whatever goes wrong behind the envelope, the platform gets a 200:
    anything else would show the person an error of the platform's and send it again."""
    opened = open_callback(settings, request.args, _body(request), now())
    kind = opened.inbound.kind
    try:
        reply = turns.handle(opened.inbound)
        sealed = seal_reply(settings, opened, reply, now())
    except Exception:
        log.exception("callback_broke", kind=kind, turn=opened.inbound.key[:12])
        CALLBACKS.labels(kind, "broke").inc()
        return Response(NOTHING_TO_SAY, content_type=PLAIN)
    CALLBACKS.labels(kind, "silent" if sealed == NOTHING_TO_SAY else "answered").inc()
    return Response(sealed, content_type=PLAIN if sealed == NOTHING_TO_SAY else XML)


def _body(request: Request) -> bytes:
    """The request's body. Raises BadCallback past the cap, before reading all of it."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise BadCallback(413, "body too large")
    return request.stream.read(MAX_BODY_BYTES + 1)


def _refuse(bad: BadCallback) -> Response:
    """Junk is expected from the open internet: no traceback."""
    log.info("callback_refused", reason=bad.reason, status=bad.status)
    CALLBACKS.labels("unknown", "refused").inc()
    answer = Response(bad.reason, status=bad.status, content_type=PLAIN)
    if bad.status == 413:
        # The body was left unread: what follows on this connection cannot be understood.
        answer.headers["Connection"] = "close"
    return answer


def _verify_file(settings: Settings, path: str) -> bytes:
    """The content of a file that operators put into the folder, however lately."""
    folder: Path | None = settings.wechat_verify_dir
    if folder is None or not _VERIFY_PATH.fullmatch(path):
        raise NotFound
    try:
        with (folder / path.removeprefix("/")).open("rb") as file:
            return file.read(VERIFY_MAX_BYTES)
    except OSError:
        raise NotFound from None
