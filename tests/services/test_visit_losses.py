"""A loss in a family that is to be visited: nobody rings unprepared, and nothing is sent."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.errors import NoVisitClaim, VisitFamilyStopped
from app.models import Child, FollowUp, HomeVisit, Notice
from app.models.notice_facts import load_facts
from app.models.visit_facts import VisitFacts
from app.rules.visit_record import ChildRecord, VisitRecord
from app.rules.visit_slots import Half
from app.services import (
    home_visits,
    losses,
    visit_board,
    visit_claims,
    visit_day,
    visit_decisions,
    visit_details,
    visit_lists,
    visit_notices,
    visit_reminding,
    visit_routes,
)
from app.services.audit import SYSTEM
from app.services.doctor import examine
from app.services.home_visits import Wish
from app.services.staff import scope_of
from app.services.visit_lists import VisitQuery
from app.services.visit_routes import Stop
from tests.services.visit_world import Town, add_family, settle
from tests.visiting import get_visitor

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)


@pytest.fixture
def town(database: Database, now: datetime) -> Town:
    with database.transaction() as db:
        return settle(db, now)


@pytest.fixture
def arranged(town: Town, database: Database, now: datetime) -> int:
    """The number of a visit on Monday at nine, confirmed."""
    with database.transaction() as db:
        wish = Wish(MONDAY.date(), Half.MORNING)
        visit = home_visits.request(db, caregiver=town.mother(db), wish=wish, now=now)
        visit_decisions.confirm(db, visit_id=visit.id, staff=town.teacher, now=now)
        return visit.id


def route(db: Session, town: Town) -> list[Stop]:
    scope = scope_of(town.teacher)
    return visit_routes.read_route(db, scope, get_visitor(db).id, MONDAY.date())


def tasks(db: Session) -> list[tuple[str, str]]:
    return [(task.kind, task.detail) for task in db.scalars(select(FollowUp))]


def wanted(db: Session, kind: str) -> list[bool]:
    """Of each notice of a kind, whether a deliverer would still send it."""
    found = []
    for notice in db.scalars(select(Notice).where(Notice.kind == kind)):
        facts = load_facts(notice.facts)
        assert isinstance(facts, VisitFacts)
        visit_id = int(notice.subject.removeprefix("home_visit:"))
        found.append(visit_notices.is_wanted(db, facts, visit_id))
    return found


def test_the_visit_of_a_child_that_died_is_called_off_without_a_word_to_the_family(
    town: Town, arranged: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        losses.mark_lost(db, town.child(db), actor=SYSTEM, now=now)
        assert db.get_one(HomeVisit, arranged).state == "cancelled"
        assert tasks(db) == [("visit_loss", f"home_visit:{arranged}")]
        assert set(db.scalars(select(Notice.kind))) == {"visit_confirmed"}
        assert wanted(db, "visit_confirmed") == [False]
        [stop] = route(db, town)
        assert (stop.is_stopped, stop.address, stop.phone, stop.note) == (True, None, None, None)
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=now)
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


def test_a_visit_cancelled_for_another_reason_is_on_no_route(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        visit_decisions.cancel_by_staff(
            db, visit_id=arranged, staff=town.teacher, reason="台风", now=now
        )
        assert route(db, town) == []


def test_a_visit_of_another_child_stands_until_staff_have_asked(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        child = town.child(db)
        older = add_family(db, now, now.date() - timedelta(days=700), openid="o-else")
        sibling = older.children[0]
        sibling.family_id = child.family_id
        db.flush()
        db.expire_all()
        losses.mark_lost(db, sibling, actor=SYSTEM, now=now)
        assert db.get_one(HomeVisit, arranged).state == "confirmed"
        assert tasks(db) == [("visit_loss", f"home_visit:{arranged}")]


def test_where_everything_was_stopped_the_visitor_and_the_board_see_it(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        losses.stop_family(db, town.family(db), actor=SYSTEM, now=now)
        losses.stop_family(db, town.family(db), actor=SYSTEM, now=now)
        assert tasks(db) == [("visit_loss", f"home_visit:{arranged}")], "once"
        assert [stop.is_stopped for stop in route(db, town)] == [True]
        scope = scope_of(town.teacher)
        board = visit_board.read_board(db, scope, MONDAY.date())
        [booked] = [one for row in board.rows for cell in row.cells for one in cell.visits]
        assert booked.conflicts == (visit_board.Conflict.MOURNING,)
        assert visit_details.read(db, scope, arranged).family.is_stopped
        losses.resume_family(db, town.family(db), actor=SYSTEM, now=now)
        assert [stop.is_stopped for stop in route(db, town)] == [False]


@pytest.mark.parametrize("step", [visit_day.set_off, visit_day.arrive])
def test_nobody_sets_off_to_a_family_that_was_stopped_since_by_an_old_page_either(
    town: Town, arranged: int, database: Database, now: datetime, step: Callable[..., HomeVisit]
) -> None:
    with database.transaction() as db:
        losses.stop_family(db, town.family(db), actor=SYSTEM, now=now)
    with database.transaction() as db, pytest.raises(VisitFamilyStopped):
        step(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
    with database.transaction() as db:
        assert db.get_one(HomeVisit, arranged).state == "confirmed"
        sent = select(Notice.kind).where(Notice.kind == "visitor_on_the_way")
        assert db.scalars(sent).all() == []
        losses.resume_family(db, town.family(db), actor=SYSTEM, now=now)
        assert step(db, visit_id=arranged, staff=town.teacher, now=MONDAY).state == "en_route"


def test_who_was_at_the_door_already_can_write_down_what_was(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        visit_day.arrive(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
        losses.stop_family(db, town.family(db), actor=SYSTEM, now=MONDAY)
        visit_day.arrive(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
        assert visit_day.miss(db, visit_id=arranged, staff=town.teacher, now=MONDAY).state == (
            "missed"
        )


def test_a_request_of_a_family_in_mourning_hurries_nobody(
    town: Town, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        wish = Wish(MONDAY.date(), Half.MORNING)
        home_visits.request(db, caregiver=town.mother(db), wish=wish, now=now)
        losses.stop_family(db, town.family(db), actor=SYSTEM, now=now)
        later = now + timedelta(days=22)
        assert visit_reminding.escalate_requests(db, later) == 0
        [row] = visit_lists.find_visits(
            db, scope_of(town.teacher), VisitQuery(), now.date(), limit=9, offset=0
        )
        assert row.is_stopped
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=later)
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


def test_the_record_of_a_surviving_twin_asks_nothing_of_the_other(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        child = town.child(db)
        twin = Child(
            family_id=child.family_id,
            nickname="果果",
            birth_date=child.birth_date,
            lost_at=now,
            created_at=now,
            updated_at=now,
        )
        db.add(twin)
        db.flush()
        wish = Wish(MONDAY.date(), Half.MORNING)
        visit = home_visits.request(
            db, caregiver=town.mother(db), wish=wish, now=now + timedelta(minutes=1)
        )
        visit_decisions.confirm(db, visit_id=visit.id, staff=town.teacher, now=now)
        [stop] = route(db, town)
        assert (stop.child_ids, stop.is_stopped) == ((child.id,), False)


def test_the_summary_of_a_visit_before_the_loss_is_not_sent_after_it(
    town: Town, arranged: int, database: Database
) -> None:
    with database.transaction() as db:
        child = town.child(db)
        visit_day.complete(
            db,
            visit_id=arranged,
            staff=town.teacher,
            key="k" * 32,
            written=VisitRecord(children=(ChildRecord(child_id=child.id),)),
            written_at=MONDAY,
            now=MONDAY,
        )
        assert wanted(db, "visit_summary") == [True]
        losses.mark_lost(db, child, actor=SYSTEM, now=MONDAY)
        assert wanted(db, "visit_summary") == [False]


def test_after_a_loss_no_child_is_named_and_nothing_is_offered(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        losses.mark_lost(db, town.child(db), actor=SYSTEM, now=now)
        with pytest.raises(NoVisitClaim) as refused:
            visit_claims.find_claim(db, town.family(db), MONDAY.date(), now)
        assert (refused.value.reason, refused.value.nickname) == ("lost", "")
