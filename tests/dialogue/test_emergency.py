"""Emergencies are found, and what only sounds like one is not."""

import csv
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.emergency import Emergency, find_emergency
from app.dialogue.reading.plain import say_plain
from app.rules.emergencies import EmergencyCategory

MESSAGES = Path(__file__).parent / "messages"


def rows(name: str) -> list[list[str]]:
    with (MESSAGES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


EMERGENCIES = [(category, text) for category, text in rows("emergencies.tsv")[1:]]
CALM = [text for (text,) in rows("calm.txt")]
LABELLED = [(text, label) for text, label in rows("labelled.tsv")]


@pytest.mark.parametrize("category, text", EMERGENCIES)
def test_an_emergency_is_found(category: str, text: str) -> None:
    found = find_emergency(text, None)
    assert found is not None
    assert found.category == category


def test_a_calm_message_is_hardly_ever_taken_for_an_emergency() -> None:
    """Chosen to sound like one: where nothing but likeness speaks for it, a few alarm."""
    alarmed = [text for text in CALM if find_emergency(text, None) is not None]
    assert len(alarmed) <= 0.015 * len(CALM), alarmed


def test_of_ordinary_messages_one_in_two_hundred_alarms_at_most() -> None:
    ordinary = [text for text, label in rows("fresh.tsv") if label != "emergency"]
    alarmed = [text for text in ordinary if find_emergency(text, None) is not None]
    assert len(alarmed) <= 0.005 * len(ordinary), alarmed


@pytest.mark.parametrize("text", [text for text, label in LABELLED if label == "emergency"])
def test_every_labelled_emergency_is_found(text: str) -> None:
    assert find_emergency(text, None) is not None


@pytest.mark.parametrize("text", [text for text, label in LABELLED if label != "emergency"])
def test_no_other_labelled_message_is_taken_for_an_emergency(text: str) -> None:
    assert find_emergency(text, None) is None


def test_every_category_has_messages() -> None:
    assert {category for category, _ in EMERGENCIES} == set(EmergencyCategory)


@pytest.mark.parametrize(
    "days, is_found", [(0, True), (50, True), (91, True), (92, False), (400, False), (None, False)]
)
@pytest.mark.parametrize(
    "text", ["发烧了怎么办", "宝宝发烧了，明天的活动不参加了", "热度38度5", "小囡发寒热"]
)
def test_any_fever_is_an_emergency_under_92_days(
    text: str, days: int | None, is_found: bool
) -> None:
    found = find_emergency(text, days)
    assert (found is not None) is is_found
    if found is not None:
        assert found.category is EmergencyCategory.YOUNG_FEVER


@pytest.mark.parametrize(
    "text", ["一岁了发烧38度", "8个月发烧", "大宝发烧了", "我自己发烧了能喂奶吗"]
)
def test_an_older_childs_fever_is_none_though_there_is_a_baby(text: str) -> None:
    assert find_emergency(text, 40) is None


@pytest.mark.parametrize(
    "text", ["会不会发烧", "没有发烧", "怕他发烧", "水温38度可以吗", "发烧怎么预防"]
)
def test_a_fever_that_is_asked_about_or_denied_is_none(text: str) -> None:
    assert find_emergency(text, 40) is None


@pytest.mark.parametrize("text", ["一口奶都不吃", "拒奶", "全身冰凉"])
def test_a_newborn_that_takes_nothing_is_an_emergency(text: str) -> None:
    assert find_emergency(text, 10) is not None
    assert find_emergency(text, 40) is None


@pytest.mark.parametrize(
    "calm, danger",
    [
        ("怎么预防噎住", "噎住了怎么办"),
        ("上次噎到过，现在好了，怎么预防", "上次噎到过，现在又噎住了"),
        ("去年抽过一次，现在没事了", "去年抽过一次，刚才又抽筋了"),
        ("前几天从床上摔下来，现在好了", "前几天从床上摔下来，好了又一直吐"),
        ("没有抽筋", "是不是抽筋了"),
        ("如果溺水怎么办", "溺水了怎么办"),
        ("吃坚果会噎到吗", "吃坚果噎到了"),
        ("有没有教急救的课", "老师我学过急救课，孩子噎住了咳不出来快点"),
        ("想看烫伤的资料", "烫伤了有没有资料"),
        ("吃农药有什么症状", "吃了农药有什么症状"),
        ("叫他名字没反应", "怎么叫都没反应"),
        ("老是呛奶", "呛奶了脸发紫"),
        ("手机掉水里了", "孩子掉水里了"),
        ("被蚊子咬了", "被狗咬了"),
        ("我吃了感冒药能喂奶吗", "宝宝偷吃了感冒药"),
        ("累死了", "不想活了"),
        ("肚脐掉了", "从床上掉下来了"),
    ],
)
def test_a_little_changes_everything(calm: str, danger: str) -> None:
    assert find_emergency(calm, None) is None
    assert find_emergency(danger, None) is not None


@pytest.mark.parametrize(
    "text", ["不想活了，怕孩子没人管", "听说有人自杀，我也想死", "如果不是孩子我就不想活了"]
)
def test_nothing_clears_the_wish_to_die(text: str) -> None:
    found = find_emergency(text, None)
    assert found is not None
    assert found.category is EmergencyCategory.SELF_HARM


def test_the_words_that_say_so_are_kept() -> None:
    assert find_emergency("小囡吃了老鼠药", None) == Emergency(
        EmergencyCategory.POISONING, "吃了老鼠药"
    )


@given(st.text(max_size=80), st.none() | st.integers(0, 2000))
def test_any_text_is_read_without_an_error(text: str, days: int | None) -> None:
    found = find_emergency(text, days)
    said = "".join(filter(str.isalnum, say_plain(text)))
    assert found is None or "".join(filter(str.isalnum, found.text)) in said


@given(
    st.sampled_from(EMERGENCIES),
    st.sampled_from(["", "老师，", "你好 ", "🙏"]),
    st.sampled_from(["", "！！", "😭", "。"]),
)
def test_greetings_and_marks_around_an_emergency_hide_nothing(
    row: tuple[str, str], before: str, after: str
) -> None:
    assert find_emergency(before + row[1] + after, None) is not None


def test_a_message_is_judged_in_a_millisecond() -> None:
    texts = [text for text, _ in LABELLED]
    for text in texts:
        find_emergency(text, 40)
    before = process_time()
    for text in texts:
        find_emergency(text, 40)
    assert (process_time() - before) / len(texts) < 0.001


@pytest.mark.parametrize("part", ["从床上", "孩子突然", "吃了", "怕", "叫不", "一", "没有", "掉"])
def test_a_message_of_two_thousand_characters_takes_no_time(part: str) -> None:
    before = process_time()
    find_emergency(part * (2000 // len(part)), 40)
    assert process_time() - before < 0.5


def _lines(name: str) -> list[str]:
    return (MESSAGES / name).read_text(encoding="utf-8").splitlines()


def test_no_emergency_of_three_later_sets_is_missed() -> None:
    assert [said for said in _lines("more_emergencies.txt") if not find_emergency(said, None)] == []


def test_hardly_a_calm_message_of_three_later_sets_is_taken_for_one() -> None:
    # They were written to mislead: of what people write of an ordinary day fewer are.
    calm = _lines("more_calm.txt")
    assert sum(find_emergency(said, None) is not None for said in calm) <= len(calm) / 33


def test_a_cough_that_keeps_a_child_awake_is_a_question_and_one_without_breath_is_not() -> None:
    assert find_emergency("晚上咳得睡不着", 300) is None
    for danger in ("咳得喘不上气，睡不着", "喘得睡不着", "咳得脸发紫睡不着"):
        assert find_emergency(danger, 300) is not None, danger


def test_no_fresh_emergency_is_missed() -> None:
    """Written without sight of rules or examples; at first look 339 of 360 found."""
    told = _lines("fresh_emergencies.txt")
    assert [text for text in told if find_emergency(text, None) is None] == []


def test_few_fresh_calm_messages_alarm_though_all_of_them_sound_like_it() -> None:
    calm = _lines("fresh_calm.txt")
    alarmed = [text for text in calm if find_emergency(text, None) is not None]
    assert len(alarmed) <= 0.05 * len(calm), alarmed


def test_a_sign_in_a_long_message_is_heard_whatever_stands_around_it() -> None:
    talk = "我想问问周六活动几点开始要带什么要不要交钱地址在哪里停车方便吗" * 3
    for sign in ("宝宝噎住了", "孩子抽筋了", "吃了老鼠药", "从床上摔下来叫不醒"):
        assert find_emergency(talk + sign + talk, None) is not None, sign


def test_a_bare_sign_always_alarms() -> None:
    """Whatever staff add to the examples: 溺水 alone is nobody's question."""
    signs = "溺水 噎住 窒息 抽筋了 中毒 触电 烫伤 昏迷 误食 没呼吸 吐血 割腕 坠楼 异物卡喉 救命啊"
    assert [sign for sign in signs.split() if find_emergency(sign, None) is None] == []
