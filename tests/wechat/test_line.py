"""The line before the threads: everybody is done once, and those who wait go in together."""

import threading
from collections.abc import Sequence

import pytest

from app.wechat import line
from app.wechat.line import Line

SOON_SECONDS = 20


class Doings:
    """A line whose threads wait, before each thing they do, until they may."""

    def __init__(self, threads: int, quick: int | None = None) -> None:
        self.entered: list[list[int]] = []
        self.done: list[int] = []
        self.rests = 0
        self.may = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.line: Line[int] = Line(
            threads=threads,
            quick=quick,
            name="test",
            enter=self.enter,
            do=self.do,
            rest=self.rest,
        )

    def enter(self, jobs: Sequence[int]) -> list[int]:
        self.entered.append(list(jobs))
        return [job for job in jobs if job >= 0]

    def do(self, job: int) -> None:
        self.begun.release()
        assert self.may.acquire(timeout=SOON_SECONDS)
        self.done.append(job)

    def rest(self) -> None:
        self.rests += 1

    def finish(self, many: int) -> list[int]:
        """All who have come are done, and the threads have ended."""
        self.may.release(many)
        self.line.close()
        return self.done


def test_those_who_come_while_all_are_busy_go_in_together() -> None:
    doings = Doings(threads=1)
    doings.line.add(0)
    assert doings.begun.acquire(timeout=SOON_SECONDS)
    for job in range(1, 12):
        doings.line.add(job)
    assert doings.finish(12) == list(range(12))
    assert doings.entered == [[0], list(range(1, 1 + line.MOST_AT_ONCE)), [9, 10, 11]]


def test_who_goes_in_with_others_does_not_wait_for_them() -> None:
    doings = Doings(threads=3)
    for job in range(3):
        doings.line.add(job)
        assert doings.begun.acquire(timeout=SOON_SECONDS)
    for job in range(3, 8):
        doings.line.add(job)
    # One thread lets in all that have come; the others take from them as they get free.
    doings.may.release(3)
    for _ in range(3):
        assert doings.begun.acquire(timeout=SOON_SECONDS)
    assert len(doings.entered) <= 5
    assert sorted(doings.finish(5)) == list(range(8))


def test_who_needs_nothing_done_is_through_with_the_door() -> None:
    doings = Doings(threads=2)
    for job in (-1, -2, 3, -4, 5):
        doings.line.add(job)
    assert sorted(doings.finish(2)) == [3, 5]
    assert sorted(job for jobs in doings.entered for job in jobs) == [-4, -2, -1, 3, 5]


def test_who_comes_back_is_next_and_does_not_go_through_the_door_again() -> None:
    doings = Doings(threads=1)
    doings.line.add(0)
    assert doings.begun.acquire(timeout=SOON_SECONDS)
    doings.line.add(1)
    doings.line.add_inside([7, 8])
    assert doings.finish(4) == [0, 7, 8, 1]
    assert doings.entered == [[0], [1]]


def test_a_thousand_from_many_sides_are_each_done_once() -> None:
    doings = Doings(threads=4)
    doings.may.release(1000)

    def come(first: int) -> None:
        for job in range(first, 1000, 10):
            doings.line.add(job)

    sides = [threading.Thread(target=come, args=(first,)) for first in range(10)]
    for side in sides:
        side.start()
    for side in sides:
        side.join()
    assert sorted(doings.finish(1)) == list(range(1000))


def test_a_closed_line_takes_nobody() -> None:
    doings = Doings(threads=1)
    doings.line.close()
    with pytest.raises(RuntimeError):
        doings.line.add(1)


def has_begun(doings: Doings, *, soon: bool = True) -> bool:
    return doings.begun.acquire(timeout=SOON_SECONDS if soon else 0.05)


def test_while_they_go_quickly_one_thread_does_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "QUICK_SECONDS", 1_000.0)
    doings = Doings(threads=4, quick=1)
    for job in range(3):
        doings.line.add(job)
    assert has_begun(doings)
    doings.line.hurry()
    assert not has_begun(doings, soon=False)
    assert doings.finish(3) == [0, 1, 2]


def test_where_it_is_held_up_others_go_on_once_somebody_hurries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line, "QUICK_SECONDS", 0.0)
    doings = Doings(threads=3, quick=1)
    doings.line.add(0)
    assert has_begun(doings)
    doings.line.hurry()
    assert not has_begun(doings, soon=False), "there is nobody to be hurried"
    # Who comes while all are held up need not even hurry; but no more than three are at work.
    for job in (1, 2, 3):
        doings.line.add(job)
    assert has_begun(doings)
    assert has_begun(doings)
    doings.line.hurry()
    assert not has_begun(doings, soon=False)
    assert sorted(doings.finish(4)) == [0, 1, 2, 3]


def test_who_waits_before_it_is_held_up_is_helped_when_it_hurries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line, "QUICK_SECONDS", 1_000.0)
    doings = Doings(threads=2, quick=1)
    doings.line.add(0)
    assert has_begun(doings)
    doings.line.add(1)
    assert not has_begun(doings, soon=False)
    monkeypatch.setattr(line, "QUICK_SECONDS", 0.0)
    doings.line.hurry()
    assert has_begun(doings)
    # Once they go quickly again one of the two threads is too many, and goes.
    monkeypatch.setattr(line, "QUICK_SECONDS", 1_000.0)
    doings.line.add(2)
    doings.line.add(3)
    doings.may.release(2)
    assert has_begun(doings)
    assert not has_begun(doings, soon=False)
    assert sorted(doings.finish(2)) == [0, 1, 2, 3]


def test_a_thread_that_finds_nobody_does_the_rest_before_it_goes() -> None:
    doings = Doings(threads=1)
    for job in range(3):
        doings.line.add(job)
    assert doings.finish(3) == [0, 1, 2]
    assert doings.rests >= 1
    left = Doings(threads=1)
    left.line.hurry(for_rest=True)
    left.line.close()
    assert left.rests == 1
