"""Teachers move requests into one session at once: nobody twice, and none beyond the places."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from app.crypto import Cipher
from app.db import Database
from app.errors import DomainError, SessionFull, SignUpAlreadyDecided
from app.models import GuidanceSession, SignUp, Staff
from app.services import moving
from app.services.doctor import examine
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)

MOVERS = 8
PLACES = 3


@pytest.fixture
def requests(database: Database, now: datetime) -> list[int]:
    """Eight requests, in two sessions in turn; CQ-3 has three places, the others many."""
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_staff(db, "wang", now, station=station)
        sessions = [
            make_session(db, station, f"CQ-{number}", now + timedelta(days=number + 2), places=20)
            for number in (1, 2)
        ]
        make_session(db, station, "CQ-3", now + timedelta(days=9), places=PLACES)
        return [
            make_sign_up(
                db, sessions[number % 2], make_child(db, f"宝{number}", now, station=station), now
            ).id
            for number in range(MOVERS)
        ]


def at_once(acts: list[Callable[[], object]]) -> list[object]:
    """What came of each: its answer, or the error that refused it."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        barrier.wait(timeout=30)
        try:
            return act()
        except DomainError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def mover(database: Database, sign_up_id: int, to_code: str, now: datetime) -> Callable[[], str]:
    def move() -> str:
        with database.transaction() as db:
            staff = db.scalars(select(Staff).where(Staff.username == "wang")).one()
            moving.move(
                db, sign_up_id=sign_up_id, to_code=to_code, staff=staff, reason="改场", now=now
            )
        return "moved"

    return move


def seated(database: Database, code: str) -> tuple[int, int]:
    """As the session counts, and as there are sign-ups."""
    with database.reading() as db:
        session = db.scalars(select(GuidanceSession).where(GuidanceSession.code == code)).one()
        rows = select(func.count(SignUp.id)).where(
            SignUp.session_id == session.id, SignUp.state.in_(("requested", "confirmed"))
        )
        return session.places_taken, db.execute(rows).scalar_one()


def broken(database: Database, cipher: Cipher, now: datetime) -> list[str]:
    """What doctor finds fault with: a made-up desk has no consents, and so on."""
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=now)
    return [check.name for check in report.checks if not check.ok]


def test_only_as_many_are_moved_as_there_are_places(
    database: Database, requests: list[int], now: datetime, cipher: Cipher
) -> None:
    before = broken(database, cipher, now)
    answers = at_once([mover(database, each, "CQ-3", now) for each in requests])
    kinds = Counter(type(each) if isinstance(each, DomainError) else each for each in answers)
    assert kinds == {"moved": PLACES, SessionFull: MOVERS - PLACES}
    assert seated(database, "CQ-3") == (PLACES, PLACES)
    # Who could not be moved still waits where they were: nobody lost their request.
    left = seated(database, "CQ-1")[1] + seated(database, "CQ-2")[1]
    assert left == MOVERS - PLACES
    assert set(broken(database, cipher, now)) <= set(before)


def test_without_the_guard_the_same_race_seats_too_many(
    database: Database, requests: list[int], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unguarded(_db: object, session: GuidanceSession, count: int) -> None:
        session.places_taken += count

    monkeypatch.setattr(moving, "take_seats", unguarded)
    at_once([mover(database, each, "CQ-3", now) for each in requests])
    assert seated(database, "CQ-3")[1] > PLACES


def test_two_teachers_moving_one_request_move_it_once(
    database: Database, requests: list[int], now: datetime
) -> None:
    answers = at_once([mover(database, requests[0], code, now) for code in ("CQ-2", "CQ-3")])
    assert sorted(type(each).__name__ for each in answers) == [
        SignUpAlreadyDecided.__name__,
        "str",
    ]
    with database.reading() as db:
        child = select(SignUp.child_id).where(SignUp.id == requests[0]).scalar_subquery()
        held = select(func.count(SignUp.id)).where(
            SignUp.child_id == child, SignUp.state.in_(("requested", "confirmed"))
        )
        assert db.execute(held).scalar_one() == 1


def test_moves_that_cross_each_other_do_not_wait_for_ever(
    database: Database, requests: list[int], now: datetime, cipher: Cipher
) -> None:
    crossing = [
        mover(database, each, "CQ-2" if number % 2 == 0 else "CQ-1", now)
        for number, each in enumerate(requests)
    ]
    before = broken(database, cipher, now)
    moves: list[Callable[[], object]] = list(crossing)
    assert set(at_once(moves)) == {"moved"}
    assert seated(database, "CQ-1") == seated(database, "CQ-2") == (MOVERS // 2, MOVERS // 2)
    assert set(broken(database, cipher, now)) <= set(before)
