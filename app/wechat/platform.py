"""One request to the platform's API and its answer, or what went wrong, as our errors.

wechatpy's client makes the body and reads the answer. Its token handling stays out of the way: it
knows no stable token, no lock, no limit of retries, and no time-out on the token's fetch. Its
requests leave on connections of ours: what `requests` does around a message costs more than the
rest of it together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from wechatpy.exceptions import WeChatClientException

from app.wechat.connections import Interrupted, NotConnected, connections_to
from app.wechat.errors import AnswerLost, ApiRefused, NotSent, reaction_to

OK = 200


class Platform:
    """Posts JSON to the platform and gives back its JSON. Safe to share between threads."""

    def __init__(self, api_url: str, app_id: str) -> None:
        self._api_url = api_url
        # Behind the connections' import of `requests`, which leaves out what guesses encodings.
        from wechatpy.client import WeChatClient

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
        parts = urlsplit(api_url)
        self._root = f"{parts.scheme}://{parts.netloc}"
        self._connections = connections_to(api_url)

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
        path = url.removeprefix(self._root)
        return _Answer(
            *self._connections.exchange(
                method.upper(),
                f"{path}?{urlencode(params)}" if params else path,
                data,
                {} if data is None else {"Content-Type": "application/json"},
            )
        )

    def close(self) -> None:
        self._connections.close()


def _read(ask: Callable[[], object]) -> Mapping[str, object]:
    try:
        answer = ask()
    except WeChatClientException as error:
        raise ApiRefused(error.errcode, reaction_to(error.errcode)) from None
    except _StatusError:
        raise AnswerLost("http_error") from None
    except NotConnected as error:
        raise NotSent(str(error)) from None
    except Interrupted as error:
        raise AnswerLost(str(error)) from None
    except (ValueError, TypeError):
        raise AnswerLost("unreadable") from None
    if not isinstance(answer, dict):
        raise AnswerLost("unreadable")
    return answer
