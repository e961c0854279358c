"""The outbox, on both engines: queueing, and what may still be sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from app.db import Database
from app.models import Notice
from app.models.notice_facts import LateReply
from app.rules.channel_budget import Channel
from app.services import delivery, notices
from app.services.delivery import ClaimedNotice
from tests.outbox import Booking, book, claim_due, hear, outbox, put_notice

OPENID = "oMAMA"


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


class TestQueueing:
    def test_a_notice_is_due_at_once_and_knows_its_facts(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            assert put_notice(db, booking, now)

        notice = one(database)
        assert (notice.state, notice.due_at, notice.text) == ("queued", now, None)
        assert claim(database, now)[0].facts == booking.facts

    def test_the_same_key_is_queued_once(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            assert put_notice(db, booking, now)
            assert not put_notice(db, booking, now)

        assert len(outbox(database)) == 1

    def test_eight_at_once_queue_one(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        def put(_number: int) -> bool:
            with database.transaction() as db:
                return put_notice(db, booking, now)

        with ThreadPoolExecutor(8) as together:
            assert sum(together.map(put, range(8))) == 1

    @pytest.mark.parametrize(
        "can_wait, hour, due",
        [
            (False, 22, "2026-11-22T22:00:00+08:00"),
            (True, 22, "2026-11-23T08:00:00+08:00"),
            (True, 3, "2026-11-22T08:00:00+08:00"),
            (True, 10, "2026-11-22T10:00:00+08:00"),
        ],
    )
    def test_only_what_can_wait_waits_for_the_morning(
        self,
        database: Database,
        booking: Booking,
        now: datetime,
        can_wait: bool,
        hour: int,
        due: str,
    ) -> None:
        with database.transaction() as db:
            notices.queue(
                db,
                caregiver_id=booking.caregiver_id,
                facts=booking.facts,
                subject="x:1",
                dedupe_key="x",
                now=now.replace(hour=hour),
                can_wait=can_wait,
            )

        assert one(database).due_at == datetime.fromisoformat(due)

    def test_an_answer_goes_before_a_booking(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            put_notice(db, booking, now)
            put_notice(db, booking, now, key="late", facts=LateReply(text="好的"))

        assert [notice.facts.kind for notice in claim(database, now, 1)] == ["late_reply"]


class TestBudget:
    def test_the_last_word_and_the_last_tap_count(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            hear(db, OPENID, "write", now - timedelta(hours=30))
            hear(db, OPENID, "write", now - timedelta(hours=2))
            hear(db, OPENID, "tap", now - timedelta(seconds=20))
            hear(db, "oSOMEONE", "write", now)
            budget = notices.budget(db, OPENID, now)

        assert budget.wrote_at == now - timedelta(hours=2)
        assert budget.tapped_at == now - timedelta(seconds=20)
        assert budget.messages_left(now) == 5

    def test_who_never_wrote_has_none(self, database: Database, now: datetime) -> None:
        with database.transaction() as db:
            assert notices.budget(db, OPENID, now).messages_left(now) == 0

    def test_what_was_sent_and_may_have_been_sent_is_spent(
        self, database: Database, booking: Booking, now: datetime
    ) -> None:
        with database.transaction() as db:
            hear(db, OPENID, "write", now)
            for number in range(5):
                put_notice(db, booking, now, key=f"n{number}")
        claimed = claim(database, now)
        with database.transaction() as db:
            for notice in claimed[:3]:
                delivery.choose_channel(db, notice.id, Channel.CUSTOMER_SERVICE)
            delivery.choose_channel(db, claimed[3].id, Channel.TEMPLATE)
            delivery.record_sent(
                db,
                claimed[0].id,
                channel=Channel.CUSTOMER_SERVICE,
                text="好",
                platform_id=None,
                now=now,
            )
            delivery.record_unknown(db, claimed[1].id, reason="lost", now=now)
            assert notices.budget(db, OPENID, now).messages_left(now) == 2
