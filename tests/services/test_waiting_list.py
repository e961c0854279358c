"""The waiting list from the staff's side, and the job, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Database
from app.errors import (
    AgeOutsideSession,
    NotYours,
    ReasonMissing,
    SessionCancelled,
    SignUpDelayed,
    TransitionNotAllowed,
)
from app.models import AuditEntry, Child, Family, GuidanceSession, Notice, SignUp, Staff
from app.rules.sign_up import SignUpState
from app.services import attendance, decisions, sessions, signing_up, waiting_list
from app.services.audit import OPERATOR
from app.services.seats import change_state, lock_session, take_at_once
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
    mother_of,
)
from tests.engines import make_own_engine


@pytest.fixture
def waited_for(database: Database, now: datetime) -> dict[str, int]:
    """CQ-1 with one place, requested by 糖糖; 毛毛 and 豆豆 wait. Sign-ups by nickname."""
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_staff(db, "wang", now, station=station)
        make_staff(db, "li", now, station=make_station(db, "BH", township="堡镇"))
        session = make_session(db, station, "CQ-1", now + timedelta(days=7), places=1)
        session.waiting_list = "first_come"
        session.updated_at = now
    made: dict[str, int] = {}
    for nickname in ("糖糖", "毛毛", "豆豆"):
        with database.transaction() as db:
            child = make_child(db, nickname, now)
            made[nickname] = sessions.sign_up(
                db, caregiver=mother_of(db, child), child=child, code="CQ-1", now=now
            ).id
    return made


def staff(db: Session, username: str) -> Staff:
    return db.scalars(select(Staff).where(Staff.username == username)).one()


def states(database: Database) -> list[str]:
    with database.reading() as db:
        return list(db.scalars(select(SignUp.state).order_by(SignUp.id)))


def taken(database: Database) -> int:
    with database.reading() as db:
        return db.scalars(select(GuidanceSession.places_taken)).one()


def told(database: Database) -> list[tuple[str, str]]:
    with database.reading() as db:
        rows = db.execute(select(Notice.kind, Notice.subject).order_by(Notice.id))
        return [(kind, subject) for kind, subject in rows]


def test_declining_a_request_offers_its_seat_to_the_first_in_line(
    database: Database, now: datetime, waited_for: dict[str, int]
) -> None:
    with database.transaction() as db:
        decisions.decline(
            db, sign_up_id=waited_for["糖糖"], staff=staff(db, "wang"), reason="重复了", now=now
        )

    assert states(database) == ["declined", "offered", "waitlisted"]
    assert taken(database) == 1
    assert told(database) == [
        ("sign_up_declined", f"sign_up:{waited_for['糖糖']}"),
        ("sign_up_offered", f"sign_up:{waited_for['毛毛']}"),
    ]


def test_a_place_taken_back_by_staff_is_offered_too(
    database: Database, now: datetime, waited_for: dict[str, int]
) -> None:
    with database.transaction() as db:
        wang = staff(db, "wang")
        decisions.confirm(db, sign_up_id=waited_for["糖糖"], staff=wang, now=now)
        decisions.cancel_by_staff(
            db, sign_up_id=waited_for["糖糖"], staff=wang, reason="传染病", now=now
        )

    assert states(database) == ["cancelled", "offered", "waitlisted"]


def test_an_offer_of_a_session_that_staff_confirm_is_confirmed_by_accepting(
    database: Database, now: datetime, waited_for: dict[str, int]
) -> None:
    with database.transaction() as db:
        decisions.decline(
            db, sign_up_id=waited_for["糖糖"], staff=staff(db, "wang"), reason="重复了", now=now
        )
    with database.transaction() as db:
        offered = db.get_one(SignUp, waited_for["毛毛"])
        mother = mother_of(db, db.get_one(Child, offered.child_id))
        waiting_list.accept(db, caregiver=mother, now=now)

    assert states(database) == ["declined", "confirmed", "waitlisted"]


def test_an_override_seats_a_waiting_child_beyond_the_places(
    database: Database, now: datetime, waited_for: dict[str, int]
) -> None:
    with database.transaction() as db:
        decisions.override_seat(
            db, sign_up_id=waited_for["豆豆"], staff=staff(db, "wang"), reason="特殊家庭", now=now
        )

    assert states(database) == ["requested", "waitlisted", "confirmed"]
    assert taken(database) == 1
    assert told(database) == [("sign_up_confirmed", f"sign_up:{waited_for['豆豆']}")]
    with database.reading() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "override")).one()
        assert (entry.before, entry.after) == ("waitlisted", "confirmed")
        assert entry.reason == "特殊家庭"
        assert entry.actor_id == staff(db, "wang").id

    with database.transaction() as db:
        decisions.cancel_by_staff(
            db, sign_up_id=waited_for["豆豆"], staff=staff(db, "wang"), reason="不来了", now=now
        )
    # The seat was none of the places: it frees none, and nobody is promoted.
    assert taken(database) == 1
    assert states(database) == ["requested", "waitlisted", "cancelled"]


def test_an_override_wants_a_reason_a_waiting_child_and_the_own_station(
    database: Database, now: datetime, waited_for: dict[str, int]
) -> None:
    cases = [
        ("毛毛", "wang", " ", ReasonMissing),
        ("糖糖", "wang", "特殊家庭", TransitionNotAllowed),
        ("毛毛", "li", "特殊家庭", NotYours),
    ]
    for nickname, username, reason, refusal in cases:
        with pytest.raises(refusal), database.transaction() as db:
            decisions.override_seat(
                db,
                sign_up_id=waited_for[nickname],
                staff=staff(db, username),
                reason=reason,
                now=now,
            )
    assert states(database) == ["requested", "waitlisted", "waitlisted"]


def test_who_has_an_offer_and_simply_comes_frees_the_offered_seat(
    database: Database, now: datetime, waited_for: dict[str, int]
) -> None:
    with database.transaction() as db:
        decisions.decline(
            db, sign_up_id=waited_for["糖糖"], staff=staff(db, "wang"), reason="重复了", now=now
        )
    with database.transaction() as db:
        offered = db.get_one(SignUp, waited_for["毛毛"])
        child = db.get_one(Child, offered.child_id)
        attendance.attend(
            db,
            session_code="CQ-1",
            caregiver=mother_of(db, child),
            child=child,
            actor=OPERATOR,
            now=now,
        )

    assert states(database) == ["declined", "attended", "offered"]
    assert taken(database) == 1


def test_nothing_is_offered_of_a_session_that_is_not_to_be_held(
    database: Database, now: datetime, waited_for: dict[str, int]
) -> None:
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession)).one()
        lock_session(db, session.id)
        session.state = "cancelled"
        first = db.get_one(SignUp, waited_for["糖糖"])
        change_state(db, first, SignUpState.CANCELLED, OPERATOR, now)
        assert waiting_list.promote(db, session, now) == 0

    assert states(database) == ["cancelled", "waitlisted", "waitlisted"]


def test_the_job_at_work_in_several_processes_settles_and_offers_once(
    database: Database, database_url: str, cipher: Cipher, now: datetime, waited_for: dict[str, int]
) -> None:
    with database.transaction() as db:
        decisions.decline(
            db, sign_up_id=waited_for["糖糖"], staff=staff(db, "wang"), reason="重复了", now=now
        )
    later = now + timedelta(hours=7)

    def run(_: int) -> tuple[int, int]:
        engine = make_own_engine(database_url, cipher)
        own = Database(engine)
        with own.reading() as db:
            found = waiting_list.find_to_promote(db, later)
        done = [0, 0]
        for session_id in found:
            with own.transaction() as db:
                settled, offered = waiting_list.promote_locked(db, session_id, later)
            done[0] += settled
            done[1] += offered
        engine.dispose()
        return done[0], done[1]

    with ThreadPoolExecutor(4) as schedulers:
        done = list(schedulers.map(run, range(4)))

    assert (sum(each[0] for each in done), sum(each[1] for each in done)) == (1, 1)
    assert states(database) == ["declined", "expired", "offered"]
    assert sorted(kind for kind, _ in told(database)) == [
        "sign_up_declined",
        "sign_up_offer_expired",
        "sign_up_offered",
        "sign_up_offered",
    ]
    assert taken(database) == 1


@pytest.fixture
def unreliable(database: Database, now: datetime) -> int:
    """A family of CQ's that has missed two sessions; CQ-9 opens now. The family's number."""
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_staff(db, "wang", now, station=station)
        make_staff(db, "li", now, station=make_station(db, "BH", township="堡镇"))
        child = make_child(db, "糖糖", now)
        for number in (1, 2):
            held = make_session(db, station, f"CQ-{number}", now - timedelta(days=number))
            make_sign_up(db, held, child, now, state="no_show")
            held.places_taken += 1
        coming = make_session(db, station, "CQ-9", now + timedelta(days=7))
        coming.opens_at = now
        return child.family_id


def sign_up_for_the_coming(database: Database, family_id: int, now: datetime) -> None:
    with database.transaction() as db:
        family = db.get_one(Family, family_id)
        sessions.sign_up(
            db, caregiver=family.caregivers[0], child=family.children[0], code="CQ-9", now=now
        )


def test_a_waiver_by_staff_ends_the_delay_of_a_family_that_did_not_come(
    database: Database, now: datetime, unreliable: int
) -> None:
    with pytest.raises(SignUpDelayed):
        sign_up_for_the_coming(database, unreliable, now)
    with database.transaction() as db:
        decisions.waive_no_shows(
            db, family_id=unreliable, staff=staff(db, "wang"), reason="孩子住院", now=now
        )
    sign_up_for_the_coming(database, unreliable, now)

    with database.reading() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "waive_no_shows")).one()
    assert (entry.subject_type, entry.subject_id, entry.reason) == (
        "family",
        unreliable,
        "孩子住院",
    )


def test_only_staff_who_know_the_family_waive_and_only_with_a_reason(
    database: Database, now: datetime, unreliable: int
) -> None:
    for username, reason, refusal in (("li", "孩子住院", NotYours), ("wang", "", ReasonMissing)):
        with pytest.raises(refusal), database.transaction() as db:
            decisions.waive_no_shows(
                db, family_id=unreliable, staff=staff(db, username), reason=reason, now=now
            )
    with pytest.raises(SignUpDelayed):
        sign_up_for_the_coming(database, unreliable, now)


@pytest.mark.parametrize(
    "change, refusal",
    [({"state": "cancelled"}, SessionCancelled), ({"min_months": 24}, AgeOutsideSession)],
)
def test_a_session_changed_while_a_family_asks_is_looked_at_again(
    database: Database,
    now: datetime,
    unreliable: int,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, object],
    refusal: type[Exception],
) -> None:
    def change_first(db: Session, session: GuidanceSession, wanted: int) -> bool:
        # As if staff had committed this between our reading and our locking.
        values = {"updated_at": now + timedelta(minutes=1), **change}
        db.connection().execute(update(GuidanceSession).values(values))
        return take_at_once(db, session, wanted)

    later = now + timedelta(days=1)
    monkeypatch.setattr(signing_up, "take_at_once", change_first)
    with pytest.raises(refusal):
        sign_up_for_the_coming(database, unreliable, later)
    monkeypatch.undo()
    sign_up_for_the_coming(database, unreliable, later)
