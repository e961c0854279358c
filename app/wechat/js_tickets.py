"""The ticket of the platform's JS-SDK: one for all processes, kept in Redis, and what it signs."""

import hashlib

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.wechat.client import PlatformClient
from app.wechat.errors import PlatformError

RENEW_EARLY_SECONDS = 300
FETCHING_SECONDS = 15
"""One process fetches; the others' pages do without a card meanwhile."""
SILENT_SECONDS = 60
"""After a refusal the platform is left alone for so long: a card is no need."""

log = structlog.get_logger(__name__)


class JsTickets:
    """Hands out the ticket that is good now. Safe to share between threads."""

    def __init__(self, client: PlatformClient, redis: Redis, app_id: str) -> None:
        self._client = client
        self._redis = redis
        self._key = f"wechat:{app_id}:js_ticket"

    def find(self) -> str | None:
        """The ticket; None where there is none to be had now, or somebody else fetches it."""
        try:
            kept = self._redis.get(self._key)
            if isinstance(kept, bytes):
                return kept.decode()
            if not self._redis.set(f"{self._key}:asked", "1", nx=True, ex=FETCHING_SECONDS):
                return None
            ticket, seconds = self._client.find_js_ticket()
            self._redis.set(self._key, ticket, ex=max(1, seconds - RENEW_EARLY_SECONDS))
            self._redis.delete(f"{self._key}:asked")
        except PlatformError as error:
            log.warning("js_ticket_not_fetched", error=repr(error))
            self._leave_alone()
            return None
        except RedisError as error:
            log.warning("js_ticket_not_kept", error=type(error).__name__)
            return None
        return ticket

    def _leave_alone(self) -> None:
        try:
            self._redis.set(f"{self._key}:asked", "1", ex=SILENT_SECONDS)
        except RedisError as error:
            log.warning("js_ticket_not_kept", error=type(error).__name__)


def sign(*, ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """The signature of one page's configuration; `url` as the browser shows it, without its #."""
    said = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(said.encode(), usedforsecurity=False).hexdigest()
