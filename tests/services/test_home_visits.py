"""Home visits through the services: decisions, moves, the record, and what follows from it."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.errors import (
    NotYours,
    NoVisitClaim,
    ReasonMissing,
    VisitAlreadyDecided,
    VisitAlreadyOpen,
    VisitDayOff,
    VisitHalfFull,
    VisitorAway,
    VisitorBusy,
    VisitRecordUnlike,
    VisitTooEarly,
)
from app.models import (
    CalendarDay,
    Child,
    FollowUp,
    HomeContact,
    HomeVisit,
    Notice,
    Referral,
    VisitDue,
    VisitProposal,
    VisitReport,
)
from app.models.notice_facts import load_facts
from app.models.visit_facts import VisitSummary
from app.rules.visit_record import Advice, ChildRecord, DangerSign, Mother, VisitRecord
from app.rules.visit_slots import Half
from app.services import (
    home_contacts,
    home_visits,
    losses,
    visit_board,
    visit_claims,
    visit_day,
    visit_decisions,
    visit_details,
    visit_due_lists,
    visit_dues,
    visit_lists,
    visit_proposals,
    visit_reminding,
    visit_routes,
    visitors,
)
from app.services.audit import SYSTEM
from app.services.doctor import examine
from app.services.home_visits import Choice, Wish
from app.services.staff import scope_of
from app.services.visit_due_lists import DueTab
from app.services.visit_dues import BirthReport
from app.services.visit_lists import VisitQuery
from tests.services.visit_world import Town, add_family, settle
from tests.visiting import add_staff, add_station, get_visitor

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
MORNING = Wish(MONDAY.date(), Half.MORNING)


@pytest.fixture
def town(database: Database, now: datetime) -> Town:
    with database.transaction() as db:
        return settle(db, now, families=4, visitors=2)


@pytest.fixture
def arranged(town: Town, database: Database, now: datetime) -> int:
    """The number of a visit on Monday at nine, confirmed."""
    with database.transaction() as db:
        visit = home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)
        visit_decisions.confirm(db, visit_id=visit.id, staff=town.teacher, now=now)
        return visit.id


def record_of(db_child: int, **fields: object) -> VisitRecord:
    return VisitRecord(children=(ChildRecord(child_id=db_child),)).model_copy(update=fields)


def kinds(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.scalars(select(Notice.kind).order_by(Notice.id)))


def check_doctor(database: Database, cipher: Cipher, now: datetime) -> None:
    with database.reading() as db:
        report = examine(db, cipher=cipher, now=now)
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


def test_a_request_holds_the_least_loaded_visitors_time(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        made = [
            home_visits.request(db, caregiver=town.mother(db, number), wish=MORNING, now=now)
            for number in range(4)
        ]
        assert [visit.visitor.code for visit in made if visit.visitor] == ["V1", "V2", "V1", "V2"]
        with pytest.raises(VisitAlreadyOpen):
            home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)


def test_a_full_half_day_offers_the_afternoon(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        for number in range(4):
            home_visits.request(db, caregiver=town.mother(db, number), wish=MORNING, now=now)
        add_family(db, now, date(2026, 11, 18), openid="o-late")
        late = Town(town.teacher, [town.family_ids[-1] + 1])
        with pytest.raises(VisitHalfFull) as full:
            home_visits.request(db, caregiver=late.mother(db), wish=MORNING, now=now)
    assert next((one.day, one.half) for one in full.value.nearest) == (MONDAY.date(), "afternoon")


def test_the_second_to_confirm_is_told_who_and_when(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        other = add_staff(db, "chen", now)
        visit = home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)
        visit_decisions.confirm(db, visit_id=visit.id, staff=town.teacher, now=now)
        with pytest.raises(VisitAlreadyDecided) as lost:
            visit_decisions.confirm(db, visit_id=visit.id, staff=other, now=now)
    assert (lost.value.by, lost.value.at, lost.value.starts_at) == ("wang", now, MONDAY)
    assert kinds(database) == ["visit_confirmed"]


def test_another_stations_worker_has_no_part_in_it(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        add_station(db, "BZ", "堡镇")
        stranger = add_staff(db, "li", now, station="BZ")
        lead = add_staff(db, "lead", now, role="township", station=None, township="城桥镇")
        visit = home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)
        with pytest.raises(NotYours):
            visit_decisions.confirm(db, visit_id=visit.id, staff=stranger, now=now)
        with pytest.raises(NotYours):
            visit_details.read(db, scope_of(stranger), visit.id)
        assert (
            visit_lists.find_visits(
                db, scope_of(stranger), VisitQuery(), now.date(), limit=9, offset=0
            )
            == []
        )
        visit_decisions.confirm(db, visit_id=visit.id, staff=lead, now=now)


def test_a_visitor_acts_on_their_own_visits_alone(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        own = add_staff(db, "v1", now, role="visitor", station=None)
        other = add_staff(db, "v2", now, role="visitor", station=None)
        with pytest.raises(NotYours):
            visit_day.set_off(db, visit_id=arranged, staff=other, now=MONDAY)
        assert visit_routes.find_stop(db, scope_of(other), arranged) is None
        visit_day.set_off(db, visit_id=arranged, staff=own, now=MONDAY)


def test_a_move_keeps_the_old_time_until_the_new_one_holds(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        taken = home_visits.request(db, caregiver=town.mother(db, 1), wish=MORNING, now=now)
        assert taken.visitor_id is not None
        assert taken.starts_at is not None
        with pytest.raises(VisitorBusy):
            visit_decisions.reassign(
                db,
                visit_id=arranged,
                staff=town.teacher,
                choice=Choice(taken.visitor_id, taken.starts_at),
                now=now,
            )
    with database.transaction() as db:
        visit = visit_decisions.reassign(
            db,
            visit_id=arranged,
            staff=town.teacher,
            choice=Choice(get_visitor(db, "V1").id, MONDAY + timedelta(minutes=30)),
            now=now,
        )
        assert (visit.state, visit.moves) == ("confirmed", 1)
    assert kinds(database) == ["visit_confirmed", "visit_moved"]


@pytest.mark.parametrize(("minutes", "free"), [(89, False), (90, True), (91, True)])
def test_exactly_the_buffer_behind_a_visit_may_be_assigned(
    town: Town, arranged: int, database: Database, now: datetime, minutes: int, free: bool
) -> None:
    with database.transaction() as db:
        choice = Choice(get_visitor(db, "V1").id, MONDAY + timedelta(minutes=minutes))
        family_id = town.family_ids[1]
        if free:
            visit_decisions.arrange(
                db, family_id=family_id, staff=town.teacher, choice=choice, now=now
            )
        else:
            with pytest.raises(VisitorBusy):
                visit_decisions.arrange(
                    db, family_id=family_id, staff=town.teacher, choice=choice, now=now
                )


def test_leave_and_a_holiday_set_since_stop_a_confirmation(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        visit = home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)
        other = home_visits.request(
            db, caregiver=town.mother(db, 1), wish=Wish(date(2026, 11, 24)), now=now
        )
        assert visit.visitor_id is not None
        touched = visitors.add_leave(
            db,
            scope_of(town.teacher),
            visit.visitor_id,
            starts_at=MONDAY - timedelta(hours=9),
            ends_at=MONDAY + timedelta(hours=15),
            note="发热",
            now=now,
        )
        assert [each.id for each in touched] == [visit.id], "named, and not cancelled"
        db.add(CalendarDay(day=date(2026, 11, 24), kind="blackout", note="台风", set_at=now))
        db.flush()
        for each in (visit, other):
            with pytest.raises(VisitorAway):
                visit_decisions.confirm(db, visit_id=each.id, staff=town.teacher, now=now)
        board = visit_board.read_board(db, scope_of(town.teacher), MONDAY.date())
        assert board.conflicts == 2
        with pytest.raises(VisitDayOff) as closed:
            home_visits.request(
                db, caregiver=town.mother(db, 2), wish=Wish(date(2026, 11, 24)), now=now
            )
    assert closed.value.name == "台风"
    assert closed.value.nearest


def test_a_proposal_nobody_answers_gives_its_time_back(
    town: Town, arranged: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    later = Choice(0, MONDAY + timedelta(days=3))
    with database.transaction() as db:
        later = Choice(get_visitor(db, "V1").id, later.starts_at)
        visit_proposals.propose(db, visit_id=arranged, staff=town.teacher, choice=later, now=now)
        with pytest.raises(VisitorBusy):
            visit_decisions.arrange(
                db, family_id=town.family_ids[1], staff=town.teacher, choice=later, now=now
            )
    check_doctor(database, cipher, now)
    with database.transaction() as db:
        after = now + timedelta(hours=49)
        assert visit_reminding.settle(db, after) == 1
        assert db.scalars(select(VisitProposal.state)).one() == "expired"
        visit = db.get(HomeVisit, arranged)
        assert visit is not None
        assert visit.starts_at == MONDAY
        visit_decisions.arrange(
            db, family_id=town.family_ids[1], staff=town.teacher, choice=later, now=after
        )


def test_a_decision_against_a_family_needs_its_reason(
    town: Town, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        visit = home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)
        with pytest.raises(ReasonMissing):
            visit_decisions.decline(db, visit_id=visit.id, staff=town.teacher, reason=" ", now=now)
        visit_decisions.decline(db, visit_id=visit.id, staff=town.teacher, reason="满了", now=now)
        assert home_visits.request(db, caregiver=town.mother(db), wish=MORNING, now=now)


def test_every_message_is_written_once(
    town: Town, arranged: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    evening = MONDAY - timedelta(hours=14)
    for at in (evening, evening, MONDAY - timedelta(minutes=59), MONDAY - timedelta(minutes=50)):
        with database.transaction() as db:
            visit_reminding.remind(db, visit_reminding.find_near(db, at), at)
    for _ in range(2):
        with database.transaction() as db:
            visit_day.set_off(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
            visit_day.arrive(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
    for _ in range(2):
        with database.transaction() as db:
            visit_day.complete(
                db,
                visit_id=arranged,
                staff=town.teacher,
                key="k" * 32,
                written=record_of(town.child(db).id),
                written_at=MONDAY,
                now=MONDAY + timedelta(hours=1),
            )
    assert kinds(database) == [
        "visit_confirmed",
        "visit_evening",
        "visit_2h",
        "visit_on_the_way",
        "visit_summary",
    ]
    check_doctor(database, cipher, MONDAY + timedelta(hours=2))


def test_a_record_is_taken_once_and_never_for_another_familys_child(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        with pytest.raises(VisitTooEarly):
            _complete(db, town, arranged, "a" * 32, town.child(db).id, now)
        with pytest.raises(VisitRecordUnlike):
            _complete(db, town, arranged, "a" * 32, town.child(db, 1).id, MONDAY)
        assert _complete(db, town, arranged, "a" * 32, town.child(db).id, MONDAY).is_new
        assert not _complete(db, town, arranged, "a" * 32, town.child(db).id, MONDAY).is_new
        with pytest.raises(VisitAlreadyDecided):
            _complete(db, town, arranged, "b" * 32, town.child(db).id, MONDAY)
        assert db.scalar(select(func.count()).select_from(VisitReport)) == 1


def _complete(
    db: Session, town: Town, visit_id: int, key: str, child_id: int, now: datetime, **fields: object
) -> visit_day.Completed:
    return visit_day.complete(
        db,
        visit_id=visit_id,
        staff=town.teacher,
        key=key,
        written=record_of(child_id, **fields),
        written_at=now,
        now=now,
    )


def test_a_danger_sign_is_a_referral_with_a_task_and_a_day(
    town: Town, arranged: int, database: Database
) -> None:
    with database.transaction() as db:
        child = ChildRecord(child_id=town.child(db).id, danger=frozenset({DangerSign.CORD}))
        written = VisitRecord(
            children=(child,),
            mother=Mother.LOW,
            advice=(Advice.CORD,),
            referred_to="区妇幼",
            next_on=date(2026, 12, 1),
        )
        visit_day.complete(
            db,
            visit_id=arranged,
            staff=town.teacher,
            key="k" * 32,
            written=written,
            written_at=MONDAY,
            now=MONDAY,
        )
        referral = db.scalars(select(Referral)).one()
        assert (referral.urgency, referral.check_on) == ("now", date(2026, 11, 24))
        assert set(db.scalars(select(FollowUp.kind))) == {"referral", "mother"}
        rows = visit_due_lists.list_referrals(db, scope_of(town.teacher), limit=9)
        assert [row.signs for row in rows] == [("cord",)]
        summary = load_facts(
            db.scalars(select(Notice.facts).where(Notice.kind == "visit_summary")).one()
        )
        assert isinstance(summary, VisitSummary)
        assert (summary.referred_to, summary.next_on) == ("区妇幼", "2026-12-01")
        visit_day.finish_referral(
            db, referral_id=referral.id, staff=town.teacher, outcome="没事", now=MONDAY
        )
        assert visit_due_lists.list_referrals(db, scope_of(town.teacher), limit=9) == []


def test_twins_are_credited_by_one_visit_and_come_again_at_high_risk(
    town: Town, arranged: int, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        first = town.child(db)
        twin = Child(
            family_id=first.family_id,
            nickname="果果",
            birth_date=first.birth_date,
            created_at=now,
            updated_at=now,
        )
        db.add(twin)
        db.flush()
        for child in (first, twin):
            report = BirthReport(discharged=date(2026, 11, 21), is_multiple=True)
            visit_dues.report_birth(db, child=child, report=report, actor=SYSTEM, now=now)
        _complete(db, town, arranged, "k" * 32, first.id, MONDAY)
        met = db.scalars(select(VisitDue).where(VisitDue.visit_id == arranged)).all()
        assert {due.child_id for due in met} == {first.id, twin.id}
        again = db.scalars(
            select(VisitDue).where(
                VisitDue.family_id == first.family_id, VisitDue.closed_at.is_(None)
            )
        ).all()
        assert {(due.purpose, due.number, due.due_on) for due in again} == {
            ("high_risk", 2, date(2026, 11, 30))
        }


def test_a_corrected_birth_moves_what_is_owed_and_leaves_what_was_made(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        open_child, made_child = town.child(db, 1), town.child(db)
        _complete(db, town, arranged, "k" * 32, made_child.id, MONDAY)
        for child in (open_child, made_child):
            child.birth_date = date(2026, 11, 10)
            visit_dues.plan_child(db, child, now)
        due = db.scalars(select(VisitDue).where(VisitDue.child_id == open_child.id)).one()
        assert due.due_on == date(2026, 12, 8)
        made = db.scalars(select(VisitDue).where(VisitDue.child_id == made_child.id)).one()
        assert (made.due_on, made.closed_as) == (date(2026, 12, 16), "visited")


def test_who_was_visited_this_year_is_owed_no_more(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        _complete(db, town, arranged, "k" * 32, town.child(db).id, MONDAY)
        with pytest.raises(NoVisitClaim) as refused:
            home_visits.request(
                db, caregiver=town.mother(db), wish=Wish(date(2026, 11, 26)), now=MONDAY
            )
    assert (refused.value.reason, refused.value.visited_on) == ("visited", MONDAY.date())


def test_nobody_home_puts_the_family_on_the_telephone_list(
    town: Town, arranged: int, database: Database
) -> None:
    with database.transaction() as db:
        visit_day.miss(db, visit_id=arranged, staff=town.teacher, now=MONDAY)
        home_contacts.set_contact(
            db,
            family_id=town.family_ids[0],
            address="育麟路1号",
            phone="13800001234",
            actor=SYSTEM,
            now=MONDAY,
        )
        scope = scope_of(town.teacher)
        rows = visit_due_lists.list_dues(
            db, scope, MONDAY.date(), DueTab.UNREACHABLE, limit=9, offset=0
        )
        assert [(row.family_id, row.tried, row.phone) for row in rows] == [
            (town.family_ids[0], 1, "13800001234")
        ]
        visit_dues.note_try(
            db, family_id=town.family_ids[0], outcome="declined", actor=SYSTEM, now=MONDAY
        )
        assert visit_due_lists.count_dues(db, scope, MONDAY.date())[DueTab.UNREACHABLE] == 0
    assert "visit_missed" in kinds(database)


def test_where_to_go_is_hidden_once_the_visit_is_over(
    town: Town, arranged: int, database: Database
) -> None:
    with database.transaction() as db:
        db.add(
            HomeContact(
                family_id=town.family_ids[0],
                address="育麟路1号",
                phone="13800001234",
                updated_at=MONDAY,
            )
        )
        db.flush()
        scope = scope_of(town.teacher)
        assert visit_details.read(db, scope, arranged).family.address == "育麟路1号"
        _complete(db, town, arranged, "k" * 32, town.child(db).id, MONDAY)
        assert visit_details.read(db, scope, arranged).family.address is None
        stop = visit_routes.find_stop(db, scope, arranged)
        assert stop is not None
        assert (stop.address, stop.phone) == (None, None)


def test_what_a_special_need_is_only_who_goes_there_reads(
    town: Town, arranged: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        visit_claims.note_special_need(
            db, child=town.child(db), category="听力", actor=SYSTEM, now=now
        )
        district = add_staff(db, "district", now, role="district", station=None)
        seen = {
            staff.username: visit_details.read(db, scope_of(staff), arranged)
            .family.children[0]
            .special_need
            for staff in (town.teacher, district)
        }
    assert seen == {"wang": "听力", "district": ""}


def test_a_request_unanswered_for_three_working_days_goes_up_once(
    town: Town, database: Database, now: datetime
) -> None:
    # Asked on Sunday the 22nd; Monday, Tuesday and Wednesday are the three days.
    with database.transaction() as db:
        home_visits.request(db, caregiver=town.mother(db), wish=Wish(date(2026, 11, 30)), now=now)
        assert visit_reminding.escalate_requests(db, now + timedelta(days=2, hours=13)) == 0
        wednesday = now + timedelta(days=3)
        assert visit_reminding.escalate_requests(db, wednesday) == 1
        assert visit_reminding.escalate_requests(db, wednesday) == 0
        assert db.scalars(select(FollowUp.kind)).all() == ["escalation"]


def test_an_overdue_visit_goes_up_and_an_arranged_one_does_not(
    town: Town, database: Database, now: datetime
) -> None:
    due_on = date(2026, 12, 16)
    with database.transaction() as db:
        late = datetime(2026, 12, 20, 10, tzinfo=SHANGHAI)
        home_visits.request(db, caregiver=town.mother(db), wish=Wish(date(2026, 12, 22)), now=late)
        scope = scope_of(town.teacher)
        assert visit_reminding.escalate_dues(db, late) == 0, "two working days"
        monday = late + timedelta(days=1)
        assert visit_reminding.escalate_dues(db, monday) == 3
        counts = visit_due_lists.count_dues(db, scope, monday.date())
        assert (counts[DueTab.OVERDUE], counts[DueTab.ESCALATED]) == (3, 3)
        rows = visit_due_lists.list_dues(
            db, scope, monday.date(), DueTab.OVERDUE, limit=9, offset=0
        )
        assert {row.due_on for row in rows} == {due_on}


def test_a_medical_visit_is_noted_and_credits_nothing(
    town: Town, database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        visit_decisions.note_medical(
            db, child_id=town.child(db).id, staff=town.teacher, day=now.date(), now=now
        )
        assert visit_claims.visits_made(db, town.family_ids[0], 2026) == 0
        assert db.scalars(select(VisitDue.closed_at)).all() == [None] * 4
    check_doctor(database, cipher, now)


@pytest.mark.parametrize("families", [5, 40])
def test_the_lists_take_the_same_few_statements_however_long_they_are(
    database: Database, now: datetime, families: int
) -> None:
    with database.transaction() as db:
        town = settle(db, now, families=families, visitors=8)
        for number in range(families // 2):
            wish = Wish((now + timedelta(days=1 + number % 3)).date())
            home_visits.request(db, caregiver=town.mother(db, number), wish=wish, now=now)
    with database.reading() as db:
        scope = scope_of(town.teacher)
        statements: list[str] = []
        listener = lambda *args: statements.append(args[2])  # noqa: E731
        event.listen(database.engine, "before_cursor_execute", listener)
        try:
            visit_due_lists.count_dues(db, scope, now.date())
            rows = visit_due_lists.list_dues(db, scope, now.date(), DueTab.DUE, limit=51, offset=0)
            of_list, statements[:] = len(statements), []
            visit_board.read_board(db, scope, MONDAY.date())
            of_board = len(statements)
        finally:
            event.remove(database.engine, "before_cursor_execute", listener)
    assert len(rows) == families - families // 2
    assert of_list <= 9
    assert of_board <= 9


def test_a_child_that_was_lost_is_in_no_list_until_that_was_a_mistake(
    town: Town, database: Database, now: datetime
) -> None:
    def listed(db: Session) -> int:
        return sum(visit_due_lists.count_dues(db, scope_of(town.teacher), now.date()).values())

    with database.transaction() as db:
        before = listed(db)
        losses.mark_lost(db, town.child(db), actor=SYSTEM, now=now)
        assert listed(db) == before - 1
        visit_dues.plan_child(db, town.child(db), now)
        assert listed(db) == before - 1

        losses.unmark_lost(db, town.child(db), actor=SYSTEM, now=now)
        assert listed(db) == before
