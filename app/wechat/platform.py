"""One request to the platform's API and its answer, or what went wrong, as our errors.

wechatpy's client makes the body and reads the answer. Its token handling stays out of the way: it
knows no stable token, no lock, no limit of retries, and no time-out on the token's fetch. Its
requests leave on urllib3's connections: what `requests` does around these costs more than the
rest of a message together.
"""

import os
import ssl
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

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
from wechatpy.client import WeChatClient
from wechatpy.exceptions import WeChatClientException

from app.importing import instead
from app.wechat.errors import AnswerLost, ApiRefused, NotSent, reaction_to

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
OK = 200


class Platform:
    """Posts JSON to the platform and gives back its JSON. Safe to share between threads."""

    def __init__(self, api_url: str, app_id: str) -> None:
        self._api_url = api_url
        self._client = WeChatClient(
            app_id,
            "",  # the secret travels only in the token's request, which is ours
            auto_retry=False,
        )
        self._client.API_BASE_URL = f"{api_url}/cgi-bin/"
        self._client._http = self._http = _Http(api_url)

    def post(
        self, path: str, body: Mapping[str, object], token: str | None
    ) -> Mapping[str, object]:
        """The answer to a POST, such as path="message/custom/send".

        Raises ApiRefused, AnswerLost or NotSent. None of them carries what was sent, nor
        chains to an error that does: those would bear the token into a log.
        """
        # A list, not a dict: wechatpy would add a token of its own to a dict without one.
        params = [] if token is None else [("access_token", token)]
        return _read(lambda: self._client.post(path, data=dict(body), params=params))

    def get(self, path: str, params: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """The answer to a GET of a path from the root, such as "sns/oauth2/access_token".

        Raises as post does.
        """
        return _read(lambda: self._client.get(f"{self._api_url}/{path}", params=list(params)))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What wechatpy's client reads of a response."""

    status: int
    content: bytes
    request: None = None

    def raise_for_status(self) -> None:
        """An HTTP status says nothing about the message."""
        if self.status != OK:
            raise _StatusError


class _StatusError(Exception):
    """The server answered, but not as the platform answers."""


class _Http:
    """What wechatpy's client uses of a session of `requests`, on connections that are kept."""

    def __init__(self, api_url: str) -> None:
        timeout = Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        trusted = os.environ.get("REQUESTS_CA_BUNDLE") or certifi.where()
        # A proxy of the environment may be the allow-listed way out, but never the way here.
        is_here = urlsplit(api_url).hostname in LOOPBACK
        proxy = None if is_here else select_proxy(api_url, get_environ_proxies(api_url))
        self._root = ""
        """What an address begins with that goes by the one host's own pool."""
        self._pool: urllib3.PoolManager | urllib3.HTTPConnectionPool
        if proxy:
            self._pool = urllib3.ProxyManager(
                proxy,
                proxy_headers=make_headers(proxy_basic_auth=parse_url(proxy).auth),
                maxsize=POOLED_CONNECTIONS,
                timeout=timeout,
                ca_certs=trusted,
            )
        else:
            manager = urllib3.PoolManager(
                maxsize=POOLED_CONNECTIONS, timeout=timeout, ca_certs=trusted
            )
            # There is but one host: asking the manager for it, each time, costs a tenth of a call.
            self._root, self._pool = api_url, manager.connection_from_url(api_url)

    def request(
        self,
        *,
        method: str,
        url: str,
        params: Sequence[tuple[str, str]],
        timeout: object,
        data: bytes | None = None,
    ) -> _Answer:
        """The response; nothing is repeated and no redirection followed."""
        url = url.removeprefix(self._root)
        answer = self._pool.urlopen(
            method.upper(),
            f"{url}?{urlencode(params)}" if params else url,
            body=data,
            headers={} if data is None else {"Content-Type": "application/json"},
            retries=False,
            redirect=False,
        )
        return _Answer(answer.status, answer.data)

    def close(self) -> None:
        if isinstance(self._pool, urllib3.PoolManager):
            self._pool.clear()
        else:
            self._pool.close()


def _read(ask: Callable[[], object]) -> Mapping[str, object]:
    try:
        answer = ask()
    except WeChatClientException as error:
        raise ApiRefused(error.errcode, reaction_to(error.errcode)) from None
    except _StatusError:
        raise AnswerLost("http_error") from None
    except HTTPError as error:
        if _never_left(error):
            raise NotSent(type(error).__name__) from None
        raise AnswerLost(type(error).__name__) from None
    except (ValueError, TypeError):
        raise AnswerLost("unreadable") from None
    if not isinstance(answer, dict):
        raise AnswerLost("unreadable")
    return answer


def _never_left(error: HTTPError) -> bool:
    """Whether no connection came about, so that the platform cannot have seen the request."""
    if isinstance(error, SSLError):
        # A certificate is refused before anything is said; other faults may come later.
        return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in error.args)
    return isinstance(error, (ConnectTimeoutError, NewConnectionError, ProxyError))
