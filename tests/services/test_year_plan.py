"""Agreeing to a year's plan, and keeping it, on a real database."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.models import (
    AuditEntry,
    Caregiver,
    Child,
    Family,
    GuidanceSession,
    Notice,
    PlanProposal,
    SignUp,
    YearPlan,
)
from app.services import delivery, doctor, plan_keeping, plan_nudges, plan_taking, year_plan
from app.services.sessions import sign_up
from app.services.year_supply import load_standings
from tests.console.desk_world import make_child, make_session, make_sign_up, make_station, mother_of
from tests.outbox import claim_due

BORN = date(2025, 9, 1)


@pytest.fixture
def now() -> datetime:
    return datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def codes(database: Database, now: datetime) -> Sequence[str]:
    """Ten open sessions with one place each, every three weeks."""
    names = [f"S{number:02}" for number in range(1, 11)]
    with database.transaction() as db:
        station = make_station(db, "CQ")
        for number, code in enumerate(names, 1):
            session = make_session(db, station, code, now + timedelta(weeks=3 * number), places=1)
            session.opens_at = now - timedelta(days=1)
    return names


@pytest.fixture
def child_id(database: Database, now: datetime) -> int:
    with database.transaction() as db:
        child = make_child(db, "糖糖", now, born=BORN)
        child.family.need = True
        return child.id


def ids_of(database: Database, codes: Sequence[str]) -> list[int]:
    with database.reading() as db:
        rows = db.execute(
            select(GuidanceSession.id).where(GuidanceSession.code.in_(codes))
        ).scalars()
        return list(rows)


def agree(
    database: Database, child_id: int, session_ids: Sequence[int], now: datetime
) -> year_plan.Agreement:
    with database.transaction() as db:
        child = db.get_one(Child, child_id)
        return year_plan.agree(
            db,
            caregiver=mother_of(db, child),
            child=child,
            session_ids=session_ids,
            now=now,
        )


def take_last_seat(db: Session, session: GuidanceSession, now: datetime) -> None:
    other = make_child(db, "毛毛", now, born=BORN)
    sign_up(db, caregiver=mother_of(db, other), child=other, code=session.code, now=now)


def propose(database: Database, child_id: int, now: datetime) -> year_plan.Proposal:
    with database.reading() as db:
        child = db.get_one(Child, child_id)
        return year_plan.propose(db, family=child.family, child=child, now=now)


def count(database: Database, model: type[SignUp | YearPlan | AuditEntry | Notice]) -> int:
    with database.reading() as db:
        return db.execute(select(func.count()).select_from(model)).scalar_one()


def check_healthy(database: Database, cipher: Cipher, now: datetime) -> None:
    with database.reading() as db:
        report = doctor.examine(db, cipher=cipher, now=now)
    # Made straight in the tables, the children here have nobody's consent.
    broken = [one for one in report.checks if not one.ok and one.name != "children_have_consent"]
    assert broken == []


def test_all_are_signed_up_together_and_the_plan_is_kept(
    database: Database, cipher: Cipher, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    wanted = [one.session.id for one in propose(database, child_id, now).sessions]

    agreement = agree(database, child_id, wanted, now)

    assert len(agreement.sign_ups) == 6
    assert {one.state for one in agreement.sign_ups} == {"requested"}
    again = propose(database, child_id, now)
    assert (again.count.arranged, again.sessions, again.short) == (6, (), 0)
    check_healthy(database, cipher, now)


def test_one_lost_seat_leaves_nothing_behind(
    database: Database, cipher: Cipher, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    wanted = [one.session.id for one in propose(database, child_id, now).sessions]
    with database.transaction() as db:
        lost = db.get_one(GuidanceSession, wanted[-1])
        take_last_seat(db, lost, now)
        code = lost.code
    rows = count(database, AuditEntry)

    agreement = agree(database, child_id, wanted, now)

    assert (agreement.plan, agreement.lost) == (None, code)
    assert count(database, SignUp) == 1
    assert count(database, YearPlan) == 0
    assert count(database, AuditEntry) == rows
    check_healthy(database, cipher, now)


def test_after_a_lost_seat_the_same_transaction_can_go_on(
    database: Database, cipher: Cipher, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    """SQLite gives the numbers of rows that were rolled back again."""
    wanted = [one.session.id for one in propose(database, child_id, now).sessions]
    others = {*ids_of(database, codes)} - {*wanted}
    with database.transaction() as db:
        lost = db.get_one(GuidanceSession, wanted[-1])
        take_last_seat(db, lost, now)
        child = db.get_one(Child, child_id)
        mother = mother_of(db, child)
        first = year_plan.agree(db, caregiver=mother, child=child, session_ids=wanted, now=now)
        second = year_plan.agree(db, caregiver=mother, child=child, session_ids=others, now=now)
        assert first.plan is None
        assert {one.session_id for one in second.sign_ups} == others
        assert {one.child_id for one in second.sign_ups} == {child_id}
    check_healthy(database, cipher, now)


def test_both_parents_agreeing_at_once_are_signed_up_once(
    database: Database, cipher: Cipher, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    with database.transaction() as db:
        child = db.get_one(Child, child_id)
        father = Caregiver(
            openid="o-father",
            family_id=child.family_id,
            is_following=True,
            pushes="on",
            created_at=now,
        )
        mother = mother_of(db, child)
        db.add(father)
        db.flush()
        parents = [mother.id, father.id]
    wanted = [one.session.id for one in propose(database, child_id, now).sessions]
    together = Barrier(2)

    def says_yes(caregiver_id: int) -> bool:
        together.wait()
        with database.transaction() as db:
            made = year_plan.agree(
                db,
                caregiver=db.get_one(Caregiver, caregiver_id),
                child=db.get_one(Child, child_id),
                session_ids=wanted,
                now=now,
            )
            return made.plan is not None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(says_yes, parents))

    assert sorted(outcomes) == [False, True]
    assert (count(database, SignUp), count(database, YearPlan)) == (6, 1)
    check_healthy(database, cipher, now)


def test_families_with_the_same_wishes_share_the_seats_and_never_half_a_plan(
    database: Database, cipher: Cipher, codes: Sequence[str], now: datetime
) -> None:
    with database.transaction() as db:
        children = [make_child(db, f"宝{number}", now, born=BORN).id for number in range(6)]
    wanted = ids_of(database, codes)[:4]
    together = Barrier(len(children))

    def says_yes(child: int) -> bool:
        # Each in another order: they must not block each other.
        ordered = wanted if child % 2 else wanted[::-1]
        together.wait()
        return agree(database, child, ordered, now).plan is not None

    with ThreadPoolExecutor(len(children)) as pool:
        outcomes = list(pool.map(says_yes, children))

    assert sum(outcomes) == 1
    assert count(database, SignUp) == 4
    check_healthy(database, cipher, now)


def test_a_session_of_siblings_and_one_of_last_year_are_reckoned_right(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    with database.transaction() as db:
        child = db.get_one(Child, child_id)
        sibling = Child(
            family_id=child.family_id,
            nickname="果果",
            birth_date=child.birth_date,
            created_at=now,
            updated_at=now,
        )
        db.add(sibling)
        db.flush()
        station = make_station(db, "BZ", township="堡镇")
        new_year = datetime(2026, 1, 1, 0, 0, tzinfo=SHANGHAI)
        this_year = make_session(db, station, "THIS", new_year)
        last_year = make_session(db, station, "LAST", new_year - timedelta(minutes=1))
        make_sign_up(db, this_year, child, now, state="attended")
        make_sign_up(db, this_year, sibling, now, state="confirmed")
        make_sign_up(db, last_year, child, now, state="attended")
        family = child.family
        standing = load_standings(db, {family.id: None}, now)[family.id]
        shown = year_plan.propose(db, family=family, child=child, now=now)

    assert (standing.attended, standing.arranged, standing.waiting) == (1, 0, 0)
    assert (shown.count.attended, shown.count.arranged, len(shown.sessions)) == (1, 0, 5)


def test_who_missed_two_waits_twelve_hours_longer_for_new_sessions(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    with database.transaction() as db:
        child = db.get_one(Child, child_id)
        station = make_station(db, "BZ", township="堡镇")
        for days in (40, 80):
            past = make_session(db, station, f"PAST{days}", now - timedelta(days=days))
            make_sign_up(db, past, child, now, state="no_show")
            past.places_taken += 1
        for session in db.execute(
            select(GuidanceSession).where(GuidanceSession.code.in_(codes))
        ).scalars():
            session.opens_at = now - timedelta(hours=11, minutes=59)
    assert propose(database, child_id, now).sessions == ()
    assert len(propose(database, child_id, now + timedelta(minutes=1)).sessions) == 6


def test_two_runs_of_the_job_at_once_ask_once(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    agree(database, child_id, [], now)
    together = Barrier(2)

    def runs(_: int) -> int:
        together.wait()
        with database.transaction() as db:
            return plan_keeping.propose_missing(db, after=0, now=now).count

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(runs, range(2)))

    assert sorted(outcomes) == [0, 1]
    with database.reading() as db:
        assert db.execute(select(func.count(PlanProposal.id))).scalar_one() == 6
    assert count(database, Notice) == 1


def test_two_runs_at_once_and_a_parent_sign_up_for_one_year_and_no_more(
    database: Database, cipher: Cipher, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    agree(database, child_id, [], now)
    set_taking(database, child_id, now)
    seen = find_takings(database, now)
    # A parent's own choice, other sessions than the plan would take, in the same moment.
    own = [one for one in ids_of(database, codes) if one not in seen[0].session_ids]
    together = Barrier(3)

    def runs(which: int) -> bool:
        together.wait()
        if which == 2:
            return agree(database, child_id, own, now).plan is not None
        with database.transaction() as db:
            return plan_taking.take(db, seen[0], now)

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(runs, range(3)))

    assert outcomes.count(True) in (1, 2)
    # The parent's four always stand; the plan's six come first, or not at all.
    assert count(database, SignUp) in (len(own), len(own) + 6)
    assert outcomes[2]
    assert sum(outcomes[:2]) == (count(database, SignUp) > len(own)) == count(database, Notice)
    check_healthy(database, cipher, now)


def test_what_others_took_meanwhile_leaves_nothing_half_done(
    database: Database, cipher: Cipher, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    agree(database, child_id, [], now)
    set_taking(database, child_id, now)
    (seen,) = find_takings(database, now)
    with database.transaction() as db:
        take_last_seat(db, db.get_one(GuidanceSession, seen.session_ids[-1]), now)
    with database.transaction() as db:
        assert not plan_taking.take(db, seen, now)
    assert (count(database, SignUp), count(database, Notice)) == (1, 0)
    (anew,) = find_takings(database, now)
    with database.transaction() as db:
        assert plan_taking.take(db, anew, now)
    assert (count(database, SignUp), count(database, Notice)) == (7, 1)
    check_healthy(database, cipher, now)


def test_a_plan_that_ended_meanwhile_takes_nothing(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    agree(database, child_id, [], now)
    set_taking(database, child_id, now)
    (seen,) = find_takings(database, now)
    with database.transaction() as db:
        year_plan.end(db, caregiver=mother_of(db, db.get_one(Child, child_id)), now=now)
    with database.transaction() as db:
        assert not plan_taking.take(db, seen, now)
    assert (count(database, SignUp), count(database, Notice)) == (0, 0)


def set_taking(database: Database, child_id: int, now: datetime) -> None:
    with database.transaction() as db:
        mother = mother_of(db, db.get_one(Child, child_id))
        assert plan_taking.set_taking(db, caregiver=mother, takes=True, now=now) is not None


def find_takings(database: Database, now: datetime) -> Sequence[plan_taking.Taking]:
    with database.reading() as db:
        found = plan_taking.find(db, after=0, now=now)
        assert found.last_id is not None
        assert plan_taking.find(db, after=found.last_id, now=now).last_id is None
    return found.takings


def test_two_runs_of_the_job_at_once_nudge_once(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    later = now + timedelta(days=100)
    together = Barrier(2)

    def runs(_: int) -> int:
        together.wait()
        with database.transaction() as db:
            return plan_nudges.nudge_behind(db, after=0, now=later).count

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(runs, range(2)))

    assert sorted(outcomes) == [0, 1]
    assert count(database, Notice) == 1


def test_batches_go_on_behind_the_last(
    database: Database, codes: Sequence[str], now: datetime
) -> None:
    with database.transaction() as db:
        for number in range(5):
            make_child(db, f"宝{number}", now, born=BORN).family.need = True
    later = now + timedelta(days=100)
    after, told, rounds = 0, 0, 0
    while True:
        with database.transaction() as db:
            batch = plan_nudges.nudge_behind(db, after=after, now=later, limit=2)
        told, rounds = told + batch.count, rounds + 1
        if batch.last_id is None:
            break
        after = batch.last_id
    assert (told, rounds) == (5, 4)


def test_a_proposal_that_can_no_longer_be_had_makes_room_for_another(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    agree(database, child_id, [], now)
    with database.transaction() as db:
        plan_keeping.propose_missing(db, after=0, now=now)
        gone = db.execute(
            select(PlanProposal).order_by(PlanProposal.session_id).limit(1)
        ).scalar_one()
        db.get_one(GuidanceSession, gone.session_id).state = "cancelled"
    with database.transaction() as db:
        family = db.execute(select(Family)).scalar_one()
        offered = plan_keeping.replace_missing(db, family, now)
        gone = db.get_one(PlanProposal, gone.id)
        assert gone.state == "expired"
    assert len(offered) == 6
    assert gone.session_id not in {one.session.id for one in offered}


def test_the_family_of_somebody_who_left_is_asked_through_the_other_parent(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    agree(database, child_id, [], now)
    with database.transaction() as db:
        child = db.get_one(Child, child_id)
        mother = mother_of(db, child)
        mother.is_following, mother.openid = False, None
        father = Caregiver(
            openid="o-father",
            family_id=child.family_id,
            is_following=True,
            pushes="on",
            created_at=now,
        )
        db.add(father)
    with database.transaction() as db:
        assert plan_keeping.propose_missing(db, after=0, now=now).count == 1
        told = db.execute(select(Notice.caregiver_id)).scalar_one()
        assert told == father.id


def test_a_proposal_is_not_sent_when_it_was_answered_or_is_not_wanted_or_at_night(
    database: Database, codes: Sequence[str], child_id: int, now: datetime
) -> None:
    agree(database, child_id, [], now)
    with database.transaction() as db:
        plan_keeping.propose_missing(db, after=0, now=now)
    with database.transaction() as db:
        night = now.replace(hour=22)
        assert claim_due(db, now=night, worker="w", limit=5) == []
    morning = now.replace(day=3, hour=8)
    with database.transaction() as db:
        (claimed,) = claim_due(db, now=morning, worker="w", limit=5)
        assert delivery.find_objection(db, claimed, morning) is None
        mother = mother_of(db, db.get_one(Child, child_id))
        mother.pushes = "paused"
        assert delivery.find_objection(db, claimed, morning) is delivery.Reason.PUSHES_OFF
        mother.pushes = "on"
    agree(database, child_id, ids_of(database, codes)[:1], now)
    with database.transaction() as db:
        assert delivery.find_objection(db, claimed, morning) is delivery.Reason.SUPERSEDED
