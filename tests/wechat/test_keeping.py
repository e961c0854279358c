"""Replies that are kept together: each once, in one statement, and none lost with another's."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.db import Database, late_transaction
from app.models import InboxEntry
from app.services import inbox
from app.wechat import keeping
from app.wechat.keeping import Keeping

SOON_SECONDS = 20


@contextmanager
def held_up(kept: Keeping, callers: int) -> Iterator[None]:
    """Nobody writes until so many stand in line."""
    line = vars(kept)["_queue"]
    with vars(kept)["_writing"]:
        yield
        until = time.monotonic() + SOON_SECONDS
        while len(line) < callers:
            assert time.monotonic() < until
            time.sleep(0.002)


@pytest.fixture
def entry(now: datetime) -> inbox.Entry:
    return inbox.Entry("key-0", "o-mother", "text", "write", now, "text\n名额已满")


@pytest.fixture
def keep(database: Database) -> Callable[[Keeping, inbox.Entry], bool]:
    def in_a_turn(kept: Keeping, entry: inbox.Entry) -> bool:
        with database.turn() as db:
            late = late_transaction(db)
            assert late is not None
            return kept.keep(db, late, entry)

    return in_a_turn


def stored(database: Database) -> int:
    with database.reading() as db:
        return db.execute(select(func.count(InboxEntry.key))).scalar_one()


def all_at_once(
    keep: Callable[[Keeping, inbox.Entry], bool], entries: list[inbox.Entry]
) -> list[bool]:
    kept = Keeping()
    with ThreadPoolExecutor(len(entries)) as turns:
        with held_up(kept, len(entries)):
            asked = [turns.submit(keep, kept, each) for each in entries]
        return [each.result(SOON_SECONDS) for each in asked]


def test_those_who_wait_are_kept_in_one_statement(
    database: Database,
    entry: inbox.Entry,
    keep: Callable[[Keeping, inbox.Entry], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together: list[int] = []
    write = inbox.keep_together

    def note(db: Session, entries: Any) -> frozenset[str]:
        together.append(len(entries))
        return write(db, entries)

    monkeypatch.setattr(inbox, "keep_together", note)
    entries = [replace(entry, key=f"key-{number}") for number in range(10)]
    assert all_at_once(keep, entries) == [True] * 10
    assert together == [keeping.MOST_TOGETHER, 10 - keeping.MOST_TOGETHER]
    with database.reading() as db:
        kept = db.execute(select(InboxEntry.reply, InboxEntry.received_at)).all()
        raw = db.execute(text("SELECT reply FROM inbox")).scalars().all()
    assert [tuple(each) for each in kept] == [(entry.reply, entry.received_at)] * 10
    assert not any("名额已满" in each for each in raw), "encrypted, as a single one is"


def test_of_the_same_callback_only_one_is_new(
    database: Database, entry: inbox.Entry, keep: Callable[[Keeping, inbox.Entry], bool]
) -> None:
    assert sorted(all_at_once(keep, [entry] * 3)) == [False, False, True]
    assert not keep(Keeping(), entry)
    assert stored(database) == 1


def test_who_was_to_be_kept_by_one_that_fails_keeps_by_itself(
    database: Database,
    entry: inbox.Entry,
    keep: Callable[[Keeping, inbox.Entry], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = inbox.keep_together
    has_failed = threading.Event()

    def fail_once(db: Session, entries: Any) -> frozenset[str]:
        if not has_failed.is_set():
            has_failed.set()
            raise ConnectionError
        return write(db, entries)

    monkeypatch.setattr(inbox, "keep_together", fail_once)
    kept = Keeping()
    entries = [replace(entry, key=f"key-{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as turns:
        with held_up(kept, 4):
            asked = [turns.submit(keep, kept, each) for each in entries]
        failed = [each.exception(SOON_SECONDS) for each in asked]
    assert [type(each) for each in failed if each] == [ConnectionError]
    assert stored(database) == 3
