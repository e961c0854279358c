"""The access token: one for all processes, kept in Redis, renewed by one of them at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import structlog
from redis import Redis
from redis.exceptions import LockError

from app.config import Settings
from app.wechat.errors import AnswerLost, ApiRefused, NotSent, Reaction

if TYPE_CHECKING:
    from app.wechat.platform import Platform  # who only looks at the token calls nobody

RENEW_EARLY_SECONDS = 300
LOCK_SECONDS = 25
"""Longer than two fetches with their time-outs."""
FORCED_APART_SECONDS = 30
FORCED_A_DAY = 20
DAY_SECONDS = 86_400
REMEMBERED_SECONDS = 1.0
"""A token is asked of Redis once a second, not for every message; a refused one at once."""
TOKEN_LENGTH = 512  # what the platform asks to leave room for

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    seconds_left: int


@dataclass(frozen=True, slots=True)
class _Remembered:
    token: str
    until: float
    """By the monotonic clock."""


class AccessTokens:
    """Hands out the token that is good now."""

    def __init__(self, settings: Settings, platform: "Platform", redis: Redis) -> None:
        self._platform = platform
        self._redis = redis
        self._account: dict[str, object] = {
            "grant_type": "client_credential",
            "appid": settings.wechat_app_id,
            "secret": settings.wechat_app_secret.get_secret_value(),
        }
        self._key = f"wechat:{settings.wechat_app_id}:token"
        self._remembered: _Remembered | None = None

    def current(self) -> str:
        """The token; a new one from five minutes before the old one ends.

        Raises NotSent where there is none to be had, ApiRefused where an operator has to act,
        redis.RedisError without Redis.
        """
        remembered = self._remembered
        if remembered is not None and monotonic() < remembered.until:
            return remembered.token
        kept = self._kept()
        if kept is not None and kept.seconds_left > RENEW_EARLY_SECONDS:
            self._remembered = _Remembered(kept.token, monotonic() + REMEMBERED_SECONDS)
            return kept.token
        if kept is not None:
            return self._renewed(kept)
        return self._under_lock(lambda: self._token_of(self._kept()) or self._fetch(forced=False))

    def replace(self, failed: str) -> str:
        """A token in the place of one that the platform refused.

        Whoever comes first fetches it, the others get what that one fetched.
        """

        self._remembered = None

        def fetch() -> str:
            stored = self._token_of(self._kept())
            if stored is not None and stored != failed:
                return stored
            # The platform may have another one at hand already; forced refreshes are few.
            fresh = self._fetch(forced=False)
            return fresh if fresh != failed else self._fetch(forced=True)

        return self._under_lock(fetch)

    def _renewed(self, kept: _Kept) -> str:
        """A new token where we get to fetch it; else the old one, which is good for a while."""
        lock = self._redis.lock(self._key + ":lock", timeout=LOCK_SECONDS, blocking=False)
        if not lock.acquire():
            return kept.token
        try:
            stored = self._kept()
            if stored is not None and stored.seconds_left > RENEW_EARLY_SECONDS:
                return stored.token
            return self._fetch(forced=False)
        except NotSent as error:
            log.warning("token_not_renewed", reason=error.what)
            return kept.token
        finally:
            _release(lock.release)

    def _under_lock(self, fetch: Callable[[], str]) -> str:
        lock = self._redis.lock(
            self._key + ":lock", timeout=LOCK_SECONDS, blocking_timeout=LOCK_SECONDS
        )
        if not lock.acquire():
            raise NotSent("token_lock")
        try:
            return fetch()
        finally:
            _release(lock.release)

    def _fetch(self, *, forced: bool) -> str:
        if forced:
            self._count_forced()
        body = {**self._account, "force_refresh": forced}
        try:
            answer = self._platform.post("stable_token", body, None)
        except AnswerLost as error:
            # Asking for a token changes nothing: for the message it was never sent.
            raise NotSent("token") from error
        except ApiRefused as error:
            if error.reaction is Reaction.STOP:
                raise
            raise NotSent(f"token:{error.code}") from error
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not 0 < len(token) <= TOKEN_LENGTH:
            raise NotSent("token_unreadable")
        if not isinstance(seconds, int) or seconds <= 0:
            raise NotSent("token_unreadable")
        self._redis.set(self._key, token, ex=seconds)
        log.info("token_fetched", forced=forced, expires_in=seconds)
        return token

    def _count_forced(self) -> None:
        """Raises NotSent where a forced refresh would break the platform's limits for it."""
        apart, today = self._key + ":forced", self._key + ":forced_today"
        if not self._redis.set(apart, "1", nx=True, ex=FORCED_APART_SECONDS):
            raise NotSent("forced_refresh_too_soon")
        count = self._redis.incr(today)
        if count == 1:
            self._redis.expire(today, DAY_SECONDS)
        if count > FORCED_A_DAY:
            log.error("token_forced_refreshes_spent")
            raise NotSent("forced_refreshes_spent")

    def _kept(self) -> _Kept | None:
        token, seconds = self._redis.get(self._key), self._redis.ttl(self._key)
        if token is None or seconds <= 0:
            return None
        return _Kept(token.decode() if isinstance(token, bytes) else token, seconds)

    @staticmethod
    def _token_of(kept: _Kept | None) -> str | None:
        return None if kept is None else kept.token


def _release(release: Callable[[], None]) -> None:
    try:
        release()
    except LockError:
        log.warning("token_lock_outlived")


@dataclass(frozen=True, slots=True)
class TokenState:
    """How the access token stands, without the token."""

    seconds_left: int
    """0 where there is none: the next message fetches one."""
    forced_today: int
    """Refreshes that we had to insist on; FORCED_A_DAY at most."""

    @property
    def lasts(self) -> timedelta:
        return timedelta(seconds=self.seconds_left)


def token_state(redis: Redis, app_id: str) -> TokenState:
    """Raises redis.RedisError."""
    key = f"wechat:{app_id}:token"
    return TokenState(
        seconds_left=max(0, redis.ttl(key)),
        forced_today=int(redis.get(f"{key}:forced_today") or 0),
    )
