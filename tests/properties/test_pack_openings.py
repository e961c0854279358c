"""On PostgreSQL what opens is written once, in the state that the general statements end with."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.db import Database
from app.models import Caregiver, Family, MutedTopic, Notice, PackPush, PushPreference
from app.services import pack_planning, pack_sql
from tests.pack_world import World, make_pack

TOPICS = ("膳食营养", "早期学习", "预防接种")
AUDIENCES = ("everyone", "everyone", "parents", "grandparents", "multiples")
PLANNED_ONLY = pack_sql.OPENED.replace("{row}", ", written AS ({row}").replace(
    "DO NOTHING", "DO NOTHING RETURNING 1) SELECT (SELECT COUNT(*) FROM written), 0"
)
"""Everything that opened left to the general statements, as on SQLite."""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_written_at_once_or_step_by_step_is_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = _world(database, random.Random(11))
    states, at_once, messages = set(), 0, 0
    for days in (1, 1, 5, 1, 1, 2):
        world.now += timedelta(days=days)
        with monkeypatch.context() as patch:
            patch.setattr(pack_sql, "OPENED_AT_ONCE", PLANNED_ONLY)
            step_by_step, opened, _ = _tried(world)
            assert opened.messages == 0
        both, opened, queued = _tried(world)

        for mine, theirs in zip(both, step_by_step, strict=True):
            assert mine ^ theirs == set()
        at_once += opened.messages
        messages += opened.messages + queued
        world.plans()
        states |= {(push.state, push.reason) for push in world.pushes()}
    assert {reason for _, reason in states} >= {
        *("family_stopped", "not_following", "opted_out", "topic_muted"),
        *("paused", "weekly_cap", "pack_draft"),
    }
    assert 0 < at_once < messages, "some go at once, and some need the general statements"


def _world(database: Database, chance: random.Random) -> World:
    world = World(database, datetime(2026, 11, 2, 8, 5, tzinfo=SHANGHAI))
    for number in range(40):
        first = number // 2
        world.packs.append(
            make_pack(
                f"P{number:02}",
                first,
                first + chance.randint(1, 30),
                topic=chance.choice(TOPICS),
                audience=chance.choice(AUDIENCES),
                status="draft" if number % 13 == 5 else "active",
            )
        )
    homes = []
    for _ in range(50):
        born = world.born(chance.randint(0, 20))
        others = {1: (), 2: (born,), 3: (world.born(chance.randint(0, 20)),)}
        homes.append(
            world.home(
                born,
                *others.get(chance.randint(1, 8), ()),
                relations=("mother", "grandmother")[: chance.choice((1, 2))],
                weeks=chance.choice((None, 34, 39)),
                known=chance.random() < 0.9,
            )
        )
    with database.transaction() as db:
        for home in homes:
            _differ(db, home.family_id, chance.choice(home.caregiver_ids), world.now, chance)
    world.plans()
    return world


def _differ(
    db: Session, family_id: int, caregiver_id: int, now: datetime, chance: random.Random
) -> None:
    """What may be special about a family; most have nothing of it."""
    caregiver = db.get_one(Caregiver, caregiver_id)
    match chance.randint(0, 14):
        case 0:
            caregiver.is_following = False
        case 1:
            caregiver.pushes = "off"
        case 2:
            caregiver.pushes = "paused"
        case 3:
            db.add(MutedTopic(caregiver_id=caregiver_id, topic=chance.choice(TOPICS)))
        case 4:
            db.add(PushPreference(caregiver_id=caregiver_id, per_week=chance.randint(1, 2)))
        case 5:
            db.get_one(Family, family_id).stopped_at = now


def _tried(world: World) -> tuple[Any, pack_planning.Opened, int]:
    """What a pass would leave behind, what opened, and how many were queued after; taken back."""
    with world.database.reading() as db:
        opened = pack_planning.plan_openings(db, world.packs, world.now)
        queued, after = 0, 0
        while True:
            upto = pack_planning.find_next_families(db, after=after, now=world.now)
            if upto is None:
                break
            queued += pack_planning.queue_due(db, after=after, upto=upto, now=world.now)
            after = upto
        found = _picture(db)
        db.rollback()
    return found, opened, queued


def _picture(db: Session) -> Any:
    """Ledger and outbox, without the numbers that rows were given.

    Which twin's row leads is the lower number's affair: a message is named by all that it is for.
    """
    pushes = db.scalars(select(PackPush).execution_options(populate_existing=True)).all()
    keys = {push.id: (push.child_id, push.pack_id, push.caregiver_id) for push in pushes}
    group = {
        lead: frozenset(keys[push.id] for push in pushes if push.lead_id == lead)
        for lead in {push.lead_id for push in pushes}
    }
    ledger = {
        (
            *(*keys[push.id], push.family_id, push.state, push.reason, push.due_at, push.closes_at),
            *(push.version, push.because, push.planned_at, push.replans, push.queued_at),
            None if push.lead_id is None else group[push.lead_id],
        )
        for push in pushes
    }
    outbox = {
        (
            *(group[int(notice.subject.removeprefix("pack:"))], notice.caregiver_id, notice.state),
            *(notice.due_at, notice.expires_at, notice.queued_at, notice.facts, notice.priority),
        )
        for notice in db.scalars(select(Notice).execution_options(populate_existing=True))
    }
    return ledger, outbox
