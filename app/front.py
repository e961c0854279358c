"""A web worker's application: the platform's messages from the start, the pages a little later."""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING

from app.wechat.route import CallbackApp, CallbackServices

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ALIVE_PATH = "/healthz"
_ALIVE = b'{"ok":true}\n'


class Front:
    """Answers the platform; everything else is answered by the pages.

    They are a third of what there is to load, and nobody's message has to wait for them. Nor has
    who asks for a sign of life meanwhile.
    """

    def __init__(
        self, services: CallbackServices, make_pages: Callable[[], "WSGIApplication"]
    ) -> None:
        self._callback = CallbackApp(services)
        self._make_pages = make_pages
        self._pages: WSGIApplication | None = None
        self._loading = Lock()

    def pages(self) -> "WSGIApplication":
        """The pages, loaded by whoever asks first; others wait for it."""
        if self._pages is None:
            with self._loading:
                if self._pages is None:
                    self._pages = self._make_pages()
        return self._pages

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if self._callback.is_for(path):
            return self._callback(environ, start_response)
        if self._pages is None and path == ALIVE_PATH:
            return _alive(start_response)
        return self.pages()(environ, start_response)


def _alive(start_response: "StartResponse") -> Iterable[bytes]:
    length = str(len(_ALIVE))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", length)])
    return [_ALIVE]
