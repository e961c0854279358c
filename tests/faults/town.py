"""A town that writes to a running web process over HTTP, and does not give up at a polite no."""

import http.client
import itertools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

from app.clock import now as clock_now
from app.config import Settings
from tests.wechat.callbacks import safe_callback, said, xml

CALLERS = 24
_numbers = itertools.count(1)


@dataclass
class Town:
    """Families 1 … n; what each was answered, in order."""

    settings: Settings
    port: int
    heard: dict[str, list[str]] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)

    def say(self, openid: str, text: str) -> str:
        """One message; the reply's text, empty where the answer was silence."""
        inner = xml(
            ToUserName="gh_1",
            FromUserName=openid,
            CreateTime=str(int(clock_now().timestamp())),
            MsgType="text",
            MsgId=str(next(_numbers)),
            Content=text,
        )
        callback = safe_callback(self.settings, inner, clock_now())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            path = f"/wechat?{urlencode(callback.query)}"
            connection.request("POST", path, body=callback.body)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        self.statuses.add(response.status)
        answer = said(self.settings, body).get("Content", "") if body != b"success" else ""
        self.heard.setdefault(openid, []).append(answer)
        return answer

    def all_say(self, openids: Iterable[str], text: str) -> dict[str, str]:
        """Everybody at once, as many as the line holds."""
        everybody = list(openids)
        with ThreadPoolExecutor(CALLERS) as callers:
            answers = callers.map(lambda openid: self.say(openid, text), everybody)
            return dict(zip(everybody, answers, strict=True))
