"""Fifty give up their places while a hundred ask for one: never over, and never a jump.

The ordinary run is satisfied with ten and twenty; `--long` has them all.
"""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.models import Caregiver, Child, GuidanceSession, SignUp
from app.services import sessions
from app.services.doctor import examine
from tests.concurrency.crowd import CODE, Told, replay, rush, says, settle, story
from tests.concurrency.rush import Order


@pytest.fixture
def places(request: pytest.FixtureRequest) -> int:
    return 50 if request.config.getoption("--long") else 10


@pytest.fixture
def order(database_url: str, redis_url: str, now: datetime) -> Order:
    return Order(
        database_url=database_url,
        redis_url=redis_url,
        now=now.isoformat(),
        code=CODE,
        guarded=True,
        messages=(),
    )


def fill(database: Database, now: datetime, places: int) -> None:
    """The first families take all places."""
    for number in range(1, places + 1):
        with database.transaction() as db:
            sessions.sign_up(
                db,
                caregiver=db.get_one(Caregiver, number),
                child=db.get_one(Child, number),
                code=CODE,
                now=now,
            )


@pytest.mark.parametrize(
    "database_url, waits",
    [
        pytest.param("sqlite", "first_come", marks=pytest.mark.long),
        ("postgresql", "fewest_attended"),
        pytest.param("sqlite", "fewest_attended", marks=pytest.mark.long),
        pytest.param("postgresql", "first_come", marks=pytest.mark.long),
    ],
    indirect=["database_url"],
)
def test_cancellations_racing_sign_ups_never_overfill_and_never_jump(
    database: Database, order: Order, cipher: Cipher, now: datetime, waits: str, places: int
) -> None:
    newcomers = 2 * places
    settle(database, now, families=places + newcomers, places=places, waits=waits)
    fill(database, now, places)
    leave = [says(number, f"取消 {CODE}") for number in range(1, places + 1)]
    come = [says(number, f"报名 {CODE}") for number in range(places + 1, places + newcomers + 1)]
    mixed = [
        each
        for two, one in zip(zip(come[::2], come[1::2], strict=True), leave, strict=True)
        for each in (*two, one)
    ]

    answers = rush(order, mixed)

    # On a machine with much else to do a reply may be late; it is never a refusal.
    words = ("已取消", "报名成功", "候补第", "正在给您办")
    assert [each.text for each in answers if not any(word in each.text for word in words)] == []
    with database.reading() as db:
        told = replay(db)
        taken = db.execute(select(GuidanceSession.places_taken)).scalar_one()
        states = db.execute(select(SignUp.state).where(SignUp.id > places)).scalars().all()
        report = examine(db, cipher=cipher, now=now)
    assert told.most_seats <= places
    assert told.jumps == ()
    # Every seat that came free went to somebody, at once.
    assert taken == places
    assert len(states) == newcomers
    assert set(states) <= {"confirmed", "offered", "waitlisted"}
    assert states.count("waitlisted") == newcomers - places
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


AT = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
SINCE: dict[int, datetime | None] = {
    1: None,
    2: AT,
    3: AT + timedelta(seconds=1),
    4: None,
}


@pytest.mark.parametrize(
    "steps, told",
    [
        # One leaves, and the first in line is offered the seat.
        (
            [
                (1, "confirmed"),
                (2, "waitlisted"),
                (3, "waitlisted"),
                (1, "cancelled"),
                (2, "offered"),
            ],
            Told(1, ()),
        ),
        # The second in line is offered it instead.
        (
            [
                (1, "confirmed"),
                (2, "waitlisted"),
                (3, "waitlisted"),
                (1, "cancelled"),
                (3, "offered"),
            ],
            Told(1, (3,)),
        ),
        # A newcomer is seated while somebody waits.
        ([(1, "confirmed"), (2, "waitlisted"), (1, "cancelled"), (4, "confirmed")], Told(1, (4,))),
        # Accepting an offer is no jump, though others wait.
        ([(2, "waitlisted"), (2, "offered"), (3, "waitlisted"), (2, "confirmed")], Told(1, ())),
        ([(1, "confirmed"), (2, "waitlisted"), (2, "offered"), (4, "confirmed")], Told(3, ())),
    ],
)
def test_the_story_of_a_jump_is_read_as_one(steps: list[tuple[int, str]], told: Told) -> None:
    assert story(steps, SINCE) == told
