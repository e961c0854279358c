"""Another time for a visit: wished by the family, held, answered, or not answered in time."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.errors import NoVisitProposal
from app.models import Caregiver, FollowUp, HomeVisit, Notice, Visitor, VisitProposal
from app.models.notice_facts import load_facts
from app.models.visit_facts import VisitWishEnded
from app.rules.visit_slots import Half
from app.services import home_visits, visit_day, visit_decisions, visit_proposals, visit_reminding
from app.services.doctor import examine
from app.services.home_visits import Wish
from app.services.visit_proposals import Wished
from tests.services.visit_world import Town, settle

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
WEDNESDAY = date(2026, 11, 25)
FRIDAY = Wish(date(2026, 11, 27), Half.MORNING)
# Asked on Sunday the 22nd: Monday, Tuesday and Wednesday are the staff's three days.
UNANSWERED = datetime(2026, 11, 26, 0, 0, tzinfo=SHANGHAI)


@pytest.fixture
def town(database: Database, now: datetime) -> Town:
    with database.transaction() as db:
        return settle(db, now)


@pytest.fixture
def arranged(town: Town, database: Database, now: datetime) -> int:
    """The number of a visit on the Friday after next, confirmed, which the mother asked for."""
    with database.transaction() as db:
        wish = Wish(date(2026, 12, 4), Half.MORNING)
        visit = home_visits.request(db, caregiver=town.mother(db), wish=wish, now=now)
        visit_decisions.confirm(db, visit_id=visit.id, staff=town.teacher, now=now)
        return visit.id


@pytest.fixture
def father(town: Town, database: Database, now: datetime) -> int:
    with database.transaction() as db:
        father = Caregiver(
            openid="o-father",
            family_id=town.family_ids[0],
            is_following=True,
            pushes="on",
            created_at=now,
        )
        db.add(father)
        db.flush()
        return father.id


def wish_of(db: Session, caregiver_id: int, now: datetime, wish: Wish = FRIDAY) -> Wished:
    caregiver = db.get_one(Caregiver, caregiver_id)
    return visit_proposals.wish_other_time(db, caregiver=caregiver, wish=wish, now=now)


def endings(db: Session) -> list[tuple[int, VisitWishEnded]]:
    found = []
    for notice in db.scalars(select(Notice).where(Notice.kind == "visit_wish_ended")):
        facts = load_facts(notice.facts)
        assert isinstance(facts, VisitWishEnded)
        found.append((notice.caregiver_id, facts))
    return found


def check_doctor(database: Database, cipher: Cipher, now: datetime) -> None:
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=now)
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


def test_a_wish_that_nobody_answers_is_told_to_who_asked_and_is_a_task(
    town: Town, arranged: int, father: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        wish_of(db, father, now)
        assert visit_reminding.settle(db, UNANSWERED - timedelta(minutes=1)) == 0
        assert visit_reminding.settle(db, UNANSWERED) == 1
        assert visit_reminding.settle(db, UNANSWERED) == 0
        [(told, facts)] = endings(db)
        assert told == father
        assert (facts.was_declined, facts.wished_at.date()) == (False, FRIDAY.day)
        assert facts.starts_at == db.get_one(HomeVisit, arranged).starts_at
        tasks = db.scalars(select(FollowUp)).all()
        assert [(task.kind, task.detail) for task in tasks] == [
            ("escalation", f"home_visit:{arranged} wish")
        ]
    check_doctor(database, cipher, UNANSWERED)


def test_a_wish_that_staff_do_not_agree_to_is_told_to_who_asked(
    town: Town, arranged: int, father: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        wish_of(db, father, now)
        visit_proposals.answer_by_staff(
            db, visit_id=arranged, staff=town.teacher, accepts=False, now=now
        )
        [(told, facts)] = endings(db)
        assert (told, facts.was_declined) == (father, True)
    check_doctor(database, cipher, now)


def test_who_asked_for_another_time_is_told_of_it(
    town: Town, arranged: int, father: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        wish_of(db, father, now)
        visit_proposals.answer_by_staff(
            db, visit_id=arranged, staff=town.teacher, accepts=True, now=now
        )
        moved = select(Notice.caregiver_id).where(Notice.kind == "visit_moved")
        assert db.scalars(moved).all() == [father]


def test_a_wish_for_a_visit_that_was_made_meanwhile_is_no_question_any_more(
    town: Town, arranged: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        starts_at = db.get_one(HomeVisit, arranged).starts_at
        assert starts_at is not None
        later = Wish(date(2026, 12, 11), Half.MORNING)
        wish_of(db, town.mother(db).id, starts_at - timedelta(hours=3), later)
        visit_day.arrive(db, visit_id=arranged, staff=town.teacher, now=starts_at)
        assert db.scalars(select(VisitProposal.state)).one() == "withdrawn"
        with pytest.raises(NoVisitProposal):
            visit_proposals.answer_by_staff(
                db, visit_id=arranged, staff=town.teacher, accepts=True, now=starts_at
            )
    check_doctor(database, cipher, now)


def test_where_no_visitor_goes_a_second_wish_is_kept_for_a_person(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        db.execute(update(Visitor).values(is_active=False))
        mother = town.mother(db)
        visit = home_visits.request(db, caregiver=mother, wish=FRIDAY, now=now)
        wished = wish_of(db, mother.id, now, Wish(WEDNESDAY, Half.AFTERNOON))
        assert (wished.starts_at, wished.keeps, wished.is_request) == (None, None, True)
        assert (visit.wished_on, visit.wished_half) == (WEDNESDAY, "afternoon")


def test_where_nobody_else_can_go_an_arranged_visit_stands_and_staff_have_a_task(
    town: Town, arranged: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        db.execute(update(Visitor).values(is_active=False))
        for _ in range(2):
            wished = wish_of(db, town.mother(db).id, now)
            assert wished.starts_at is None
            assert wished.keeps == db.get_one(HomeVisit, arranged).starts_at
        tasks = db.scalars(select(FollowUp)).all()
        assert [(task.kind, task.detail) for task in tasks] == [
            ("visit_wish", f"home_visit:{arranged} 2026-11-27")
        ]
    check_doctor(database, cipher, now)


def test_whoever_takes_any_time_is_kept_where_the_day_has_none(
    town: Town, database: Database, now: datetime
) -> None:
    sunday = Wish(now.date(), is_any=True)
    with database.transaction() as db:
        visit = home_visits.request(db, caregiver=town.mother(db), wish=sunday, now=now)
        assert (visit.state, visit.starts_at, visit.wished_on) == ("requested", None, None)
