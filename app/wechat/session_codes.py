"""The QR code of each guidance session: asked of the platform once, and kept.

Who scans it at the door is checked in. A code lasts for ever and an account has 100,000 of
them: forgetting one in Redis costs one more, and nothing else.
"""

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app.rules.check_in import SCENE
from app.wechat.client import PlatformClient
from app.wechat.errors import PlatformError

log = structlog.get_logger(__name__)


class SessionCodes:
    """What each session's code says. Safe to share between threads."""

    def __init__(self, client: PlatformClient, redis: Redis, app_id: str) -> None:
        self._client = client
        self._redis = redis
        self._app_id = app_id

    def find_url(self, session_code: str) -> str | None:
        """The address to draw as a QR code; None where the platform cannot be reached now."""
        key = f"qr:{self._app_id}:{SCENE}{session_code}"
        try:
            kept = self._redis.get(key)
            if isinstance(kept, bytes):
                return kept.decode()
            url = self._client.create_qr(f"{SCENE}{session_code}").url
            self._redis.set(key, url)
        except (PlatformError, RedisError) as error:
            log.warning("session_code_not_made", session=session_code, error=repr(error))
            return None
        return url
