"""What tidying keeps, what normalising folds, and what plain speech says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.plain import normalise, say_plain, tidy


@pytest.mark.parametrize(
    "typed, tidied",
    [
        ("  登记   糖糖 ", "登记 糖糖"),
        ("登记\n糖糖\t2026", "登记 糖糖 2026"),
        ("ＡＢＣ１２３", "ABC123"),
        ("登\u200b记\ufeff", "登记"),
        ("a\x00b\x08c\x1b", "abc"),
        ("\u202e报名\u202c", "报名"),
        ("　全角　空格　", "全角 空格"),
        ("Coco糖糖", "Coco糖糖"),
        ("1️⃣", "1"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("❤️", "❤️"),
        ("👍🏻好", "👍🏻好"),
        ("糖\u200d糖", "糖糖"),
        ("①", "1"),
        ("", ""),
    ],
)
def test_tidying_takes_what_nobody_sees_and_keeps_emoji(typed: str, tidied: str) -> None:
    assert tidy(typed) == tidied


@pytest.mark.parametrize(
    "typed, normal",
    [
        ("CQ-1206", "cq-1206"),
        ("2026。5。1", "2026.5.1"),
        ("好的，谢谢！", "好的,谢谢!"),
        ("糖糖、豆豆；", "糖糖,豆豆;"),
        ("「同意」", '"同意"'),
        ("《手册》", '"手册"'),
        ("2026—05–01", "2026-05-01"),
        ("10～12", "10~12"),
        ("5：30", "5:30"),
        ("請問幾點開始", "请问几点开始"),
        ("發燒了", "发烧了"),
        ("5月1號", "5月1号"),
        ("寶寶三歲", "宝宝三岁"),
        ("二○二六", "二〇二六"),
    ],
)
def test_normalising_makes_spellings_comparable(typed: str, normal: str) -> None:
    assert normalise(typed) == normal


@pytest.mark.parametrize(
    "said, plain",
    [
        ("侬好", "你好"),
        ("好伐", "好吗"),
        ("在伐", "在吗"),
        ("有伐带小囡白相个资料", "有没有带宝宝玩个资料"),
        ("小囡伐肯吃奶瓶", "宝宝不肯吃奶瓶"),
        ("我勿去了", "我不去了"),
        ("阿拉孙子还没登记，哪能弄法", "我们孙子还没登记,怎么弄法"),
        ("小囡发寒热捂汗有用伐", "宝宝发烧捂汗有用吗"),
        ("今朝夜里厢困觉勿好", "今天夜里睡觉不好"),
        ("明朝后日", "明天后天"),
        ("啥辰光有课", "什么时候有课"),
        ("月子里出勿来，能派人来屋里看看伐", "月子里出不来,能派人来家里看看吗"),
        ("拆尿训练", "小便训练"),
        ("晓得了", "知道了"),
        ("轧一脚", "参加"),
        ("汰浴", "洗澡"),
        ("要伐要", "要不要"),
        ("登季宝宝", "登记宝宝"),
        ("几个月可以加富食", "几个月可以加辅食"),
        ("白白破", "百白破"),
        ("能打预方针吗", "能打预防针吗"),
        ("手族口", "手足口"),
        ("新声儿访视", "新生儿访视"),
        ("育约活动", "预约活动"),
        ("叫不幸", "叫不醒"),
        ("反白眼", "翻白眼"),
        ("扭扣电池", "纽扣电池"),
    ],
)
def test_shanghainese_and_mishearings_become_plain(said: str, plain: str) -> None:
    assert say_plain(said) == plain


@pytest.mark.parametrize(
    "said",
    [
        "步伐",
        "请勿食用",
        "切勿忘记",
        "阿拉伯语",
        "野蛮",
        "以后补打疫苗",
        "犬伤门诊",
        "昨夜住院",
        "爷爷住院",
        "抢到名额了",
        "能保名额吗",
        "共同益处",
        "假若如此",
        "去过民政局",
        "输液住院",
        "电磁炉",
    ],
)
def test_ordinary_words_are_left_alone(said: str) -> None:
    assert say_plain(said) == said


@given(st.text())
def test_tidying_and_normalising_twice_change_nothing_more(typed: str) -> None:
    assert tidy(tidy(typed)) == tidy(typed)
    assert normalise(normalise(typed)) == normalise(typed)


@given(st.text())
def test_a_place_in_the_normalised_text_is_the_same_place_in_the_tidied(typed: str) -> None:
    assert len(normalise(typed)) == len(tidy(typed))


@given(st.text())
def test_no_control_character_is_left(typed: str) -> None:
    assert not any(ord(character) < 32 for character in tidy(typed))
