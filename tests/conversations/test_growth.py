"""体重 7.2 身高 66 in the chat."""

import pytest

from tests.conversations.conftest import Clock, Person


@pytest.fixture
def sugar(mother: Person) -> Person:
    """A mother of 糖糖, a girl of six months and three weeks."""
    mother.follows()
    mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    assert "登记成功" in mother.says("同意")
    mother.says("需要")
    return mother


def test_measures_are_kept_and_placed(sugar: Person) -> None:
    answer = sugar.says("体重 7.2 身高 66")
    assert "记下了：糖糖，11月22日（周日），6个月" in answer
    assert "体重 7.2 公斤：在中间一档" in answer
    assert "身长 66 厘米：在中间一档" in answer
    assert "体重配身长：" in answer
    assert "下个月同一天再量" in answer
    assert "/family/growth" in answer


def test_a_low_weight_alarms_nobody_and_sends_to_child_health(sugar: Person) -> None:
    answer = sugar.says("体重 6.1")
    assert "在最低那条线下面一点" in answer
    assert "请社区卫生服务中心的医生看一看" in answer
    for word in ("异常", "危险", "营养不良", "低体重", "矮"):
        assert word not in answer


def test_a_fall_of_two_levels_is_told_kindly(sugar: Person, clock: Clock) -> None:
    sugar.says("体重 9.0")
    clock.moves(days=31)
    assert "和上一次比" in sugar.says("体重 7.2")


def test_a_second_weight_of_a_day_replaces_the_first_and_keeps_the_length(sugar: Person) -> None:
    sugar.says("体重 7.2 身高 66")
    answer = sugar.says("体重 7.4")
    assert "体重 7.4 公斤" in answer
    assert "身长 66 厘米" in answer


@pytest.mark.parametrize(
    "said, told", [("体重 72", "是不是小数点漏了"), ("身高 6", "多了或少了一位")]
)
def test_a_slip_of_the_finger_is_not_kept(sugar: Person, said: str, told: str) -> None:
    assert told in sugar.says(said)
    assert "没有记下" in sugar.says(said)


def test_the_word_alone_says_how(sugar: Person) -> None:
    assert "写成「体重 7.2 身高 66」" in sugar.says("体重")


def test_with_two_children_the_name_is_asked_for(sugar: Person) -> None:
    sugar.says("登记 豆豆 2025-01-10 男 城桥镇")
    assert "是哪个宝宝的" in sugar.says("体重 7.2")
    assert "记下了：豆豆" in sugar.says("豆豆 体重 11.5 身高 84")


def test_without_a_sex_the_measures_are_kept_and_the_sex_asked_for(mother: Person) -> None:
    mother.follows()
    mother.says("登记 糖糖 2026-05-01 城桥镇")
    mother.says("同意")
    mother.says("需要")
    assert "标准分男孩和女孩" in mother.says("体重 7.2")


def test_a_preterm_child_goes_by_corrected_age(mother: Person) -> None:
    mother.follows()
    mother.says("登记 糖糖 2026-05-01 女 城桥镇 孕32周")
    mother.says("同意")
    mother.says("需要")
    assert "4个月（早产，按矫正月龄看）" in mother.says("体重 6.6")


def test_who_is_not_registered_is_told_how(mother: Person) -> None:
    mother.follows()
    assert "登记" in mother.says("体重 7.2")
