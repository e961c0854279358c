"""What every page gets against forgery, framing, scripts and guessing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from limits.storage import RedisStorage
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map
from werkzeug.sansio.utils import host_is_trusted

from app.config import Settings
from app.db import LARGEST_ID
from app.words.pages import foreign_host

IDLE_HOURS = 8
"""A working day: a tablet left lying about overnight is logged out in the morning."""
MAX_BODY_BYTES = 1024 * 1024
LARGER_BODIES = {"console.hand_in": 9 * 1024 * 1024, "console.set_photo": 9 * 1024 * 1024}
"""By endpoint: files of 50,000 rows, which the district hands in; a telephone's photographs."""
REDIS_TIMEOUT_SECONDS = 1

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
PROBED_PATHS = ("/healthz", "/readyz")
"""Balancers ask here by a host's bare address."""

SIGNED_PATHS = ("/wechat",)
"""The platform signs what it posts here; it cannot bear a form token."""

CONTENT_SECURITY_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    # Bootstrap's style sheet draws its arrows and ticks from data: images.
    "img-src": "'self' data:",
    "font-src": "'self'",
    "script-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


class RowId(IntegerConverter):
    """A row's number in an address, `<id:...>`: none larger than the database can hold."""

    def __init__(self, routes: Map) -> None:
        super().__init__(routes, min=0, max=LARGEST_ID)


@dataclass(frozen=True, slots=True)
class Security:
    """What routes refer to: limits for each address."""

    limiter: Limiter


def secure(app: Flask, settings: Settings, *, has_forms: bool = True) -> Security:
    """Set the cookie flags, headers, form tokens and rate limits of the whole application.

    Without forms (an API whose callers bring a token and no cookie) there are no form tokens.
    Kept in app.extensions["security"] for the blueprints that are registered after.
    """
    app.url_map.converters["id"] = RowId
    is_https = settings.public_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="yuban",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=is_https,
        # The signature carries the time of the last page; a cookie idle for longer is nothing.
        PERMANENT_SESSION_LIFETIME=timedelta(hours=IDLE_HOURS),
        SESSION_REFRESH_EACH_REQUEST=True,
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        # A token lives as long as its session: a page left open over lunch still works.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    if settings.trusted_proxies:
        # Set on the instance: wsgi_app is a method of the class.
        vars(app)["wsgi_app"] = ProxyFix(
            app.wsgi_app,
            x_for=settings.trusted_proxies,
            x_proto=settings.trusted_proxies,
            x_host=settings.trusted_proxies,
        )
    _refuse_foreign_hosts(app, _own_hosts(settings))
    Talisman(
        app,
        # The proxy in front ends TLS and redirects; health checks come without it.
        force_https=False,
        strict_transport_security=is_https,
        session_cookie_secure=is_https,
        frame_options="DENY",
        content_security_policy=CONTENT_SECURITY_POLICY,
    )
    if has_forms:
        _check_form_tokens(app)

    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=_limiter_uri(settings.redis_url),
        storage_options={
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
        },
        # Counting in this process alone is better than locking staff out with Redis down.
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="yuban",
    )
    security = Security(limiter=limiter)
    app.extensions["security"] = security
    return security


def _own_hosts(settings: Settings) -> list[str]:
    """The names that this service answers to."""
    own = urlsplit(settings.public_url).hostname or ""
    others = (name.strip() for name in settings.other_hosts.split(","))
    return [name for name in (own, *others, *LOCAL_HOSTS) if name]


def _refuse_foreign_hosts(app: Flask, own: list[str]) -> None:
    @app.before_request
    def _refuse_foreign_host() -> ResponseReturnValue | None:
        if request.path in PROBED_PATHS or host_is_trusted(request.host, own):
            return None
        # The library's own page would repeat the foreign name.
        return foreign_host(), 400


def _check_form_tokens(app: Flask) -> None:
    csrf = CSRFProtect(app)

    @app.before_request
    def _check_form_token() -> None:
        if request.endpoint in LARGER_BODIES:
            request.max_content_length = LARGER_BODIES[request.endpoint]
        # Every path that is not signed, also one that somebody adds tomorrow.
        if request.path not in SIGNED_PATHS:
            csrf.protect()


_LIMITER_SCHEMES = ["yuban+redis", "yuban+rediss", "yuban+redis+unix"]
_LIMITER_CLIENTS = {"redis": RedisStorage.DEPENDENCIES["redis"]}


class _OnlyRedis(RedisStorage):
    """The library's storage without its look at a second client, which would be imported too."""

    STORAGE_SCHEME = _LIMITER_SCHEMES
    DEPENDENCIES = _LIMITER_CLIENTS

    def __init__(self, uri: str, **options: Any) -> None:
        super().__init__(uri.removeprefix("yuban+"), **options)


def _limiter_uri(redis_url: str) -> str:
    """Names our storage. The library calls redis-py's unix:// scheme redis+unix://."""
    return "yuban+" + ("redis+" if redis_url.startswith("unix://") else "") + redis_url
