"""Delivery through the sandbox, on both engines: the best channel, and what goes astray."""

import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from app.calendar_links import CalendarLinks
from app.models.notice_facts import LateReply, SignUpDeclined
from app.rules.channel_budget import Channel
from app.services import delivery, delivery_batches, notices
from app.services.claiming import Due
from app.wechat import deliver
from app.wechat.connections import connections_to
from app.wechat.deliver import Deliverer
from app.wechat.letters import Letter
from sandbox.template_ids import DEMO_TEMPLATE_IDS
from tests.outbox import book, claim_due, hear, outbox, put_notice, set_sign_up
from tests.sandbox.playing import BABA, MAMA
from tests.wechat.posting import CUSTOM, TEMPLATE, LivePlatform, Post


class TestTheBestChannel:
    def test_who_has_just_written_gets_our_own_words(self, post: Post) -> None:
        post.writes()
        post.put()

        assert post.runs() == 1

        assert post.kinds == ["custom"]
        assert "糖糖" in post.texts[0]
        assert post.ended == ("sent", None, "customer_service")
        assert post.notice.text == post.texts[0]
        assert post.notice.sent_at == post.now

    def test_who_has_been_silent_gets_a_template(self, post: Post) -> None:
        post.put()

        post.runs()

        assert post.kinds == ["template"]
        assert post.ended == ("sent", None, "template")
        assert post.notice.platform_id == str(post.platform.accepted()[0]["msgid"])
        assert "糖糖" in (post.notice.text or "")

    def test_without_either_it_waits_for_the_next_contact(self, bare_post: Post) -> None:
        bare_post.put()
        bare_post.runs()
        assert bare_post.notice.reason == "no_channel"

        bare_post.writes()
        with bare_post.database.transaction() as db:
            notices.wake_waiting(db, MAMA, bare_post.now)
        bare_post.runs()

        assert bare_post.ended == ("sent", None, "customer_service")

    def test_the_sixth_after_one_word_goes_as_a_template(self, post: Post) -> None:
        post.writes()
        for number in range(6):
            post.put(f"n{number}")

        post.runs()

        assert post.kinds == ["custom"] * 5 + ["template"]
        assert {notice.state for notice in outbox(post.database)} == {"sent"}

    def test_where_the_platform_counts_otherwise_the_next_channel_is_taken(
        self, post: Post
    ) -> None:
        with post.database.transaction() as db:
            hear(db, MAMA, "write", post.now)  # of which the sandbox knows nothing
        post.put()

        post.runs()

        assert post.kinds == ["template"]
        assert post.ended == ("sent", None, "template")

    @pytest.mark.parametrize("code", [45015, 45047])
    def test_and_without_a_next_one_it_waits(self, bare_post: Post, code: int) -> None:
        bare_post.writes()
        bare_post.put()
        bare_post.platform.fault(path=CUSTOM, errcode=code)

        bare_post.runs()

        assert bare_post.ended == ("waiting", f"refused:{code}", None)

    def test_a_late_reply_never_goes_as_a_template(self, post: Post) -> None:
        post.put(facts=LateReply(text="查到了"))

        post.runs()

        assert post.ended == ("waiting", "no_channel", None)

    def test_a_template_that_cannot_say_it_is_no_channel(self, post: Post) -> None:
        post.put(facts=post.booking.facts.model_copy(update={"phone": "请到站"}))

        post.runs()

        assert post.ended == ("waiting", "no_channel", None)

    def test_one_persons_notices_arrive_in_their_order(self, post: Post) -> None:
        post.writes()
        for number in range(4):
            post.put(f"n{number}", facts=LateReply(text=f"第{number}条"))

        post.runs()

        assert post.texts == ["第0条", "第1条", "第2条", "第3条"]


class TestStillWanted:
    def test_a_confirmation_of_what_was_cancelled_is_not_sent(self, post: Post) -> None:
        post.put()
        with post.database.transaction() as db:
            set_sign_up(db, post.booking, "cancelled")

        post.runs()

        assert post.ended == ("skipped", "superseded", None)
        assert post.texts == []


class TestTheUncertain:
    @pytest.mark.parametrize(
        "fault",
        [{"drop": "after"}, {"drop": "before"}, {"garbage": "after"}, {"http_status": 502}],
    )
    def test_a_text_whose_answer_is_lost_is_unknown_and_a_persons(
        self, post: Post, fault: dict[str, object]
    ) -> None:
        post.writes()
        post.put()
        post.platform.fault(path=CUSTOM, **fault)

        post.runs()

        assert post.ended[0] == "unknown"
        assert (post.ended[1] or "").startswith("answer_lost:")
        assert post.told == ["notice_unknown"]
        sent = len(post.texts)
        assert post.runs(days=1) == 0
        assert post.deliverer.settle_orphans(post.now + timedelta(days=1)) == 0
        assert len(post.texts) == sent

    def test_a_busy_answer_to_a_text_is_not_repeated_either(self, post: Post) -> None:
        post.writes()
        post.put()
        post.platform.fault(path=CUSTOM, errcode=-1)

        post.runs()

        assert post.ended[:2] == ("unknown", "answer_lost:-1")

    def test_a_template_is_repeated_under_its_id_and_arrives_once(self, post: Post) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, drop="after", times=2)

        post.runs()

        assert post.ended == ("sent", None, "template")
        assert len(post.platform.accepted()) == 1

    def test_a_template_lost_three_times_is_tried_once_more_later(self, post: Post) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, drop="after", times=3)
        post.runs()
        assert post.ended[:2] == ("queued", "repeating")
        post.writes()  # an open window does not tempt it onto another channel

        post.runs(seconds=31)

        assert post.ended == ("sent", None, "template")
        assert len(post.platform.accepted()) == 1

    @pytest.mark.parametrize(
        "fault", [{"drop": "before"}, {"errcode": 45009}, {"errcode": 43004}, {"errcode": 40164}]
    )
    def test_a_repetition_that_fails_is_unknown(self, post: Post, fault: dict[str, object]) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, drop="after", times=3)
        post.runs()
        post.platform.fault(path=TEMPLATE, times=None, **fault)

        post.runs(seconds=31)

        assert post.ended[0] == "unknown"
        assert post.told == ["notice_unknown"]

    def test_where_nobody_listens_it_is_tried_again_later_and_later(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.put()
        http = post.deliverer._client._platform._http
        monkeypatch.setattr(http, "_connections", connections_to("http://127.0.0.1:9"))
        dues = []
        for minutes in range(3):
            post.runs(minutes=minutes)
            dues.append(post.notice.due_at - post.now - timedelta(minutes=minutes))

        assert post.ended[0] == "queued"
        assert (post.ended[1] or "").startswith("not_sent:")
        assert dues == [timedelta(seconds=2), timedelta(seconds=4), timedelta(seconds=8)]


class TestTroublesOfOurOwn:
    def test_without_redis_nothing_is_claimed(
        self, post: Post, redis_of_ours: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.put()
        pool = redis_of_ours.connection_pool
        redis_of_ours.close()
        pool.disconnect()
        monkeypatch.setitem(pool.connection_kwargs, "path", "/nowhere.sock")

        with pytest.raises(RedisError):
            post.runs()

        assert post.notice.state == "queued"

    def test_an_outcome_is_written_as_soon_as_the_database_is_back(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.put()
        failing = iter([True, True])

        def fail_twice(outcome: Callable[..., None]) -> Callable[..., None]:
            def record(*given: object, **named: object) -> None:
                if next(failing, False):
                    raise OperationalError("update", {}, Exception("gone"))
                outcome(*given, **named)

            return record

        record_sent = fail_twice(delivery_batches.record_sent)
        monkeypatch.setattr(delivery_batches, "record_sent", record_sent)

        post.runs()

        assert post.ended == ("sent", None, "template")
        assert next(failing, None) is None

    def test_told_to_stop_it_gives_back_what_it_has_not_begun(self, post: Post) -> None:
        post.put()
        post.stopping.set()

        post.runs()

        assert post.ended == ("queued", None, None)
        assert post.notice.attempts == 0

    def test_told_to_stop_it_gives_back_what_waits_for_a_thread(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.put()
        submit = post.deliverer._pool.submit

        def stop_and_submit(*given: Any) -> Any:
            post.stopping.set()
            return submit(*given)

        monkeypatch.setattr(post.deliverer._pool, "submit", stop_and_submit)

        post.runs()

        assert post.ended == ("queued", None, None)
        assert post.texts == []

    def test_told_to_stop_it_gives_back_what_is_on_no_channel_yet(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.put()
        take = post.deliverer._take

        def take_and_stop(*given: Any) -> Due:
            due = take(*given)
            post.stopping.set()
            return due

        monkeypatch.setattr(post.deliverer, "_take", take_and_stop)

        post.runs()

        assert post.ended == ("queued", None, None)
        assert post.notice.attempts == 0
        assert post.texts == []

    def test_what_another_took_for_a_crash_s_leavings_is_not_sent_a_second_time(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A deliverer that stood still, for as long as it takes: somebody else sends it."""
        post.put()
        second = make_deliverer_like(post)
        note, later = post.deliverer._note, post.now + timedelta(seconds=61)

        def stand_still(*given: Any) -> Collection[int]:
            assert second.settle_orphans(later) == 1
            assert second.run_once(later) == 1
            return note(*given)

        monkeypatch.setattr(post.deliverer, "_note", stand_still)

        assert post.runs() == 1

        second.close()
        assert len(post.platform.accepted()) == 1
        assert post.ended == ("sent", None, "template")
        assert post.notice.attempts == 2

    def test_what_cannot_be_noted_is_everybodys_again(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.put()

        def fail(*_given: Any) -> Collection[int]:
            raise OperationalError("note", {}, OSError())

        with monkeypatch.context() as patch:
            patch.setattr(post.deliverer, "_note", fail)
            with pytest.raises(OperationalError):
                post.runs()

        (notice,) = outbox(post.database)
        assert (notice.state, notice.channel, notice.attempts) == ("queued", None, 0)
        assert post.runs() == 1
        assert post.ended == ("sent", None, "template")
        assert post.notice.attempts == 1

    def test_a_channel_that_begins_to_rest_is_not_tried_with_what_stood_ready(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        post.put()
        take = post.deliverer._take

        def take_and_rest(*given: Any) -> Due:
            due = take(*given)
            post.deliverer._pauses.begin(Channel.TEMPLATE, "refused:45009", 60)
            return due

        monkeypatch.setattr(post.deliverer, "_take", take_and_rest)

        post.runs()

        assert post.texts == []
        assert post.ended[:2] == ("queued", "refused:45009")
        assert post.notice.due_at > post.now + timedelta(seconds=50)

    def test_one_that_breaks_holds_up_nobody_of_its_handful(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deliver, "THREADS", 1)
        others = post.platform.client.post(
            "/_sandbox/people", json={"name": "人", "following": True, "count": 3}
        ).get_json()
        with post.database.transaction() as db:
            for person in others:
                put_notice(db, book(db, person["openid"], post.now), post.now)
        send, broken = post.deliverer._send, others[1]["openid"]

        def send_or_break(letter: Letter, channel: Channel) -> str | None:
            if letter.notice.openid == broken:
                raise LookupError("of ours")
            return send(letter, channel)

        monkeypatch.setattr(post.deliverer, "_send", send_or_break)

        with pytest.raises(LookupError):
            post.runs()

        states = [notice.state for notice in outbox(post.database)]
        assert states == ["sent", "sending", "sent"]

    def test_what_waited_too_long_for_a_thread_is_given_back(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before another deliverer could take it for what a crash left."""
        monkeypatch.setattr(deliver, "FRESH_SECONDS", -1.0)
        monkeypatch.setattr(deliver, "BATCH", 1)
        post.put()

        post.runs()

        assert post.ended == ("queued", None, None)
        assert post.notice.attempts == 0
        assert post.texts == []

    def test_a_crash_before_the_answer_is_unknown_within_two_minutes(self, post: Post) -> None:
        post.writes()
        post.put()
        with post.database.transaction() as db:
            (claimed,) = claim_due(db, now=post.now, worker="dead", limit=1)
        with post.database.transaction() as db:
            delivery.choose_channel(db, claimed.id, Channel.CUSTOMER_SERVICE)

        assert post.deliverer.settle_orphans(post.now + timedelta(seconds=59)) == 0
        assert post.deliverer.settle_orphans(post.now + timedelta(seconds=61)) == 1

        assert post.ended[:2] == ("unknown", "crashed_while_sending")
        assert post.runs(days=1) == 0


class TestManyAtOnce:
    def test_two_deliverers_send_everything_once(
        self, make_post: Callable[[dict[str, str]], Post], platform: LivePlatform
    ) -> None:
        post = make_post(DEMO_TEMPLATE_IDS)
        platform.act(BABA, "follow")
        with post.database.transaction() as db:
            other = book(db, BABA, post.now)
        for number in range(30):
            post.put(f"a{number}")
            with post.database.transaction() as db:
                put_notice(db, other, post.now, key=f"b{number}")
        second = make_deliverer_like(post)

        workers = [
            threading.Thread(target=drain, args=(deliverer, post.now))
            for deliverer in (post.deliverer, second)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        second.close()

        assert len(post.platform.accepted()) == 60
        assert {notice.state for notice in outbox(post.database)} == {"sent"}

    def test_a_batch_has_its_limit(self, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deliver, "BATCH", 6)
        with post.database.transaction() as db:
            for number in range(7):
                put_notice(db, post.booking, post.now, key=f"n{number}")

        assert post.runs() == 6
        assert post.runs() == 1

    def test_who_has_many_due_holds_nobody_up(
        self, post: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """More of one person's than a part holds: the others go beside them, each in order."""
        monkeypatch.setattr(deliver, "CHUNK", 2)
        monkeypatch.setattr(deliver, "LOT", 2)
        monkeypatch.setattr(deliver, "UNDER_WAY", 4)
        others = post.platform.client.post(
            "/_sandbox/people", json={"name": "人", "following": True, "count": 6}
        ).get_json()
        with post.database.transaction() as db:
            for number in range(5):
                put_notice(db, post.booking, post.now, key=f"n{number}")
            for person in others:
                put_notice(db, book(db, person["openid"], post.now), post.now)

        assert post.runs() == 11

        order = [row["openid"] for row in post.platform.accepted()]
        assert order.count(MAMA) == 5
        assert order.index(others[-1]["openid"]) < len(order) - 1 - order[::-1].index(MAMA)


def make_deliverer_like(post: Post) -> Deliverer:
    """Another one over the same outbox, as of another process."""
    like = post.deliverer
    return Deliverer(
        database=post.database,
        client=like._client,
        pauses=like._pauses,
        quotas=like._quotas,
        writer=like._writer,
        worker="second",
        stopping=post.stopping,
    )


def drain(deliverer: Deliverer, now: datetime) -> None:
    while deliverer.run_once(now):
        pass


def test_a_declined_family_reads_the_reason(post: Post) -> None:
    facts = SignUpDeclined(
        **post.booking.facts.model_dump(exclude={"kind"}), reason="这一场已经满了。"
    )
    with post.database.transaction() as db:
        set_sign_up(db, post.booking, "declined")
    post.writes()
    post.put(facts=facts)

    post.runs()

    assert "原因：这一场已经满了。\n" in post.texts[0]


def test_a_confirmed_family_gets_the_link_to_its_calendar(post: Post) -> None:
    post.writes()
    post.put()

    post.runs()

    link = CalendarLinks("http://127.0.0.1:8000", "a secret only for tests")
    assert f"加到日历：{link.url(post.booking.sign_up_id)}\n" in post.texts[0]
