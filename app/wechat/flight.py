"""What one run of a deliverer has in hand: claimed, in the air, landed, being recorded."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue
from time import monotonic

from app.services.delivery_batches import Sent
from app.wechat.letters import Letter


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of one letter. Of a failure its row tells nothing yet."""

    caregiver_id: int
    sent: Sent | None = None
    failure: Exception | None = None


class Flight:
    """What one run has under way."""

    def __init__(self, now: datetime, lot: int) -> None:
        self._first, self._began = now, monotonic()
        self.now = now
        """Of the lot in hand: what becomes of it is written down with this time."""
        self.lot = lot
        """How many are claimed together."""
        self.ready: deque[tuple[Letter, float]] = deque()
        """Claimed, and since when; on no channel yet."""
        self.under_way = 0
        self.people: set[int] = set()
        """Caregivers who have a notice that is claimed and not recorded yet."""
        self.landed: SimpleQueue[Sequence[Landed]] = SimpleQueue()
        self.failure: Exception | None = None
        self.sent: list[Sent] = []
        self.done: set[int] = set()
        """Whose notice has come to its end, with the next record."""
        self.record_at = self._began
        """When to write down at the latest what was sent, by the monotonic clock."""
        self.recording: Future[None] | None = None
        self.recorded: set[int] = set()
        self.being_recorded = 0

    @property
    def seconds(self) -> float:
        return monotonic() - self._began

    def tick(self) -> None:
        """The next lot begins."""
        self.now = self._first + timedelta(seconds=int(self.seconds))

    @property
    def unrecorded(self) -> int:
        return self.under_way + len(self.sent) + self.being_recorded
