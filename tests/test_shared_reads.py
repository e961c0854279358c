"""What is read once for several turns: never older than whoever takes it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from app.db import Database
from app.late_transaction import TurnSession
from app.services import audit
from app.shared_reads import KEPT, SharedReads


class Counting:
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> int:
        self.asked += 1
        return self.asked


def test_who_came_before_it_was_read_takes_it() -> None:
    shared, read = SharedReads(), Counting()
    first = second = time.monotonic()
    assert shared.answer("RUSH", first, read) == 1
    assert shared.answer("RUSH", second, read) == 1


def test_who_came_after_it_was_read_reads_anew() -> None:
    shared, read = SharedReads(), Counting()
    assert shared.answer("RUSH", time.monotonic(), read) == 1
    assert shared.answer("RUSH", time.monotonic(), read) == 2


def test_who_comes_while_it_is_being_read_reads_anew() -> None:
    """What is being read may be from before the moment when they came."""
    shared, read = SharedReads(), Counting()
    began, go_on = threading.Event(), threading.Event()

    def slowly() -> int:
        began.set()
        go_on.wait(5)
        return read()

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(shared.answer, "RUSH", time.monotonic(), slowly)
        assert began.wait(5)
        second = threads.submit(shared.answer, "RUSH", time.monotonic(), read)
        go_on.set()
        assert (first.result(5), second.result(5)) == (1, 2)


def test_each_question_has_its_own_answer_and_few_are_kept() -> None:
    shared, read = SharedReads(), Counting()
    came = time.monotonic()
    assert [shared.answer(number, came, read) for number in range(KEPT + 1)] == [*range(1, 10)]
    assert shared.answer(KEPT, came, read) == KEPT + 1
    assert shared.answer(0, came, read) == KEPT + 2


def test_what_cannot_be_read_is_read_by_the_next() -> None:
    shared, read = SharedReads(), Counting()

    def fail() -> int:
        raise ConnectionError

    came = time.monotonic()
    with pytest.raises(ConnectionError):
        shared.answer("RUSH", came, fail)
    assert shared.answer("RUSH", came, read) == 1


def ask(db: Session, read: Counting) -> int:
    assert isinstance(db, TurnSession)
    return db.share("RUSH", read)


def test_turns_that_came_together_share_and_one_that_has_written_does_not(
    database: Database, now: datetime
) -> None:
    read, came = Counting(), time.monotonic()
    with database.turn(came) as db:
        assert ask(db, read) == 1
    with database.turn(came) as db:
        assert ask(db, read) == 1
        audit.record(
            db, actor=audit.SYSTEM, action="test", subject_type="test", subject_id=1, now=now
        )
        assert ask(db, read) == 2
    with database.turn() as db:
        assert ask(db, read) == 3
