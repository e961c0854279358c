"""The sandbox's web app: the platform's API, the controls and the pages over one world."""

from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider

from sandbox import control, pages, platform_api, store
from sandbox.actions import Phones
from sandbox.line import Line
from sandbox.settings import Settings, from_environment
from sandbox.world import World

BODY_BYTES = 1_000_000

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data: http: https:; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)


class _Json(DefaultJSONProvider):
    """Chinese as it is read, keys as they were written."""

    ensure_ascii = False
    sort_keys = False


def create_app(settings: Settings) -> Flask:
    """The app over the world of `settings.state_file`, or over a fresh one in memory."""
    stored = store.load(settings.state_file) if settings.state_file else None
    world = World(settings, stored)
    if settings.state_file:
        store.keep(world, settings.state_file)
    return create_app_over(world)


def create_app_from_environment() -> Flask:
    """The app as `python -m sandbox` set it up; made in the worker, whose threads it owns."""
    return create_app(from_environment())


def create_app_over(world: World) -> Flask:
    """The app over a world that the caller keeps in hand."""
    line = Line(world)
    app = Flask("sandbox")
    app.json = _Json(app)
    app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
    app.register_blueprint(platform_api.make_blueprint(world, line))
    phones = Phones(world, line)
    app.register_blueprint(control.make_blueprint(world, line, phones))
    app.register_blueprint(pages.make_blueprint(world, phones))

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app
