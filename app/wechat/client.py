"""What we ask of the platform, with the token seen to and every error code made a reaction."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from redis.exceptions import RedisError

from app.config import WECHAT_PLATFORM_URL
from app.wechat.errors import AnswerLost, ApiRefused, NotSent, PlatformError, Reaction
from app.wechat.menu import Menu, menu_body
from app.wechat.plain_text import fit
from app.wechat.platform import Platform
from app.wechat.token import AccessTokens

TRIES = 3
FIRST_WAIT_SECONDS = 1.0
CODE_PAGE = "https://mp.weixin.qq.com"
"""Where the real platform draws QR codes; the API's own host elsewhere."""
SCENE_LENGTH = 64

CUSTOM = "message/custom/send"
TEMPLATE = "message/template/send"
JS_TICKET = "cgi-bin/ticket/getticket"
SUBSCRIPTION = "message/subscribe/bizsend"


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code whose scan brings its scene along."""

    ticket: str
    url: str
    """What the code says."""
    picture_url: str
    """Where the platform draws it."""


class PlatformClient:
    """The calls that the service makes. Safe to share between threads.

    Every one raises ApiRefused, AnswerLost, NotSent, or redis.RedisError for the token's sake.
    """

    def __init__(
        self,
        api_url: str,
        platform: Platform,
        tokens: AccessTokens,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._code_page = CODE_PAGE if api_url == WECHAT_PLATFORM_URL else api_url
        self._platform = platform
        self._tokens = tokens
        self._sleep = sleep

    def close(self) -> None:
        """Close the connections to the platform."""
        self._platform.close()

    def send_text(self, openid: str, text: str) -> None:
        """One customer-service message. Never repeated by itself: each request is a message."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": fit(text)}}
        self._call_once(CUSTOM, body)

    def send_template(
        self,
        openid: str,
        template_id: str,
        lines: Sequence[tuple[str, str]],
        *,
        url: str | None = None,
        client_msg_id: str,
    ) -> str:
        """One template message, repeated under its id while the platform is busy or silent.

        Gives its MsgID, which the receipt will name. AnswerLost where any of the tries may
        have arrived and none is known to have.
        """
        body: dict[str, object] = {
            "touser": openid,
            "template_id": template_id,
            "data": {key: {"value": value} for key, value in lines},
            "client_msg_id": client_msg_id,
        }
        if url:
            body["url"] = url
        return _message_id(self._call_repeatedly(TEMPLATE, body))

    def send_subscription(
        self,
        openid: str,
        template_id: str,
        lines: Sequence[tuple[str, str]],
        *,
        page: str | None = None,
    ) -> str:
        """One subscription notice, which spends a consent. Never repeated by itself."""
        body: dict[str, object] = {
            "touser": openid,
            "template_id": template_id,
            "data": {key: {"value": value} for key, value in lines},
        }
        if page:
            body["page"] = page
        return _message_id(self._call_once(SUBSCRIPTION, body))

    def publish_menu(self, menu: Menu) -> None:
        """Replace the account's menu."""
        self._call_repeatedly("menu/create", menu_body(menu))

    def find_js_ticket(self) -> tuple[str, int]:
        """What pages' calls of the JS-SDK are signed with, and for how many seconds it is good."""
        token = self._tokens.current()
        try:
            answer = self._platform.get(JS_TICKET, [("access_token", token), ("type", "jsapi")])
        except ApiRefused as error:
            if error.reaction is not Reaction.RENEW_TOKEN:
                raise
            token = self._tokens.replace(token)
            answer = self._platform.get(JS_TICKET, [("access_token", token), ("type", "jsapi")])
        ticket, seconds = answer.get("ticket"), answer.get("expires_in")
        if not isinstance(ticket, str) or not ticket or not isinstance(seconds, int):
            raise AnswerLost("unreadable")
        return ticket, seconds

    def find_unionids(self, openids: Sequence[str]) -> Mapping[str, str]:
        """UnionIDs by openid, of at most a hundred followers; who has none is left out."""
        body = {"user_list": [{"openid": openid} for openid in openids]}
        rows = self._call_repeatedly("user/info/batchget", body).get("user_info_list")
        if not isinstance(rows, list):
            raise AnswerLost("unreadable")
        said = [(row.get("openid"), row.get("unionid")) for row in rows if isinstance(row, dict)]
        return {
            openid: unionid
            for openid, unionid in said
            if isinstance(openid, str) and isinstance(unionid, str) and unionid
        }

    def create_qr(self, scene: str) -> QrCode:
        """A lasting code, of which an account has 100,000; scene of 1 to 64 characters."""
        if not 1 <= len(scene) <= SCENE_LENGTH:
            raise ValueError(f"a scene has 1 to {SCENE_LENGTH} characters")
        body = {
            "action_name": "QR_LIMIT_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        answer = self._call_repeatedly("qrcode/create", body)
        ticket, url = answer.get("ticket"), answer.get("url")
        if not isinstance(ticket, str) or not isinstance(url, str):
            raise AnswerLost("unreadable")
        picture = f"{self._code_page}/cgi-bin/showqrcode?ticket={quote(ticket, safe='')}"
        return QrCode(ticket, url, picture)

    def _call_once(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Call; with a refused token once more, for that call did nothing."""
        token = self._tokens.current()
        try:
            return self._platform.post(path, body, token)
        except ApiRefused as error:
            if error.reaction is not Reaction.RENEW_TOKEN:
                raise
        return self._platform.post(path, body, self._tokens.replace(token))

    def _call_repeatedly(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Call again while the platform is busy or silent, for what does no harm twice."""
        lost: AnswerLost | None = None
        last: PlatformError = NotSent(path)
        for attempt in range(TRIES):
            if attempt:
                self._sleep(FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
            try:
                return self._call_once(path, body)
            except AnswerLost as error:
                lost = last = error
            except NotSent as error:
                last = error
            except ApiRefused as error:
                last = error
                if error.reaction is not Reaction.BACK_OFF:
                    break
            except RedisError:
                if lost is None:
                    raise
                break
        # A try that may have arrived weighs more than a later one that certainly did not.
        raise lost or last


def _message_id(answer: Mapping[str, object]) -> str:
    number = answer.get("msgid", "")
    return str(number) if isinstance(number, (int, str)) else ""
