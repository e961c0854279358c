"""What nobody checked in to, three days after, on both engines."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.clock import SHANGHAI
from app.db import Database
from app.models import AuditEntry, Child, GuidanceSession, SignUp
from app.services import no_shows
from tests.outbox import Booking, book, set_sign_up

ENDS = datetime(2026, 11, 28, 10, 30, tzinfo=SHANGHAI)
DUE = ENDS + timedelta(days=3)


@pytest.fixture
def booking(database: Database, now: datetime) -> Booking:
    with database.transaction() as db:
        return book(db, "oMAMA", now)


def somebody_came(database: Database, booking: Booking, now: datetime) -> None:
    with database.transaction() as db:
        sign_up = db.get_one(SignUp, booking.sign_up_id)
        child = Child(family_id=sign_up.family_id, nickname="果果", created_at=now, updated_at=now)
        db.add(child)
        db.flush()
        db.add(
            SignUp(
                session_id=sign_up.session_id,
                child_id=child.id,
                family_id=sign_up.family_id,
                caregiver_id=sign_up.caregiver_id,
                state="attended",
                requested_at=now,
            )
        )


def settle(database: Database, at: datetime) -> int:
    with database.reading() as db:
        unsettled = no_shows.find_unsettled(db, at)
    with database.transaction() as db:
        return sum(no_shows.mark_missed(db, session_id, at) for session_id in unsettled)


def state_of(database: Database, booking: Booking) -> str:
    with database.reading() as db:
        return db.execute(select(SignUp.state).where(SignUp.id == booking.sign_up_id)).scalar_one()


def test_three_days_after_a_missing_check_in_is_a_no_show(
    database: Database, booking: Booking, now: datetime
) -> None:
    somebody_came(database, booking, now)

    assert settle(database, DUE - timedelta(seconds=1)) == 0
    assert settle(database, DUE) == 1
    assert settle(database, DUE) == 0

    assert state_of(database, booking) == "no_show"
    with database.reading() as db:
        audited = db.execute(
            select(AuditEntry.actor_type, AuditEntry.before, AuditEntry.after).where(
                AuditEntry.action == "no_show"
            )
        ).all()
        taken = db.execute(select(GuidanceSession.places_taken)).scalar_one()
    assert [tuple(row) for row in audited] == [("system", "confirmed", "no_show")]
    assert taken == 1


def test_a_sheet_that_was_never_entered_makes_nobody_a_no_show(
    database: Database, booking: Booking
) -> None:
    assert settle(database, DUE) == 0
    assert state_of(database, booking) == "confirmed"


def test_where_staff_say_it_was_held_an_empty_sheet_counts(
    database: Database, booking: Booking
) -> None:
    with database.transaction() as db:
        db.execute(update(GuidanceSession).values(state="held"))

    assert settle(database, DUE) == 1


@pytest.mark.parametrize("state", ["requested", "waitlisted", "cancelled", "attended"])
def test_only_a_confirmed_place_can_be_missed(
    database: Database, booking: Booking, now: datetime, state: str
) -> None:
    somebody_came(database, booking, now)
    with database.transaction() as db:
        set_sign_up(db, booking, state)

    assert settle(database, DUE) == 0
    assert state_of(database, booking) == state
