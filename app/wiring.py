"""Joins settings, database, Redis and handlers into what the edges use."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from redis import Redis

from app.calendar_links import CalendarLinks
from app.clock import now
from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from app.dialogue.store import DialogueStore
from app.dialogue.turn import Desk, Handlers
from app.page_links import PageLinks
from app.wechat.turns import Turns
from content.shelf import Shelf

if TYPE_CHECKING:
    from app.wechat.web_login import MiniUser, Opener
    from content.library import Library

REDIS_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """One line of the timetable; `run` returns a short account of what it did."""

    name: str
    schedule: str
    does: str
    run: Callable[["Services", datetime], str]


@dataclass(frozen=True)
class Services:
    """What an edge needs; made once a process."""

    settings: Settings
    cipher: Cipher
    database: Database
    redis: Redis
    turns: Turns
    jobs: Sequence[Job] = ()
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def library(self) -> "Library":
        """What authors wrote, as of now. Raises ContentBroken where none was ever good."""
        return self.shelf.library

    @property
    def calendar_links(self) -> CalendarLinks:
        return make_calendar_links(self.settings)

    @property
    def page_links(self) -> PageLinks:
        return make_page_links(self.settings)

    def find_opener(self, code: str) -> "Opener":
        """Who opened a page, by the platform's code. Raises CodeSpent or PlatformError."""
        from app.wechat.web_login import find_opener

        return find_opener(self.settings, code)

    def find_mini_user(self, code: str) -> "MiniUser":
        """Who logs in to the mini program. Raises CodeSpent or PlatformError."""
        from app.wechat.web_login import find_mini_user

        return find_mini_user(self.settings, code)

    def ask_unionids(self, openids: Sequence[str]) -> Mapping[str, str]:
        """UnionIDs by openid, of followers for whom the platform has one.

        Raises PlatformError or redis.RedisError.
        """
        from app.wechat.deliver import make_client

        client = make_client(self.settings, self.redis)
        try:
            return client.find_unionids(openids)
        finally:
            client.close()

    def find_js_ticket(self) -> str | None:
        """What pages sign their calls of the JS-SDK with; None where there is none now."""
        from app.wechat.deliver import make_client
        from app.wechat.js_tickets import JsTickets

        client = make_client(self.settings, self.redis)
        try:
            return JsTickets(client, self.redis, self.settings.wechat_app_id).find()
        finally:
            client.close()

    def find_session_code(self, session_code: str) -> str | None:
        """What the QR code of a guidance session says; None where the platform is silent."""
        # A web worker starts faster, and smaller, without the client until somebody asks.
        from app.wechat.deliver import make_client
        from app.wechat.session_codes import SessionCodes

        client = make_client(self.settings, self.redis)
        try:
            codes = SessionCodes(client, self.redis, self.settings.wechat_app_id)
            return codes.find_url(session_code)
        finally:
            client.close()


def make_calendar_links(settings: Settings) -> CalendarLinks:
    """Links to calendar files by the settings."""
    return CalendarLinks(settings.public_url, settings.secret_key.get_secret_value())


def make_page_links(settings: Settings) -> PageLinks:
    """Links to the family's pages by the settings."""
    return PageLinks(settings.public_url, settings.secret_key.get_secret_value())


def make_redis(url: str) -> Redis:
    """A client that gives up soon: a caregiver waits at the other end. Connects to nothing yet."""
    return Redis.from_url(
        url,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        health_check_interval=30,
    )


def make_services(
    settings: Settings,
    handlers: Handlers,
    jobs: Sequence[Job] = (),
    clock: Callable[[], datetime] = now,
) -> Services:
    """Everything wired; no connection is opened and no thread started yet."""
    threads = settings.web_threads
    cipher = Cipher(settings.data_keys)
    database = Database(make_engine(settings.database_url, cipher, pool_size=threads + 2))
    redis = make_redis(settings.redis_url)
    shelf = Shelf()
    turns = Turns(
        database=database,
        store=DialogueStore(redis, cipher),
        handlers=handlers,
        desk=Desk(
            public_url=settings.public_url,
            service_phone=settings.service_phone,
            calendar_url=make_calendar_links(settings).url,
            pages=make_page_links(settings),
            shelf=shelf,
            asks=settings.asks,
            lasting_templates=settings.lasting_templates,
        ),
        deadline_seconds=settings.turn_deadline_seconds,
        threads=threads,
        quick=settings.web_quick_turns,
        clock=clock,
    )
    return Services(settings, cipher, database, redis, turns, jobs, shelf)


def check_content(services: Services) -> None:
    """Load what authors wrote. Exits with file, line and reason where it is broken.

    A process refuses at its start; one that runs keeps serving the last that was good.
    """
    from content.front_matter import ContentBroken

    try:
        _ = services.library
    except ContentBroken as broken:
        sys.exit(f"content is broken:\n{broken}")
