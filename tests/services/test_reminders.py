"""Reminders of sessions, on both engines: once, in time, to whom they still concern."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.clock import SHANGHAI
from app.db import Database
from app.models import Caregiver, Child, GuidanceSession, Notice, SignUp
from app.models.notice_facts import SessionReminder, load_facts
from app.services import delivery, notices, reminders
from app.services.audit import OPERATOR
from app.services.publishing import SessionRow, put_session
from tests.outbox import Booking, book, claim_due, outbox, set_sign_up

STARTS = datetime(2026, 11, 28, 9, 30, tzinfo=SHANGHAI)
"""Of every booking of these tests: six days after the fixture's Sunday."""
DAY_BEFORE = STARTS - timedelta(hours=24)
EIGHT = STARTS.replace(hour=8, minute=0)


@pytest.fixture
def booking(database: Database, now: datetime) -> Booking:
    with database.transaction() as db:
        return book(db, "oMAMA", now)


@pytest.fixture
def remind(database: Database) -> Callable[[datetime], int]:
    """The job, without the timetable."""

    def run(at: datetime) -> int:
        with database.reading() as db:
            near = reminders.find_near(db, at)
        queued = 0
        for session_id in near:
            with database.transaction() as db:
                queued += reminders.queue_due(db, session_id, at)
        return queued

    return run


Remind = Callable[[datetime], int]


def facts(database: Database) -> list[SessionReminder]:
    found = [load_facts(notice.facts) for notice in outbox(database)]
    return [one for one in found if isinstance(one, SessionReminder)]


def kinds(database: Database) -> list[str]:
    return [notice.kind for notice in outbox(database)]


def sibling(database: Database, booking: Booking, now: datetime, nickname: str = "果果") -> int:
    """Another child of the family, signed up for the same session by the same caregiver."""
    with database.transaction() as db:
        sign_up = db.get_one(SignUp, booking.sign_up_id)
        child = Child(
            family_id=sign_up.family_id,
            nickname=nickname,
            birth_date=(now - timedelta(days=300)).date(),
            created_at=now,
            updated_at=now,
        )
        db.add(child)
        db.flush()
        other = SignUp(
            session_id=sign_up.session_id,
            child_id=child.id,
            family_id=sign_up.family_id,
            caregiver_id=sign_up.caregiver_id,
            state="confirmed",
            requested_at=now,
        )
        db.add(other)
        db.flush()
        return other.id


def move(database: Database, booking: Booking, starts_at: datetime, now: datetime) -> None:
    """Staff put the session on another time."""
    with database.transaction() as db:
        session = db.get_one(SignUp, booking.sign_up_id).session
        row = SessionRow(
            code=session.code,
            title=session.title,
            kind=session.kind,
            level=session.level,
            station_code=session.station.code,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            places=session.places,
            min_months=session.min_months,
            max_months=session.max_months,
            confirm_mode=session.confirm_mode,
            opens_at=session.opens_at,
            closes_at=starts_at,
            cancel_until=starts_at,
            waiting_list=session.waiting_list,
        )
        put_session(db, row, actor=OPERATOR, now=now)


def claim(database: Database, at: datetime) -> list[delivery.ClaimedNotice]:
    with database.transaction() as db:
        return claim_due(db, now=at, worker="w", limit=10)


def objection(database: Database, claimed: delivery.ClaimedNotice, at: datetime) -> str | None:
    with database.reading() as db:
        return delivery.find_objection(db, claimed, at)


def test_each_of_the_two_comes_once_however_often_the_job_runs(
    database: Database, booking: Booking, remind: Remind
) -> None:
    counts = [
        remind(at)
        for at in (
            DAY_BEFORE - timedelta(minutes=1),
            DAY_BEFORE,
            DAY_BEFORE + timedelta(minutes=5),
            EIGHT - timedelta(minutes=1),
            EIGHT,
            EIGHT + timedelta(minutes=5),
            STARTS,
        )
    ]

    assert counts == [0, 1, 0, 0, 1, 0, 0]
    assert kinds(database) == ["reminder_24h", "reminder_2h"]
    first, second = outbox(database)
    assert (first.due_at, first.expires_at) == (DAY_BEFORE, STARTS - timedelta(hours=3))
    assert (second.due_at, second.expires_at) == (EIGHT, STARTS - timedelta(minutes=15))
    assert facts(database)[0].nicknames == ("糖糖",)
    assert facts(database)[0].starts_at == STARTS


def test_two_jobs_at_once_write_one(database: Database, booking: Booking, remind: Remind) -> None:
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(remind, [DAY_BEFORE] * 4))

    assert sum(counts) == 1
    assert len(outbox(database)) == 1


def test_a_job_that_was_away_sends_what_is_still_of_use_and_no_more(
    database: Database, booking: Booking, remind: Remind
) -> None:
    assert remind(EIGHT + timedelta(minutes=30)) == 1
    assert kinds(database) == ["reminder_2h"]


def test_siblings_are_named_in_one_message(
    database: Database, booking: Booking, remind: Remind, now: datetime
) -> None:
    other = sibling(database, booking, now)

    assert remind(DAY_BEFORE) == 1

    assert facts(database)[0].nicknames == ("糖糖", "果果")
    assert facts(database)[0].sign_up_ids == (booking.sign_up_id, other)


def test_where_one_sibling_drops_out_in_time_the_other_is_reminded_alone(
    database: Database, booking: Booking, remind: Remind, now: datetime
) -> None:
    other = sibling(database, booking, now)
    remind(DAY_BEFORE)
    with database.transaction() as db:
        set_sign_up(db, booking, "cancelled")
    (both,) = claim(database, DAY_BEFORE)
    with database.transaction() as db:
        assert delivery.find_objection(db, both, DAY_BEFORE) is delivery.Reason.SUPERSEDED
        delivery.record_skipped(db, both.id, reason=delivery.Reason.SUPERSEDED)

    later = DAY_BEFORE + timedelta(minutes=5)
    assert [remind(later), remind(later)] == [1, 0]
    assert facts(database)[1].sign_up_ids == (other,)
    (alone,) = claim(database, later)
    assert objection(database, alone, later) is None


def test_a_sibling_named_in_a_sent_reminder_is_not_reminded_again(
    database: Database, booking: Booking, remind: Remind, now: datetime
) -> None:
    sibling(database, booking, now)
    remind(DAY_BEFORE)
    with database.transaction() as db:
        db.execute(update(Notice).values(state="sent"))
        set_sign_up(db, booking, "cancelled")

    assert remind(DAY_BEFORE + timedelta(minutes=5)) == 0


def test_each_caregiver_is_told_of_the_children_they_signed_up(
    database: Database, booking: Booking, remind: Remind, now: datetime
) -> None:
    other = sibling(database, booking, now)
    with database.transaction() as db:
        mother = db.get_one(Caregiver, booking.caregiver_id)
        grandmother = Caregiver(
            openid="oGRANNY",
            family_id=mother.family_id,
            is_following=True,
            followed_at=now,
            created_at=now,
        )
        db.add(grandmother)
        db.flush()
        db.execute(update(SignUp).where(SignUp.id == other).values(caregiver_id=grandmother.id))

    assert remind(DAY_BEFORE) == 2

    assert {one.nicknames for one in facts(database)} == {("糖糖",), ("果果",)}


@pytest.mark.parametrize(
    "state", ["requested", "waitlisted", "offered", "cancelled", "declined", "expired", "attended"]
)
def test_only_confirmed_places_are_reminded_of(
    database: Database, booking: Booking, remind: Remind, state: str
) -> None:
    with database.transaction() as db:
        set_sign_up(db, booking, state)

    assert remind(DAY_BEFORE) == 0


@pytest.mark.parametrize("state", ["draft", "held", "cancelled"])
def test_only_sessions_that_will_be_held_are(
    database: Database, booking: Booking, remind: Remind, state: str
) -> None:
    with database.transaction() as db:
        db.execute(update(GuidanceSession).values(state=state))

    assert remind(DAY_BEFORE) == 0


def test_one_cancelled_between_the_look_and_the_lock_is_left_alone(
    database: Database, booking: Booking
) -> None:
    with database.transaction() as db:
        db.execute(update(GuidanceSession).values(state="cancelled"))
        session_id = db.get_one(SignUp, booking.sign_up_id).session_id
        assert reminders.queue_due(db, session_id, DAY_BEFORE) == 0


def test_a_cancelled_session_is_reminded_of_by_nobody(
    database: Database, booking: Booking, remind: Remind
) -> None:
    remind(DAY_BEFORE)
    (claimed,) = claim(database, DAY_BEFORE)
    with database.transaction() as db:
        db.execute(update(GuidanceSession).values(state="cancelled"))

    assert objection(database, claimed, DAY_BEFORE) is delivery.Reason.SUPERSEDED


def test_who_has_just_been_confirmed_is_not_reminded_until_two_hours_before(
    database: Database, booking: Booking, remind: Remind
) -> None:
    with database.transaction() as db:
        db.execute(update(SignUp).values(decided_at=DAY_BEFORE - timedelta(minutes=30)))

    assert remind(DAY_BEFORE) == 0
    assert remind(EIGHT) == 1


def test_a_move_voids_the_old_reminder_and_brings_new_ones(
    database: Database, booking: Booking, remind: Remind
) -> None:
    remind(DAY_BEFORE)
    (claimed,) = claim(database, DAY_BEFORE)
    later = STARTS + timedelta(days=3)

    move(database, booking, later, DAY_BEFORE)

    assert objection(database, claimed, DAY_BEFORE) is delivery.Reason.SUPERSEDED
    assert remind(EIGHT) == 0
    assert remind(later - timedelta(hours=24)) == 1
    assert [one.calendar_sequence for one in facts(database)] == [0, 1]


def test_a_move_to_the_next_morning_is_news_enough_for_the_day(
    database: Database, booking: Booking, remind: Remind
) -> None:
    tomorrow = datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
    move(database, booking, tomorrow, tomorrow - timedelta(hours=24, minutes=30))

    assert remind(tomorrow - timedelta(hours=24)) == 0
    assert remind(tomorrow - timedelta(hours=2)) == 1


def test_what_was_not_sent_by_evening_waits_for_the_morning(
    database: Database, booking: Booking, remind: Remind
) -> None:
    afternoon = STARTS.replace(hour=15)
    move(database, booking, afternoon, DAY_BEFORE - timedelta(days=3))
    with database.transaction() as db:
        db.execute(update(Notice).values(state="skipped"))
    remind(afternoon - timedelta(hours=24))
    at_night = afternoon - timedelta(hours=14)

    assert claim(database, at_night) == []
    (claimed,) = claim(database, EIGHT)

    assert claimed.facts.kind == "reminder_24h"


def test_one_written_in_the_night_is_due_in_the_morning(
    database: Database, booking: Booking, remind: Remind
) -> None:
    afternoon = STARTS.replace(hour=15)
    move(database, booking, afternoon, DAY_BEFORE - timedelta(days=3))

    assert remind(STARTS.replace(hour=0, minute=0)) == 1

    assert outbox(database)[-1].due_at == EIGHT


def test_one_that_waited_too_long_is_never_sent(
    database: Database, booking: Booking, remind: Remind
) -> None:
    remind(DAY_BEFORE)
    with database.transaction() as db:
        db.execute(update(Notice).values(state="waiting"))
        notices.wake_waiting(db, booking.openid, EIGHT)

    assert claim(database, EIGHT) == []
    with database.reading() as db:
        state, reason = db.execute(select(Notice.state, Notice.reason)).one()
    assert (state, reason) == ("skipped", "expired")


def test_a_reminder_is_true_until_the_family_cancels(
    database: Database, booking: Booking, remind: Remind
) -> None:
    remind(DAY_BEFORE)
    (claimed,) = claim(database, DAY_BEFORE)
    assert objection(database, claimed, DAY_BEFORE) is None

    with database.transaction() as db:
        set_sign_up(db, booking, "cancelled")

    assert objection(database, claimed, DAY_BEFORE) is delivery.Reason.SUPERSEDED
