"""The line before a process's threads: who waits there goes through the door with others.

A rush is a line: what costs a round trip for one (asking Redis for a place) costs hardly more
for eight, and a thread that takes the next by itself need not be woken for it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

MOST_AT_ONCE = 8
"""Through the door; while they are on their way others may go."""
QUICK_SECONDS = 0.03
"""A job that takes longer is waiting for something, and others need not wait with it."""

Job = TypeVar("Job")


class Line(Generic[Job]):
    """Threads that take what comes, in its order. They start with the first.

    `enter` takes several who have come, and gives back those with whom there is something to
    do; `do` does it, with one; `rest` is done by a thread that finds nobody, before it goes.
    None may raise.

    While jobs go quickly, `quick` threads are at work: more would only take the interpreter
    from one another. Where they are held up, and somebody hurries, there are up to `threads`.
    """

    def __init__(
        self,
        *,
        threads: int,
        name: str,
        enter: Callable[[Sequence[Job]], Sequence[Job]],
        do: Callable[[Job], None],
        quick: int | None = None,
        rest: Callable[[], None] | None = None,
    ) -> None:
        self._threads = threads
        self._quick = min(quick or threads, threads)
        self._rest = rest
        self._enter = enter
        self._do = do
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._come: deque[Job] = deque()
        self._inside: deque[Job] = deque()
        self._at_work = 0
        self._since: dict[int, float] = {}
        """When each thread has begun what it is at (time.monotonic())."""
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

    def has_more(self) -> bool:
        """Whether somebody waits for a thread."""
        return bool(self._inside or self._come)

    def hurry(self, *, for_rest: bool = False) -> None:
        """Somebody waits for long: another thread, if those at work are held up.

        `for_rest` tells that there is something left for one that finds nobody.
        """
        with self._lock:
            if self._is_closing or not (for_rest or self.has_more()):
                return
            wakes = self._call(1)
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
        wakes = max(0, min(many, self._quick - self._moving(), self._threads - self._at_work))
        self._at_work += wakes
        return wakes

    def _moving(self) -> int:
        """Threads at work that are not held up; the lock is held."""
        long_ago = time.monotonic() - QUICK_SECONDS
        return self._at_work - sum(since < long_ago for since in self._since.values())

    def _wake(self, threads: int) -> None:
        for _ in range(threads):
            self._pool.submit(self._work)

    def _work(self) -> None:
        me = threading.get_ident()
        has_rested = False
        try:
            while True:
                # Whether there is nothing left, and that this thread goes, is one decision:
                # who comes after it wakes another one.
                with self._lock:
                    self._since.pop(me, None)
                    job, come = None, None
                    if self._moving() > self._quick:
                        return self._go(me)  # those that were held up are at work again
                    if self._inside:
                        job = self._inside.popleft()
                    elif self._come:
                        many = min(len(self._come), MOST_AT_ONCE)
                        come = [self._come.popleft() for _ in range(many)]
                    elif has_rested or self._rest is None:
                        return self._go(me)
                    self._since[me] = time.monotonic()
                has_rested = False
                if job is not None:
                    self._do(job)
                elif come:
                    self._let_in(self._enter(come))
                elif self._rest is not None:
                    self._rest()
                    has_rested = True
        except BaseException:
            with self._lock:
                self._go(me)
            raise

    def _go(self, thread: int) -> None:
        """This thread goes; the lock is held."""
        self._since.pop(thread, None)
        self._at_work -= 1
