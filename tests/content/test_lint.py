import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from app.words import course as words
from content.ages import BANDS, LAST_DAY, as_markdown, find_crowds, find_gaps, tabulate
from content.copying import find_shared
from content.library import load_library
from content.lint import lint
from content.packs import EVERYONE, SERVICE_AREAS, TOPICS
from content.shelf import CONTENT
from content.wording import find_forbidden, find_hard_reading
from devtools.environment import ROOT
from tests.content.writing import write_pack

TODAY = date(2026, 11, 25)
STEP = "- 抱着宝宝，看着他的眼睛，慢慢说一句话，说完停一停，等他动动小嘴。\n"
PAGE = f"""\
换尿布的时候，洗好澡的时候，喂饱了醒着的时候，都是好时候。

## 今天就做

{STEP * 8}
## 什么时候看医生

不肯吃奶、叫不太醒，今天就去医院。喘得厉害、脸色发青，打 120，一边照电话里教的做。
"""


def reasons(content: Path) -> list[str]:
    """What lint says of the one pack there, without what it says of ages."""
    return [f"{f.line} {f.reason}" for f in lint(content, TODAY).faults if f.file.endswith(".md")]


def test_a_good_pack_has_no_faults(tmp_path: Path) -> None:
    write_pack(tmp_path, body=PAGE)
    assert reasons(tmp_path) == []


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("id: T-01", "id: T-02", "2 id：要和文件名一样"),
        ("title: 抱一抱，说说话", "title: 抱一抱", "3 title：有3个字"),
        ("message: ", "message: 短。 #", "8 message：有"),
        ("message: ", "message: " + "很长，" * 30, "8 message：有"),
        ("review_by: 2027-11-25", "review_by: 2026-11-24", "13 review_by：2026-11-24 已过"),
        ("review_by: 2027-11-25", "review_by: 2031-11-25", "13 review_by：太远了"),
        ("## 什么时候看医生", "## 看医生", "缺少一节“## 什么时候看医生”"),
        (STEP * 7, "", "有1条，要在3到12之间"),
        (STEP * 5, "", "正文：有"),
        (STEP, "- 每天喂 400 国际单位。\n", "“国际单位”：像是剂量"),
        (STEP, "- 一日三次，每次半包。\n", "“一日三次”：像是用法"),
        (STEP, "- 这样的孩子是自闭症。\n", "像是诊断"),
        (STEP, "- 在家看看，不用看医生。\n", "不能叫人不去看医生"),
        (STEP, "- 上 https://example.com 看。\n", "不给外面的网址"),
        (STEP, "- 看[另一篇](T-99)。\n", "链接：没有 T-99 这一篇"),
        (STEP, "- 回复「抽奖」。\n", "聊天里不认这个词"),
        (STEP, "- " + "抱着宝宝，" * 11 + "慢慢走。\n", "这句有58个字，最多50个"),
        (STEP, "- 饕餮魑魅魍魉。\n", "生僻字有6个"),
    ],
)
def test_each_thing_a_reviewer_would_send_back_is_named(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    write_pack(tmp_path, body=PAGE, swap=(old, new))
    assert any(says in reason for reason in reasons(tmp_path)), reasons(tmp_path)


def test_a_source_has_its_full_name(tmp_path: Path) -> None:
    write_pack(tmp_path, body=PAGE)
    (tmp_path / "sources.txt").write_text("《别的》，某机关，2020年\n", encoding="utf-8")
    (reason,) = reasons(tmp_path)
    assert reason.startswith("10 sources：“《")


def test_two_packs_do_not_share_a_sentence(tmp_path: Path) -> None:
    write_pack(tmp_path, "T-01", body=PAGE)
    write_pack(tmp_path, "T-02", body=PAGE)
    faults = [f for f in lint(tmp_path, TODAY).faults if "有一样的话" in f.reason]
    assert {f.file for f in faults} == {"content/packs/T-02.md"}


@pytest.mark.parametrize(
    "one, other, shared",
    [
        ("洗澡先放凉水再添热水用手腕试", "洗澡先放凉水，再添热水，用手腕试一试", 1),
        ("洗澡先放凉水再添热水用手腕", "洗澡先放凉水，再添热水，用手腕试一试", 0),
        ("见《中国居民膳食指南婴幼儿喂养部分》", "读《中国居民膳食指南婴幼儿喂养部分》", 0),
        ("洗澡先放凉水\n#再添热水用手腕试", "洗澡先放凉水再添热水用手腕试", 0),
    ],
)
def test_fourteen_characters_alike_are_a_copied_sentence(one: str, other: str, shared: int) -> None:
    assert len(list(find_shared({"one": one, "other": other}))) == shared


@pytest.mark.parametrize(
    "text", ["一滴一滴地尿", "奶五百毫升上下", "米粒那么一点牙膏", "打完坐满半小时"]
)
def test_what_is_no_dose_may_be_said(text: str) -> None:
    assert list(find_forbidden(text)) == []


def test_plain_sentences_are_easy_to_read() -> None:
    assert list(find_hard_reading("看后颈，不看手。温温的，就正好。")) == []


def test_a_gap_of_one_day_too_many_is_found(tmp_path: Path) -> None:
    packs = [p for p in load_library().packs.values() if p.audience == EVERYONE]
    assert list(find_gaps(packs, TODAY)) == []
    without = [p for p in packs if not 600 <= p.from_days < 640]
    assert list(find_gaps(without, TODAY)) == ["第590天到第655天之间没有新的一篇，最多隔31天"]


def test_what_is_not_pushed_fills_no_gap() -> None:
    packs = load_library().packs.values()
    after_every_review = date(2099, 1, 1)
    assert f"没有一篇讲{SERVICE_AREAS[0]}" in list(find_gaps(packs, after_every_review))


def test_a_fourth_pack_in_a_week_is_too_many(tmp_path: Path) -> None:
    for number, day in enumerate((200, 202, 204, 206)):
        swap = ("from_days: 0\nuntil_days: 29", f"from_days: {day}\nuntil_days: 400")
        write_pack(tmp_path, f"T-0{number}", body=PAGE, swap=swap)
    crowds = list(find_crowds(load_library(tmp_path).packs.values()))
    assert [pack.id for pack, _ in crowds] == ["T-03"]


def test_the_bands_of_the_table_cover_three_years_without_a_gap() -> None:
    assert [end for _, _, end in BANDS[:-1]] == [first for _, first, _ in BANDS[1:]]
    assert (BANDS[0][1], BANDS[-1][2]) == (0, LAST_DAY)


def test_the_authors_guide_shows_the_table_as_it_is() -> None:
    packs = [p for p in load_library().packs.values() if p.is_pushed(TODAY)]
    guide = (CONTENT / "README.md").read_text(encoding="utf-8")
    shown = guide.split("<!-- content gaps -->")[1].split("<!-- /content gaps -->")[0]
    assert shown.strip() == as_markdown(tabulate(packs)), "put what `content gaps` prints there"


def test_what_waits_for_a_sign_off_is_listed_for_the_health_authority() -> None:
    page = (ROOT / "docs" / "content-review.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (P\w+-\d+) \|", page, re.M)
    waiting = {p.id for p in load_library().packs.values() if not p.is_signed_off}
    assert sorted(listed) == sorted(waiting)


def test_the_library_is_what_was_promised() -> None:
    packs = load_library().packs.values()
    assert len(packs) >= 99
    assert {p.topic for p in packs} == set(TOPICS)
    assert sum(p.audience == "grandparents" for p in packs) >= 15
    assert all(p.sources and p.reviewed_by and p.review_by > TODAY for p in packs)
    assert all(not p.is_signed_off for p in packs if p.topic == "预防接种")


CONTRACTS_LESSON = """\
---
id: care_more
module: 1
order: 9
title: 多看一眼
message: 睡前看一眼小床，心里踏实。
points: [看被子, 看枕头, 看姿势]
practice: 今晚看一眼小床。
quiz:
  - question: 看几眼？
    choices: {A: 一眼, B: 两眼, C: 不看}
    answer: A
    explanation: 看一眼就够，孩子睡得稳。
  - question: 看什么？
    choices: [天花板, 小床, 电视]
    answer: B
    explanation: 小床清爽，孩子才睡得安稳。
  - question: 谁来看？
    choices: {A: 猫, B: 狗, C: 大人}
    answer: C
    explanation: 大人看一眼，大家都放心睡。
sources: [中国居民膳食指南（2022）婴幼儿部分]
version: 1
---
老习惯是盖得厚，换成睡袋就好。
"""


def test_a_lesson_with_the_agreed_fields_alone_is_served_and_has_no_faults(tmp_path: Path) -> None:
    write_pack(tmp_path, body=PAGE)
    shutil.copytree(CONTENT / "course", tmp_path / "course")
    path = tmp_path / "course" / "care_more.md"
    path.write_text(CONTRACTS_LESSON, encoding="utf-8")
    course = load_library(tmp_path).course
    lesson = course.by_id["care_more"]
    assert lesson.right == ("A", "B", "C")
    assert lesson.quiz[1].choices == ("天花板", "小床", "电视")
    assert "老习惯" not in words.lesson_shown(course, lesson)
    faults = [fault for fault in lint(tmp_path, TODAY).faults if fault.file.endswith(path.name)]
    assert faults == []

    path.write_text(CONTRACTS_LESSON.split("老习惯")[0], encoding="utf-8")
    (fault,) = [one for one in lint(tmp_path, TODAY).faults if one.file.endswith(path.name)]
    assert "没有写老习惯" in fault.reason


@pytest.mark.parametrize("explanation", ["对。", "这样" * 23])
def test_an_explanation_has_its_length(tmp_path: Path, explanation: str) -> None:
    write_pack(tmp_path, body=PAGE)
    shutil.copytree(CONTENT / "course", tmp_path / "course")
    path = tmp_path / "course" / "care-ill.md"
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("    explanation: "))
    lines[at] = f"    explanation: {explanation}"
    path.write_text("\n".join(lines), encoding="utf-8")
    found = [fault for fault in lint(tmp_path, TODAY).faults if fault.file.endswith("care-ill.md")]
    assert any(
        f"有{len(explanation)}个字，要在8到45之间" in fault.reason and fault.line == at + 1
        for fault in found
    )


def test_a_lesson_may_say_no_more_than_a_pack(tmp_path: Path) -> None:
    write_pack(tmp_path, body=PAGE)
    shutil.copytree(CONTENT / "course", tmp_path / "course")
    path = tmp_path / "course" / "care-ill.md"
    text = path.read_text(encoding="utf-8")
    written = text.replace("\nmessage: ", "\nmessage: 每公斤15毫克。", 1)
    assert written != text
    path.write_text(written, encoding="utf-8")
    found = [fault for fault in lint(tmp_path, TODAY).faults if fault.file.endswith("care-ill.md")]
    assert ["像是剂量" in fault.reason for fault in found] == [True] * len(found) != []
    assert {fault.line for fault in found} == {
        text[: text.index("\nmessage: ") + 1].count("\n") + 1
    }
