"""Replies that are kept together: each once, in one statement, and none lost with another's."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.db import Database
from app.late_transaction import late_transaction
from app.models import InboxEntry
from app.services import inbox
from app.wechat import keeping
from app.wechat.keeping import Keeping, Waiting

SOON_SECONDS = 20


@dataclass
class Outcome:
    """A Keeping, what it said of whom, and how many it wrote at a time."""

    database: Database
    new: list[tuple[str, bool]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    together: list[int] = field(default_factory=list)
    is_written: threading.Event = field(default_factory=threading.Event)
    """Set, and the first writer goes on: those who come before find it at work."""
    has_begun: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.keeping: Keeping[str] = Keeping(self.new.extend, self._note_failed)

    def _note_failed(self, waiting: Sequence[Waiting[str]]) -> None:
        self.failed.extend(each.who for each in waiting)

    def hand_over(self, who: str, entry: inbox.Entry, *, others_come: bool = False) -> None:
        with self.database.turn() as db:
            late = late_transaction(db)
            assert late is not None
            self.keeping.hand_over(db, late, Waiting(who, entry), others_come=others_come)

    def keep_waiting(self) -> None:
        with self.database.turn() as db:
            late = late_transaction(db)
            assert late is not None
            self.keeping.keep_waiting(db, late)

    def all_while_the_first_writes(self, entries: Sequence[inbox.Entry]) -> None:
        """What the first has raised is raised."""
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(self.hand_over, "0", entries[0])
            assert self.has_begun.wait(SOON_SECONDS)
            for number, each in enumerate(entries[1:], start=1):
                self.hand_over(str(number), each)
            assert self.new == [], "nobody waits for the one that writes"
            self.is_written.set()
            first.result(SOON_SECONDS)


Write = Callable[[Session, Any], frozenset[str]]


@pytest.fixture
def entry(now: datetime) -> inbox.Entry:
    return inbox.Entry("key-0", "o-mother", "text", "write", now, "text\n名额已满")


@pytest.fixture
def write() -> Write:
    return inbox.keep_together


@pytest.fixture
def outcome(database: Database, write: Write, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    made = Outcome(database)

    def slowly(db: Session, entries: Any) -> frozenset[str]:
        made.together.append(len(entries))
        made.has_begun.set()
        assert made.is_written.wait(SOON_SECONDS)
        return write(db, entries)

    monkeypatch.setattr(inbox, "keep_together", slowly)
    return made


def stored(database: Database) -> int:
    with database.reading() as db:
        return db.execute(select(func.count(InboxEntry.key))).scalar_one()


def test_those_who_come_meanwhile_are_kept_in_one_statement(
    database: Database, entry: inbox.Entry, outcome: Outcome
) -> None:
    outcome.all_while_the_first_writes(
        [replace(entry, key=f"key-{number}") for number in range(11)]
    )
    assert outcome.together == [1, keeping.MOST_TOGETHER, 10 - keeping.MOST_TOGETHER]
    assert outcome.new == [(str(number), True) for number in range(11)]
    with database.reading() as db:
        kept = db.execute(select(InboxEntry.reply, InboxEntry.received_at)).all()
        raw = db.execute(text("SELECT reply FROM inbox")).scalars().all()
    assert [tuple(each) for each in kept] == [(entry.reply, entry.received_at)] * 11
    assert not any("名额已满" in each for each in raw), "encrypted, as a single one is"


def test_of_the_same_callback_only_one_is_new(
    database: Database, entry: inbox.Entry, outcome: Outcome
) -> None:
    other = replace(entry, key="key-1")
    outcome.all_while_the_first_writes([entry, other, entry, other])
    assert outcome.new == [("0", True), ("1", True), ("2", False), ("3", False)]
    assert stored(database) == 2


def test_who_was_to_be_kept_by_one_that_fails_is_tried_by_itself(
    database: Database,
    entry: inbox.Entry,
    outcome: Outcome,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_db: Session, _entries: Any) -> frozenset[str]:
        outcome.has_begun.set()
        assert outcome.is_written.wait(SOON_SECONDS)
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr(inbox, "keep_together", fail)
        with pytest.raises(ConnectionError):
            outcome.all_while_the_first_writes(
                [replace(entry, key=f"key-{number}") for number in range(12)]
            )
    assert outcome.failed == [str(number) for number in range(1, 12)]
    assert outcome.new == []
    assert stored(database) == 0
    outcome.hand_over("12", entry)
    assert outcome.new == [("12", True)], "the next one finds nobody at work"


def test_who_has_been_kept_does_not_fail_with_those_who_came_later(
    database: Database,
    entry: inbox.Entry,
    outcome: Outcome,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = inbox.keep_together

    def fail_later(db: Session, entries: Any) -> frozenset[str]:
        if outcome.has_begun.is_set():
            raise ConnectionError
        return write(db, entries)

    monkeypatch.setattr(inbox, "keep_together", fail_later)
    outcome.all_while_the_first_writes([replace(entry, key=f"key-{number}") for number in range(3)])
    assert outcome.new == [("0", True)]
    assert outcome.failed == ["1", "2"]
    assert stored(database) == 1


def test_with_others_right_behind_it_is_left_to_them(
    database: Database, entry: inbox.Entry, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "COMPANY_SECONDS", 1_000.0)
    outcome.is_written.set()
    entries = [replace(entry, key=f"key-{number}") for number in range(12)]
    for number, each in enumerate(entries[:2]):
        outcome.hand_over(str(number), each, others_come=True)
    assert outcome.new == []
    assert outcome.keeping.has_waiting
    outcome.hand_over("2", entries[2])
    assert outcome.together == [3]
    # But no more wait than are written in one statement.
    for number, each in enumerate(entries[3:11], start=3):
        outcome.hand_over(str(number), each, others_come=True)
    assert outcome.together == [3, keeping.MOST_TOGETHER]
    outcome.hand_over("11", entries[11], others_come=True)
    outcome.keep_waiting()
    assert outcome.together == [3, keeping.MOST_TOGETHER, 1]
    assert outcome.new == [(str(number), True) for number in range(12)]
    assert stored(database) == 12


def test_it_is_not_left_where_one_has_waited_long_enough(
    entry: inbox.Entry, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "COMPANY_SECONDS", 0.0)
    outcome.is_written.set()
    outcome.hand_over("0", entry, others_come=True)
    assert outcome.new == [("0", True)]


def test_what_was_left_and_cannot_be_kept_is_tried_one_by_one(
    entry: inbox.Entry, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "COMPANY_SECONDS", 1_000.0)
    for number in range(3):
        outcome.hand_over(str(number), replace(entry, key=f"key-{number}"), others_come=True)

    def fail(_db: Session, _entries: Any) -> frozenset[str]:
        raise ConnectionError

    monkeypatch.setattr(inbox, "keep_together", fail)
    outcome.keep_waiting()
    assert outcome.failed == ["0", "1", "2"]
    assert not outcome.keeping.has_waiting
