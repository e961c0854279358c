"""Template messages: the setting, the lines, and the platform's limits on them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.wechat.templates import LINES, TemplateSettingWrong, read_templates
from app.words.notices import Field, NoticeWords
from sandbox.catalogue import TEMPLATES
from sandbox.template_ids import DEMO_TEMPLATE_IDS
from sandbox.template_messages import FIELD_SHAPES


def words(**fields: str) -> NoticeWords:
    return NoticeWords("", tuple((Field(name), value) for name, value in fields.items()))


def test_our_lines_are_those_of_the_sandboxs_templates() -> None:
    by_id = {template.id: template for template in TEMPLATES}

    for kind, template_id in DEMO_TEMPLATE_IDS.items():
        keys = [field.key for field in by_id[template_id].fields]
        assert [key for key, _ in LINES[kind]] == keys


def test_the_setting_may_name_other_lines() -> None:
    templates = read_templates({"sign_up_confirmed": "ID9 thing6=title time11=when"})

    filled = templates["sign_up_confirmed"].fill(words(title="亲子阅读", when="2026年1月2日 09:30"))

    assert templates["sign_up_confirmed"].id == "ID9"
    assert filled == (("thing6", "亲子阅读"), ("time11", "2026年1月2日 09:30"))


@pytest.mark.parametrize(
    "setting",
    [
        {"sign_up_confirmed": ""},
        {"sign_up_confirmed": "ID thing1"},
        {"sign_up_confirmed": "ID thing1=colour"},
        {"sign_up_confirmed": "ID number1=title"},
        {"late_reply": "ID"},
    ],
)
def test_a_wrong_setting_says_for_which_kind(setting: dict[str, str]) -> None:
    with pytest.raises(TemplateSettingWrong, match=next(iter(setting))):
        read_templates(setting)


@pytest.mark.parametrize(
    "key, value, line",
    [
        ("thing1", "字" * 20, "字" * 20),
        ("thing1", "字" * 21, "字" * 19 + "…"),
        ("thing1", " 一\n二 \x08三 ", "一 二 三"),
        ("phone_number1", "电话：021-5555 0101（上午）", "021-5555 0101"),
        ("character_string1", "CQ-1号", "CQ-1"),
        ("phrase1", "已确认!", "已确认"),
        ("phrase1", "已经确认好啦", "已经确认"),
        ("name1", "一二三四五六七八九十一", "一二三四五六七八九…"),
    ],
)
def test_each_line_keeps_to_its_kind(key: str, value: str, line: str) -> None:
    (template,) = read_templates({"x": f"ID {key}=title"}).values()

    assert template.fill(words(title=value)) == ((key, line),)


@pytest.mark.parametrize("value", ["", "  ", "\x08", "请到站"])
def test_an_empty_line_is_no_message(value: str) -> None:
    (template,) = read_templates({"x": "ID phone_number1=phone"}).values()

    assert template.fill(words(phone=value)) is None
    assert template.fill(words()) is None


@given(
    value=st.text(st.characters(codec="utf-8"), max_size=60),
    kind=st.sampled_from(["thing", "character_string", "phrase", "phone_number"]),
)
def test_the_platform_takes_whatever_line_we_fill(value: str, kind: str) -> None:
    (template,) = read_templates({"x": f"ID {kind}1=title"}).values()

    filled = template.fill(words(title=value))

    assert filled is None or FIELD_SHAPES[kind].fullmatch(filled[0][1])
