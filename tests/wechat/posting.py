"""The post office of one test: the outbox, its deliverer, and the platform behind it."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db import Database
from app.models import Notice
from app.models.notice_facts import NoticeFacts
from app.wechat.deliver import Deliverer
from tests.outbox import Booking, follow_ups, hear, outbox, put_notice
from tests.sandbox.playing import MAMA, Handle

CUSTOM = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
TOKEN = "/cgi-bin/stable_token"


@dataclass
class LivePlatform(Handle):
    """The sandbox, reachable under its address."""

    address: str = ""


@dataclass
class Post:
    """The post office of one test: the outbox, its deliverer, and the platform behind it."""

    database: Database
    platform: LivePlatform
    deliverer: Deliverer
    stopping: threading.Event
    booking: Booking
    now: datetime

    def put(self, key: str = "", facts: NoticeFacts | None = None) -> None:
        with self.database.transaction() as db:
            put_notice(db, self.booking, self.now, key=key, facts=facts)

    def writes(self, openid: str = MAMA) -> None:
        """The person writes: the sandbox opens its window, and our inbox knows."""
        self.platform.act(openid, "text", content="你好")
        with self.database.transaction() as db:
            hear(db, openid, "write", self.now)

    def runs(self, **later: float) -> int:
        return self.deliverer.run_once(self.now + timedelta(**later))

    @property
    def texts(self) -> list[str]:
        return [row["text"] for row in self.platform.accepted()]

    @property
    def kinds(self) -> list[str]:
        return [row["kind"] for row in self.platform.accepted()]

    @property
    def notice(self) -> Notice:
        (notice,) = outbox(self.database)
        return notice

    @property
    def ended(self) -> tuple[str, str | None, str | None]:
        """State, reason and channel of the only notice."""
        return (self.notice.state, self.notice.reason, self.notice.channel)

    @property
    def told(self) -> list[str]:
        """What people have to look at."""
        return [row.kind for row in follow_ups(self.database)]


class Impatient(threading.Event):
    """A stop signal that lets no test wait between two tries."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(0)
