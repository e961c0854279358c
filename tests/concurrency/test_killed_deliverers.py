"""Deliverers killed between claim, send and record, two at a time: nothing goes out twice."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.clock import SHANGHAI
from app.config import Settings
from app.db import Database
from app.models import Caregiver, InboxEntry, Notice, PackPush
from app.services import delivery, pack_checks
from sandbox import credentials
from tests.bench.sandbox_process import Sandbox, playing
from tests.concurrency.killing import STEPS, Doom, dooms, run_doomed, was_killed
from tests.pack_world import World, make_pack

TEMPLATE, ONE_TIME = "pack-template", "pack-one-time"
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
ROUND = timedelta(seconds=62)
"""Longer than the time after which what a crash left is settled."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory() as folder, playing(Path(folder)) as playing_now:
        playing_now.add_template(TEMPLATE)
        playing_now.add_template(ONE_TIME, kind="one_time")
        yield playing_now


@pytest.fixture
def connected(settings: Settings, sandbox: Sandbox) -> Settings:
    plain = settings.model_dump()
    for name in ("secret_key", "data_key"):
        plain[name] = plain[name].get_secret_value()
    return Settings.model_validate(
        {
            **plain,
            "wechat_app_id": credentials.APP_ID,
            "wechat_app_secret": credentials.APP_SECRET,
            "wechat_token": credentials.TOKEN,
            "wechat_aes_key": credentials.AES_KEY,
            "wechat_api_url": sandbox.url,
            "wechat_templates": {"pack": TEMPLATE},
            "wechat_subscriptions": {"pack": ONE_TIME},
        }
    )


def settle(database: Database, sandbox: Sandbox, families: int) -> None:
    """So many families with a pack due: a third of them wrote lately, all can be templated."""
    world = World(database, NOW, [make_pack("A", 100, 130)])
    for _ in range(families):
        world.home(world.born(100))
    people = sandbox.add_people(families)
    with database.transaction() as db:
        ids = db.scalars(select(Caregiver.id).order_by(Caregiver.id)).all()
        for number, (caregiver_id, openid) in enumerate(zip(ids, people, strict=True)):
            db.execute(update(Caregiver).where(Caregiver.id == caregiver_id).values(openid=openid))
            if number % 3 == 0:
                sandbox.act(openid, "text", content="你好")
                entry = InboxEntry(
                    key=f"{number:064d}",
                    openid=openid,
                    kind="text",
                    window="write",
                    received_at=NOW - timedelta(minutes=1),
                )
                db.add(entry)
    world.plans()
    assert len(world.notices()) == families


def let_die(
    database: Database, settings: Settings, kills: int, seed: int
) -> tuple[int, Counter[str], datetime]:
    """Two doomed deliverers at a time until so many died or all is sent; who died where."""
    draw, now, died = dooms(seed), NOW, Counter[str]()
    while sum(died.values()) < kills:
        two = [draw(), draw()]
        running = [run_doomed(settings, doom, now) for doom in two]
        dead = [was_killed(process) for process in running]
        died.update(doom.step for doom, killed in zip(two, dead, strict=True) if killed)
        now += ROUND
        with database.transaction() as db:
            delivery.mark_orphans_unknown(db, now)
        if not any(dead):
            break
    return sum(died.values()), died, now


def finish(database: Database, settings: Settings, now: datetime) -> None:
    """Undisturbed, until nothing is due."""
    assert not was_killed(run_doomed(settings, Doom("never", 1), now))
    with database.transaction() as db:
        delivery.mark_orphans_unknown(db, now + ROUND)


def examine(database: Database, sandbox: Sandbox) -> Counter[str]:
    """Nobody got anything twice, and every row has an end and says why; how they ended."""
    taken = Counter(str(row["openid"]) for row in sandbox.accepted())
    assert max(taken.values()) == 1, "a push was accepted twice"
    with database.reading() as db:
        rows = db.execute(
            select(PackPush.state, PackPush.reason, Caregiver.openid).join(
                Caregiver, Caregiver.id == PackPush.caregiver_id
            )
        ).all()
        for state, reason, openid in rows:
            assert state in ("sent", "unknown", "waiting", "failed")
            assert state == "sent" or reason
            if state == "sent":
                assert taken[openid or ""] == 1, "it says sent, and the platform has it not"
        assert not pack_checks.unexplained(db)
        assert not pack_checks.unfollowed(db)
        assert not pack_checks.doubled(db)
    return Counter(state for state, _, _ in rows)


def test_fourteen_deaths_send_nothing_twice(
    database: Database, connected: Settings, sandbox: Sandbox
) -> None:
    settle(database, sandbox, 90)

    count, died, now = let_die(database, connected, 14, seed=1)
    finish(database, connected, now)

    assert count >= 14
    assert len(died) >= 5, died
    ends = examine(database, sandbox)
    assert ends["sent"] >= 45, ends


def test_what_a_killed_one_had_claimed_and_not_noted_is_sent_once_by_the_next(
    database: Database, connected: Settings, sandbox: Sandbox
) -> None:
    """Without a channel nothing can have left: nobody has to look, and nobody waits for long."""
    settle(database, sandbox, 10)

    assert was_killed(run_doomed(connected, Doom("ready", 1), NOW))

    assert sandbox.accepted() == []
    with database.reading() as db:
        left = db.execute(select(Notice.state, Notice.channel)).all()
    assert Counter(map(tuple, left)) == {("sending", None): 4, ("queued", None): 6}

    # Too early for the next: what is claimed is left alone. Later it is everybody's.
    assert not was_killed(run_doomed(connected, Doom("never", 1), NOW + timedelta(seconds=1)))
    assert len(sandbox.accepted()) == 6
    with database.transaction() as db:
        assert delivery.mark_orphans_unknown(db, NOW + ROUND) == 4
    finish(database, connected, NOW + ROUND)

    assert examine(database, sandbox) == {"sent": 10}


def test_of_what_a_killed_one_had_noted_only_what_may_be_repeated_is(
    database: Database, connected: Settings, sandbox: Sandbox
) -> None:
    settle(database, sandbox, 10)

    assert was_killed(run_doomed(connected, Doom("chosen", 1), NOW))

    assert sandbox.accepted() == []
    with database.reading() as db:
        noted = db.scalars(select(Notice.channel).where(Notice.state == "sending")).all()
    with database.transaction() as db:
        assert delivery.mark_orphans_unknown(db, NOW + ROUND) == 4
    finish(database, connected, NOW + ROUND)

    given_up = Counter(noted)["customer_service"]
    assert 0 < given_up < 4
    assert examine(database, sandbox) == {"sent": 10 - given_up, "unknown": given_up}


@pytest.mark.long
@pytest.mark.timeout(2_400)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_five_hundred_deaths_send_nothing_twice(
    database: Database, connected: Settings, sandbox: Sandbox
) -> None:
    settle(database, sandbox, 4_000)

    count, died, now = let_die(database, connected, 500, seed=2)
    finish(database, connected, now)

    assert count >= 500
    assert len(died) == len(STEPS), died
    examine(database, sandbox)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_without_the_guard_some_do_get_it_twice(
    database: Database, connected: Settings, sandbox: Sandbox
) -> None:
    """The control: what a crash left is simply sent again."""
    settle(database, sandbox, 30)

    for _ in range(4):
        was_killed(run_doomed(connected, Doom("recording", 2), NOW))
        with database.transaction() as db:
            db.execute(
                update(Notice)
                .where(Notice.state == "sending")
                .values(
                    state="queued",
                    channel=None,
                    claimed_at=None,
                    dedupe_key=Notice.dedupe_key + "x",
                )
            )
    finish(database, connected, NOW)

    with pytest.raises(AssertionError, match="twice"):
        examine(database, sandbox)
