"""The Chinese of the course, to be read in a diff."""

from app.models.notice_facts import (
    CertificateChanged,
    CourseEnrolledByStaff,
    CourseModulePassed,
    CourseNudge,
)
from app.rules.lessons import grade
from app.words import course as words
from app.words.notices import render
from content.library import load_library

COURSE = load_library().course
BLAME = ("错了", "失败", "不及格", "不合格", "笨", "怎么还")


def nudge(number: int, lesson: str | None = "再见，要当面说") -> str:
    facts = CourseNudge(
        learner_id=1, nudge=number, lessons_passed=6, lesson=lesson, module="会抚爱"
    )
    return render(facts).text


def test_a_nudge_says_what_is_next_and_how_to_stop() -> None:
    assert nudge(1) == (
        "这一周忙坏了吧？您已经学过6课了。\n"
        "下一课是「再见，要当面说」，十分钟就好。回复「下一课」。\n"
        "不想再收，回复「退出课程」。"
    )


def test_the_last_nudge_says_that_it_is_the_last() -> None:
    assert "先不再提醒了" in nudge(4)


def test_a_nudge_for_a_missing_practice_says_so() -> None:
    assert "就差「会抚爱」在家练一次" in nudge(2, None)


def test_the_family_hears_of_the_seventh_module_as_of_all() -> None:
    facts = CourseModulePassed(
        learner_id=1, relation="grandfather", module=7, name="会等待", modules=7
    )
    assert "爷爷（外公）学完了「会等待」，七会全部学完了！" in render(facts).text


def test_who_was_enrolled_by_a_teacher_is_told_how_to_begin_and_how_not_to() -> None:
    assert render(CourseEnrolledByStaff(learner_id=1, station="城桥早教指导站")).text == (
        "城桥早教指导站的老师帮您报名了「七会」课程，不要钱，一课十分钟。\n"
        "看第一课，回复「下一课」；不想学，回复「退出课程」。"
    )


def test_a_revoked_certificate_is_told_with_its_reason_and_whom_to_ask() -> None:
    facts = CertificateChanged(
        kind="certificate_revoked", code="ABCD-EFGH-2345", reason="发错了人。", phone="021-1"
    )
    assert render(facts).text == (
        "您的结业证书 ABCD-EFGH-2345 作废了。原因：发错了人。\n"
        "有疑问，请回复「人工」，或打电话 021-1。"
    )


def test_a_lesson_in_the_chat() -> None:
    shown = words.lesson_shown(
        COURSE, COURSE.lessons[0], "https://y.example/family/course/care-warm"
    )
    assert shown == (
        "第1课 暖和，不等于捂（会照料）\n"
        "小娃娃火力旺，手脚凉一点很平常。冷不冷，摸后颈；怕踢被，穿睡袋。捂得太多，反而伤人。\n"
        "① 摸后颈和后背：温温的、没有汗，就是穿得刚好\n"
        "② 一岁以内每次都仰着睡，床面平又硬，床上什么都不放\n"
        "③ 和大人一个房间、不一张床；怕冷就穿合身的睡袋\n"
        "老习惯「多裹多捂，孩子才不受凉」：捂过了头会缺氧、发高热，冬天出事的多是一岁以内的娃娃。两条腿绑得笔直，还伤髋关节。\n"
        "在家试试：今晚把小床清空，只留床单；睡前、半夜各摸一次后颈，记下穿了几件。\n"
        "\n"
        "小测验，答对两题就过：\n"
        "1. 孩子的手有点凉，您先怎么做？\n"
        "A 马上再加一件　B 摸摸后颈再说　C 用热水袋捂手\n"
        "2. 一岁以内，放下去睡觉用什么姿势？\n"
        "A 侧着睡　B 趴着睡　C 仰着睡\n"
        "3. 冬天怕孩子踢被子，哪样更稳妥？\n"
        "A 合身的睡袋　B 再压一床厚被　C 大人搂着一个被窝\n"
        "回复三个字母，比如「答 ABC」；一个一个回也行。\n"
        "字大一点看：https://y.example/family/course/care-warm"
    )


def test_wrong_answers_are_explained_and_nobody_is_blamed() -> None:
    lesson = COURSE.lessons[0]
    told = words.marked(lesson, "AAA", grade("AAA", lesson.right), number=1)
    assert told.startswith("对了1题，就差一点点，不要紧。")
    assert "1. 您选A，合适的是B。" in told
    assert "3. A，对的。" in told
    for other in COURSE.lessons:
        for letters in ("AAA", "BBB", "CCC"):
            text = words.marked(other, letters, grade(letters, other.right), number=1)
            assert not any(word in text for word in BLAME)


def test_progress_is_a_line_a_module_and_ends_in_what_to_do() -> None:
    first = set(COURSE.outline.modules[1])
    lines = words.module_lines(COURSE, first | {"love-hold"}, {1}, {1})
    said = words.progress(lines, code=None, is_revoked=False, link="https://y.example/f")
    assert said.startswith(
        "课程进度：5/22课，七会完成1会。\n🌸 会照料 4/4课，已打卡\n"
        "🌱 会抚爱 1/3课，还没打卡\n○ 会陪玩 0/3课"
    )
    assert words.next_step(COURSE, lines, passed_now=False) == "接着学，回复「下一课」。"
