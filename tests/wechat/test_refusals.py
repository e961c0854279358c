"""What the platform refuses, through the sandbox, on both engines: each code to its end."""

from datetime import timedelta

import pytest
from redis import Redis

from app.clock import SHANGHAI
from app.config import Settings
from app.models import Caregiver
from app.wechat.pauses import Pauses
from tests.outbox import outbox
from tests.wechat.posting import CUSTOM, TEMPLATE, TOKEN, Post


class TestRefusals:
    @pytest.mark.parametrize("code", [40003, 43004])
    def test_who_does_not_follow_gets_nothing_more_and_keeps_the_link(
        self, post: Post, code: int
    ) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, errcode=code)

        post.runs()

        assert post.ended == ("skipped", f"refused:{code}", None)
        with post.database.reading() as db:
            caregiver = db.get_one(Caregiver, post.booking.caregiver_id)
            assert not caregiver.is_following
            assert caregiver.openid is not None

    @pytest.mark.parametrize("code", [43019, 50002])
    def test_who_is_blocked_gets_no_more_of_it(self, post: Post, code: int) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, errcode=code)

        post.runs()

        assert post.ended == ("skipped", f"refused:{code}", None)

    @pytest.mark.parametrize("code", [40037, 41030, 47003, 99999])
    def test_our_fault_goes_to_a_person_and_is_not_repeated(self, post: Post, code: int) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, errcode=code)

        post.runs()

        assert post.ended == ("failed", f"refused:{code}", "template")
        assert post.told == ["notice_failed"]
        assert post.runs(days=1) == 0

    def test_a_duplicate_counts_as_sent(self, post: Post) -> None:
        post.writes()
        post.put()
        post.platform.fault(path=CUSTOM, errcode=40241)

        post.runs()

        assert post.ended == ("sent", None, "customer_service")

    @pytest.mark.parametrize("code", [40001, 40014, 42001])
    def test_a_token_refused_once_is_nobodys_trouble(self, post: Post, code: int) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, errcode=code)

        post.runs()

        assert post.ended == ("sent", None, "template")


class TestPauses:
    def test_a_spent_quota_rests_until_midnight_in_beijing(
        self, post: Post, redis_of_ours: Redis, connected: Settings
    ) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, errcode=45009)
        post.runs()
        post.runs()

        assert post.ended[:2] == ("queued", "refused:45009")
        midnight = (post.now.astimezone(SHANGHAI) + timedelta(days=1)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        assert abs(post.notice.due_at - midnight) < timedelta(seconds=30)
        assert post.told == ["notice_failed"]
        assert len(post.platform.accepted()) == 0

        Pauses(redis_of_ours, connected.wechat_app_id).begin("template", "over", 1)
        redis_of_ours.flushall()
        post.deliverer.run_once(midnight + timedelta(minutes=1))
        assert post.ended == ("sent", None, "template")

    def test_while_one_channel_rests_the_other_serves(self, post: Post) -> None:
        post.writes()
        post.put()
        post.platform.fault(path=CUSTOM, errcode=45009)

        post.runs()
        post.runs()

        assert post.ended == ("sent", None, "template")

    @pytest.mark.parametrize("code", [45011, 43117])
    def test_too_fast_is_slower_for_a_minute(self, post: Post, code: int) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, errcode=code)
        post.runs()
        post.runs()

        wait = post.notice.due_at - post.now
        assert timedelta(seconds=30) < wait <= timedelta(seconds=61)
        assert post.told == []

    @pytest.mark.parametrize("code", [48004, 40164, 40243])
    def test_a_stopped_account_sends_nothing_and_says_so_once(
        self, post: Post, code: int, redis_of_ours: Redis
    ) -> None:
        post.writes()
        post.put()
        post.put("second")
        post.platform.fault(path=CUSTOM, errcode=code, times=None)
        for minutes in (0, 0, 6, 12):
            post.runs(minutes=minutes)
            if minutes:
                # The pauses of before are over.
                redis_of_ours.delete(*redis_of_ours.keys("*:pause:*"))
                post.runs(minutes=minutes, seconds=30)

        assert {notice.state for notice in outbox(post.database)} == {"queued"}
        assert {notice.reason for notice in outbox(post.database)} == {f"refused:{code}"}
        assert post.told == ["notice_failed"]
        assert post.texts == []

    def test_an_api_that_is_not_ours_leaves_the_others(self, post: Post) -> None:
        post.writes()
        post.put()
        post.platform.fault(path=CUSTOM, errcode=48001)
        post.runs()
        post.runs()

        assert post.ended == ("sent", None, "template")

    def test_a_refused_address_at_the_token_stops_too(self, post: Post) -> None:
        post.put()
        post.platform.fault(path=TOKEN, errcode=40164)
        post.runs()
        post.runs()

        assert post.ended[:2] == ("queued", "refused:40164")
        assert post.told == ["notice_failed"]

    def test_a_token_refused_again_and_again_rests_and_drops_nothing(self, post: Post) -> None:
        post.put()
        post.platform.fault(path=TEMPLATE, errcode=40001, times=None)
        post.runs()
        post.runs()

        assert post.ended[:2] == ("queued", "refused:40001")
        assert post.notice.due_at > post.now + timedelta(seconds=5)
