"""Weeks of planning for made-up families: what the statements do against what the rules say."""

import random
from collections import defaultdict
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.clock import SHANGHAI
from app.db import Database
from app.models import Child, Notice, PackPush
from app.rules.pack_choice import is_open
from app.rules.quiet_hours import is_quiet
from tests.pack_world import World, make_pack

TOPICS = ("膳食营养", "早期学习", "预防接种")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_no_push_breaks_a_rule(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    world = World(database, datetime(2026, 11, 2, 8, 5, tzinfo=SHANGHAI))
    for number in range(40):
        first = chance.randint(0, 900)
        world.packs.append(
            make_pack(
                f"P{number:02}", first, first + chance.randint(2, 90), topic=chance.choice(TOPICS)
            )
        )
    for _ in range(25):
        births = [world.born(chance.randint(-20, 950)) for _ in range(chance.choice((1, 1, 2)))]
        world.home(
            *births,
            relations=("mother", "grandmother")[: chance.choice((1, 2))],
            weeks=chance.choice((None, 30, 34, 39)),
            known=chance.random() < 0.7,
        )
    packs = {pack.id: pack for pack in world.packs}

    for _ in range(24):
        world.now += timedelta(hours=chance.choice((24, 24, 24, 3, 50, 100)))
        if chance.random() < 0.3:
            with database.transaction() as db:
                child = chance.choice(db.scalars(select(Child)).all())
                born = (child.birth_date or world.born(0)) + timedelta(chance.randint(-40, 40))
                db.execute(update(Child).where(Child.id == child.id).values(birth_date=born))
        with database.reading() as db:
            children = {one.id: one for one in db.scalars(select(Child))}
            before = set(db.scalars(select(Notice.id)))
        world.plans()
        with database.reading() as db:
            new = [one for one in db.scalars(select(Notice)) if one.id not in before]
            rows = list(db.scalars(select(PackPush)))
        leads = {int(one.subject.removeprefix("pack:")): one for one in new}
        for row in rows:
            notice = leads.get(row.lead_id or 0)
            if notice is None or row.queued_at != world.now:
                continue
            child = children[row.child_id]
            assert child.birth_date is not None
            on = world.now.date()
            assert is_open(packs[row.pack_id], child.birth_date, child.gestation_weeks, on)
            assert not is_quiet(notice.due_at.astimezone(SHANGHAI))
        # As a deliverer would: what was written has gone out.
        with database.transaction() as db:
            for table in (Notice, PackPush):
                db.execute(
                    update(table)
                    .where(table.state == "queued")
                    .values(state="sent", sent_at=world.now)
                )

    with database.reading() as db:
        rows = list(db.scalars(select(PackPush)))
        sent = [one.subject for one in db.scalars(select(Notice).where(Notice.state == "sent"))]
    assert len(sent) == len(set(sent)), "a push went out twice"
    assert sent, "the world must not be empty"
    assert all(row.state != "planned" or row.due_at > world.now or row.reason for row in rows)
    assert all(row.reason for row in rows if row.state == "skipped")
    weeks: dict[int, set[tuple[datetime, str]]] = defaultdict(set)
    for row in rows:
        if row.queued_at is not None:
            weeks[row.family_id].add((row.queued_at, row.pack_id))
    for given in weeks.values():
        for at, _ in given:
            within = {pack for then, pack in given if at - timedelta(days=7) < then <= at}
            assert len(within) <= 3, "more than three packs in a week"
