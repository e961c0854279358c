"""Who calls: a token from the log-in, and the caregiver behind it, looked up anew each time."""

from dataclasses import dataclass
from datetime import datetime
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
from app.rules.identity import device_of, mark_of
from app.services import log_ins
from app.wiring import Services

SALT = "api-token"
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


@dataclass(frozen=True, slots=True)
class Named:
    """What a token says of itself; whether it still holds, the database says."""

    caregiver_id: int
    mark: str
    log_in_id: int


def make_token(db: Session, caregiver: Caregiver, at: datetime) -> tuple[str, datetime]:
    """A token for this caregiver on this device, and its end."""
    assert caregiver.mini_openid is not None, "found or made by it"
    device = device_of(request.user_agent.string)
    made = log_ins.begin(db, caregiver, way="app", device=device, now=at)
    content = [caregiver.id, mark_of(caregiver.mini_openid), int(made.expires_at.timestamp())]
    token = _serializer().dumps([*content, made.id])
    return (token if isinstance(token, str) else token.decode()), made.expires_at


def _read_token() -> Named | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        content = _serializer().loads(token.strip())
    except BadSignature:
        return None
    match content:
        case [int(caregiver_id), str(mark), int(expires_at), int(log_in_id)] if (
            now().timestamp() < expires_at
        ):
            return Named(caregiver_id, mark, log_in_id)
    return None


def calling(db: Session) -> Caregiver:
    """The caregiver who calls, read inside the operation's own transaction.

    Raises ApiRefusal (401) without a token, with a late or ended one, and after leaving or erasing.
    """
    named = _read_token()
    if named is None:
        raise ApiRefusal(401, "not_logged_in")
    caregiver = log_ins.find_caregiver(db, named.log_in_id, named.caregiver_id, now())
    if caregiver is None or caregiver.mini_openid is None:
        raise ApiRefusal(401, "not_logged_in")
    if mark_of(caregiver.mini_openid) != named.mark:
        raise ApiRefusal(401, "not_logged_in")
    return caregiver


def calling_by() -> int:
    """The number of the log-in that the request's token names; after `calling` it is a live one."""
    named = _read_token()
    return named.log_in_id if named is not None else 0


def caller_key() -> str:
    """What is counted against the limit: the caregiver, or the address of a stranger."""
    named = _read_token()
    return f"caregiver:{named.caregiver_id}" if named else get_remote_address()
