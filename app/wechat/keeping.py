"""Replies of turns that only read are kept together: one statement and one commit for several.

In a rush nearly every turn ends so, and each commit waits for the disk, one after another.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog
from sqlalchemy.orm import Session

from app.late_transaction import LateTransaction
from app.services import inbox

log = structlog.get_logger()

MOST_TOGETHER = 8
"""Each count is a statement of its own, which the database plans once."""

COMPANY_SECONDS = 0.02
"""So long a reply waits for others that are just being made."""

Who = TypeVar("Who")


@dataclass(frozen=True, slots=True, eq=False)
class Waiting(Generic[Who]):
    """A reply to be kept, and whose it is."""

    who: Who
    entry: inbox.Entry
    since: float = field(default_factory=time.monotonic)


class Keeping(Generic[Who]):
    """Whoever comes first keeps its reply, and then those that came meanwhile, several at a time.

    Who finds somebody at it hands over its reply and is done; who knows that others come right
    behind may leave it to them. `kept` is told what became of them (whether each callback is
    new), `failed` of whom it could not be kept: somebody else's connection may have been the
    reason, and each is to be tried by itself.
    """

    def __init__(
        self,
        kept: Callable[[Sequence[tuple[Who, bool]]], None],
        failed: Callable[[Sequence[Waiting[Who]]], None],
    ) -> None:
        self._kept = kept
        self._failed = failed
        self._writing = threading.Lock()
        self._queue: deque[Waiting[Who]] = deque()

    def hand_over(
        self, db: Session, late: LateTransaction, mine: Waiting[Who], *, others_come: bool = False
    ) -> None:
        """Have it kept, committed by itself and with nothing else of this turn.

        `late` is the session's transaction, which has not begun. What it raises, this very
        reply was not kept. Where `others_come`, it may be left for a moment: to one of theirs,
        or to keep_waiting().
        """
        self._queue.append(mine)
        if not (others_come and self._can_wait()):
            self.keep_waiting(db, late, mine)

    @property
    def has_waiting(self) -> bool:
        """Whether replies were left."""
        return bool(self._queue)

    def keep_waiting(
        self, db: Session, late: LateTransaction, mine: Waiting[Who] | None = None
    ) -> None:
        """Keep what was left, unless somebody is at it. Raises only where `mine` is lost."""
        # Asked again after each letting go: somebody may have come just before it.
        while self._queue and self._writing.acquire(blocking=False):
            try:
                self._keep_some(db, late, mine)
            finally:
                self._writing.release()

    def _can_wait(self) -> bool:
        try:
            oldest = self._queue[0]
        except IndexError:
            return True  # somebody has just taken them all, mine too
        if len(self._queue) >= MOST_TOGETHER:
            return False
        return time.monotonic() - oldest.since < COMPANY_SECONDS

    def _keep_some(self, db: Session, late: LateTransaction, mine: Waiting[Who] | None) -> None:
        together = self._next()
        if not together:
            return
        try:
            # Of the same callback twice one has to be told that it is not the first.
            first = {each.entry.key: each for each in reversed(together)}
            with late.alone():
                new = inbox.keep_together(db, [each.entry for each in first.values()])
        except Exception as error:
            others = [each for each in (*together, *self._all()) if each is not mine]
            if others:
                self._failed(others)
            if mine in together:
                raise
            log.warning("keeping_failed", reason=type(error).__name__)
            return
        self._kept(
            [(each.who, (key := each.entry.key) in new and first[key] is each) for each in together]
        )

    def _next(self) -> list[Waiting[Who]]:
        found: list[Waiting[Who]] = []
        while self._queue and len(found) < MOST_TOGETHER:
            found.append(self._queue.popleft())
        return found

    def _all(self) -> list[Waiting[Who]]:
        found = []
        while self._queue:
            found.append(self._queue.popleft())
        return found
