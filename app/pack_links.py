"""Links to a pack's page. Whoever has one may read; the mark says which push brought it along.

A mark holds the ledger's number of a push and its signature: nothing of the family, and nothing
that opens anything. The page drops it from its address at once, so that it is not forwarded.
"""

from dataclasses import dataclass
from functools import cached_property

from itsdangerous import BadSignature, Signer

MARK = "k"
"""The query's name of a mark."""


@dataclass(frozen=True)
class PackLinks:
    """Makes and reads the links; one a process."""

    public_url: str
    secret_key: str

    def url(self, pack_id: str, lead_id: int | None = None) -> str:
        """The page of a pack; with a number, the link tells which push was opened."""
        page = f"{self.public_url}/family/packs/{pack_id}"
        return page if lead_id is None else f"{page}?{MARK}={self.mark(lead_id)}"

    def mark(self, lead_id: int) -> str:
        return self._signer.sign(str(lead_id)).decode()

    def read(self, mark: str) -> int | None:
        """The push that a mark stands for; None for one that is not ours."""
        try:
            number = self._signer.unsign(mark).decode()
        except BadSignature:
            return None
        return int(number) if number.isdecimal() else None

    @cached_property
    def _signer(self) -> Signer:
        # No serializer: it would try to compress a number, for every message.
        return Signer(self.secret_key, salt="pack-push")
