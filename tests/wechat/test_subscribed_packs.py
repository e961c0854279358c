"""Packs under a subscription: each yes is one message, a no is believed, a day has its limit."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from redis import Redis
from sqlalchemy import select, update

from app.clock import SHANGHAI
from app.config import Settings
from app.db import Database
from app.models import Caregiver, Notice, SubscriptionConsent
from app.rules.channel_budget import Channel
from app.services import subscriptions
from app.services.subscriptions import Answer
from app.wechat.deliver import Deliverer, make_deliverer
from app.wechat.quotas import PACKS_SHARE, DailyQuotas
from sandbox import catalogue
from tests.outbox import hear
from tests.pack_world import World, make_pack
from tests.sandbox.playing import MAMA
from tests.wechat.posting import Impatient, LivePlatform

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
ONE_TIME, LASTING = catalogue.PACK_READY.id, catalogue.GUIDANCE_DUE.id
BIZSEND = "/cgi-bin/message/subscribe/bizsend"


@dataclass
class Mail:
    """A mother with packs to come, and the deliverer that has nothing but subscriptions."""

    world: World
    platform: LivePlatform
    deliverer: Deliverer

    def allows(self, template_id: str, *, accept: bool = True, tells_us: bool = True) -> None:
        """She taps 允许 or 拒绝; the platform's event may be lost."""
        self.platform.act(MAMA, "subscribe_consent", template_id=template_id, accept=accept)
        if tells_us:
            answers = [Answer(template_id, "accept" if accept else "reject")]
            with self.world.database.transaction() as db:
                subscriptions.note_popup(db, MAMA, answers, self.world.now, lasting={LASTING})

    def writes(self, at: datetime) -> None:
        """She writes, and the platform's window opens."""
        self.platform.act(MAMA, "text", content="你好")
        with self.world.database.transaction() as db:
            hear(db, MAMA, "write", at)

    def day(self, **later: float) -> None:
        self.world.plans(**later)
        self.deliverer.run_once(self.world.now)

    @property
    def ends(self) -> list[tuple[str, str | None, str | None]]:
        return [(one.state, one.reason, one.channel) for one in self.world.notices()]

    @property
    def consent(self) -> SubscriptionConsent:
        with self.world.database.reading() as db:
            return db.execute(select(SubscriptionConsent)).scalar_one()


@pytest.fixture
def mail(
    connected: Settings, database: Database, platform: LivePlatform, redis_of_ours: Redis
) -> Iterator[Mail]:
    settings = connected.model_copy(
        update={
            "wechat_subscriptions": {"pack": ONE_TIME, "pack_long_term": LASTING},
            "wechat_js_sdk_url": f"{platform.address}/jweixin.js",
        }
    )
    world = World(database, NOW, [make_pack("A", 100, 130), make_pack("B", 101, 130)])
    world.home(world.born(100))
    with database.transaction() as db:
        db.execute(update(Caregiver).values(openid=MAMA))
    platform.act(MAMA, "follow")
    deliverer = make_deliverer(settings, database, redis_of_ours, worker="w", stopping=Impatient())
    yield Mail(world, platform, deliverer)
    deliverer.close()


def test_each_yes_is_one_message_and_then_the_pack_waits(mail: Mail) -> None:
    mail.allows(ONE_TIME)

    mail.day()
    mail.day(days=1)

    assert mail.ends == [("sent", None, "one_time"), ("waiting", "no_channel", None)]
    assert [row["openid"] for row in mail.platform.accepted()] == [MAMA]
    assert mail.consent.sends_left == 0


def test_a_lasting_yes_goes_on_and_spends_no_single_one(mail: Mail) -> None:
    mail.allows(LASTING)

    mail.day()
    mail.day(days=1)

    assert mail.ends == [("sent", None, "long_term")] * 2


def test_who_said_no_is_not_asked_of_the_platform(mail: Mail) -> None:
    mail.allows(ONE_TIME, accept=False)

    mail.day()

    assert mail.ends == [("waiting", "no_channel", None)]
    assert mail.platform.accepted() == []


def test_a_yes_that_the_platform_does_not_know_is_dropped(mail: Mail) -> None:
    """43101: refused or spent where we did not hear of it. The pack waits, nobody has to look."""
    mail.allows(ONE_TIME)
    mail.allows(ONE_TIME)
    mail.platform.fault(path=BIZSEND, errcode=43101)

    mail.day()

    assert mail.ends == [("waiting", "refused:43101", None)]
    # Spent or refused, nobody knows: at the next contact she may be asked again.
    assert (mail.consent.sends_left, mail.consent.refused_at) == (0, None)
    mail.day(days=1)
    assert mail.platform.accepted() == []


def test_an_answer_that_is_lost_spends_the_yes_and_is_never_repeated(mail: Mail) -> None:
    mail.allows(ONE_TIME)
    mail.platform.fault(path=BIZSEND, drop="after")

    mail.day()
    mail.deliverer.run_once(NOW + timedelta(minutes=5))

    (end,) = mail.ends
    assert end[0] == "unknown"
    assert mail.consent.sends_left == 0
    assert len(mail.platform.accepted()) == 1


ASKS = "要不要宝宝到了新阶段"


def test_a_pack_asks_when_it_may_be_the_last_that_goes_without_a_consent(mail: Mail) -> None:
    """Her window closes within hours: the next pack would have to wait."""
    mail.writes(NOW - timedelta(hours=40))

    mail.day()

    assert mail.ends == [("sent", None, "customer_service")]
    (said,) = [row["text"] for row in mail.platform.accepted()]
    assert ASKS in said
    assert "/family/subscriptions" in said
    assert mail.world.notices()[0].text == said
    assert mail.consent.asked_at == NOW


def test_with_room_enough_no_pack_asks(mail: Mail) -> None:
    mail.writes(NOW - timedelta(hours=1))

    mail.day()

    (said,) = [row["text"] for row in mail.platform.accepted()]
    assert ASKS not in said


def test_no_pack_asks_again_what_was_asked_or_answered(mail: Mail) -> None:
    mail.allows(LASTING, accept=False)
    mail.writes(NOW - timedelta(hours=40))

    mail.day()

    (said,) = [row["text"] for row in mail.platform.accepted()]
    assert ASKS not in said


def quotas(redis: Redis, a_day: int) -> DailyQuotas:
    per_day: Mapping[Channel, int] = dict.fromkeys(Channel, a_day)
    return DailyQuotas(redis, "wx-quota", per_day)


def test_processes_share_a_days_quota_and_the_next_day_is_a_new_one(redis_of_ours: Redis) -> None:
    """Two processes at once, of two threads each: together never more than the packs' share."""
    two = [quotas(redis_of_ours, 200), quotas(redis_of_ours, 200)]
    midnight = datetime(2026, 11, 23, tzinfo=SHANGHAI)
    taken: list[Channel] = []

    def take(mine: DailyQuotas, channel: Channel) -> None:
        for _ in range(150):
            if mine.has_room(channel, midnight - timedelta(seconds=1)):
                taken.append(channel)

    # Both kinds of subscription are one API of the platform.
    threads = [
        threading.Thread(target=take, args=(mine, channel))
        for mine in two
        for channel in (Channel.ONE_TIME, Channel.LONG_TERM)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(taken) == 200 * PACKS_SHARE
    assert two[0].has_room(Channel.TEMPLATE, midnight - timedelta(seconds=1))
    assert two[0].has_room(Channel.ONE_TIME, midnight)
    assert two[1].has_room(Channel.LONG_TERM, midnight)


def test_a_spent_day_puts_packs_off_until_the_next_morning(
    mail: Mail, redis_of_ours: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail.allows(ONE_TIME)
    monkeypatch.setattr(mail.deliverer, "_quotas", quotas(redis_of_ours, 0))
    mail.day()

    (notice,) = mail.world.notices()
    assert (notice.state, notice.reason) == ("queued", "daily_quota")
    assert notice.due_at == datetime(2026, 11, 23, 8, 0, tzinfo=SHANGHAI)
    assert mail.consent.sends_left == 1

    monkeypatch.setattr(mail.deliverer, "_quotas", quotas(redis_of_ours, 200))
    mail.deliverer.run_once(notice.due_at)
    first: Notice = mail.world.notices()[0]
    assert (first.state, first.channel) == ("sent", "one_time")
