"""Leases and runs, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from app.db import Database
from app.services import timekeeping

LASTS = timedelta(seconds=30)


def hold(database: Database, holder: str, now: datetime) -> bool:
    with database.transaction() as db:
        return timekeeping.hold_lease(db, name="timetable", holder=holder, lasts=LASTS, now=now)


def test_one_holds_and_renews_and_the_other_waits(database: Database, now: datetime) -> None:
    assert hold(database, "a", now)
    assert not hold(database, "b", now)
    assert hold(database, "a", now + timedelta(seconds=29))
    assert not hold(database, "b", now + timedelta(seconds=58))
    assert hold(database, "b", now + timedelta(seconds=59))
    assert not hold(database, "a", now + timedelta(seconds=60))


def test_a_released_lease_is_anybodys(database: Database, now: datetime) -> None:
    hold(database, "a", now)
    with database.transaction() as db:
        timekeeping.release_lease(db, name="timetable", holder="b")
    assert not hold(database, "b", now)
    with database.transaction() as db:
        timekeeping.release_lease(db, name="timetable", holder="a")

    assert hold(database, "b", now)


def test_eight_at_once_give_one_holder(database: Database, now: datetime) -> None:
    with ThreadPoolExecutor(8) as together:
        held = list(together.map(lambda number: hold(database, f"h{number}", now), range(8)))

    assert sum(held) == 1


def test_the_last_run_is_remembered(database: Database, now: datetime) -> None:
    later = now + timedelta(minutes=1)
    with database.transaction() as db:
        assert timekeeping.find_last_start(db, "tidy") is None
        timekeeping.record_start(db, "tidy", now)
        timekeeping.record_end(db, "tidy", "x" * 300, now)
    with database.transaction() as db:
        timekeeping.record_start(db, "tidy", later)

    with database.reading() as db:
        assert timekeeping.find_last_start(db, "tidy") == later
