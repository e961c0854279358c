"""create_app: the web application from services that are already wired."""

from flask import Flask

from app.cli import init_cli
from app.console import init_console
from app.health import make_blueprint as make_health
from app.security import secure
from app.wechat.route import make_blueprint as make_callback
from app.wiring import Services


def create_app(services: Services) -> Flask:
    """The web application: callback, console, health, command line."""
    app = Flask("app")
    app.extensions["yuban"] = services
    secure(app, services.settings)
    app.register_blueprint(make_callback(services))
    app.register_blueprint(make_health(services))
    init_console(app)
    init_cli(app)
    return app
