"""How we stand with the platform: token, pauses and quotas, as Redis has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from app.rules.channel_budget import Channel
from app.wechat.pauses import Pause, Pauses
from app.wechat.quotas import QuotaLeft, find_left
from app.wechat.token import TokenState, token_state


@dataclass(frozen=True, slots=True)
class Standing:
    """At one moment."""

    token: TokenState
    pauses: Mapping[Channel, Pause]
    quotas: Sequence[QuotaLeft]


def find_standing(redis: Redis, app_id: str, now: datetime) -> Standing:
    """Raises redis.RedisError."""
    return Standing(
        token=token_state(redis, app_id),
        pauses=Pauses(redis, app_id).find(),
        quotas=find_left(redis, app_id, now),
    )
