"""Links to the family's pages, plain and signed.

A signed link opens the one page that it names, for the one caregiver that it names, without a
log-in, until it expires. It holds a number and a time, nothing of the family.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from itsdangerous import BadSignature, URLSafeSerializer

PATH = "/family/"
KEY = "key"
"""The query's name of a link's signature."""
LASTS = timedelta(days=14)
"""A message is opened within days; what is older leads to the log-in, which asks nothing."""
SALT = "family-page"


@dataclass(frozen=True, slots=True)
class Named:
    """What a signed link says of itself."""

    caregiver_id: int
    expires_at: int
    """Seconds since the epoch."""

    def is_expired(self, now: datetime) -> bool:
        return now.timestamp() >= self.expires_at


@dataclass(frozen=True, slots=True)
class PageLinks:
    """Makes and reads the links; one a process."""

    public_url: str
    secret_key: str

    def url(self, path: str = "") -> str:
        """The page at a path below /family/, such as "sessions/CQ-13": whoever opens it is
        asked of WeChat, silently."""
        return f"{self.public_url}{PATH}{quote(path)}"

    def signed(
        self, path: str, *, caregiver_id: int, now: datetime, lasts: timedelta = LASTS
    ) -> str:
        """The page for this caregiver without a log-in. The page must say that it may be opened
        so: see app.family.opening.opens_by_link."""
        expires_at = int((now + lasts).timestamp())
        key = self._serializer(PATH + path).dumps([caregiver_id, expires_at])
        return f"{self.url(path)}?{KEY}={key}"

    def read(self, key: str, path: str) -> Named | None:
        """What a key says of the page at this whole path ("/family/…"); None for a key that is
        not ours, was altered, or belongs to another page."""
        try:
            named = self._serializer(path).loads(key)
        except BadSignature:
            return None
        match named:
            case [int(caregiver_id), int(expires_at)]:
                return Named(caregiver_id, expires_at)
        return None

    def _serializer(self, path: str) -> URLSafeSerializer:
        return URLSafeSerializer(self.secret_key, salt=f"{SALT}:{path}")
