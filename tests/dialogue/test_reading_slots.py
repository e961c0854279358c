"""All values of a message at once."""

from datetime import date, datetime

import pytest

from app.clock import SHANGHAI
from app.dialogue.reading.slots import Slots, read_slots

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
NOTHING = Slots((), (), (), (), (), (), ())


@pytest.mark.parametrize(
    "text, slots",
    [
        ("你好", NOTHING),
        ("2月30日", NOTHING),
        (
            "下周",
            Slots((date(2026, 11, 23), date(2026, 11, 29)), (), (), (), (), (), ()),
        ),
        (
            "宝宝叫王小禾 2026年8月12号生的 女孩 城桥镇",
            Slots((date(2026, 8, 12),), (), (), ("王小禾",), ("城桥镇",), (), ()),
        ),
        (
            "登记 糖糖 2026-05-01 女 城桥镇",
            Slots((date(2026, 5, 1),), (), (), ("糖糖",), ("城桥镇",), (), ()),
        ),
        ("报名 cq-1206 糖糖", Slots((), (), (), ("糖糖",), (), ("CQ-1206",), ())),
        ("第2个活动帮我报上", Slots((), (), (2,), (), (), (), ())),
        ("8个月17斤偏轻吗", Slots((), (), (8, 17), (), (), (), ())),
        ("从庙镇搬到堡镇", Slots((), (), (), (), ("庙镇", "堡镇"), (), ())),
        ("住宝镇", Slots((), (), (), (), ("堡镇",), (), ())),
        ("电话13812345678", Slots((), (), (), (), (), (), ("+8613812345678",))),
        (
            "上门 2026-12-03 上午9点",
            Slots(
                (date(2026, 12, 3),),
                (datetime(2026, 12, 3, 9, 0, tzinfo=SHANGHAI),),
                (), (), (), (), (),
            ),
        ),
    ],
)  # fmt: skip
def test_each_value_is_found_once_and_as_what_it_is(text: str, slots: Slots) -> None:
    assert read_slots(text, NOW) == slots
