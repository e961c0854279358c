"""What families are owed: visits nobody recorded, families that wanted none, and what follows."""

from datetime import date, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.errors import NextVisitUnlikely, NoVisitClaim, VisitTooLateToCancel
from app.models import Child, HomeVisit, SpecialNeed, Staff, VisitDue
from app.rules.visit_record import ChildRecord, VisitRecord
from app.rules.visit_slots import Half
from app.services import (
    home_visits,
    losses,
    registration,
    visit_claims,
    visit_day,
    visit_decisions,
    visit_due_lists,
    visit_dues,
    visit_lists,
    visit_privacy,
    visit_reminding,
    visit_unrecorded,
)
from app.services.audit import SYSTEM, Actor
from app.services.doctor import examine
from app.services.home_visits import Choice, Wish
from app.services.registration import ChildDraft, ConsentGiven
from app.services.staff import scope_of
from app.services.visit_claims import SpecialAnswer
from app.services.visit_due_lists import DueTab
from app.services.visit_dues import BirthReport
from app.services.visit_lists import VisitQuery
from tests.services.visit_world import Town, settle
from tests.visiting import get_visitor

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
TUESDAY = MONDAY + timedelta(days=1)
MORNING = Wish(MONDAY.date(), Half.MORNING)


@pytest.fixture
def town(database: Database, now: datetime) -> Town:
    with database.transaction() as db:
        return settle(db, now, families=2)


@pytest.fixture
def arranged(town: Town, database: Database, now: datetime) -> int:
    """The number of the first family's visit on Monday at nine, confirmed."""
    with database.transaction() as db:
        visit = home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)
        visit_decisions.confirm(db, visit_id=visit.id, staff=town.teacher, now=now)
        return visit.id


def listed(db: Session, staff: Staff, at: datetime, tab: DueTab = DueTab.DUE) -> list[int]:
    rows = visit_due_lists.list_dues(db, scope_of(staff), at.date(), tab, limit=9, offset=0)
    return [row.family_id for row in rows]


def check_doctor(database: Database, cipher: Cipher, now: datetime) -> None:
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=now)
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


# Born on the 1st and discharged on the 4th: due by the 11th, owed for 60 days more.
BOUNDARIES = [
    ("2026-11-03", None),
    ("2026-11-04", DueTab.DUE),
    ("2026-11-11", DueTab.DUE),
    ("2026-11-12", DueTab.OVERDUE),
    ("2026-12-31", DueTab.OVERDUE),
    ("2027-01-10", DueTab.OVERDUE),
    ("2027-01-11", None),
]


def test_a_family_stands_in_its_part_of_the_list_from_boundary_to_boundary(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        child = town.child(db)
        child.birth_date = date(2026, 11, 1)
        report = BirthReport(discharged=date(2026, 11, 4))
        visit_dues.report_birth(db, child=child, report=report, actor=SYSTEM, now=now)
        found = []
        for day, _ in BOUNDARIES:
            at = datetime.fromisoformat(f"{day}T12:00:00+08:00")
            tabs = (DueTab.DUE, DueTab.OVERDUE)
            there = [tab for tab in tabs if child.family_id in listed(db, town.teacher, at, tab)]
            found.append((day, there[0] if there else None))
            assert len(there) <= 1
    assert found == BOUNDARIES


def test_a_visit_nobody_recorded_hides_its_family_no_longer_than_its_day(
    town: Town, arranged: int, database: Database
) -> None:
    first, second = town.family_ids
    evening = MONDAY + timedelta(hours=14)
    with database.reading() as db:
        assert listed(db, town.teacher, evening) == [second]
        assert listed(db, town.teacher, TUESDAY) == [first, second]
        scope = scope_of(town.teacher)
        rows = visit_due_lists.list_dues(db, scope, TUESDAY.date(), DueTab.DUE, limit=9, offset=0)
        assert [row.unrecorded.visit_id for row in rows if row.unrecorded] == [arranged]
        assert visit_due_lists.count_dues(db, scope, TUESDAY.date())[DueTab.DUE] == 2


def test_staff_and_the_visitor_see_what_is_still_to_be_written_down(
    town: Town, arranged: int, database: Database
) -> None:
    scope = scope_of(town.teacher)
    query = VisitQuery(show="unrecorded")

    def seen(db: Session, day: date) -> tuple[int, list[int], list[int]]:
        rows = visit_lists.find_visits(db, scope, query, day, limit=9, offset=0)
        own = visit_unrecorded.of_visitor(db, get_visitor(db).id, day)
        return (
            visit_lists.count_work(db, scope, day).unrecorded,
            [row.visit_id for row in rows],
            [one.visit_id for one in own],
        )

    with database.transaction() as db:
        assert seen(db, MONDAY.date()) == (0, [], [])
        assert seen(db, TUESDAY.date()) == (1, [arranged], [arranged])
        visit_day.miss(db, visit_id=arranged, staff=town.teacher, now=TUESDAY)
        assert seen(db, TUESDAY.date()) == (0, [], [])


def test_an_overdue_visit_that_was_never_recorded_goes_up(
    town: Town, arranged: int, database: Database
) -> None:
    overdue = datetime(2026, 12, 21, 10, tzinfo=SHANGHAI)
    with database.transaction() as db:
        assert visit_reminding.escalate_dues(db, overdue) == 2
        assert set(listed(db, town.teacher, overdue, DueTab.ESCALATED)) == set(town.family_ids)


def test_a_visit_whose_time_has_come_is_not_cancelled_by_the_family(
    town: Town, arranged: int, database: Database
) -> None:
    with database.transaction() as db:
        for at in (MONDAY, TUESDAY):
            with pytest.raises(VisitTooLateToCancel) as refused:
                home_visits.cancel_by_family(db, caregiver=town.mother(db), now=at)
            assert refused.value.starts_at == MONDAY
        visit_day.set_off(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
        with pytest.raises(VisitTooLateToCancel) as under_way:
            home_visits.cancel_by_family(db, caregiver=town.mother(db), now=MONDAY)
        assert under_way.value.starts_at is None


def test_a_visit_never_recorded_keeps_no_family_from_having_its_data_erased(
    town: Town, arranged: int, database: Database
) -> None:
    with database.transaction() as db:
        visit_day.set_off(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
        mother, children = town.mother(db), {town.child(db).id}
        with pytest.raises(VisitTooLateToCancel):
            visit_privacy.forget(db, caregiver=mother, children=children, now=MONDAY)
        visit_privacy.forget(db, caregiver=mother, children=children, now=TUESDAY)
        assert db.get_one(HomeVisit, arranged).state == "cancelled"


@pytest.mark.parametrize("outcome", ["declined", "moved"])
@pytest.mark.parametrize("who", ["family", "staff"])
def test_who_wanted_none_may_wish_one_after_all(
    town: Town, database: Database, now: datetime, cipher: Cipher, outcome: str, who: str
) -> None:
    family_id = town.family_ids[0]
    with database.transaction() as db:
        visit_dues.note_try(db, family_id=family_id, outcome=outcome, actor=SYSTEM, now=now)
        assert family_id not in listed(db, town.teacher, now)
        town.child(db).birth_date = now.date() - timedelta(days=2)
        if who == "family":
            home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)
        else:
            choice = Choice(get_visitor(db).id, MONDAY)
            visit_decisions.arrange(
                db, family_id=family_id, staff=town.teacher, choice=choice, now=now
            )
        due = db.scalars(select(VisitDue).where(VisitDue.family_id == family_id)).one()
        assert (due.closed_at, due.closed_as) == (None, None)
        assert due.due_on == now.date() + timedelta(days=26), "as corrected meanwhile"
    check_doctor(database, cipher, now)


def test_looking_at_what_could_be_had_is_no_wish(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        family = town.family(db)
        visit_dues.note_try(db, family_id=family.id, outcome="declined", actor=SYSTEM, now=now)
        assert visit_claims.find_claim(db, family, MONDAY.date(), now).child is not None
        due = db.scalars(select(VisitDue).where(VisitDue.family_id == family.id)).one()
        assert due.closed_as == "declined"


def test_what_is_over_is_not_owed_again(town: Town, database: Database, now: datetime) -> None:
    actor = Actor("caregiver", None)
    with database.transaction() as db:
        family = town.family(db)
        visit_dues.note_try(db, family_id=family.id, outcome="declined", actor=SYSTEM, now=now)
        visit_claims.want_again(db, family, actor, now + timedelta(days=120))
        due = db.scalars(select(VisitDue).where(VisitDue.family_id == family.id)).one()
        assert due.closed_as == "declined"


def add_child(db: Session, town: Town, born: date, now: datetime, nickname: str = "果果") -> Child:
    """Registered by its mother, as in the chat."""
    return registration.register_child(
        db,
        caregiver=town.mother(db),
        draft=ChildDraft(nickname, born, None, None, None, None),
        consent=ConsentGiven("child_data", "1", "同意"),
        now=now,
    )


def risks(db: Session, family_id: int) -> list[bool]:
    dues = select(VisitDue.is_high_risk).where(VisitDue.family_id == family_id)
    return list(db.scalars(dues.order_by(VisitDue.child_id, VisitDue.number)))


@pytest.mark.parametrize(
    ("days_apart", "are_twins"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_twins_registered_one_by_one_are_both_at_high_risk(
    town: Town,
    database: Database,
    now: datetime,
    cipher: Cipher,
    days_apart: int,
    are_twins: bool,
) -> None:
    with database.transaction() as db:
        first = town.child(db)
        assert first.birth_date is not None
        add_child(db, town, first.birth_date + timedelta(days=days_apart), now)
        assert risks(db, first.family_id) == [are_twins, are_twins]
    check_doctor(database, cipher, now)


def test_a_twin_registered_later_brings_the_first_ones_window_forward(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        first = town.child(db)
        report = BirthReport(discharged=now.date())
        visit_dues.report_birth(db, child=first, report=report, actor=SYSTEM, now=now)
        due = db.scalars(select(VisitDue).where(VisitDue.child_id == first.id)).one()
        assert due.due_on == now.date() + timedelta(days=7)
        assert first.birth_date is not None
        add_child(db, town, first.birth_date, now)
        assert due.due_on == now.date() + timedelta(days=3)


def test_a_twin_registered_after_the_visit_opens_the_further_ones(
    town: Town, arranged: int, database: Database, cipher: Cipher
) -> None:
    with database.transaction() as db:
        first = town.child(db)
        made(db, town, arranged, first.id)
        assert first.birth_date is not None
        add_child(db, town, first.birth_date, TUESDAY)
        open_dues = db.execute(
            select(VisitDue.purpose, VisitDue.number)
            .where(VisitDue.family_id == first.family_id, VisitDue.closed_at.is_(None))
            .order_by(VisitDue.id)
        ).all()
        assert {tuple(due) for due in open_dues} == {("newborn", 1), ("high_risk", 2)}
    check_doctor(database, cipher, TUESDAY)


def test_a_birth_date_corrected_away_takes_the_risk_from_both(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        first = town.child(db)
        assert first.birth_date is not None
        other = add_child(db, town, first.birth_date, now)
        registration.correct_child(
            db,
            caregiver=town.mother(db),
            child=other,
            birth_date=first.birth_date - timedelta(days=400),
            now=now,
        )
        assert risks(db, first.family_id)[0] is False


def test_the_survivor_of_twins_stays_at_high_risk(
    town: Town, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        first = town.child(db)
        assert first.birth_date is not None
        twin = add_child(db, town, first.birth_date, now)
        losses.mark_lost(db, twin, actor=SYSTEM, now=now)
        visit_dues.plan_child(db, first, now)
        assert risks(db, first.family_id)[0] is True
    check_doctor(database, cipher, now)


def made(
    db: Session, town: Town, visit_id: int, child_id: int, next_on: date | None = None
) -> None:
    visit_day.complete(
        db,
        visit_id=visit_id,
        staff=town.teacher,
        key="k" * 32,
        written=VisitRecord(children=(ChildRecord(child_id=child_id),), next_on=next_on),
        written_at=MONDAY,
        now=MONDAY,
    )


@pytest.mark.parametrize("next_on", [MONDAY.date(), MONDAY.date() + timedelta(days=93)])
def test_a_next_visit_out_of_all_bounds_is_refused_and_nothing_is_written(
    town: Town, arranged: int, database: Database, next_on: date
) -> None:
    with database.transaction() as db:
        with pytest.raises(NextVisitUnlikely):
            made(db, town, arranged, town.child(db).id, next_on)
        assert db.get_one(HomeVisit, arranged).state == "confirmed"
        made(db, town, arranged, town.child(db).id, MONDAY.date() + timedelta(days=92))


def test_at_high_risk_the_next_visit_can_be_asked_for_on_the_day_of_the_last(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        child = town.child(db)
        report = BirthReport(is_multiple=True)
        visit_dues.report_birth(db, child=child, report=report, actor=SYSTEM, now=now)
        made(db, town, arranged, child.id)
        family, today = town.family(db), MONDAY.date()
        claim = visit_claims.find_claim(db, family, today, MONDAY, or_later=True)
        assert (claim.purpose, claim.opens_on) == ("high_risk", TUESDAY.date())
        with pytest.raises(NoVisitClaim) as refused:
            visit_claims.find_claim(db, family, today, MONDAY)
        assert (refused.value.reason, refused.value.opens_on) == ("not_yet", TUESDAY.date())
        wish = Wish(TUESDAY.date(), Half.MORNING)
        assert home_visits.request(db, caregiver=town.mother(db), wish=wish, now=MONDAY)


@pytest.mark.parametrize(("months", "answer"), [(35, SpecialAnswer.OWED), (36, None)])
def test_a_special_need_is_noted_until_three_years_and_not_after(
    town: Town, database: Database, now: datetime, months: int, answer: SpecialAnswer | None
) -> None:
    with database.transaction() as db:
        child = town.child(db)
        child.birth_date = now.date().replace(year=2023, month=11 if months == 36 else 12)
        note = partial(
            visit_claims.note_special_need, db, child=child, category="听力", actor=SYSTEM, now=now
        )
        if answer is None:
            with pytest.raises(NoVisitClaim) as refused:
                note()
            assert refused.value.reason == "over_three"
            assert db.get(SpecialNeed, child.id) is None, "what nothing follows from is not kept"
        else:
            assert note() is answer


def test_a_special_need_after_the_years_visit_promises_no_other_one(
    town: Town, arranged: int, database: Database
) -> None:
    with database.transaction() as db:
        child = town.child(db)
        made(db, town, arranged, child.id)
        answer = visit_claims.note_special_need(
            db, child=child, category="", actor=SYSTEM, now=TUESDAY
        )
        assert answer is SpecialAnswer.VISITED
