"""The family's cookie: apart from the staff's, by name, by path and by signature.

A tablet of the station on which a mother opened her page is still the teacher's, and the other
way round; a cookie of the one, sent as the other's, is worth nothing.
"""

from datetime import datetime, timedelta

from flask import Flask, Request, Response
from flask.sessions import (
    SecureCookieSession,
    SecureCookieSessionInterface,
    SessionInterface,
    SessionMixin,
)
from itsdangerous import BadSignature

from app.clock import now
from app.services.log_ins import PAGES_LAST

PATH = "/family"
NAME = "yuban_family"
DAYS = PAGES_LAST.days


class _FamilyCookie(SecureCookieSessionInterface):
    salt = "family-session"

    def get_cookie_name(self, app: Flask) -> str:
        return NAME

    def get_cookie_path(self, app: Flask) -> str:
        return PATH

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime | None:
        return now() + timedelta(days=DAYS)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        value = request.cookies.get(NAME)
        if not value:
            return self.session_class()
        try:
            kept = serializer.loads(value, max_age=DAYS * 24 * 3600)
        except BadSignature:
            return self.session_class()
        return self.session_class(kept)


class SessionsByPath(SessionInterface):
    """Flask's session: the family's under /family, the staff's everywhere else."""

    def __init__(self) -> None:
        self._family = _FamilyCookie()
        self._others = SecureCookieSessionInterface()

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        session = self._of(request.path).open_session(app, request)
        if session is not None:
            self._keep_side(session, request.path)
        return session

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        side = self._family if vars(session).get("is_family") else self._others
        side.save_session(app, session, response)

    def _of(self, path: str) -> SecureCookieSessionInterface:
        return self._family if path == PATH or path.startswith(PATH + "/") else self._others

    def _keep_side(self, session: SessionMixin, path: str) -> None:
        # An attribute, not an entry: it is no part of what the cookie holds.
        vars(session)["is_family"] = self._of(path) is self._family
