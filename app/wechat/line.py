"""The line before a process's threads: who waits there goes through the door with others.

A rush is a line: what costs a round trip for one (asking Redis for a place) costs hardly more
for eight, and a thread that takes the next by itself need not be woken for it.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

MOST_AT_ONCE = 8
"""Through the door; while they are on their way others may go."""

Job = TypeVar("Job")


class Line(Generic[Job]):
    """Threads that take what comes, in its order. They start with the first.

    `enter` takes several who have come, and gives back those with whom there is something to
    do; `do` does it, with one. Neither may raise.
    """

    def __init__(
        self,
        *,
        threads: int,
        name: str,
        enter: Callable[[Sequence[Job]], Sequence[Job]],
        do: Callable[[Job], None],
    ) -> None:
        self._threads = threads
        self._enter = enter
        self._do = do
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._come: deque[Job] = deque()
        self._inside: deque[Job] = deque()
        self._at_work = 0
        self._is_closing = False

    def add(self, job: Job) -> None:
        """It has come: it goes through the door, and then it is done."""
        with self._lock:
            self._come.append(job)
            wakes = self._call(1)
        self._wake(wakes)

    def add_inside(self, jobs: Sequence[Job]) -> None:
        """Who has been through the door before is next: others may wait for what it holds."""
        with self._lock:
            self._inside.extendleft(reversed(jobs))
            wakes = self._call(len(jobs))
        self._wake(wakes)

    def _let_in(self, jobs: Sequence[Job]) -> None:
        # The first of them is for the thread that comes from the door.
        if jobs:
            with self._lock:
                self._inside.extend(jobs)
                wakes = self._call(len(jobs) - 1)
            self._wake(wakes)

    def close(self) -> None:
        """End the threads once all who have come are done."""
        with self._lock:
            self._is_closing = True
        self._pool.shutdown()

    def _call(self, many: int) -> int:
        """How many threads to wake for so many more; the lock is held."""
        if self._is_closing and self._at_work:
            return 0
        wakes = min(many, self._threads - self._at_work)
        self._at_work += wakes
        return wakes

    def _wake(self, threads: int) -> None:
        for _ in range(threads):
            self._pool.submit(self._work)

    def _work(self) -> None:
        try:
            while True:
                # Whether there is nothing left, and that this thread goes, is one decision:
                # who comes after it wakes another one.
                with self._lock:
                    if self._inside:
                        job, come = self._inside.popleft(), None
                    elif self._come:
                        many = min(len(self._come), MOST_AT_ONCE)
                        job, come = None, [self._come.popleft() for _ in range(many)]
                    else:
                        self._at_work -= 1
                        return
                if job is not None:
                    self._do(job)
                elif come:
                    self._let_in(self._enter(come))
        except BaseException:
            with self._lock:
                self._at_work -= 1
            raise
