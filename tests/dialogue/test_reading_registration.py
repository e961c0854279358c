"""A child's data in one message, as forms and as sentences."""

from datetime import date
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dialogue.reading.registration import (
    Problem,
    ProblemKind,
    RegistrationDraft,
    read_registration,
)
from app.rules.people import Sex

TODAY = date(2026, 11, 22)
BORN = date(2026, 5, 1)
TANGTANG = RegistrationDraft(nickname="糖糖", birth_date=BORN, sex=Sex.GIRL, township="城桥镇")


@pytest.mark.parametrize(
    "text",
    [
        "登记 糖糖 2026-05-01 女 城桥镇",
        "登记，糖糖，2026年5月1日，女，城桥镇",
        "登记 糖糖、2026.5.1、女、城桥",
        "登记 糖糖/2026-05-01/女/城桥镇",
        "登记\n糖糖\n2026-05-01\n女\n城桥镇",
        "登记糖糖2026-05-01女城桥镇",
        "登记：糖糖，２０２６－０５－０１，女孩，城桥镇",
        "登季 糖糖 20260501 女宝 成桥",
        "登记 糖糖 260501 女 chengqiao",
        "登记 糖糖 女 cheng qiao zhen 2026-05-01",
        "小名:糖糖 生日:2026-05-01 性别:女 乡镇:城桥镇",
        "我家宝宝小名糖糖，2026年5月1日出生，女宝，住城桥镇",
        "我要登记，孩子叫糖糖，二〇二六年五月一日生的，女孩，住在城桥",
        "孙女叫糖糖 2026-05-01 城桥镇",
        "登记 糖糖 2026-05-01 女 城桥镇 谢谢老师",
        "登记 糖糖 2026-05-01 女 城桥镇 13812345678",
        "登记 糖糖 2026-05-01 女 城桥镇 有需求",
    ],
)
def test_one_child_is_read_from_every_form(text: str) -> None:
    assert read_registration(text, TODAY) == TANGTANG


@pytest.mark.parametrize("parts", list(permutations(["糖糖", "2026-05-01", "女", "城桥镇"])))
def test_the_order_of_the_parts_is_free(parts: tuple[str, ...]) -> None:
    assert read_registration("登记 " + " ".join(parts), TODAY) == TANGTANG


def test_a_sentence_registers_too() -> None:
    read = read_registration("宝宝叫王小禾 2026年8月12号生的 女孩 城桥镇", TODAY)
    assert read == RegistrationDraft("王小禾", date(2026, 8, 12), None, Sex.GIRL, "城桥镇")


@pytest.mark.parametrize(
    "text",
    [
        "登记 豆豆 预产期 2027-01-20 堡镇",
        "登记 豆豆 预产期2027年1月20日 保镇",
        "登记 豆豆 堡镇 2027-01-20预产期",
        "登记 豆豆，预产期是2027-01-20，堡镇",
        "登记 豆豆 预产期 2027-01-20 堡镇 孕32周",
    ],
)
def test_a_date_beside_the_word_for_it_is_the_due_date(text: str) -> None:
    draft = read_registration(text, TODAY)
    assert draft == RegistrationDraft("豆豆", None, date(2027, 1, 20), None, "堡镇")


def test_a_due_date_without_a_year_lies_ahead() -> None:
    draft = read_registration("登记 豆豆 预产期1月20号 堡镇", TODAY)
    assert (draft.due_date, draft.is_date_rolled) == (date(2027, 1, 20), True)


def test_a_birth_date_without_a_year_lies_behind() -> None:
    draft = read_registration("登记 豆豆 12月3号 男 新河", TODAY)
    assert (draft.birth_date, draft.is_date_rolled) == (date(2025, 12, 3), True)


@pytest.mark.parametrize("said", ["孕32周", "32周早产", "早产32周", "孕三十二周", "32周+3生的"])
def test_weeks_of_gestation_are_read_beside_a_birth_date(said: str) -> None:
    draft = read_registration(f"登记 糖糖 2026-05-01 女 城桥镇 {said}", TODAY)
    assert draft.gestation_weeks == 32
    assert (draft.nickname, draft.township, draft.problems) == ("糖糖", "城桥镇", ())


@pytest.mark.parametrize(
    "said, sex",
    [
        ("女", Sex.GIRL),
        ("女孩", Sex.GIRL),
        ("女宝宝", Sex.GIRL),
        ("小女孩", Sex.GIRL),
        ("女儿", Sex.GIRL),
        ("girl", Sex.GIRL),
        ("👧", Sex.GIRL),
        ("性别女", Sex.GIRL),
        ("男", Sex.BOY),
        ("男宝", Sex.BOY),
        ("男孩子", Sex.BOY),
        ("儿子", Sex.BOY),
        ("性别：男", Sex.BOY),
        ("", None),
    ],
)
def test_sex_is_read_in_its_many_words_and_may_be_left_out(said: str, sex: Sex | None) -> None:
    draft = read_registration(f"登记 糖糖 2026-05-01 {said} 城桥镇", TODAY)
    assert draft == RegistrationDraft("糖糖", BORN, None, sex, "城桥镇")


@pytest.mark.parametrize(
    "name",
    [
        "糖糖", "毛毛", "囡囡", "妹妹", "胜男", "亚男", "小龙女", "小公主", "宝珍", "东平", "三三",
        "王", "Coco", "🐼", "🍬糖糖", "👨‍👩‍👧", "王小禾", "安琪儿", "李新村", "伊伊",
        "欧阳小宝", "宝宝",
    ],
)  # fmt: skip
def test_a_nickname_stays_as_typed_whatever_it_sounds_like(name: str) -> None:
    draft = read_registration(f"登记 {name} 2026-05-01 女 城桥镇", TODAY)
    assert draft == RegistrationDraft(name, BORN, None, Sex.GIRL, "城桥镇")


@pytest.mark.parametrize(
    "text, problem",
    [
        ("登记 糖糖 2026-02-30 城桥镇", Problem(ProblemKind.IMPOSSIBLE_DATE, "2026-02-30")),
        ("登记 糖糖 2月30日 城桥镇", Problem(ProblemKind.IMPOSSIBLE_DATE, "2月30日")),
        ("登记 糖糖 农历三月初八 城桥镇", Problem(ProblemKind.LUNAR_DATE, "农历三月初八")),
        ("登记 糖糖 上个月 城桥镇", Problem(ProblemKind.VAGUE_DATE, "上个月")),
        ("登记 糖糖 三个月前 城桥镇", Problem(ProblemKind.VAGUE_DATE, "三个月前")),
        (
            "登记 糖糖 2026-05-01 2026-06-01 城桥镇",
            Problem(ProblemKind.SEVERAL_DATES, "2026-05-01、2026-06-01"),
        ),
    ],
)
def test_a_date_that_cannot_be_taken_is_given_back(text: str, problem: Problem) -> None:
    draft = read_registration(text, TODAY)
    assert draft == RegistrationDraft("糖糖", township="城桥镇", problems=(problem,))


@pytest.mark.parametrize(
    "place, problem",
    [
        ("南桥镇", Problem(ProblemKind.UNKNOWN_TOWNSHIP, "南桥镇")),
        ("徐家汇", Problem(ProblemKind.UNKNOWN_TOWNSHIP, "徐家汇")),
        ("浦东新区", Problem(ProblemKind.UNKNOWN_TOWNSHIP, "浦东新区")),
        (
            "新镇",
            Problem(ProblemKind.UNCLEAR_TOWNSHIP, "新镇", ("新河镇", "竖新镇", "新海镇", "新村乡")),
        ),
    ],
)
def test_a_place_that_is_not_ours_is_given_back(place: str, problem: Problem) -> None:
    draft = read_registration(f"登记 糖糖 2026-05-01 女 {place}", TODAY)
    assert draft == RegistrationDraft("糖糖", BORN, None, Sex.GIRL, problems=(problem,))


def test_a_nickname_of_more_than_ten_characters_is_given_back() -> None:
    draft = read_registration("登记 一二三四五六七八九十甲 2026-05-01 城桥镇", TODAY)
    assert draft.nickname is None
    assert [problem.kind for problem in draft.problems] == [ProblemKind.NICKNAME_TOO_LONG]


def test_a_future_birth_date_is_read_as_said_for_the_rules_to_judge() -> None:
    assert read_registration("登记 糖糖 2099-01-01 城桥镇", TODAY).birth_date == date(2099, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "登记",
        "我想给宝宝登记",
        "登季宝宝信息",
        "新来的，帮我录一下孩子信息",
        "家里双胞胎，两个都要登记",
        "我要建个宝宝档案",
        "刚生了二宝，要重新填一遍吗？帮我加一个",
    ],
)
def test_a_wish_to_register_holds_no_data(text: str) -> None:
    assert read_registration(text, TODAY) == RegistrationDraft()


def test_a_place_alone_is_never_the_nickname() -> None:
    draft = read_registration("登记 城桥镇 2026-05-01", TODAY)
    assert (draft.nickname, draft.township) == (None, "城桥镇")


@given(
    st.lists(
        st.sampled_from(
            ["登记", "糖糖", "2026-05-01", "2月30日", "女", "男孩", "城桥镇", "新镇", "预产期",
             "孕32周", "叫", "豆豆", "宝宝", "，", "\n", "🍬", "Coco", "13812345678", "上个月",
             "农历初八", "小名"]
        ),
        max_size=10,
    ),
    st.sampled_from(["", " ", "，"]),
)  # fmt: skip
def test_any_mixture_is_read_without_an_error(parts: list[str], separator: str) -> None:
    draft = read_registration(separator.join(parts), TODAY)
    assert draft.nickname not in ("城桥镇", "2026-05-01", "女", "预产期")


@given(st.text(max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    draft = read_registration(text, TODAY)
    assert draft.nickname is None or draft.nickname.strip() == draft.nickname != ""
