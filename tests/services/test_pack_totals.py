"""Sums of the ledger of packs never say what adding the ledger up would not.

On both engines: each has triggers of its own.
"""

from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.db import Database
from app.models import CHANGED_PACK_DAYS, PackDay, PackPush
from app.services import coverage_kept, pack_totals
from app.services.pack_reports import Ledger, read_ledger
from tests.pack_world import Home, World, make_pack


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """Three families whose packs were planned: some wait, some were skipped, some are queued."""
    world = World(database, now)
    world.packs = [make_pack("A", 100, 200), make_pack("B", 110, 210, audience="grandparents")]
    for _ in range(2):
        world.home(world.born(100), relations=("mother", "grandmother"))
    world.home(world.born(111), world.born(111))
    world.plans()
    world.plans(days=10)
    return world


def fold(database: Database) -> int:
    with database.transaction() as db:
        return pack_totals.bring_up_to_date(db)


def ledger_of(database: Database, around: datetime) -> Ledger:
    """The report, which is also what reading the ledger row by row gives."""
    day = around.astimezone(SHANGHAI).date()
    first, last = day - timedelta(days=30), day + timedelta(days=30)
    with database.reading() as db:
        found = read_ledger(db, first=first, last=last)
        assert pack_totals.wrong_totals(db) == []
        rows = [
            push
            for push in db.scalars(select(PackPush))
            if first <= push.due_at.astimezone(SHANGHAI).date() <= last
        ]
    by_version = Counter((push.pack_id, push.version) for push in rows)
    assert {(each.pack, each.version): each.planned for each in found.figures} == by_version
    for name, held in (
        ("delivered", [push for push in rows if push.state == "sent"]),
        ("opened", [push for push in rows if push.opened_at is not None]),
        ("liked", [push for push in rows if push.rating == 1]),
        ("disliked", [push for push in rows if push.rating == -1]),
        ("waiting", [push for push in rows if push.state == "waiting"]),
        ("skipped", [push for push in rows if push.state == "skipped"]),
    ):
        assert sum(getattr(each, name) for each in found.figures) == len(held), name
    kept_back = Counter(p.reason for p in rows if p.reason and p.state not in ("sent", "queued"))
    assert found.why_not == kept_back
    return found


CHANGES = {
    "all were sent": update(PackPush).values(state="sent", sent_at=PackPush.due_at, reason=None),
    "one was opened": update(PackPush)
    .where(PackPush.id == select(PackPush.id).order_by(PackPush.id).limit(1).scalar_subquery())
    .values(opened_at=PackPush.due_at),
    "and liked": update(PackPush).where(PackPush.opened_at.is_not(None)).values(rating=1),
    "or rather not": update(PackPush).where(PackPush.rating == 1).values(rating=-1),
    "some were asked for": update(PackPush).where(PackPush.pack_id == "B").values(reason="asked"),
    "some waited": update(PackPush)
    .where(PackPush.pack_id == "B")
    .values(state="waiting", reason="no_channel"),
    "another version": update(PackPush).where(PackPush.pack_id == "B").values(version=2),
    "some are gone": delete(PackPush).where(PackPush.pack_id == "B"),
}
NOT_COUNTED = update(PackPush).values(replans=PackPush.replans + 1, lead_id=PackPush.id)


def test_whatever_becomes_of_packs_the_sums_are_those_of_the_ledger(
    world: World, database: Database
) -> None:
    last = ledger_of(database, world.now)
    assert last.figures
    for what, statement in CHANGES.items():
        with database.transaction() as db:
            db.execute(statement.execution_options(synchronize_session=False))
        changed = ledger_of(database, world.now)
        assert changed != last, f"{what}: a change that no report would show proves nothing"
        assert fold(database) > 0, what
        assert ledger_of(database, world.now) == changed, what
        last = changed
    assert fold(database) == 0
    with database.transaction() as db:
        db.execute(NOT_COUNTED.execution_options(synchronize_session=False))
        assert db.execute(select(CHANGED_PACK_DAYS)).all() == [], "a change that no sum counts"


def test_a_day_ends_at_midnight_in_shanghai(world: World, database: Database) -> None:
    with database.transaction() as db:
        first, second, *_ = db.scalars(select(PackPush).order_by(PackPush.id)).all()
        first.due_at = datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=SHANGHAI)
        second.due_at = datetime(2027, 1, 1, tzinfo=SHANGHAI)
        first.state = second.state = "sent"
        first.sent_at, second.sent_at = first.due_at, second.due_at
    for _ in range(2):
        with database.reading() as db:
            assert _planned(db, date(2026, 12, 31)) == 1
            assert _planned(db, date(2027, 1, 1)) == 1
            assert pack_totals.wrong_totals(db) == []
        fold(database)


def _planned(db: Session, day: date) -> int:
    return sum(each.planned for each in read_ledger(db, first=day, last=day).figures)


def test_what_is_written_while_the_sums_are_settled_is_not_lost(
    world: World, database: Database
) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("its writers queue")
    fold(database)
    before = ledger_of(database, world.now)
    with database.transaction() as slow:
        slow.execute(update(PackPush).values(rating=1))
        slow.flush()
        assert fold(database) == 0, "nothing is seen of it, and nothing waits for it"
    assert ledger_of(database, world.now) != before
    assert fold(database) > 0
    ledger_of(database, world.now)


def test_without_its_trigger_a_change_is_lost_and_the_doctor_says_so(
    world: World, database: Database
) -> None:
    name = "pack_pushes_change_totals_other"
    on = "" if database.engine.dialect.name == "sqlite" else " ON pack_pushes"
    with database.engine.connect() as connection:
        db = Session(connection)
        db.execute(text(f"DROP TRIGGER {name}{on}"))
        db.execute(update(PackPush).where(PackPush.pack_id == "A").values(rating=1))
        wrong = pack_totals.wrong_totals(db)
        assert wrong
        assert {each.split(":")[1] for each in wrong} == {"A"}
        assert coverage_kept.missing_triggers(db) == [f"trigger:{name}"]
        pack_totals.recount(db)
        assert pack_totals.wrong_totals(db) == []
        connection.rollback()


def test_sums_that_are_wrong_are_counted_anew(world: World, database: Database) -> None:
    fold(database)
    right = ledger_of(database, world.now)
    with database.transaction() as db:
        db.execute(update(PackDay).values(pushes=PackDay.pushes + 1))
        assert pack_totals.wrong_totals(db)
        pack_totals.recount(db)
    assert ledger_of(database, world.now) == right


def test_a_family_is_reached_in_the_year_of_the_sending(world: World, database: Database) -> None:
    home: Home = world.home(world.born(105), known=False)
    world.plans()
    with database.transaction() as db:
        push = db.scalars(select(PackPush).where(PackPush.family_id == home.family_id)).one()
        push.state, push.sent_at = "sent", datetime(2025, 12, 31, 23, 59, tzinfo=SHANGHAI)
    for _ in range(2):
        for year, reached in ((2025, True), (2026, False)):
            with database.reading() as db:
                found = pack_totals.reach(year, None)
                assert (home.family_id in db.scalars(select(found.c.family_id)).all()) is reached
        fold(database)
