"""Applications for tests: the whole one, made once a worker, and any one served on a free port."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from app.factory import Application, create_app
from app.wechat.route import CallbackApp
from app.wiring import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

LOOKS_EVERY_SECONDS = 0.02
"""How soon a server sees that it is to stop; the library's half a second, a hundred times over,
is most of a minute."""

_made: dict[tuple[object, ...], tuple[Services, Application]] = {}


def whole_application(services: Services) -> Application:
    """The application over this test's services.

    Making one costs more than most tests: two hundred routes are compiled, forms and templates
    with them. It is made once for each set of settings that its making reads, and from then on
    looks at the services of whoever asked last. A test that changes the application itself makes
    its own with create_app.
    """
    settings = services.settings
    read_when_made = (
        settings.secret_key.get_secret_value(),
        settings.public_url,
        settings.redis_url,
        settings.trusted_proxies,
    )
    if read_when_made not in _made:
        # A copy: the test's own stays what the test made it.
        looked_at = Services(**vars(services))
        app = create_app(looked_at, commands=False)
        assert isinstance(app, Application)
        _made[read_when_made] = (looked_at, app)
    looked_at, app = _made[read_when_made]
    vars(looked_at).clear()
    vars(looked_at).update(vars(services))
    vars(app)["_callback"] = CallbackApp(services)
    return app


@contextmanager
def serving(app: "WSGIApplication") -> Iterator[str]:
    """The address at which the application answers meanwhile."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(LOOKS_EVERY_SECONDS,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
