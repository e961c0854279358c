"""A consent is asked for at a good moment: once, with a link, and never of who grieves."""

import pytest
from sqlalchemy import select

from app.config import Settings
from app.dialogue.message import Inbound, Kind
from app.models import Caregiver, SubscriptionConsent
from app.services import losses
from app.services.audit import OPERATOR
from app.wiring import Services
from tests.conversations.conftest import Clock, Person, Publisher

LINK = "http://127.0.0.1:8000/family/subscriptions"
PACK, REMINDER, OFFER = "pack-lasting", "reminder-once", "offer-once"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "wechat_js_sdk_url": "https://res.wx.example/jweixin.js",
            "wechat_subscriptions": {
                "pack": "pack-once",
                "pack_long_term": PACK,
                "reminder_24h": REMINDER,
                "sign_up_offered": OFFER,
            },
        }
    )


def answers(person: Person, kind: Kind, template_id: str, said: str) -> None:
    """The platform tells what the person answered."""
    person.sent += 1
    inbound = Inbound(
        key=f"{person.openid} event {person.sent}".ljust(64, "0"),
        openid=person.openid,
        kind=kind,
        received_at=person.clock(),
        status=f"{template_id}:{said}",
    )
    assert person.services.turns.handle(inbound) is None


def consents(services: Services) -> dict[str, tuple[int, bool]]:
    with services.database.reading() as db:
        rows = db.scalars(select(SubscriptionConsent)).all()
        return {row.template_id: (row.sends_left, row.is_lasting) for row in rows}


def test_the_word_for_packs_asks_once_and_not_again_for_two_weeks(
    registered: Person, clock: Clock
) -> None:
    first = registered.says("资料")
    assert first.endswith(
        f"要不要宝宝到了新阶段，微信主动告诉您一声？点开这里（点一次就行）：{LINK}"
    )
    assert LINK not in registered.says("资料")
    clock.moves(days=13)
    assert LINK not in registered.says("资料")
    clock.moves(days=1, hours=1)
    assert LINK in registered.says("资料")


def test_after_a_sign_up_the_reminder_is_asked_for(registered: Person, publish: Publisher) -> None:
    publish("CQ-1")
    said = registered.says("报名 CQ-1")
    assert "报名成功" in said
    assert f"要不要在开课前一天，微信提醒您一声？点开这里（点一次「允许」，发一条）：{LINK}" in said


def test_two_questions_are_not_asked_in_one_fortnight(
    registered: Person, publish: Publisher
) -> None:
    publish("CQ-1")
    registered.says("资料")
    assert LINK not in registered.says("报名 CQ-1")


def test_whoever_lines_up_is_asked_for_word_of_a_free_place(
    registered: Person, publish: Publisher
) -> None:
    publish("CQ-1", places=0, waiting_list="first_come")
    said = registered.says("报名 CQ-1")
    assert "候补" in said
    assert "要不要一有空位，微信马上告诉您？" in said


def test_agreeing_to_a_year_asks_too(mum: Person, year: None) -> None:
    mum.says("年度计划")
    said = mum.says("同意")
    assert LINK in said


def test_a_yes_is_counted_and_ends_the_question(registered: Person, services: Services) -> None:
    registered.says("资料")
    answers(registered, Kind.CONSENT_POPUP, PACK, "accept")
    assert consents(services) == {PACK: (0, True)}
    registered.clock.moves(days=20)
    assert LINK not in registered.says("资料")


def test_each_yes_to_a_single_message_is_one(
    registered: Person, services: Services, publish: Publisher
) -> None:
    answers(registered, Kind.CONSENT_POPUP, REMINDER, "accept")
    answers(registered, Kind.CONSENT_POPUP, REMINDER, "accept")
    assert consents(services) == {REMINDER: (2, False)}
    publish("CQ-1")
    assert LINK not in registered.says("报名 CQ-1")


def test_a_no_is_believed_for_three_months(registered: Person, clock: Clock) -> None:
    registered.says("资料")
    answers(registered, Kind.CONSENT_POPUP, PACK, "reject")
    clock.moves(days=60)
    assert LINK not in registered.says("资料")
    clock.moves(days=31)
    assert LINK in registered.says("资料")


def test_switching_off_in_the_phones_settings_ends_what_was_allowed(
    registered: Person, services: Services
) -> None:
    answers(registered, Kind.CONSENT_POPUP, PACK, "accept")
    answers(registered, Kind.CONSENT_POPUP, REMINDER, "accept")
    answers(registered, Kind.CONSENT_CHANGE, PACK, "reject")
    answers(registered, Kind.CONSENT_CHANGE, REMINDER, "reject")
    assert consents(services) == {PACK: (0, False), REMINDER: (0, False)}
    # What the platform has never been seen to say must not let anything through either.
    answers(registered, Kind.CONSENT_CHANGE, REMINDER, "accept")
    assert consents(services)[REMINDER] == (0, False)


def test_a_grieving_family_is_asked_nothing(registered: Person, services: Services) -> None:
    with services.database.transaction() as db:
        caregiver = db.scalars(select(Caregiver)).one()
        assert caregiver.family is not None
        losses.stop_family(db, caregiver.family, actor=OPERATOR, now=registered.clock())
    assert LINK not in registered.says("资料")


@pytest.mark.parametrize("words", ["暂停推送", "退订"])
def test_who_wants_no_packs_is_not_asked_for_them(registered: Person, words: str) -> None:
    registered.says(words)
    assert LINK not in registered.says("资料")


def test_an_emergency_asks_for_nothing(registered: Person) -> None:
    assert "subscriptions" not in registered.says("宝宝抽搐了")
    assert "subscriptions" not in registered.says("人工")


def test_a_late_answer_of_somebody_erased_leaves_nothing(
    registered: Person, services: Services
) -> None:
    answers(registered, Kind.CONSENT_POPUP, PACK, "accept")
    registered.sends(Kind.UNSUBSCRIBE)
    answers(registered, Kind.CONSENT_POPUP, PACK, "accept")
    answers(registered, Kind.CONSENT_CHANGE, PACK, "reject")
    assert consents(services) == {}


def test_a_word_leads_to_the_page_and_the_settings_name_it(registered: Person) -> None:
    assert LINK in registered.says("订阅提醒")
    assert LINK in registered.says("推送设置")


class TestWithoutThePlatformsScript:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"wechat_js_sdk_url": ""})

    def test_nobody_is_sent_to_a_page_that_cannot_ask(
        self, registered: Person, publish: Publisher
    ) -> None:
        publish("CQ-1")
        said = [registered.says(words) for words in ("资料", "报名 CQ-1", "推送设置", "订阅提醒")]
        assert not [answer for answer in said if "subscriptions" in answer]
        assert "随时回复「资料」" in said[-1]
