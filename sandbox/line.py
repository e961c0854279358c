"""The platform's line to the service: posts callbacks, waits, tries again, shows the reply."""

import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import urllib3

from sandbox.envelope import MalformedReply, open_reply, seal, sign
from sandbox.records import Callback, Entry, Letter, Sealed
from sandbox.replies import Reply, read_reply
from sandbox.settings import Settings
from sandbox.world import World

UNAVAILABLE = "该公众号暂时无法提供服务，请稍后再试"
"""What the platform tells the person where the service does not answer as it must."""
WORKERS = 8

Result = Literal["empty", "reply", "malformed", "failed", "timeout"]


@dataclass(frozen=True)
class Delivery:
    """How one callback went."""

    result: Result
    attempts: int
    seconds: float
    status: int | None = None
    detail: str = ""
    reply: Reply | None = None
    entry: Entry | None = None


class Line:
    """Posts to one service. Holds connections and a few threads, no other state."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=32,
            retries=False,
            headers={"Content-Type": "text/xml", "User-Agent": "Mozilla/4.0"},
        )
        self._later: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._started = False

    @property
    def _settings(self) -> Settings:
        return self._world.settings

    def later(self, act: Callable[[], object]) -> None:
        """Does something in the background, in the order of asking as far as threads are free."""
        with self._starting:
            if not self._started:
                for number in range(WORKERS):
                    name = f"sandbox-line-{number}"
                    threading.Thread(target=self._work, name=name, daemon=True).start()
                self._started = True
        self._later.put(act)

    def deliver_later(self, letter: Letter) -> None:
        """Posts it from the background, sealed when its turn comes."""
        self.later(lambda: self.deliver(letter, self.seal(letter)))

    def seal(self, letter: Letter) -> Sealed:
        """The letter as it goes over the wire. Signed with the true time, never a shifted one."""
        return seal(
            self._settings,
            letter.xml,
            openid=letter.openid,
            timestamp=int(time.time()),
            nonce=str(secrets.randbelow(9 * 10**9) + 10**9),
        )

    def deliver(self, letter: Letter, sealed: Sealed, *, quiet: bool = False) -> Delivery:
        """Posts, tries again as the platform does, and shows what comes back.

        Quiet: shows nothing on the phone. Must not be called under the world's lock.
        """
        begun = time.monotonic()
        delivery = self._deliver(letter, sealed)
        delivery = replace(delivery, seconds=time.monotonic() - begun)
        if not quiet:
            delivery = replace(delivery, entry=self._show(letter, delivery))
        self._world.record_callback(
            Callback(
                at=self._world.now(),
                openid=letter.openid,
                kind=letter.kind,
                attempts=delivery.attempts,
                seconds=round(delivery.seconds, 4),
                outcome=delivery.result,
                detail=delivery.detail,
            )
        )
        return delivery

    def verify_address(self) -> str:
        """Asks the callback to prove itself, as when its address is entered: "" or the trouble."""
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        echo = str(secrets.randbelow(10**19))
        fields = {
            "signature": sign(self._settings.token, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "echostr": echo,
        }
        try:
            answer = self._pool.request(
                "GET", self._settings.callback, fields=fields, timeout=self._patience()
            )
        except urllib3.exceptions.HTTPError as error:
            return f"no answer: {type(error).__name__}"
        if answer.status != 200:
            return f"status {answer.status}"
        return "" if answer.data == echo.encode() else "the answer is not echostr"

    def _deliver(self, letter: Letter, sealed: Sealed) -> Delivery:
        delivery = Delivery("failed", 0, 0.0)
        for attempt in range(1, self._settings.retries + 2):
            if attempt > 1 and delivery.result == "failed":
                time.sleep(self._settings.retry_pause_seconds)
            delivery = replace(self._post(letter, sealed), attempts=attempt)
            if delivery.result not in ("failed", "timeout"):
                return delivery
        return delivery

    def _post(self, letter: Letter, sealed: Sealed) -> Delivery:
        joint = "&" if "?" in self._settings.callback else "?"
        begun = time.monotonic()
        try:
            answer = self._pool.request(
                "POST",
                f"{self._settings.callback}{joint}{sealed.query}",
                body=sealed.body.encode(),
                timeout=self._patience(),
                redirect=False,
            )
        except urllib3.exceptions.TimeoutError as error:
            if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
                return Delivery("failed", 0, 0.0, detail="no connection")
            return Delivery("timeout", 0, 0.0, detail="no answer in time")
        except urllib3.exceptions.HTTPError as error:
            return Delivery("failed", 0, 0.0, detail=type(error).__name__)
        if time.monotonic() - begun > self._settings.deadline_seconds:
            # The library counts the wait for each piece; the platform counts the whole.
            return Delivery("timeout", 0, 0.0, detail="the answer came too slowly")
        if answer.status != 200:
            return Delivery("failed", 0, 0.0, answer.status, f"status {answer.status}")
        try:
            xml = open_reply(self._settings, answer.data, sealed.nonce)
            if xml is None:
                return Delivery("empty", 0, 0.0, 200)
            reply = read_reply(self._settings, xml, openid=letter.openid, to_event=letter.is_event)
        except MalformedReply as error:
            return Delivery("malformed", 0, 0.0, 200, str(error))
        return Delivery("reply", 0, 0.0, 200, reply=reply)

    def _show(self, letter: Letter, delivery: Delivery) -> Entry | None:
        if delivery.result == "empty" or letter.openid not in self._world.state.people:
            return None
        if delivery.reply is None:
            if not letter.tells_trouble:
                return None
            return self._world.show(letter.openid, "system", "trouble", text=UNAVAILABLE)
        reply = delivery.reply
        if reply.kind == "hand_over":
            return None
        return self._world.show(
            letter.openid,
            "in",
            reply.kind,
            text=reply.text,
            url=reply.url,
            articles=reply.articles,
        )

    def _patience(self) -> urllib3.Timeout:
        return urllib3.Timeout(total=self._settings.deadline_seconds)

    def _work(self) -> None:
        while True:
            self._later.get()()
