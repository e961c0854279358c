"""Yes, no and in need, in the words that people use."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.answers import read_need, read_yes_no

YES = """
好 好的 好呀 好嘞 可以 可以的 行 行的 要 要的要的 对 对对对 是 是的 嗯 嗯嗯 ok OK！ 同意 我同意
「同意」 需要 愿意 确认 参加 来的 没问题 不错 不要紧 收到 y yes 1 👌 👍🏻 ✅ 好的，谢谢
好的谢谢老师 好的明白了 嗯，好的 有的
"""
NO = """
不 不要 不用 不用了 不用了谢谢 算了 好吧算了 还是算了 不是 不对 勿 勿要 弗要 不同意 不同意！
我不同意 不需要 不去了 不来了 不行 不方便 不想参加 先不登记 暂时不用 下次吧 取消 放弃 没有 否
no ❌ 不好意思不去了
"""
UNCLEAR = """
好不好 可以吗 行伐 好伐 要不要 是不是 什么意思 再看看 随便 不知道 谢谢 老师 糖糖 你好 好孩子
2026-05-01 要多少钱 宝宝发烧了 可以改时间吗
"""


@pytest.mark.parametrize("answer", YES.split())
def test_yes_in_many_forms(answer: str) -> None:
    assert read_yes_no(answer) is True


@pytest.mark.parametrize("answer", NO.split())
def test_no_in_many_forms(answer: str) -> None:
    assert read_yes_no(answer) is False


@pytest.mark.parametrize("answer", [*UNCLEAR.split(), ""])
def test_an_unclear_answer_is_neither(answer: str) -> None:
    assert read_yes_no(answer) is None


@pytest.mark.parametrize(
    "answer, need",
    [
        ("有需求", True),
        ("有需要", True),
        ("需要", True),
        ("需要上门", True),
        ("想要", True),
        ("要", True),
        ("好的", True),
        ("没有需求", False),
        ("暂时没有需求", False),
        ("无需求", False),
        ("无", False),
        ("不需要", False),
        ("没需要", False),
        ("勿要", False),
        ("不用", False),
        ("没有", False),
        ("需要吗", None),
        ("有没有需求", None),
        ("什么需求", None),
        ("糖糖", None),
    ],
)
def test_need_is_yes_no_or_not_said(answer: str, need: bool | None) -> None:
    assert read_need(answer) is need


@given(st.text(alphabet="好的不要用了是嗯可以行谢谢老师有没需求吗,。!👌 ", max_size=60))
def test_any_answer_is_read_without_an_error(answer: str) -> None:
    assert read_yes_no(answer) in (True, False, None)
    assert read_need(answer) in (True, False, None)


@pytest.mark.parametrize("part", ["好的", "不用", "嗯", "谢谢老师", "是不是"])
def test_a_very_long_answer_takes_no_time(part: str) -> None:
    before = process_time()
    read_yes_no(part * 2000 + "x")
    read_need(part * 2000 + "x")
    assert process_time() - before < 1
