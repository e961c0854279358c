"""The platform's daily limits, counted in Redis for all processes together.

Packs stop before the limit, so that bookings and visits still go out on the same day; what had
no room waits for the next one. The platform's own 45009 stands behind it (app/wechat/pauses.py).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock

from redis import Redis

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
BLOCK = 25
"""Taken from the day at a time: a question for every message would slow it by a tenth."""
KEPT = timedelta(hours=48)


class DailyQuotas:
    """Counts what packs take of a day. One a process; raises redis.RedisError without Redis.

    A process takes a block and uses it up; what it leaves of one is lost for the day.
    """

    def __init__(self, redis: Redis, app_id: str, per_day: Mapping[Channel, int] = PER_DAY) -> None:
        self._redis = redis
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

    def _take_block(self, key: str, limit: int) -> int:
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.incrby(key, BLOCK)
            pipeline.expire(key, KEPT)
            taken, _ = pipeline.execute()
        return max(0, min(BLOCK, limit - (int(taken) - BLOCK)))
