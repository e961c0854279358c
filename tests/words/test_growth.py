from datetime import date

import pytest

from app.rules.growth import Indicator, Level, Placed
from app.words.growth import say_advice, say_chart, say_implausible, say_recorded

ALARMING = (
    "异常",
    "危险",
    "警告",
    "营养不良",
    "低体重",
    "肥胖",
    "矮小",
    "发育迟缓",
    "不正常",
    "严重",
)


def test_a_measurement_is_said_with_what_to_do_next() -> None:
    said = say_recorded(
        nickname="糖糖",
        measured_on=date(2026, 11, 22),
        age_months=6,
        is_corrected=False,
        placed=[Placed(Indicator.WEIGHT, 7.2, Level.MIDDLE)],
        moved=False,
        is_standing=False,
        link="http://x/family/growth",
    )
    assert said == (
        "记下了：糖糖，11月22日（周日），6个月。\n"
        "· 体重 7.2 公斤：在中间一档，一半的孩子都在这里\n"
        "不跟别家比，看他自己的线往上走就好。下个月同一天再量。\n"
        "看曲线：http://x/family/growth"
    )


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("moved", [True, False])
@pytest.mark.parametrize("corrected", [True, False])
def test_no_level_is_said_in_words_that_alarm(level: Level, moved: bool, corrected: bool) -> None:
    said = say_recorded(
        nickname="糖糖",
        measured_on=date(2026, 11, 22),
        age_months=25,
        is_corrected=corrected,
        placed=[Placed(kind, 1.0, level) for kind in Indicator],
        moved=moved,
        is_standing=True,
        link="http://x",
    )
    assert not [word for word in ALARMING if word in said]
    assert "身高 1 厘米" in said
    assert ("请社区卫生服务中心的医生" in said) is (level in (Level.LOWEST, Level.HIGHEST))


def test_a_move_asks_to_measure_again() -> None:
    assert "再量一回" in say_advice(moved=True, wants_a_look=False)


def test_a_chart_is_said_too() -> None:
    said = say_chart(Indicator.LENGTH, [(5.6, 66.0), (6.7, 67.5)])
    assert said == "身长曲线：6个月66厘米，7个月67.5厘米。背景是国家标准的百分位线。"


@pytest.mark.parametrize(
    "what, value, says",
    [("weight", 72_000, "72 公斤"), ("length", 60, "身高 6 厘米"), ("head", 4350, "头围 435 厘米")],
)
def test_a_slip_is_asked_back_with_an_example(what: str, value: int, says: str) -> None:
    assert says in say_implausible(what, value)
    assert "没有记下" in say_implausible(what, value)
