"""Channels that rest for a while, by what the platform answered; shared by all processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from redis import Redis

from app.rules.channel_budget import Channel

ALL = "all"
"""The whole account rests: its token, secret or our address is refused."""
ALERT_APART_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a channel rests, and for how long still."""

    reason: str
    seconds_left: int

    @property
    def lasts(self) -> timedelta:
        return timedelta(seconds=self.seconds_left)


class Pauses:
    """Reads and writes the pauses in Redis. Every method raises redis.RedisError without it."""

    def __init__(self, redis: Redis, app_id: str) -> None:
        self._redis = redis
        self._prefix = f"wechat:{app_id}:"

    def begin(self, what: str, reason: str, seconds: int) -> None:
        """Let a channel, or ALL, rest."""
        self._redis.set(self._key(what), reason, ex=max(1, seconds))

    def find(self) -> Mapping[Channel, Pause]:
        """The channels that rest now."""
        places = (ALL, *Channel)
        reasons = self._redis.mget([self._key(what) for what in places])
        if not any(reasons):
            return {}  # as nearly always, and asked for every few dozen messages
        pipeline = self._redis.pipeline(transaction=False)
        for what in places:
            pipeline.ttl(self._key(what))
        seconds_left = pipeline.execute()
        found = {
            what: Pause(reason.decode() if isinstance(reason, bytes) else reason, seconds)
            for what, reason, seconds in zip(places, reasons, seconds_left, strict=True)
            if reason is not None and seconds > 0
        }
        return {
            channel: found[what] for channel in Channel for what in (channel, ALL) if what in found
        }

    def is_first_alert(self, reason: str) -> bool:
        """Whether nobody was told of this within a day."""
        key = f"{self._prefix}alerted:{reason}"
        return bool(self._redis.set(key, "1", nx=True, ex=ALERT_APART_SECONDS))

    def _key(self, what: str) -> str:
        return f"{self._prefix}pause:{what}"
