"""The platform's daily limits, counted in Redis for all processes together.

Packs stop before the limit, so that bookings and visits still go out on the same day; what had
no room waits for the next one. The platform's own 45009 stands behind it (app/wechat/pauses.py).
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from redis import Redis
from redis.exceptions import RedisError

from app.clock import SHANGHAI
from app.rules.channel_budget import Channel

PER_DAY: Mapping[Channel, int] = {
    Channel.CUSTOMER_SERVICE: 500_000,
    Channel.TEMPLATE: 100_000,
    Channel.LONG_TERM: 100_000,
    Channel.ONE_TIME: 100_000,
}
"""Calls a day and account. Both kinds of subscription share one API."""
API = {Channel.LONG_TERM: "subscription", Channel.ONE_TIME: "subscription"}
PACKS_SHARE = 0.8
BLOCK = 100
"""Taken from the day at a time: nobody sends while the question for more is under way."""
KEPT = timedelta(hours=48)


class DailyQuotas:
    """Counts what packs take of a day. One a process; raises redis.RedisError without Redis.

    A process takes a block and uses it up; what it leaves of one is lost for the day.
    """

    def __init__(self, redis: Redis, app_id: str, per_day: Mapping[Channel, int] = PER_DAY) -> None:
        self._redis = redis
        self._app_id = app_id
        self._prefix = f"wechat:{app_id}:packs:"
        self._per_day = per_day
        self._left: dict[str, int] = {}
        self._lock = Lock()

    def has_room(self, channel: Channel, now: datetime) -> bool:
        """Whether one more pack may go through a channel today; it is counted with that."""
        day = now.astimezone(SHANGHAI).date().isoformat()
        key = f"{self._prefix}{API.get(channel, channel)}:{day}"
        with self._lock:
            if not self._left.get(key):
                self._left = {k: left for k, left in self._left.items() if left and day in k}
                self._left[key] = self._take_block(key, int(self._per_day[channel] * PACKS_SHARE))
            if not self._left[key]:
                return False
            self._left[key] -= 1
            return True

    def note_sent(self, channel: Channel, number: int, now: datetime) -> None:
        """Count what went through a channel, of any kind: for people to see, no limit hangs on it.

        Without Redis nothing is counted; the messages have gone all the same.
        """
        key = _sent_key(self._app_id, API.get(channel, channel), now)
        with suppress(RedisError), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.incrby(key, number)
            pipeline.expire(key, KEPT)
            pipeline.execute()

    def _take_block(self, key: str, limit: int) -> int:
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.incrby(key, BLOCK)
            pipeline.expire(key, KEPT)
            taken, _ = pipeline.execute()
        return max(0, min(BLOCK, limit - (int(taken) - BLOCK)))


@dataclass(frozen=True, slots=True)
class QuotaLeft:
    """What one API of the platform still takes today, by our own count."""

    api: str
    a_day: int
    sent: int

    @property
    def left(self) -> int:
        return max(0, self.a_day - self.sent)


def find_left(redis: Redis, app_id: str, now: datetime) -> list[QuotaLeft]:
    """Of each API that messages go through. Raises redis.RedisError."""
    limits = {API.get(channel, channel): limit for channel, limit in PER_DAY.items()}
    counted = redis.mget([_sent_key(app_id, api, now) for api in limits])
    return [
        QuotaLeft(str(api), limit, int(sent or 0))
        for (api, limit), sent in zip(limits.items(), counted, strict=True)
    ]


def _sent_key(app_id: str, api: str, now: datetime) -> str:
    return f"wechat:{app_id}:sent:{api}:{now.astimezone(SHANGHAI).date().isoformat()}"
