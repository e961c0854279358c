"""Connections to the platform that are kept: a request and its answer, and nothing around them.

On the standard library's http.client, which costs a message less than half of what urllib3 does
around it, and that a quarter of what it costs to deliver one. Where a proxy is the way out,
urllib3 knows the way.
"""

import os
import select
import ssl
import warnings
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Protocol
from urllib.parse import urlsplit

import certifi
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    SSLError,
)
from urllib3.util import Timeout, make_headers, parse_url

from app.importing import instead

# Guessing in which encoding an answer may be: 3 MB a process, of which the platform's JSON needs
# nothing. `requests` warns that it is missing; only wechatpy and we import it.
with (
    warnings.catch_warnings(),
    instead("charset_normalizer", None),
    instead("chardet", None),
):
    warnings.simplefilter("ignore")
    from requests.utils import get_environ_proxies, select_proxy

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
POOLED_CONNECTIONS = 16
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotConnected(Exception):
    """No connection came about: the request was certainly not seen. The text says why."""


class Interrupted(Exception):
    """The request left, at least in part, and no answer came. The text says why."""


class Connections(Protocol):
    """To one host. Nothing is repeated, and no redirection followed."""

    def exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """The answer's status and body. Raises NotConnected or Interrupted."""

    def close(self) -> None:
        """Close those that nobody uses."""


def connections_to(url: str) -> Connections:
    """To the host of an address, straight or through the environment's proxy."""
    # A proxy of the environment may be the allow-listed way out, but never the way here.
    is_here = urlsplit(url).hostname in LOOPBACK
    proxy = None if is_here else select_proxy(url, get_environ_proxies(url))
    return Proxied(url, proxy) if proxy else Direct(url)


class Direct:
    """Straight to the host. Safe to share between threads: each exchange has one to itself."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._idle: deque[_Connection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """The answer's status and body. Raises NotConnected or Interrupted."""
        connection = self._kept() or self._new()
        try:
            connection.ask(method, path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, HTTPException) as error:
            connection.close()
            raise Interrupted(type(error).__name__) from None
        except BaseException:
            connection.close()
            raise
        # One that the host wants closed is closed already.
        if connection.sock is not None:
            if len(self._idle) < POOLED_CONNECTIONS:
                self._idle.append(connection)
            else:
                connection.close()
        return answer.status, said

    def close(self) -> None:
        """Close those that nobody uses."""
        _close_all(self._idle)

    def _kept(self) -> "_Connection | None":
        """The one that was used last, unless the host has hung up meanwhile."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                poll = select.poll()
                poll.register(connection.sock, select.POLLIN)
                # Nothing was asked: what there is to read can only be its end.
                if not poll.poll(0):
                    return connection
                connection.close()
        return None

    def _new(self) -> "_Connection":
        connection: _Connection
        if self._is_secure:
            connection = _Secure(
                self._host, self._port, timeout=CONNECT_SECONDS, context=self._context
            )
        else:
            connection = _Connection(self._host, self._port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            # Also a certificate that is refused, or a handshake that breaks off.
            connection.close()
            raise NotConnected(type(error).__name__) from None
        connection.sock.settimeout(READ_SECONDS)
        return connection

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=_trusted())


class _Connection(HTTPConnection):
    """Its requests leave in one piece: every part would wake the other side anew."""

    _body = b""

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request."""
        self.putrequest(method, path)
        for name, value in headers.items():
            self.putheader(name, value)
        if body is not None:
            self.putheader("Content-Length", str(len(body)))
            self._body = body
        self.endheaders()

    def send(self, data: Any) -> None:
        """The head of a request, with its body behind it."""
        body, self._body = self._body, b""
        super().send(data + body)


class _Secure(_Connection, HTTPSConnection):
    """The same under TLS."""


def _close_all(idle: deque[_Connection]) -> None:
    with suppress(IndexError):
        while True:
            idle.pop().close()


class Proxied:
    """By way of a proxy."""

    def __init__(self, url: str, proxy: str) -> None:
        parts = urlsplit(url)
        self._root = f"{parts.scheme}://{parts.netloc}"
        self._pool = urllib3.ProxyManager(
            proxy,
            proxy_headers=make_headers(proxy_basic_auth=parse_url(proxy).auth),
            maxsize=POOLED_CONNECTIONS,
            timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            ca_certs=_trusted(),
        )

    def exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """The answer's status and body. Raises NotConnected or Interrupted."""
        try:
            answer = self._pool.urlopen(
                method,
                f"{self._root}{path}",
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
            )
        except HTTPError as error:
            trouble = NotConnected if _never_left(error) else Interrupted
            raise trouble(type(error).__name__) from None
        return answer.status, answer.data

    def close(self) -> None:
        """Close those that nobody uses."""
        self._pool.clear()


def _never_left(error: HTTPError) -> bool:
    """Whether no connection came about, so that the platform cannot have seen the request."""
    if isinstance(error, SSLError):
        # A certificate is refused before anything is said; other faults may come later.
        return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in error.args)
    return isinstance(error, (ConnectTimeoutError, NewConnectionError, ProxyError))


def _trusted() -> str:
    """Of whom certificates are taken."""
    return os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()
