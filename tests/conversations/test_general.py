"""Help, choices, a person, emergencies, pictures: nothing typed is met with silence."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.dialogue.message import Kind
from app.models import FollowUp, UnreadMessage
from app.wiring import Services
from app.words.intents import NAMES
from tests.conversations.conftest import Person, Publisher


def follow_ups(services: Services) -> list[tuple[str, str]]:
    with services.database.reading() as db:
        return [(row.kind, row.detail) for row in db.execute(select(FollowUp)).scalars()]


def test_what_is_not_understood_gets_three_choices_that_a_number_answers(
    registered: Person, publish: Publisher
) -> None:
    publish("CQ-1")
    offered = registered.says("嘎三胡")
    assert "不想乱猜" in offered
    assert "3. " in offered
    assert "已经转给人工" in registered.says("人工")


def test_what_is_likely_is_offered_first_and_what_was_chosen_is_a_hint_for_staff(
    registered: Person, services: Services
) -> None:
    offered = registered.says("13812345678糖糖运动会")
    assert "我没有看懂" in offered
    line = next(line for line in offered.splitlines() if line.startswith("1. "))
    assert line[3:] in NAMES.values()
    registered.says("1")
    with services.database.reading() as db:
        kept = db.scalars(select(UnreadMessage)).one()
        assert kept.text == "〔号码〕〔名字〕运动会"
        assert kept.chosen is not None
        assert NAMES[kept.chosen] == line[3:]


def test_after_the_choices_another_message_is_read_afresh(registered: Person) -> None:
    registered.says("嘎三胡")
    assert "不客气" in registered.says("谢谢")


@pytest.mark.parametrize(
    "kind", [Kind.VOICE, Kind.IMAGE, Kind.VIDEO, Kind.SHORT_VIDEO, Kind.LOCATION, Kind.LINK]
)
def test_what_is_no_text_is_acknowledged(mother: Person, kind: Kind) -> None:
    assert "收到" in mother.sends(kind)


def test_recognised_voice_is_read_like_text(registered: Person, publish: Publisher) -> None:
    publish("CQ-1")
    assert "CQ-1" in registered.sends(Kind.VOICE, text="活动。")


def test_an_emergency_is_answered_first_in_the_middle_of_a_registration(
    mother: Person, services: Services
) -> None:
    mother.says("登记")
    mother.says("同意")
    answer = mother.says("宝宝噎住了喘不上气")
    assert answer.startswith("请马上拨打120")
    assert follow_ups(services) == [("emergency", "choking: 宝宝噎住了喘不上气")]
    assert "生日" in mother.says("果果")


def test_fever_is_an_emergency_for_a_newborn_and_not_for_a_toddler(
    mother: Person, person: Callable[[str], Person]
) -> None:
    mother.says("登记 毛毛 2026-10-20 城桥镇")
    mother.says("同意")
    assert "120" in mother.says("宝宝发烧38度")
    other = person("o-other")
    other.says("登记 毛毛 2025-01-20 城桥镇")
    other.says("同意")
    assert "拨打120" not in other.says("宝宝发烧38度")


def test_a_mere_yes_is_no_consent(mother: Person) -> None:
    mother.says("登记 糖糖 2026-05-01 城桥镇")
    assert "「同意」两个字" in mother.says("好的")
    assert "登记成功" in mother.says("同意")


def test_the_same_callback_again_gets_the_same_reply_and_does_nothing_more(
    mother: Person, services: Services
) -> None:
    key = "ab" * 32
    first = mother.sends(Kind.TEXT, text="我要投诉", key=key)
    assert mother.sends(Kind.TEXT, text="我要投诉", key=key) == first
    assert len(follow_ups(services)) == 1


@pytest.mark.parametrize(
    "said",
    ["", " ", "\u0000", "😀😀😀", "<xml>]]></xml>", "'; DROP TABLE children; --", "啊" * 10_000],
)
def test_odd_messages_get_a_short_answer(mother: Person, said: str) -> None:
    answer = mother.says(said)
    assert answer
    assert "<xml>" not in answer
    assert "DROP" not in answer
