"""Who calls: a token from the log-in, and the caregiver behind it, looked up anew each time."""

from datetime import datetime, timedelta
from typing import Any

from flask import current_app, request
from flask_limiter.util import get_remote_address
from flask_openapi3 import SecurityScheme
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from app.api.problems import ApiRefusal
from app.clock import now
from app.db import Database
from app.models import Caregiver
from app.rules.identity import mark_of
from app.wiring import Services

SALT = "api-token"
LASTS = timedelta(days=7)
SCHEME: dict[str, SecurityScheme | dict[str, Any]] = {
    "bearer": {"type": "http", "scheme": "bearer"}
}
BEARER: list[dict[str, list[str]]] = [{"bearer": []}]


def services() -> Services:
    found: Services = current_app.extensions["yuban"]
    return found


def database() -> Database:
    return services().database


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(services().settings.secret_key.get_secret_value(), salt=SALT)


def make_token(caregiver: Caregiver, at: datetime) -> tuple[str, datetime]:
    """A token for this caregiver, and its end."""
    expires_at = at + LASTS
    assert caregiver.mini_openid is not None, "found or made by it"
    content = [caregiver.id, mark_of(caregiver.mini_openid), int(expires_at.timestamp())]
    token = _serializer().dumps(content)
    return (token if isinstance(token, str) else token.decode()), expires_at


def _read_token() -> tuple[int, str] | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        content = _serializer().loads(token.strip())
    except BadSignature:
        return None
    match content:
        case [int(caregiver_id), str(mark), int(expires_at)] if now().timestamp() < expires_at:
            return caregiver_id, mark
    return None


def calling(db: Session) -> Caregiver:
    """The caregiver who calls, read inside the operation's own transaction.

    Raises ApiRefusal (401) without a token, with a late one, and after leaving or erasing.
    """
    named = _read_token()
    if named is None:
        raise ApiRefusal(401, "not_logged_in")
    caregiver = db.get(Caregiver, named[0])
    if caregiver is None or caregiver.mini_openid is None:
        raise ApiRefusal(401, "not_logged_in")
    if mark_of(caregiver.mini_openid) != named[1]:
        raise ApiRefusal(401, "not_logged_in")
    return caregiver


def caller_key() -> str:
    """What is counted against the limit: the caregiver, or the address of a stranger."""
    named = _read_token()
    return f"caregiver:{named[0]}" if named else get_remote_address()
