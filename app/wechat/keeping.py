"""Replies of turns that only read are kept together: one statement and one commit for several.

In a rush nearly every turn ends so, and each commit waits for the disk, one after another.
"""

import threading
from collections import deque
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.db import LateTransaction
from app.services import inbox

MOST_TOGETHER = 8
"""Each count is a statement of its own, which the database plans once."""


@dataclass(slots=True)
class _Waiting:
    entry: inbox.Entry
    is_new: bool | None = None
    """None until somebody has kept it."""


class Keeping:
    """Whoever comes first keeps its reply, and of those that came meanwhile the next keeps all.

    Nobody waits for company: a turn that is alone writes at once.
    """

    def __init__(self) -> None:
        self._writing = threading.Lock()
        self._queue: deque[_Waiting] = deque()

    def keep(self, db: Session, late: LateTransaction, entry: inbox.Entry) -> bool:
        """Whether this callback is new. It is committed then, with nothing else of this turn.

        `late` is the session's transaction, which has not begun.
        """
        mine = _Waiting(entry)
        self._queue.append(mine)
        with self._writing:
            if mine.is_new is None:
                self._write(db, late, [mine, *self._others(mine)])
        return bool(mine.is_new)

    def _others(self, mine: _Waiting) -> list[_Waiting]:
        """Who else waits; whose writer failed tries again by itself and is not in the queue."""
        found: list[_Waiting] = []
        while self._queue and len(found) < MOST_TOGETHER - 1:
            each = self._queue.popleft()
            if each is not mine and each.is_new is None:
                found.append(each)
        return found

    @staticmethod
    def _write(db: Session, late: LateTransaction, waiting: list[_Waiting]) -> None:
        # The same callback twice, of which one has to be told that it is not the first.
        first = {each.entry.key: each for each in reversed(waiting)}
        with late.alone():
            new = inbox.keep_together(db, [each.entry for each in first.values()])
        for each in waiting:
            key = each.entry.key
            each.is_new = key in new and first[key] is each
