"""What is left of a message when nobody is to be found in it."""

import pytest

from app.rules.likeness import grouped
from app.rules.masking import as_example, mask
from content.examples import load_examples


@pytest.mark.parametrize(
    "said, left",
    [
        ("我叫张小明，电话13812345678", "我叫〔名字〕,电话〔号码〕"),
        ("我的手机是 138 1234 5678", "我的手机是 〔号码〕"),
        ("一三八一二三四五六七八打我", "〔号码〕打我"),
        ("住城桥镇南门路12弄3号501室", "〔地址〕"),
        ("身份证310230202605011234", "身份证〔号码〕"),
        ("宝宝叫乐乐，2026年5月1号生的", "宝宝叫〔名字〕,〔日期〕生的"),
        ("糖糖今天不乖", "〔名字〕今天不乖"),
        ("王老师在吗", "〔名字〕老师在吗"),
        ("李芳", "〔名字〕"),
        ("方小雨今天咳嗽怎么办", "〔名字〕今天咳嗽怎么办"),
        ("方小雨那个圈圈啥辰光来", "〔名字〕那个圈圈啥辰光来"),
        ("叶子轩把碗打翻了", "〔名字〕把碗打翻了"),
        ("帮金晓东报名", "帮〔名字〕报名"),
        ("我是夏雨的妈妈", "我是〔名字〕的妈妈"),
        ("查一下江小鱼的预约", "查一下〔名字〕的预约"),
        ("叶子轩不肯吃饭", "〔名字〕不肯吃饭"),
        ("女儿任可欣三岁", "女儿〔名字〕三岁"),
        ("大名李一诺，生日2025-11-11", "大名〔名字〕,生日〔日期〕"),
        ("方便问一下吗", "方便问一下吗"),
        ("安全座椅几岁不坐", "安全座椅几岁不坐"),
        ("向化有活动吗", "向化有活动吗"),
        ("谢谢老师", "谢谢老师"),
        ("找陈秀英", "找〔名字〕"),
        ("写信到 wang@example.com", "写信到 〔号码〕"),
        ("八个月发烧38度5", "八个月发烧38度5"),
        ("周六的活动还有吗", "周六的活动还有吗"),
        ("流动车这个月开到哪几个村", "流动车这个月开到哪几个村"),
        ("谢谢", "谢谢"),
        ("高烧怎么办", "高烧怎么办"),
    ],
)
def test_names_numbers_dates_and_addresses_are_masked_and_the_rest_stays(
    said: str, left: str
) -> None:
    assert mask(said, ["糖糖"]) == left


def test_hardly_an_example_loses_a_word_to_a_name_that_is_none() -> None:
    examples = load_examples()
    masked = [example.text for example in examples if "〔名字〕" in mask(example.text)]
    assert len(masked) <= 0.006 * len(examples), masked


def test_a_story_is_cut_short_and_an_example_has_no_marks() -> None:
    assert len(mask("说" * 5000)) == 120
    assert "〔" not in as_example(mask("我叫张小明，电话13812345678，住南门路12号"))


def test_what_says_much_the_same_is_put_together_the_most_frequent_first() -> None:
    said = ["下雨天还办伐", "侬晓得伐", "下雨天还办不办", "明天下雨还办伐", "侬晓得"]
    found = grouped(said, str)
    assert [len(group) for group in found][:2] == [2, 2] or len(found[0]) == 3
    assert found[0][0] == "下雨天还办伐"
