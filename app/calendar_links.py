"""Signed links to calendar files: the sign-up's number and a signature, nothing of the family."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeSerializer

SALT = "calendar-file"
PATH = "/calendar/"


@dataclass(frozen=True, slots=True)
class CalendarLinks:
    """Makes and reads the links; one a process."""

    public_url: str
    secret_key: str

    def url(self, sign_up_id: int) -> str:
        """The link to a sign-up's calendar file."""
        return f"{self.public_url}{PATH}{self._serializer().dumps(sign_up_id)}.ics"

    def find_sign_up(self, token: str) -> int | None:
        """The sign-up that a token names; None for one that is not ours, or was altered."""
        try:
            named = self._serializer().loads(token)
        except BadSignature:
            return None
        return named if type(named) is int else None

    @property
    def host(self) -> str:
        """Who gives the events their names: a part of each UID."""
        return urlsplit(self.public_url).hostname or "localhost"

    def _serializer(self) -> URLSafeSerializer:
        return _serializer(self.secret_key)


@lru_cache(maxsize=4)
def _serializer(secret_key: str) -> URLSafeSerializer:
    # Making one costs more than signing with it.
    return URLSafeSerializer(secret_key, salt=SALT)
