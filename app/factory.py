"""create_app: the web application from services that are already wired."""

from flask import Flask

from app.console import init_console
from app.health import make_blueprint as make_health
from app.security import secure
from app.telemetry import follow_requests
from app.wechat.route import make_blueprint as make_callback
from app.wiring import Services


def create_app(services: Services, *, commands: bool = True) -> Flask:
    """The web application: callback, console, health; and the command line where wanted.

    A web worker starts faster, and smaller, without the commands' imports.
    """
    app = Flask("app")
    app.extensions["yuban"] = services
    follow_requests(app)
    secure(app, services.settings)
    app.register_blueprint(make_callback(services))
    app.register_blueprint(make_health(services))
    init_console(app)
    if commands:
        from app.cli import init_cli

        init_cli(app)
    return app
