"""Kept rows of the coverage report never show a number that counting anew would not give.

On both engines: each has triggers of its own.
"""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Subquery, case, func, literal, select, text
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.db import Database
from app.models import Caregiver, Child, Family, HomeVisit, PackPush, SignUp, VisitDue
from app.services import coverage_counting, coverage_kept, pack_totals
from app.services.coverage import Report, report
from app.services.coverage_kept import Kept, find_kept
from app.services.coverage_rows import bounds
from app.services.staff import Role, StaffScope
from tests.services.coverage_world import World

YEAR = 2026
NEWBORN = date(2026, 9, 2)
CHANGES = {
    "somebody came": "UPDATE sign_ups SET state = 'attended' WHERE state = 'confirmed'",
    "that was a mistake": "UPDATE sign_ups SET state = 'no_show' WHERE state = 'attended'",
    "they came after all": "UPDATE sign_ups SET state = 'attended' WHERE state = 'no_show'",
    "a sign-up was cancelled": "UPDATE sign_ups SET state = 'cancelled' WHERE id = (SELECT"
    " max(id) FROM sign_ups)",
    "and deleted": "DELETE FROM sign_ups WHERE id = (SELECT max(id) FROM sign_ups WHERE"
    " state = 'attended')",
    "one was entered": "INSERT INTO sign_ups (session_id, child_id, family_id, caregiver_id, state,"
    " is_override, is_walk_in, requested_at) SELECT (SELECT max(id) FROM guidance_sessions),"
    " child_id, family_id, caregiver_id, 'attended', false, true, requested_at FROM sign_ups"
    " WHERE id = (SELECT min(id) FROM sign_ups)",
    "a session was moved into last year": "UPDATE guidance_sessions SET starts_at ="
    " '2025-12-31 15:30:00+00:00' WHERE id = (SELECT min(session_id) FROM sign_ups)",
    "and back": "UPDATE guidance_sessions SET starts_at = '2025-12-31 16:00:00+00:00' WHERE id ="
    " (SELECT min(session_id) FROM sign_ups)",
    "a pack was lost": "UPDATE pack_pushes SET state = 'failed', reason = 'refused'",
    "a pack was sent": "UPDATE pack_pushes SET state = 'sent', reason = NULL",
    "and opened": "UPDATE pack_pushes SET opened_at = sent_at",
    "it was sent last year": "UPDATE pack_pushes SET sent_at = '2025-12-31 15:59:59+00:00'",
    "this year after all": "UPDATE pack_pushes SET sent_at = '2026-01-01 00:00:00+00:00'",
    "it is gone": "DELETE FROM pack_pushes",
    "a birth date was corrected": "UPDATE children SET birth_date = '2023-02-10' WHERE id ="
    " (SELECT min(id) FROM children)",
    "a child is waited for again": "UPDATE children SET birth_date = NULL WHERE id ="
    " (SELECT max(id) FROM children)",
    "it was born": "UPDATE children SET birth_date = '2026-10-30' WHERE birth_date IS NULL",
    "a visit was none": "UPDATE home_visits SET state = 'missed'",
    "it was one": "UPDATE home_visits SET state = 'completed'",
    "it was a medical one": "UPDATE home_visits SET kind = 'medical'",
    "a guidance visit after all": "UPDATE home_visits SET kind = 'guidance'",
    "it made good on nothing": "UPDATE visit_dues SET closed_as = 'ended'",
    "it did": "UPDATE visit_dues SET closed_as = 'visited'",
    "needs are no change of the rows": "UPDATE families SET need = false WHERE id ="
    " (SELECT max(id) FROM families)",
}
UP_TO_DATE = Kept((), packs_changed=False)
UNSEEN = frozenset({"needs are no change of the rows"})


@pytest.fixture
def year(database: Database, now: datetime) -> Database:
    """Four families that came now and then, a pack, and a newborn who was visited; all kept."""
    with database.transaction() as db:
        world = World(db)
        here = world.station("CQ", "城桥镇")
        families = [world.family(here, date(2025, 6, 1)) for _ in range(3)]
        families.append(world.family(here, NEWBORN, date(2024, 1, 5)))
        for number, family in enumerate(families):
            world.attends(family, here, number)
            world.sign_up(family, world.session(here, now + timedelta(days=9)), "confirmed")
        _visit(world, families[-1], now)
        _give_pack(world, families[0], now)
    bring_up_to_date(database, now)
    return database


def _visit(world: World, family: Family, now: datetime) -> None:
    child = world.db.scalars(
        select(Child).where(Child.family_id == family.id, Child.birth_date == NEWBORN)
    ).one()
    visit = HomeVisit(
        family_id=family.id, child_id=child.id, kind="guidance", purpose="newborn",
        state="completed", code_word=1, requested_at=now, completed_at=now,
    )  # fmt: skip
    world.db.add(visit)
    world.db.flush()
    world.db.add(
        VisitDue(
            child_id=child.id, family_id=family.id, purpose="newborn", number=1,
            opens_on=NEWBORN, due_on=NEWBORN, owed_until=NEWBORN, visit_id=visit.id,
            closed_at=now, closed_as="visited", created_at=now,
        )
    )  # fmt: skip


def _give_pack(world: World, family: Family, now: datetime) -> None:
    db = world.db
    db.add(
        PackPush(
            child_id=db.scalars(select(Child.id).where(Child.family_id == family.id)).one(),
            caregiver_id=db.scalars(
                select(Caregiver.id).where(Caregiver.family_id == family.id)
            ).one(),
            family_id=family.id, pack_id="P00-07", version=1, because="age", state="sent",
            sent_at=now, due_at=now, closes_at=now, planned_at=now,
        )
    )  # fmt: skip


def bring_up_to_date(database: Database, now: datetime) -> int:
    with database.transaction() as db:
        return coverage_kept.bring_up_to_date(db, now) + pack_totals.bring_up_to_date(db)


def kept_and_counted(
    database: Database, now: datetime, scope: StaffScope | None = None
) -> tuple[Report, Report]:
    """The report from kept rows, and from the bookings and the ledger alone."""
    with database.reading() as db:
        return both(db, now, scope)


def both(db: Session, now: datetime, scope: StaffScope | None = None) -> tuple[Report, Report]:
    kept = report(db, year=YEAR, now=now, scope=scope)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coverage_counting, "find_kept", lambda *_: None)
        patch.setattr(coverage_counting, "reach", _reach_of_the_ledger)
        coverage_counting._counting.cache_clear()
        counted = report(db, year=YEAR, now=now, scope=scope)
    coverage_counting._counting.cache_clear()
    return kept, counted


def _reach_of_the_ledger(year: int, *_: object, **__: object) -> Subquery:
    start, end = bounds(year)
    sent = select(
        PackPush.family_id,
        literal(1).label("delivered"),
        func.max(case((PackPush.opened_at.is_not(None), 1), else_=0)).label("opened"),
    )
    sent = sent.where(PackPush.state == "sent", PackPush.sent_at >= start, PackPush.sent_at < end)
    return sent.group_by(PackPush.family_id).subquery()


def test_whatever_changes_the_numbers_are_those_of_counting(year: Database, now: datetime) -> None:
    last, _ = kept_and_counted(year, now)
    for what, statement in CHANGES.items():
        with year.transaction() as db:
            zone = ".000000" if is_sqlite(year) else "+00:00"
            db.execute(text(statement.replace("+00:00", zone)))
        kept, counted = kept_and_counted(year, now)
        assert kept == counted, what
        assert kept != last, f"{what}: a change that no report would show proves nothing"
        assert bool(bring_up_to_date(year, now)) is (what not in UNSEEN), what
        last = counted
        with year.reading() as db:
            assert find_kept(db, YEAR, now.date()) == UP_TO_DATE, what
            assert coverage_kept.wrong_rows(db, now) == [], what
            assert pack_totals.wrong_totals(db) == [], what
    assert kept_and_counted(year, now) == (last, last)


def is_sqlite(database: Database) -> bool:
    return database.engine.dialect.name == "sqlite"


def test_a_place_sees_its_own_of_kept_and_changed_rows(year: Database, now: datetime) -> None:
    with year.transaction() as db:
        world = World(db, made=1000)
        there = world.station("BZ", "堡镇")
        world.attends(world.family(there, date(2025, 6, 1)), there, 7)
        scope = StaffScope(1, Role.WORKER, there.id, None)
    kept, counted = kept_and_counted(year, now, scope)
    assert kept == counted
    assert kept.total.families_in_need == 1


def test_a_year_is_counted_until_the_job_has_kept_it(year: Database, now: datetime) -> None:
    new_year = datetime(2027, 1, 1, 0, 0, tzinfo=SHANGHAI)
    with year.reading() as db:
        assert find_kept(db, YEAR, now.date()) is not None
        assert find_kept(db, YEAR - 1, now.date()) is not None
        assert find_kept(db, 2027, new_year.date()) is None
        # Rows that were counted today say nothing of who was born by yesterday.
        assert find_kept(db, YEAR, now.date() - timedelta(days=1)) is None
    bring_up_to_date(year, new_year)
    with year.reading() as db:
        assert find_kept(db, 2027, new_year.date()) == UP_TO_DATE


def test_after_too_many_changes_everybody_is_counted(
    year: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage_kept, "MOST_CHANGED", 3)
    with year.transaction() as db:
        db.execute(text("UPDATE sign_ups SET state = 'attended' WHERE state = 'confirmed'"))
    with year.reading() as db:
        assert find_kept(db, YEAR, now.date()) is None
    kept, counted = kept_and_counted(year, now)
    assert kept == counted


def test_a_change_under_way_is_not_lost_to_the_job(year: Database, now: datetime) -> None:
    if is_sqlite(year):
        pytest.skip("its writers queue")
    with year.transaction() as slow:
        slow.execute(text("UPDATE sign_ups SET state = 'attended' WHERE state = 'confirmed'"))
        assert bring_up_to_date(year, now) == 0
    kept, counted = kept_and_counted(year, now)
    assert kept == counted
    assert bring_up_to_date(year, now) == 4


def test_without_its_trigger_a_change_would_go_unseen_and_the_doctor_says_so(
    year: Database, now: datetime
) -> None:
    name = "sign_ups_change_families_other"
    with year.engine.connect() as connection:
        db = Session(connection)
        db.execute(text(f"DROP TRIGGER {name}{'' if is_sqlite(year) else ' ON sign_ups'}"))
        family = db.scalars(select(SignUp.family_id).where(SignUp.state == "confirmed")).first()
        db.execute(
            text("UPDATE sign_ups SET state = 'attended' WHERE family_id = :family"),
            {"family": family},
        )
        kept, counted = both(db, now)
        assert kept != counted
        assert coverage_kept.missing_triggers(db) == [f"trigger:{name}"]
        assert coverage_kept.wrong_rows(db, now) == [f"family_year:{family}:{YEAR}"]
        connection.rollback()
