"""Townships by name, by sound, in pinyin, and half-heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.townships import (
    Likeness,
    TownshipFound,
    TownshipUnclear,
    find_township,
    find_townships,
    find_unknown_township,
)
from app.rules.townships import TOWNSHIPS


def named(text: str) -> str | tuple[str, ...] | None:
    found = find_township(text)
    if isinstance(found, TownshipUnclear):
        return found.candidates
    return found.name if found else None


def test_there_are_sixteen_towns_and_two_townships() -> None:
    assert len(set(TOWNSHIPS)) == 18
    assert sum(name.endswith("镇") for name in TOWNSHIPS) == 16


@pytest.mark.parametrize("name", TOWNSHIPS)
def test_every_official_name_is_found_alone_and_in_a_sentence(name: str) -> None:
    assert named(name) == name
    assert named(f"我们家住在{name}的") == name
    assert named(f"登记 糖糖 2026-05-01 女 {name}") == name


@pytest.mark.parametrize("name", [name for name in TOWNSHIPS if len(name) == 3])
def test_every_name_is_found_without_its_suffix(name: str) -> None:
    assert named(name[:-1]) == name
    assert named(f"我住{name[:-1]}") == name


@pytest.mark.parametrize(
    "text, name",
    [
        ("长兴乡", "长兴镇"),
        ("长兴岛", "长兴镇"),
        ("横沙镇", "横沙乡"),
        ("横沙岛", "横沙乡"),
        ("新村镇", "新村乡"),
        ("城橋鎮", "城桥镇"),
        ("堡", "堡镇"),
        ("庙", "庙镇"),
        ("住陈家那边", "陈家镇"),
        ("乡镇选错了 应该是港沿", "港沿镇"),
    ],
)
def test_other_names_of_a_township_are_known(text: str, name: str) -> None:
    assert named(text) == name


@pytest.mark.parametrize(
    "text, name",
    [
        ("成桥", "城桥镇"),
        ("城乔", "城桥镇"),
        ("成桥镇", "城桥镇"),
        ("保镇", "堡镇"),
        ("宝镇", "堡镇"),
        ("我家在宝镇", "堡镇"),
        ("堡震", "堡镇"),
        ("妙镇", "庙镇"),
        ("树新", "竖新镇"),
        ("书新镇", "竖新镇"),
        ("竖心镇", "竖新镇"),
        ("港岩", "港沿镇"),
        ("港岩镇", "港沿镇"),
        ("港溪", "港西镇"),
        ("绿化", "绿华镇"),
        ("绿化镇", "绿华镇"),
        ("新何镇", "新河镇"),
        ("向华", "向化镇"),
        ("东瓶镇", "东平镇"),
        ("横杀", "横沙乡"),
    ],
)
def test_a_name_of_the_same_sound_is_found(text: str, name: str) -> None:
    found = find_township(text)
    assert isinstance(found, TownshipFound)
    assert (found.name, found.likeness) == (name, Likeness.SOUND)


@pytest.mark.parametrize(
    "text, name",
    [
        ("中心", "中兴镇"),
        ("中心镇", "中兴镇"),
        ("三心镇", "三星镇"),
        ("长新镇", "长兴镇"),
        ("chenqiao", "城桥镇"),
        ("luhua", "绿华镇"),
    ],
)
def test_a_name_of_nearly_the_same_sound_says_that_it_is_near(text: str, name: str) -> None:
    found = find_township(text)
    assert isinstance(found, TownshipFound)
    assert (found.name, found.likeness) == (name, Likeness.NEAR_SOUND)


@pytest.mark.parametrize(
    "text, name",
    [
        ("chengqiao", "城桥镇"),
        ("Cheng Qiao", "城桥镇"),
        ("cheng qiao zhen", "城桥镇"),
        ("CHENGQIAOZHEN", "城桥镇"),
        ("chéng qiáo", "城桥镇"),
        ("cheng2qiao2", "城桥镇"),
        ("baozhen", "堡镇"),
        ("miao zhen", "庙镇"),
        ("lvhua", "绿华镇"),
        ("lǜhuá", "绿华镇"),
        ("xin he", "新河镇"),
        ("hengsha xiang", "横沙乡"),
        ("changxing", "长兴镇"),
    ],
)
def test_pinyin_is_read_with_and_without_spaces_and_tones(text: str, name: str) -> None:
    assert named(text) == name


@pytest.mark.parametrize(
    "text, candidates",
    [
        ("新", ("新河镇", "竖新镇", "新海镇", "新村乡")),
        ("新镇", ("新河镇", "竖新镇", "新海镇", "新村乡")),
        ("新沙镇", ("新河镇", "新海镇", "新村乡")),
        ("港", ("港沿镇", "港西镇")),
        ("庙镇和堡镇", ("庙镇", "堡镇")),
    ],
)
def test_what_may_be_several_gives_the_candidates(text: str, candidates: tuple[str, ...]) -> None:
    assert named(text) == candidates


def test_a_move_names_the_new_place() -> None:
    assert named("搬家了，从庙镇搬到堡镇，帮我改一下地址") == "堡镇"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "你好",
        "活动中心",
        "江帆新村",
        "三星手机",
        "建设银行",
        "中兴手机",
        "陈家宝宝",
        "糖糖",
        "王小禾",
        "Bao",
        "ok",
        "报名 CQ-1206",
        "哪个镇",
        "乡镇",
        "徐家汇",
        "上海浦东",
        "黄沙",
    ],
)
def test_ordinary_words_are_no_township(text: str) -> None:
    assert named(text) is None


@pytest.mark.parametrize(
    "text, unknown",
    [("南桥镇", "南桥镇"), ("我住在周浦镇", "周浦镇"), ("金山卫镇那边", "金山卫镇")],
)
def test_a_township_elsewhere_is_told_by_its_name(text: str, unknown: str) -> None:
    found = find_unknown_township(text)
    assert found is not None
    assert found.text == unknown


@pytest.mark.parametrize("text", ["城桥镇", "宝镇", "哪个镇", "乡镇选错了", "老乡", "你好"])
def test_our_own_and_no_township_are_not_unknown(text: str) -> None:
    assert find_unknown_township(text) is None


def test_all_townships_of_a_text_are_found_in_order() -> None:
    assert [found.name for found in find_townships("城桥、庙镇、新河")] == [
        "城桥镇",
        "庙镇",
        "新河镇",
    ]


@given(st.text(max_size=40))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = find_township(text)
    if isinstance(found, TownshipFound):
        assert found.name in TOWNSHIPS
    find_unknown_township(text)
