"""create_app: the web application from services that are already wired."""

from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Flask

from app.calendar_pages import make_blueprint as make_calendar
from app.console import init_console
from app.family import init_family
from app.health import make_blueprint as make_health
from app.late_rule import LateRule
from app.security import secure
from app.telemetry import follow_requests
from app.wechat.route import CallbackApp
from app.wiring import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Application(Flask):
    """The pages; hands the platform's paths to the callback before any of their guards.

    What guards a browser's requests (session, form token, rate limit, security headers)
    means nothing to the platform, and would cost every message a tenth of its time.
    """

    url_rule_class = LateRule

    def __init__(self, callback: CallbackApp, services: Services) -> None:
        super().__init__("app")
        self._callback = callback
        self._services = services

    @cached_property
    def api(self) -> Flask:
        """The mini-service API, made when somebody first asks: most workers start without."""
        from app.api import make_api_app

        return make_api_app(self._services)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if self._callback.is_for(environ.get("PATH_INFO", "")):
            return self._callback(environ, start_response)
        if environ.get("PATH_INFO", "").startswith("/api/"):
            return self.api(environ, start_response)
        return super().__call__(environ, start_response)


def create_app(services: Services, *, commands: bool = True) -> Flask:
    """The web application: callback, console, health; and the command line where wanted.

    A web worker starts faster, and smaller, without the commands' imports.
    """
    app = Application(CallbackApp(services), services)
    app.extensions["yuban"] = services
    follow_requests(app)
    secure(app, services.settings)
    app.register_blueprint(make_health(services))
    app.register_blueprint(make_calendar(services))
    init_console(app)
    init_family(app)
    if commands:
        from app.cli import init_cli

        init_cli(app)
    return app
