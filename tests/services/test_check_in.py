from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.crypto import Cipher
from app.db import Database
from app.errors import (
    CheckInTooEarly,
    NotYours,
    SessionStepNotAllowed,
    SessionUnknown,
    SignUpUnknown,
)
from app.models import Child, GuidanceSession, SignUp
from app.services import check_in as service
from app.services.doctor import examine
from app.services.staff import StaffScope, scope_of
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)

FINE_OF_ITSELF = frozenset({"children_have_consent", "sign_ups_are_audited"})
"""What the factories leave out."""


class Door:
    """A session of today with its staff, and what they do at the door."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.database, self.now = database, now
        with database.transaction() as db:
            station = make_station(db, "CQ")
            other = make_station(db, "BH", township="堡镇")
            self.ours = scope_of(make_staff(db, "wang", now, station=station))
            self.theirs = scope_of(make_staff(db, "li", now, station=other))
            self.district = scope_of(make_staff(db, "district", now, role="district"))
            make_session(db, station, "CQ-1", now + timedelta(minutes=10), places=3)
            make_session(db, station, "CQ-2", now + timedelta(days=1))

    def sign_up(self, nickname: str, state: str = "confirmed", code: str = "CQ-1") -> int:
        with self.database.transaction() as db:
            session = db.scalars(select(GuidanceSession).where(GuidanceSession.code == code)).one()
            child = make_child(db, nickname, self.now)
            decider = None if state in ("requested", "waitlisted") else self.now
            made = make_sign_up(db, session, child, self.now, state=state)
            made.decided_at = decider
            made.waitlisted_at = self.now if state == "waitlisted" else None
            return made.id

    def child(self, nickname: str) -> int:
        with self.database.transaction() as db:
            return make_child(db, nickname, self.now).id

    def tap(self, sign_up_id: int, scope: StaffScope | None = None) -> service.CheckedIn:
        with self.database.transaction() as db:
            return service.check_in(db, scope or self.ours, "CQ-1", sign_up_id, now=self.now)

    def states(self) -> dict[int, tuple[str, bool]]:
        with self.database.reading() as db:
            return {row.id: (row.state, row.is_walk_in) for row in db.scalars(select(SignUp))}

    def session(self) -> GuidanceSession:
        with self.database.reading() as db:
            return db.scalars(select(GuidanceSession).where(GuidanceSession.code == "CQ-1")).one()


@pytest.fixture
def door(database: Database, now: datetime) -> Door:
    return Door(database, now)


def test_a_second_tap_says_who_was_first_and_when(door: Door) -> None:
    sign_up_id = door.sign_up("糖糖")

    assert door.tap(sign_up_id).was_done
    door.now += timedelta(minutes=5)
    second = door.tap(sign_up_id, door.district)

    assert (second.was_done, second.by) == (False, "wang")
    assert second.at == door.now - timedelta(minutes=5)
    assert door.states()[sign_up_id] == ("attended", False)


def test_undoing_a_check_in_gives_the_place_back_as_it_was(door: Door) -> None:
    sign_up_id = door.sign_up("糖糖")
    door.tap(sign_up_id)
    with door.database.transaction() as db:
        assert service.undo(db, door.ours, "CQ-1", sign_up_id, now=door.now) == "糖糖"

    assert door.states()[sign_up_id] == ("confirmed", False)
    assert door.session().places_taken == 1
    with door.database.transaction() as db, pytest.raises(SignUpUnknown):
        service.undo(db, door.ours, "CQ-1", sign_up_id, now=door.now)


def test_another_sessions_sign_up_and_another_stations_staff_are_refused(door: Door) -> None:
    here, elsewhere = door.sign_up("糖糖"), door.sign_up("豆豆", code="CQ-2")

    with pytest.raises(SignUpUnknown):
        door.tap(elsewhere)
    with pytest.raises(SessionUnknown):
        door.tap(here, door.theirs)
    assert {state for state, _ in door.states().values()} == {"confirmed"}


def test_check_in_opens_on_the_sessions_day_and_never_for_a_cancelled_one(door: Door) -> None:
    sign_up_id = door.sign_up("糖糖")
    today, door.now = door.now, door.now - timedelta(days=1)
    with pytest.raises(CheckInTooEarly):
        door.tap(sign_up_id)
    door.now = today.replace(hour=0, minute=0)
    with door.database.transaction() as db:
        session = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "CQ-1")).one()
        session.state = "cancelled"
    with pytest.raises(SessionStepNotAllowed):
        door.tap(sign_up_id)


def test_the_paper_sheet_is_entered_in_one_go(door: Door) -> None:
    came, here, stays = door.sign_up("来了"), door.sign_up("扫过码"), door.sign_up("没来")
    door.tap(here)
    door.now += timedelta(days=2)
    with door.database.transaction() as db:
        # `here` was ticked on paper, too: that is no fault.
        entered = service.enter_sheet(
            db, door.ours, "CQ-1", came=[came, here], rest_is_missing=False, now=door.now
        )

    assert (entered.attended, entered.missing) == (1, 0)
    states = door.states()
    assert [states[one][0] for one in (came, here, stays)] == ["attended", "attended", "confirmed"]
    assert door.session().state == "published"


def test_the_rest_is_missing_after_the_end_and_the_session_is_held(
    door: Door, cipher: Cipher
) -> None:
    came, missing = door.sign_up("来了"), door.sign_up("没来")
    undecided, waiting = door.sign_up("待定", "requested"), door.sign_up("候补", "waitlisted")
    with door.database.transaction() as db, pytest.raises(SessionStepNotAllowed):
        service.enter_sheet(db, door.ours, "CQ-1", came=[came], rest_is_missing=True, now=door.now)
    door.now = door.session().ends_at
    with door.database.transaction() as db:
        entered = service.enter_sheet(
            db, door.ours, "CQ-1", came=[came], rest_is_missing=True, now=door.now
        )

    assert (entered.attended, entered.missing) == (1, 1)
    states = door.states()
    assert states[missing][0] == "no_show"
    assert states[undecided][0] == "requested"
    assert states[waiting][0] == "waitlisted"
    assert door.session().state == "held"
    # The sheet turns up after all: who was marked as missing did come.
    assert door.tap(missing).was_done
    with door.database.reading() as db:
        report = examine(db, cipher=cipher, now=door.now)
    assert {check.name for check in report.checks if not check.ok} <= FINE_OF_ITSELF


def test_nobody_came_and_the_session_does_not_count_as_held(door: Door) -> None:
    door.sign_up("没来")
    door.now += timedelta(days=1)
    with door.database.transaction() as db:
        service.enter_sheet(db, door.ours, "CQ-1", came=[], rest_is_missing=True, now=door.now)

    assert door.session().state == "published"


def test_a_tick_for_a_stranger_is_refused_and_keeps_nothing(door: Door) -> None:
    ours, elsewhere = door.sign_up("糖糖"), door.sign_up("豆豆", code="CQ-2")
    with pytest.raises(SignUpUnknown), door.database.transaction() as db:
        service.enter_sheet(
            db, door.ours, "CQ-1", came=[ours, elsewhere], rest_is_missing=False, now=door.now
        )
    assert {state for state, _ in door.states().values()} == {"confirmed"}


def test_a_walk_in_is_found_by_the_whole_nickname_within_the_township(door: Door) -> None:
    wanted = door.child("Ａnna 宝")
    with door.database.transaction() as db:
        far = make_child(db, "anna宝", door.now)
        other = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "CQ-2")).one()
        far.family.township_id = make_station(db, "PZ", township="堡镇").township_id
        other.level = "district"
        other.starts_at, other.ends_at = door.now, door.now + timedelta(hours=1)
        ids = {wanted, far.id}

    def search(nickname: str, code: str = "CQ-1") -> set[int]:
        with door.database.reading() as db:
            found = service.find_walk_ins(db, door.ours, code, nickname, now=door.now)
            return {one.child_id for one in found}

    assert search("anna宝") == {wanted}
    assert search("anna宝", "CQ-2") == ids
    assert search("anna") == set()
    assert search(" ") == set()


def test_walk_ins_take_none_of_the_places_and_undo_ends_them(door: Door) -> None:
    child_id = door.child("糖糖")
    with door.database.transaction() as db:
        assert service.walk_in(db, door.ours, "CQ-1", child_id, now=door.now).was_done
    with door.database.transaction() as db:
        assert not service.walk_in(db, door.ours, "CQ-1", child_id, now=door.now).was_done

    ((sign_up_id, how),) = door.states().items()
    assert how == ("attended", True)
    assert door.session().places_taken == 0
    with door.database.transaction() as db:
        service.undo(db, door.ours, "CQ-1", sign_up_id, now=door.now)
    assert door.states()[sign_up_id][0] == "cancelled"


def test_a_child_out_of_reach_cannot_be_checked_in_by_its_number(door: Door) -> None:
    with door.database.transaction() as db:
        far = make_child(db, "远方", door.now)
        far.family.township_id = make_station(db, "PZ", township="堡镇").township_id
        far_id = far.id
    for child_id in (far_id, 999):
        with door.database.transaction() as db, pytest.raises(NotYours):
            service.walk_in(db, door.ours, "CQ-1", child_id, now=door.now)
    assert door.states() == {}


def test_of_many_of_one_nickname_the_telephone_says_which(door: Door) -> None:
    for _ in range(service.MAX_FOUND + 2):
        wanted = door.child("糖糖")
    with door.database.transaction() as db:
        family = db.get_one(Child, wanted).family
        family.phone = "13800005678"
        far = make_child(db, "糖糖", door.now)
        far.family.phone = "13900004321"
        far.family.township_id = make_station(db, "PZ", township="堡镇").township_id
        far_id = far.id

    def search(said: str) -> list[int]:
        with door.database.reading() as db:
            found = service.find_walk_ins(db, door.ours, "CQ-1", said, now=door.now)
            return [one.child_id for one in found]

    assert wanted not in search("糖糖")
    assert search("糖糖 5678") == search("糖糖5678") == [wanted]
    # From another township: by the whole number alone, and so it is checked in.
    assert search("糖糖 4321") == []
    assert search("糖糖 13900004321") == [far_id]
    with door.database.transaction() as db:
        said = "糖糖 13900004321"
        assert service.walk_in(db, door.ours, "CQ-1", far_id, now=door.now, said=said).was_done
    with door.database.transaction() as db, pytest.raises(NotYours):
        service.walk_in(db, door.ours, "CQ-1", far_id, now=door.now, said="糖糖 13900000000")
