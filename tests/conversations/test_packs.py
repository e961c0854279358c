"""资料 in the chat, choices of pushes, and a loss."""

import pytest
from sqlalchemy import select

from app.models import FollowUp, Notice, PackPush
from app.wiring import Services
from scheduler import queue_packs
from tests.conversations.conftest import Clock, Person


@pytest.fixture
def newborn(mother: Person) -> Person:
    """A mother of 糖糖, five days old."""
    mother.follows()
    mother.says("登记 糖糖 2026-11-17 女 城桥镇")
    assert "登记成功" in mother.says("同意")
    mother.says("需要")
    return mother


def ledger(services: Services) -> list[PackPush]:
    with services.database.reading() as db:
        return list(db.scalars(select(PackPush).order_by(PackPush.id)))


def notices(services: Services) -> list[Notice]:
    with services.database.reading() as db:
        return list(db.scalars(select(Notice).where(Notice.kind == "pack").order_by(Notice.id)))


def test_the_word_gives_the_pack_of_the_age_and_the_unread_ones(
    newborn: Person, services: Services
) -> None:
    answer = newborn.says("资料")

    assert "【给糖糖的：" in answer
    assert "看全文：http://127.0.0.1:8000/family/packs/" in answer
    assert "1. " in answer
    assert "糖糖" not in answer.split("看全文：")[1].split("\n")[0]
    (push,) = ledger(services)
    assert (push.state, push.reason, push.because) == ("sent", "asked", "asked")
    assert push.opened_at is not None


def test_a_number_gives_an_unread_one_and_then_it_is_read(
    newborn: Person, services: Services
) -> None:
    first = newborn.says("资料")
    title = first.split("1. ")[1].split("\n")[0]

    second = newborn.says("1")

    assert title in second.split("\n")[0]
    third = newborn.says("资料")
    assert title not in third
    assert len({push.pack_id for push in ledger(services)}) == 3


def test_what_was_asked_for_is_not_pushed_afterwards(newborn: Person, services: Services) -> None:
    queue_packs.run(services, newborn.clock())
    queued = {push.pack_id for push in ledger(services) if push.state == "queued"}
    assert len(queued) == 3

    for _ in range(12):
        newborn.says("资料")

    assert {push.state for push in ledger(services)} == {"sent"}
    assert {(one.state, one.reason) for one in notices(services)} == {("skipped", "asked")}


def test_without_a_child_it_says_how_to_register(mother: Person) -> None:
    mother.follows()

    assert "登记" in mother.says("资料")


def test_before_birth_it_says_when_it_begins(mother: Person) -> None:
    mother.follows()
    mother.says("登记 豆豆 预产期 2027-01-20 城桥镇")
    mother.says("同意")

    assert "还没出生" in mother.says("资料")


def test_each_caregiver_reads_for_themself(
    newborn: Person, grandmother: Person, services: Services
) -> None:
    code = newborn.says("邀请").split("加入 ")[1][:8]
    newborn.says("资料")
    grandmother.follows()
    grandmother.says(f"加入 {code}")
    grandmother.says("外婆")

    answer = grandmother.says("资料")

    assert "【给糖糖的：" in answer
    assert len({push.caregiver_id for push in ledger(services)}) == 2


@pytest.mark.parametrize(("word", "rating"), [("有用", 1), ("👍", 1), ("没用", -1), ("👎", -1)])
def test_a_word_says_whether_it_was_of_use(
    newborn: Person, services: Services, word: str, rating: int
) -> None:
    newborn.says("资料")

    assert "谢谢" in newborn.says(word)

    assert [push.rating for push in ledger(services)] == [rating]


def test_without_anything_given_there_is_nothing_to_rate(newborn: Person) -> None:
    assert "资料" in newborn.says("有用")


def test_topics_are_chosen_by_number_and_how_often_by_word(newborn: Person) -> None:
    assert "1. 新生儿访视\n" in newborn.says("推送设置")
    assert "1. 新生儿访视（不要）" in newborn.says("1")
    answer = newborn.says("1、2")
    assert "1. 新生儿访视\n" in answer
    assert "2. 膳食营养（不要）" in answer
    assert "最多给您发1条" in newborn.says("每周1条")
    assert "一周最多1条" in newborn.says("推送设置")


NIGHTS = (
    ("免打扰 晚上8点到早上9点", "晚上8点到早上9点不打扰"),
    ("免打扰 晚上八点到早上九点", "晚上8点到早上9点不打扰"),
    ("免打扰 20:00到9:00", "晚上8点到早上9点不打扰"),
    ("免打扰 8点到早上9点半", "晚上8点到早上10点不打扰"),
    ("免打扰 中午12点", "晚上9点到中午12点不打扰"),
    ("晚上七点以后不要给我发消息", "晚上7点到早上8点不打扰"),
    ("免打扰", "现在：晚上9点到早上8点"),
    ("免打扰 随便", "没听清"),
    ("免打扰 下午3点到早上9点", "6点到9点之间开始"),
    ("免打扰 晚上11点到早上6点", "早上8点到12点之间结束"),
    ("免打扰 照旧", "晚上9点到早上8点不打扰"),
)


def test_a_night_of_ones_own_is_chosen_in_a_sentence(newborn: Person) -> None:
    for said, answer in NIGHTS:
        newborn.says("免打扰 照旧")
        assert answer in newborn.says(said), said


def test_what_was_chosen_of_the_night_is_told_again(newborn: Person) -> None:
    newborn.says("免打扰 晚上8点到早上9点")
    assert "晚上8点到早上9点不发" in newborn.says("推送设置")
    newborn.says("免打扰 早上10点")
    assert "晚上8点到早上10点" in newborn.says("免打扰")
    newborn.says("免打扰 照旧")
    assert "晚上9点到早上8点不发" in newborn.says("推送设置")


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("暂停推送", "已暂停"),
        ("暂停推送 到12月5日", "已暂停到12月5日"),
        ("恢复推送", "已恢复"),
        ("退订", "已退订"),
        ("TD", "已退订"),
    ],
)
def test_stopping_and_going_on(newborn: Person, word: str, answer: str) -> None:
    assert answer in newborn.says(word)


@pytest.mark.parametrize(
    "said", ["孩子没了", "上周流产了", "宝宝昨天去世了", "孙女还是没保住", "胎停了"]
)
def test_a_loss_stops_everything_at_once(newborn: Person, services: Services, said: str) -> None:
    queue_packs.run(services, newborn.clock())

    answer = newborn.says(said)

    assert "很难过" in answer
    assert {(one.state, one.reason) for one in notices(services)} == {("skipped", "family_stopped")}
    queue_packs.run(services, newborn.clock())
    assert {push.state for push in ledger(services)} == {"skipped"}
    with services.database.reading() as db:
        assert [one.kind for one in db.scalars(select(FollowUp))] == ["loss"]


@pytest.mark.parametrize(
    "said", ["宝宝会走了", "孩子不见了吗", "宝宝奶没了怎么办", "活动名额没了吗"]
)
def test_what_only_sounds_like_it_stops_nothing(newborn: Person, said: str) -> None:
    assert "很难过" not in newborn.says(said)


def test_a_loss_that_was_misunderstood_is_taken_back(
    newborn: Person, services: Services, clock: Clock
) -> None:
    newborn.says("孩子没了")

    newborn.says("恢复推送")
    clock.moves(days=12)
    queue_packs.run(services, clock())

    assert "family_stopped" not in {push.reason for push in ledger(services)}
