"""What several turns of one process ask of the database at the same moment, read once.

In a rush hundreds want to know how one session stands. Whoever has come before it was read may
take that answer: it is as true as the one that it would have been given a moment earlier.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

KEPT = 8
"""Answers; a rush is for one session, or a few."""
WAIT_SECONDS = 0.25
"""For another's reading. It may hang on a connection that is gone: then everybody reads alone."""

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Question(Generic[Answer]):
    """One question, and the newest answer to it."""

    reading: threading.Lock = field(default_factory=threading.Lock)
    newest: tuple[float, Answer] | None = None
    """When its reading began, and what it gave: together, for others look meanwhile."""

    def answer(self, came_at: float, read: Callable[[], Answer]) -> Answer:
        newest = self.newest
        if newest is not None and newest[0] >= came_at:
            return newest[1]
        is_mine = self.reading.acquire(timeout=WAIT_SECONDS)
        try:
            newest = self.newest
            if newest is not None and newest[0] >= came_at:
                return newest[1]
            began = time.monotonic()
            answer = read()
            self.newest = (began, answer)
            return answer
        finally:
            if is_mine:
                self.reading.release()


class SharedReads:
    """The newest answers of a process to what is asked in a rush."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._questions: dict[Hashable, _Question[Any]] = {}

    def answer(self, question: Hashable, came_at: float, read: Callable[[], Answer]) -> Answer:
        """What `read` gives, or has given to somebody since `came_at` (time.monotonic()).

        Never an older answer: its reading began after this asker had come. What it gives must
        not depend on who asks, and nobody may change it. Raises what `read` raises.
        """
        with self._lock:
            asked = self._questions.get(question)
            if asked is None:
                while len(self._questions) >= KEPT:
                    del self._questions[next(iter(self._questions))]
                asked = self._questions[question] = _Question()
        return cast(_Question[Answer], asked).answer(came_at, read)
