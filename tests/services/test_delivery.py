"""Claims and outcomes of notices, on both engines: what every state leads to."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, update

from app.clock import SHANGHAI
from app.db import Database
from app.models import Caregiver, Notice
from app.models.notice_facts import CourseNudge, NoticeFacts
from app.rules.channel_budget import Channel
from app.rules.quiet_hours import check_night
from app.services import delivery, notices, push_choices
from app.services.delivery import ClaimedNotice
from tests.outbox import Booking, book, claim_due, follow_ups, outbox, put_notice, set_sign_up

OPENID = "oMAMA"
NUDGE = CourseNudge(learner_id=1, nudge=1, lessons_passed=0, lesson="暖和", module="会照料")


@pytest.fixture
def booking(database: Database, now: datetime) -> Booking:
    with database.transaction() as db:
        return book(db, OPENID, now)


def claim(database: Database, now: datetime, limit: int = 10) -> list[ClaimedNotice]:
    with database.transaction() as db:
        return claim_due(db, now=now, worker="w", limit=limit)


def one(database: Database) -> Notice:
    (notice,) = outbox(database)
    return notice


@pytest.fixture
def claimed(database: Database, booking: Booking, now: datetime) -> ClaimedNotice:
    with database.transaction() as db:
        put_notice(db, booking, now)
    (notice,) = claim(database, now)
    return notice


class TestClaiming:
    def test_what_is_not_due_yet_stays(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            put_notice(db, booking, now, due_at=now + timedelta(seconds=1))
        with database.reading() as db:
            assert not notices.has_due(db, now)
            assert notices.has_due(db, now + timedelta(seconds=1))

        assert claim(database, now) == []

    def test_a_claimed_one_is_in_sending_and_nobody_elses(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        notice = one(database)
        assert (notice.state, notice.claimed_by, notice.attempts) == ("sending", "w", 1)
        assert claim(database, now) == []

    def test_deliverers_at_once_never_claim_the_same(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            for number in range(60):
                put_notice(db, booking, now, key=f"n{number}")

        with ThreadPoolExecutor(6) as together:
            batches = list(together.map(lambda _: claim(database, now), range(12)))
        ids = [notice.id for batch in batches for notice in batch]

        assert len(ids) == len(set(ids))
        ids += [notice.id for notice in claim(database, now, 100)]
        assert sorted(ids) == sorted(notice.id for notice in outbox(database))

    def test_an_expired_one_is_skipped_with_its_reason(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            put_notice(db, booking, now, expires_at=now)

        assert claim(database, now) == []
        assert (one(database).state, one(database).reason) == ("skipped", "expired")

    @pytest.mark.parametrize("values", [{"openid": None}, {"is_following": False}])
    def test_who_has_left_is_not_written_to(
        self, database: Database, booking: Booking, now: datetime, values: dict[str, object]
    ) -> None:
        with database.transaction() as db:
            put_notice(db, booking, now)
            db.execute(update(Caregiver).values(**values))

        assert claim(database, now) == []
        assert (one(database).state, one(database).reason) == ("skipped", "not_following")

    def test_facts_that_cannot_be_read_go_to_a_person(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            put_notice(db, booking, now)
            db.execute(update(Notice).values(facts='{"kind":"of another version"}'))

        assert claim(database, now) == []
        assert one(database).state == "failed"
        (follow_up,) = follow_ups(database)
        assert follow_up.kind == "notice_failed"
        assert follow_up.station_id == booking.station_id


class TestStillWanted:
    @pytest.mark.parametrize(
        "state, objection",
        [
            ("confirmed", None),
            ("attended", None),
            ("cancelled", "superseded"),
            ("requested", "superseded"),
        ],
    )
    def test_a_confirmation_is_wanted_while_it_is_true(
        self,
        database: Database,
        booking: Booking,
        claimed: ClaimedNotice,
        now: datetime,
        state: str,
        objection: str | None,
    ) -> None:
        with database.transaction() as db:
            set_sign_up(db, booking, state)
            assert delivery.find_objection(db, claimed, now) == objection

    def test_who_left_after_the_claim_is_not_written_to(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            db.execute(update(Caregiver).values(openid=None, is_following=False))
            assert delivery.find_objection(db, claimed, now) == "not_following"


class TestOutcomes:
    def test_sent_keeps_words_channel_and_time(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            delivery.record_sent(
                db, claimed.id, channel=Channel.TEMPLATE, text="好", platform_id="7", now=now
            )

        notice = one(database)
        assert (notice.state, notice.channel, notice.text) == ("sent", "template", "好")
        assert (notice.sent_at, notice.platform_id) == (now, "7")

    def test_a_sent_one_is_sent_even_where_it_was_given_up(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            delivery.record_unknown(db, claimed.id, reason="crashed", now=now)
            delivery.record_sent(
                db, claimed.id, channel=Channel.TEMPLATE, text="好", platform_id="7", now=now
            )

        assert (one(database).state, one(database).reason) == ("sent", None)

    @pytest.mark.parametrize("state", ["failed", "unknown"])
    def test_failed_and_unknown_go_to_a_person(
        self,
        database: Database,
        booking: Booking,
        claimed: ClaimedNotice,
        now: datetime,
        state: str,
    ) -> None:
        record = {"failed": delivery.record_failed, "unknown": delivery.record_unknown}[state]
        with database.transaction() as db:
            record(db, claimed.id, reason="why", now=now)

        assert (one(database).state, one(database).reason) == (state, "why")
        (follow_up,) = follow_ups(database)
        assert follow_up.kind == f"notice_{state}"
        assert follow_up.caregiver_id == booking.caregiver_id
        assert f"notice:{claimed.id}" in follow_up.detail
        assert claim(database, now + timedelta(days=1)) == []

    def test_an_outcome_that_is_settled_is_not_written_over(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            delivery.record_skipped(db, claimed.id, reason="expired")
            delivery.record_failed(db, claimed.id, reason="late", now=now)
            delivery.record_waiting(db, claimed.id, reason="late")

        assert one(database).state == "skipped"
        assert follow_ups(database) == []

    def test_a_later_try_forgets_its_channel(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        later = now + timedelta(minutes=1)
        with database.transaction() as db:
            delivery.choose_channel(db, claimed.id, Channel.TEMPLATE)
            delivery.record_retry_later(db, claimed.id, reason="refused:45009", due_at=later)

        assert claim(database, now) == []
        (again,) = claim(database, later)
        assert (again.repeat_on, again.attempts) == (None, 2)

    def test_a_released_one_is_as_before(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            delivery.record_released(db, claimed.id, None)

        assert (one(database).state, one(database).attempts) == ("queued", 0)

    def test_a_waiting_one_wakes_at_the_next_contact_of_that_person_alone(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        later = now + timedelta(hours=1)
        with database.transaction() as db:
            delivery.record_waiting(db, claimed.id, reason="no_channel")
        with database.transaction() as db:
            assert notices.wake_waiting(db, "oSOMEONE", later) == 0
            assert notices.wake_waiting(db, OPENID, later) == 1

        assert (one(database).state, one(database).due_at) == ("queued", later)
        assert one(database).reason is None


class TestReceipts:
    @pytest.fixture
    def sent(self, database: Database, claimed: ClaimedNotice, now: datetime) -> ClaimedNotice:
        with database.transaction() as db:
            delivery.record_sent(
                db, claimed.id, channel=Channel.TEMPLATE, text="好", platform_id="7", now=now
            )
        return claimed

    def test_a_good_receipt_is_kept(
        self, database: Database, sent: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            assert delivery.record_receipt(db, platform_id="7", status="success")

        assert (one(database).state, one(database).receipt) == ("sent", "success")
        assert follow_ups(database) == []

    @pytest.mark.parametrize(
        "status, told",
        [("failed:user block", []), ("failed: system failed", ["notice_failed"])],
    )
    def test_a_bad_one_makes_the_notice_wait_for_the_next_contact(
        self,
        database: Database,
        sent: ClaimedNotice,
        now: datetime,
        status: str,
        told: list[str],
    ) -> None:
        with database.transaction() as db:
            assert delivery.record_receipt(db, platform_id="7", status=status)

        notice = one(database)
        assert (notice.state, notice.sent_at, notice.channel) == ("waiting", None, None)
        assert notice.reason == f"receipt:{status}"
        assert [follow_up.kind for follow_up in follow_ups(database)] == told

    @pytest.mark.parametrize("platform_id", ["", "8"])
    def test_one_about_something_else_changes_nothing(
        self, database: Database, sent: ClaimedNotice, now: datetime, platform_id: str
    ) -> None:
        with database.transaction() as db:
            assert not delivery.record_receipt(db, platform_id=platform_id, status="failed")

        assert one(database).state == "sent"


class TestOrphans:
    @pytest.mark.parametrize(
        "seconds, state", [(60, "sending"), (61, "unknown"), (100_000, "unknown")]
    )
    def test_what_a_crash_left_in_sending_is_unknown_after_a_minute(
        self, database: Database, claimed: ClaimedNotice, now: datetime, seconds: int, state: str
    ) -> None:
        later = now + timedelta(seconds=seconds)
        with database.transaction() as db:
            delivery.choose_channel(db, claimed.id, Channel.CUSTOMER_SERVICE)
        with database.transaction() as db:
            assert delivery.has_orphans(db, later) == (state == "unknown")
            delivery.mark_orphans_unknown(db, later)

        assert one(database).state == state
        kinds = [follow_up.kind for follow_up in follow_ups(database)]
        assert kinds == (["notice_unknown"] if state == "unknown" else [])
        if state == "unknown":
            assert one(database).reason == "crashed_while_sending"

    def test_without_a_channel_nothing_was_sent_and_it_goes_again(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        later = now + timedelta(seconds=61)
        with database.transaction() as db:
            delivery.mark_orphans_unknown(db, later)

        assert [notice.id for notice in claim(database, later)] == [claimed.id]

    def test_one_that_stops_every_deliverer_goes_to_a_person(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            db.execute(update(Notice).values(attempts=delivery.MAX_CRASHES))
        with database.transaction() as db:
            delivery.mark_orphans_unknown(db, now + timedelta(seconds=61))

        assert one(database).state == "failed"
        assert [follow_up.kind for follow_up in follow_ups(database)] == ["notice_failed"]

    def test_a_template_is_repeated_once_on_its_own_channel(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        crashed, again = now + timedelta(seconds=61), now + timedelta(seconds=122)
        with database.transaction() as db:
            delivery.choose_channel(db, claimed.id, Channel.TEMPLATE)
        with database.transaction() as db:
            delivery.mark_orphans_unknown(db, crashed)
        (repeat,) = claim(database, crashed)
        assert repeat.repeat_on is Channel.TEMPLATE

        with database.transaction() as db:
            delivery.mark_orphans_unknown(db, again + timedelta(seconds=1))
        assert one(database).state == "unknown"

    @pytest.mark.parametrize("minutes, state", [(8, "sending"), (10, "unknown")])
    def test_a_repetition_that_comes_too_late_is_not_safe_any_more(
        self, database: Database, claimed: ClaimedNotice, now: datetime, minutes: int, state: str
    ) -> None:
        with database.transaction() as db:
            delivery.choose_channel(db, claimed.id, Channel.TEMPLATE)
            delivery.record_repeat(db, claimed.id, due_at=now)

        claim(database, now + timedelta(minutes=minutes))

        assert one(database).state == state

    def test_a_template_orphaned_for_long_is_not_repeated(
        self, database: Database, claimed: ClaimedNotice, now: datetime
    ) -> None:
        with database.transaction() as db:
            delivery.choose_channel(db, claimed.id, Channel.TEMPLATE)
        with database.transaction() as db:
            delivery.mark_orphans_unknown(db, now + timedelta(minutes=10))

        assert one(database).state == "unknown"


class TestOwnNight:
    """A caregiver whose night ends at ten."""

    @pytest.fixture
    def sleeper(self, database: Database, booking: Booking, now: datetime) -> Booking:
        with database.transaction() as db:
            caregiver = db.get_one(Caregiver, booking.caregiver_id)
            push_choices.set_night(db, caregiver, check_night(20, 10))
        return booking

    def queue(self, database: Database, booking: Booking, at: datetime, facts: NoticeFacts) -> None:
        with database.transaction() as db:
            put_notice(db, booking, at, facts=facts, key=facts.kind)

    def test_what_can_wait_waits_for_its_end(
        self, database: Database, sleeper: Booking, now: datetime
    ) -> None:
        for at in (now.replace(hour=9), now.replace(hour=20)):
            self.queue(database, sleeper, at, NUDGE)
            assert claim(database, at) == []
            day = at.date() + timedelta(days=1 if at.hour > 12 else 0)
            due = one(database).due_at.astimezone(SHANGHAI)
            assert (due.date(), due.hour, one(database).state) == (day, 10, "queued")
            (claimed,) = claim(database, due)
            assert claimed.facts == NUDGE
            with database.transaction() as db:
                db.execute(delete(Notice))

    def test_a_booking_is_told_at_the_usual_hours(
        self, database: Database, sleeper: Booking, now: datetime
    ) -> None:
        self.queue(database, sleeper, now.replace(hour=9), sleeper.facts)
        assert len(claim(database, now.replace(hour=9))) == 1

    def test_whoever_chose_nothing_gets_it_at_eight(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        self.queue(database, booking, now.replace(hour=8), NUDGE)
        assert len(claim(database, now.replace(hour=8))) == 1
