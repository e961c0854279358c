"""One request to the platform's API and its answer, or what went wrong, as our errors.

wechatpy's client speaks HTTP and reads the answers. Its token handling stays out of the way:
it knows no stable token, no lock, no limit of retries, and no time-out on the token's fetch.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from requests import RequestException
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ConnectTimeout, ProxyError
from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from app.wechat.errors import AnswerLost, ApiRefused, NotSent, reaction_to

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
POOLED_CONNECTIONS = 16
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Platform:
    """Posts JSON to the platform and gives back its JSON. Safe to share between threads."""

    def __init__(self, api_url: str, app_id: str) -> None:
        self._api_url = api_url
        self._client = WeChatClient(
            app_id,
            "",  # the secret travels only in the token's request, which is ours
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            auto_retry=False,
        )
        self._client.API_BASE_URL = f"{api_url}/cgi-bin/"
        self._http = http = self._client._http
        adapter = HTTPAdapter(
            pool_connections=1, pool_maxsize=POOLED_CONNECTIONS, max_retries=0, pool_block=False
        )
        http.mount("http://", adapter)
        http.mount("https://", adapter)
        # A proxy of the environment may be the allow-listed way out, but never the way here.
        http.trust_env = urlsplit(api_url).hostname not in LOOPBACK

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


def _read(ask: Callable[[], object]) -> Mapping[str, object]:
    try:
        answer = ask()
    except WeChatClientException as error:
        if error.errcode is None:  # an HTTP status, which says nothing about the message
            raise AnswerLost("http_error") from None
        raise ApiRefused(error.errcode, reaction_to(error.errcode)) from None
    except RequestException as error:
        if _never_left(error):
            raise NotSent(type(error).__name__) from None
        raise AnswerLost(type(error).__name__) from None
    except (ValueError, TypeError):
        raise AnswerLost("unreadable") from None
    if not isinstance(answer, dict):
        raise AnswerLost("unreadable")
    return answer


def _never_left(error: RequestException) -> bool:
    """Whether no connection came about, so that the platform cannot have seen the request."""
    if isinstance(error, (ConnectTimeout, ProxyError)):
        return True
    cause = error.args[0] if isinstance(error, RequestsConnectionError) and error.args else None
    if not isinstance(cause, MaxRetryError):
        return False
    if isinstance(cause.reason, SSLError):
        # A certificate is refused before anything is said; other faults may come later.
        return any(isinstance(arg, ssl.SSLCertVerificationError) for arg in cause.reason.args)
    return isinstance(cause.reason, NewConnectionError)
