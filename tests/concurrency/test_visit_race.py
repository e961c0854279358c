"""Two hundred families, thirty slots of five visitors: nobody in two places, no request lost.

The ordinary run is satisfied with thirty for twelve of two; `--long` has them all.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

import pytest
from sqlalchemy import select, text, update

from app.crypto import Cipher
from app.db import Database
from app.models import Caregiver, Child, Family, HomeVisit, Notice
from app.models.notice_facts import LateReply, load_facts
from app.rules.age import add_months
from app.services import family_index, inbox, visit_checks, visit_dues
from app.services.doctor import examine
from app.wechat.kept_replies import load_reply
from tests.concurrency.crowd import openid, rush, says, settle
from tests.concurrency.rush import Answer, Message, Order
from tests.visiting import add_visitors, visitor_line

SLOTS_EACH = 6
"""Of a visitor on that day: three in the morning, three in the afternoon."""
MODULE = "tests.concurrency.visit_rush"


@dataclass(frozen=True)
class Rush:
    """How many want a visit, and how many can come."""

    families: int
    visitors: int

    @property
    def slots(self) -> int:
        return self.visitors * SLOTS_EACH


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Rush:
    return Rush(200, 5) if request.config.getoption("--long") else Rush(30, 2)


@pytest.fixture
def order(database_url: str, redis_url: str, now: datetime) -> Order:
    return Order(
        database_url=database_url,
        redis_url=redis_url,
        now=now.isoformat(),
        code="",
        guarded=True,
        messages=(),
    )


def prepare(database: Database, now: datetime, size: Rush) -> None:
    """Newborns, and visitors with three slots in the morning and three in the afternoon."""
    settle(database, now, families=size.families, places=1, waits="no")
    with database.transaction() as db:
        township = db.scalars(select(Family.township_id)).first()
        name = db.execute(
            text("SELECT name FROM townships WHERE id = :id"), {"id": township}
        ).scalar_one()
        add_visitors(
            db,
            now,
            *(
                visitor_line(f"V{number}", townships=name, ends="15:00", minutes=45, buffer=15)
                for number in range(size.visitors)
            ),
        )
        db.execute(update(Child).values(birth_date=date(2026, 11, 18)))
        assert add_months(date(2026, 11, 18), 1) > now.date()
        for child in db.scalars(select(Child)).all():
            visit_dues.plan_child(db, child, now)
        after: int | None = 0
        while after is not None:
            _, after = family_index.rebuild_batch(db, after=after)


def wishes(size: Rush) -> list[Message]:
    """Half of them for a morning, half for the afternoon of the same day."""
    return [
        says(number, f"上门 2026-11-26 {'上午' if number % 2 else '下午'}")
        for number in range(1, size.families + 1)
    ]


def everybody_asks(order: Order, size: Rush) -> list[Answer]:
    return rush(order, wishes(size), module=MODULE)


def with_late_ones(database: Database, answers: list[Answer], size: Rush) -> list[Answer]:
    """The answers, with those that a slow machine gave by a message afterwards, and those that
    were being committed at the deadline: the platform asks again and gets what was stored."""
    with database.reading() as db:
        late = {}
        for known, stored in db.execute(
            select(Caregiver.openid, Notice.facts)
            .join(Notice, Notice.caregiver_id == Caregiver.id)
            .where(Notice.kind == "late_reply")
        ):
            facts = load_facts(stored)
            assert isinstance(facts, LateReply)
            late[known] = facts.text
        keys = {message.openid: message.key for message in wishes(size)}
        for each in answers:
            kept = None if each.text else inbox.find_stored(db, keys[each.openid])
            reply = load_reply(kept.reply) if kept else None
            if reply is not None:
                late[each.openid] = reply.text
    return [Answer(each.openid, late.get(each.openid, each.text), each.seconds) for each in answers]


def kinds(answers: list[Answer]) -> Counter[str]:
    return Counter(
        "taken"
        if "上门申请已提交" in answer.text
        else "full"
        if "该时段已满" in answer.text
        else answer.text
        for answer in answers
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "database_url", [pytest.param("sqlite", marks=pytest.mark.long), "postgresql"], indirect=True
)
def test_every_slot_is_taken_once_and_everybody_else_hears_that_it_is_full(
    database: Database, order: Order, cipher: Cipher, now: datetime, size: Rush
) -> None:
    prepare(database, now, size)
    answers = with_late_ones(database, everybody_asks(order, size), size)
    assert kinds(answers) == {"taken": size.slots, "full": size.families - size.slots}
    with database.reading() as db:
        visits = db.scalars(select(HomeVisit)).all()
        assert {visit.state for visit in visits} == {"requested"}
        taken = {answer.openid for answer in answers if "上门申请已提交" in answer.text}
        assert {openid(visit.family_id) for visit in visits} == taken, "no request was lost"
        assert len({(visit.visitor_id, visit.starts_at) for visit in visits}) == size.slots
        report = examine(db, cipher=cipher, now=now)
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


@pytest.mark.long
@pytest.mark.timeout(300)
def test_without_the_guard_the_same_rush_sends_visitors_to_two_places(
    database: Database, order: Order, now: datetime, size: Rush
) -> None:
    prepare(database, now, size)
    with database.transaction() as db:
        db.execute(text("DROP INDEX uq_home_visits_slot"))
    everybody_asks(
        Order(
            database_url=order.database_url,
            redis_url=order.redis_url,
            now=order.now,
            code="",
            guarded=False,
            messages=(),
        ),
        size,
    )
    with database.reading() as db:
        assert visit_checks.overlapping_visits(db)
