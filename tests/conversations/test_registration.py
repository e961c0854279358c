"""Registering a child in the chat: in one line, step by step, and all that goes wrong."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from app.models import Caregiver, Child, Consent, Family
from app.wiring import Services
from tests.conversations.conftest import Clock, Person


def children(services: Services) -> list[Child]:
    with services.database.reading() as db:
        return list(db.execute(select(Child).order_by(Child.id)).scalars())


def test_one_line_registers_after_consent(mother: Person, services: Services, station: str) -> None:
    mother.follows()
    notice = mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    assert "告知" in notice
    assert "回复「同意」" in notice
    assert children(services) == []
    answer = mother.says("同意")
    assert "登记成功" in answer
    assert "糖糖" in answer
    assert "6个月" in answer
    assert "城桥早教指导站" in answer
    (child,) = children(services)
    assert (child.nickname, child.sex, str(child.birth_date)) == ("糖糖", "girl", "2026-05-01")


def test_consent_is_stored_with_its_version_and_the_words_that_gave_it(
    mother: Person, services: Services
) -> None:
    mother.says("登记 糖糖 2026-05-01 城桥镇")
    mother.says("同意")
    with services.database.reading() as db:
        consent = db.execute(select(Consent)).scalar_one()
    assert consent.version == "2026-11"
    assert consent.evidence.startswith("同意; ")
    assert consent.withdrawn_at is None


def test_refusing_consent_stores_nothing_and_still_lists_sessions(
    mother: Person, services: Services, publish: Callable[..., None]
) -> None:
    publish("CQ-1")
    mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    assert "不登记" in mother.says("不同意")
    assert children(services) == []
    assert "CQ-1" in mother.says("活动")


def test_step_by_step(mother: Person, services: Services) -> None:
    assert "回复「同意」" in mother.says("登记")
    assert "小名" in mother.says("同意")
    assert "生日" in mother.says("果果")
    assert "乡镇" in mother.says("2026年3月8号")
    assert "男宝宝还是女宝宝" in mother.says("堡镇")
    assert "足月" in mother.says("男孩")
    answer = mother.says("孕34周")
    assert "登记成功" in answer
    assert "需要" in answer
    assert "记下了" in mother.says("需要")
    (child,) = children(services)
    assert (child.nickname, child.sex, child.gestation_weeks) == ("果果", "boy", 34)
    with services.database.reading() as db:
        family = db.execute(select(Family)).scalar_one()
        assert family.need is True
        assert family.need_answered_at is not None


def test_an_expected_child_is_registered_by_its_due_date(
    mother: Person, services: Services
) -> None:
    mother.says("登记 豆豆 预产期 2027-01-20 堡镇")
    assert "预产期2027年1月20日" in mother.says("同意")
    (child,) = children(services)
    assert child.birth_date is None
    assert str(child.due_date) == "2027-01-20"


def test_a_second_child_needs_no_second_notice(mother: Person, services: Services) -> None:
    mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    mother.says("同意")
    mother.says("需要")
    assert "登记成功" in mother.says("登记 果果 2025-01-15 男 城桥镇")
    assert [child.nickname for child in children(services)] == ["糖糖", "果果"]
    with services.database.reading() as db:
        assert db.execute(select(func.count(Consent.id))).scalar_one() == 2
        assert db.execute(select(func.count(Family.id))).scalar_one() == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("登记 糖糖 2027-03-01 女 城桥镇", "还没到"),
        ("登记 糖糖 2023-02-30 女 城桥镇", "没有"),
        ("登记 糖糖 2023-11-22 女 城桥镇", "3岁"),
        ("登记 糖糖 2019-05-01 女 城桥镇", "3岁"),
        ("登记 豆豆 预产期 2028-06-01 堡镇", "42周"),
        ("登记 豆豆 预产期 2026-06-01 堡镇", "42周"),
        ("登记 糖糖 2026-05-01 女 浦东新区", "乡镇"),
    ],
)
def test_what_cannot_be_says_what_to_type_instead(
    mother: Person, services: Services, line: str, words: str
) -> None:
    assert words in mother.says(line)
    assert children(services) == []


def test_the_day_before_the_third_birthday_is_still_welcome(
    mother: Person, services: Services
) -> None:
    mother.says("登记 糖糖 2023-11-23 女 城桥镇")
    assert "登记成功" in mother.says("同意")


def test_a_wrong_date_is_mended_without_starting_again(mother: Person, services: Services) -> None:
    assert "还没到" in mother.says("登记 糖糖 2027-05-01 女 城桥镇")
    assert "回复「同意」" in mother.says("2026-05-01")
    assert "登记成功" in mother.says("同意")
    (child,) = children(services)
    assert (child.nickname, child.sex) == ("糖糖", "girl")


@pytest.mark.parametrize("said", ["城桥", "城桥镇", "chengqiao", "成桥镇", "Cheng Qiao"])
def test_townships_are_understood_as_people_write_them(
    mother: Person, services: Services, said: str
) -> None:
    mother.says(f"登记 糖糖 2026-05-01 女 {said}")
    assert "城桥镇" in mother.says("同意")


def test_a_half_finished_registration_is_gone_on_with(
    mother: Person, clock: Clock, services: Services, publish: Callable[..., None]
) -> None:
    publish("CQ-1")
    mother.says("登记")
    mother.says("同意")
    mother.says("果果")
    clock.moves(hours=20)
    listed = mother.says("活动")
    assert "CQ-1" in listed
    assert "回复「继续」" in listed
    assert "生日" in mother.says("继续")
    assert "乡镇" in mother.says("2026-03-08")


def test_cancel_leaves_a_registration_and_stores_nothing(
    mother: Person, services: Services
) -> None:
    mother.says("登记")
    mother.says("同意")
    mother.says("果果")
    assert "什么都没有改" in mother.says("取消")
    assert children(services) == []
    assert "小名" not in mother.says("2026-03-08")


def test_the_same_nickname_twice_is_asked_for_again(registered: Person) -> None:
    assert "已经登记过" in registered.says("登记 糖糖 2026-05-01 女 城桥镇")


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("修改 生日 2026-05-02", "2026年5月2日"),
        ("修改 小名 果果", "果果"),
        ("修改 男", "男宝宝"),
        ("修改 孕34周", "孕34周"),
        ("修改 堡镇", "堡镇"),
    ],
)
def test_what_was_entered_can_be_corrected(registered: Person, said: str, seen: str) -> None:
    answer = registered.says(said)
    assert "改好了" in answer
    assert seen in answer
    assert seen in registered.says("我的信息")


def test_correcting_step_by_step(registered: Person) -> None:
    assert "改成什么" in registered.says("修改")
    assert "2026年5月3日" in registered.says("生日 2026-05-03")


def test_a_second_caregiver_joins_by_invitation(
    registered: Person, grandmother: Person, services: Services
) -> None:
    code = registered.says("邀请").split("加入 ")[1][:8]
    grandmother.follows()
    assert "加入成功" in grandmother.says(f"加入 {code}")
    assert "记下了" in grandmother.says("外婆")
    assert "糖糖" in grandmother.says("我的信息")
    assert "不对" in registered.says("加入 AAAAAAAA")
    with services.database.reading() as db:
        relation = db.execute(
            select(Caregiver.relation).where(Caregiver.openid == "o-grandmother")
        ).scalar_one()
    assert relation == "grandmother"


def test_an_invitation_works_once_and_for_three_days(
    registered: Person, person: Callable[[str], Person], clock: Clock
) -> None:
    code = registered.says("邀请").split("加入 ")[1][:8]
    assert "加入成功" in person("o-father").says(f"加入 {code}")
    assert "不对" in person("o-stranger").says(f"加入 {code}")
    late = registered.says("邀请").split("加入 ")[1][:8]
    clock.moves(days=3, seconds=1)
    assert "不对" in person("o-stranger").says(f"加入 {late}")


def test_unfollowing_erases_the_wechat_identity_and_keeps_the_family(
    registered: Person, services: Services
) -> None:
    from app.dialogue.message import Kind

    assert registered.sends(Kind.UNSUBSCRIBE) == ""
    with services.database.reading() as db:
        caregiver = db.execute(select(Caregiver)).scalar_one()
        assert caregiver.openid is None
        assert caregiver.is_following is False
    assert len(children(services)) == 1
    assert "回复「登记」" in registered.follows()
