"""The platform's callback address, and the files by which it verifies our domain."""

import re
import time
from pathlib import Path
from typing import Protocol

import structlog
from flask import Blueprint, Response, abort, request

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

VERIFY_NAME = re.compile(r"[A-Za-z0-9]{1,64}")
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


def make_blueprint(services: CallbackServices) -> Blueprint:
    """GET and POST /wechat, and /MP_verify_….txt."""
    blueprint = Blueprint("wechat", __name__)
    settings = services.settings

    @blueprint.get("/wechat", provide_automatic_options=False)
    def check() -> Response:
        try:
            return Response(check_url(settings, request.args, now()), content_type=PLAIN)
        except BadCallback as bad:
            return _refuse(bad)

    @blueprint.post("/wechat", provide_automatic_options=False)
    def receive() -> Response:
        began = time.monotonic()
        try:
            return _receive(settings, services.turns)
        except BadCallback as bad:
            return _refuse(bad)
        finally:
            CALLBACK_SECONDS.observe(time.monotonic() - began)

    @blueprint.get("/MP_verify_<name>.txt")
    def verify(name: str) -> Response:
        return Response(_verify_file(settings, name), content_type=PLAIN)

    return blueprint


def _receive(settings: Settings, turns: TurnHandler) -> Response:
    """Open, answer, seal. Whatever goes wrong behind the envelope, the platform gets a 200:
    anything else would show the person an error of the platform's and send it again."""
    opened = open_callback(settings, request.args, _body(), now())
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


def _body() -> bytes:
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


def _verify_file(settings: Settings, name: str) -> bytes:
    """The content of a file that operators put into the folder, however lately."""
    folder: Path | None = settings.wechat_verify_dir
    if folder is None or not VERIFY_NAME.fullmatch(name):
        abort(404)
    try:
        with (folder / f"MP_verify_{name}.txt").open("rb") as file:
            return file.read(VERIFY_MAX_BYTES)
    except OSError:
        abort(404)
