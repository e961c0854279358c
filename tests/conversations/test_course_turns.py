"""What learners say in the chat, well and badly: every turn ends in a next step."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event

from app.dialogue.message import Kind, Window
from app.prepared import Prepared
from app.wiring import Services
from tests.conversations.conftest import Person, Publisher
from tests.conversations.plans import told


@pytest.fixture
def learner(registered: Person, grandmother: Person) -> Person:
    """A grandmother who joined the mother's family and enrolled."""
    code = re.search(r"加入 ([A-Z0-9]{8})", registered.says("邀请"))
    assert code is not None
    grandmother.follows()
    grandmother.says(f"加入 {code[1]}")
    grandmother.says("外婆")
    assert "报名课程成功" in grandmother.says("报名课程")
    return grandmother


def right(services: Services, number: int) -> str:
    return "".join(services.library.course.lessons[number - 1].right)


def wrong(services: Services, number: int) -> str:
    return right(services, number).translate(str.maketrans("ABC", "BCA"))


@contextmanager
def counted(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that run inside, prepared ones and others."""
    seen: list[str] = []
    run = Prepared._run

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    def note_prepared(prepared: Prepared, *given: Any) -> Any:
        compiled, rows, count = run(prepared, *given)
        seen.append(compiled.sql)
        return compiled, rows, count

    event.listen(services.database.engine, "before_cursor_execute", note)
    monkeypatch.setattr(Prepared, "_run", note_prepared)
    yield seen
    monkeypatch.setattr(Prepared, "_run", run)
    event.remove(services.database.engine, "before_cursor_execute", note)


def pass_lesson(learner: Person, services: Services, number: int) -> str:
    learner.says("下一课")
    return learner.says(f"答 {right(services, number)}")


def test_a_lesson_is_one_message_with_its_idea_its_practice_and_its_quiz(
    learner: Person, services: Services
) -> None:
    for number, lesson in enumerate(services.library.course.lessons, 1):
        shown = learner.says(f"重学 {number}")
        for part in (lesson.message, *lesson.points, lesson.practice, lesson.habit):
            assert part in shown
        for question in lesson.quiz:
            assert question.text in shown
            assert all(choice in shown for choice in question.choices)
        assert f"/family/course/{lesson.id}" in shown


@pytest.mark.parametrize(
    "form", ["{0}{1}{2}", "答{0}{1}{2}", "答 {0} {1} {2}", "答案：{0}、{1}、{2}"]
)
def test_letters_are_taken_however_they_are_written(
    learner: Person, services: Services, form: str
) -> None:
    letters = right(services, 1)
    learner.says("下一课")
    assert "第1课过了" in learner.says(form.format(*letters.lower()))
    learner.says("下一课")
    numerals = right(services, 2).translate(str.maketrans("ABC", "一二三"))
    assert "第2课过了" in learner.says(form.format(*numerals))


def test_letters_may_come_one_at_a_time(learner: Person, services: Services) -> None:
    lesson = services.library.course.lessons[0]
    first, second, third = list(right(services, 1))
    learner.says("下一课")
    asked = learner.says(first)
    assert f"第1题{first}，记下了" in asked
    assert lesson.quiz[1].text in asked
    assert lesson.quiz[2].text in learner.says(second.lower())
    assert "第1课过了" in learner.says(third)


def test_letters_given_so_far_outlast_another_question(learner: Person, services: Services) -> None:
    first, second, third = list(right(services, 1))
    learner.says("下一课")
    learner.says(first)
    learner.says("课程进度")
    assert "第2题" in learner.says(f"答 {second}")
    assert "第1课过了" in learner.says(f"答 {third}")


@pytest.mark.parametrize("between", ["打卡 今天试过了", "课程进度", "活动", "我的预约", "证书"])
def test_letters_are_taken_whatever_came_between(
    learner: Person, services: Services, publish: Publisher, between: str
) -> None:
    publish("CQ-1")
    wide, numerals = str.maketrans("ABC", "ＡＢＣ"), str.maketrans("ABC", "一二三")
    letters = [right(services, number) for number in range(1, 5)]
    written = (
        [" ".join(letters[0].translate(wide))],
        ["、".join(letters[1].lower())],
        [letters[2].translate(numerals)],
        list(letters[3].lower()),
    )
    for number, answers in enumerate(written, 1):
        learner.says("下一课")
        learner.says(between)
        said = [learner.says(one) for one in answers]
        assert f"第{number}课过了" in said[-1]
        assert all("记下了" in one for one in said[:-1])


def test_a_lone_number_after_a_list_chooses_from_the_list(
    learner: Person, services: Services, publish: Publisher
) -> None:
    publish("CQ-1")
    learner.says("下一课")
    learner.says("活动")
    assert "报名成功" in learner.says("一")
    learner.says("活动")
    assert "第1题" not in learner.says("3")


def test_letters_without_an_open_lesson_are_no_answers(learner: Person, registered: Person) -> None:
    for person in (learner, registered):
        assert "记下了" not in person.says("b")


def test_a_letter_to_a_teacher_is_the_teachers_and_three_are_the_quizs(
    learner: Person, services: Services
) -> None:
    learner.says("下一课")
    learner.says("我的预约")
    learner.says("人工")
    assert "第1题" not in learner.says("b")
    assert "第1课过了" in learner.says(" ".join(right(services, 1)))


def test_a_single_answer_can_be_put_right_by_its_number(
    learner: Person, services: Services
) -> None:
    letters = right(services, 1)
    learner.says("下一课")
    learner.says(wrong(services, 1)[0])
    assert f"第1题{letters[0]}，记下了" in learner.says(f"第一题{letters[0]}")
    assert "三题全对" in learner.says(f"2{letters[1]} 3{letters[2]}")


def test_two_of_three_pass_and_one_does_not_and_nobody_is_blamed(
    learner: Person, services: Services
) -> None:
    lesson = services.library.course.lessons[0]
    good, bad = right(services, 1), wrong(services, 1)
    learner.says("下一课")
    for failed in (bad, good[0] + bad[1:]):
        answer = learner.says(f"答 {failed}")
        assert "过了" not in answer
        assert "不要紧" in answer or "很平常" in answer
        assert all(question.explanation in answer for question in lesson.quiz)
        assert not any(word in answer for word in ("错", "失败", "不及格", "笨"))
    assert "3题对了2题，第1课过了" in learner.says(f"答 {bad[0]}{good[1:]}")


def test_answers_before_any_lesson_get_the_next_step(learner: Person) -> None:
    answer = learner.says("答 ABA")
    assert "还没有打开哪一课" in answer
    assert "下一课" in answer


def test_answers_to_a_lesson_that_is_passed_get_the_next_step(
    learner: Person, services: Services
) -> None:
    pass_lesson(learner, services, 1)
    answer = learner.says(f"答 {right(services, 1)}")
    assert "已经过了" in answer
    assert "下一课" in answer
    assert "1/22课" in learner.says("课程进度")


@pytest.mark.parametrize(
    "form", ["下一课", "答 ABA", "打卡 试过了", "课程进度", "重学 3", "证书", "退出课程"]
)
def test_who_has_not_enrolled_is_told_how(registered: Person, form: str) -> None:
    assert "报名课程" in registered.says(form)


@pytest.mark.parametrize("form", ["报名课程", "下一课", "课程"])
def test_who_has_not_registered_is_told_how(mother: Person, form: str) -> None:
    mother.follows()
    answer = mother.says(form)
    assert "登记" in answer or "报名课程" in answer


@pytest.mark.parametrize("form", ["重学", "重学 99", "重学 0", "重学 那个讲吃饭的"])
def test_a_lesson_that_is_none_is_asked_for_again(learner: Person, form: str) -> None:
    assert "重学 5" in learner.says(form)


@pytest.mark.parametrize("form", ["重学 5", "重学5", "重学第五课", "重学 会抚爱"])
def test_learning_again_takes_nothing_away(learner: Person, services: Services, form: str) -> None:
    pass_lesson(learner, services, 1)
    assert "第5课" in learner.says(form)
    learner.says("重学 1")
    assert "过了" not in learner.says(f"答 {wrong(services, 1)}")
    assert "1/22课" in learner.says("课程进度")


@pytest.mark.parametrize(
    "telling",
    [
        lambda p: p.says("打卡 今天小床清空了"),
        lambda p: p.says("打卡今天小床清空了"),
        lambda p: (p.says("打卡"), p.says("今天小床清空了"))[1],
        lambda p: (p.says("打卡"), p.sends(Kind.IMAGE, window=Window.WRITE))[1],
        lambda p: (p.says("打卡"), p.sends(Kind.VOICE, window=Window.WRITE))[1],
        lambda p: p.sends(Kind.VOICE, text="打卡，今天小床清空了。", window=Window.WRITE),
    ],
    ids=["text", "glued", "asked", "picture", "voice without words", "voice"],
)
def test_practice_is_told_in_words_by_voice_or_with_a_picture(
    learner: Person, telling: Callable[[Person], str]
) -> None:
    learner.says("下一课")
    answer = telling(learner)
    assert "打卡" in answer
    assert "会照料" in answer
    assert "已打卡" in learner.says("课程进度")


def test_voice_without_words_in_a_quiz_is_acknowledged_and_the_quiz_goes_on(
    learner: Person, services: Services
) -> None:
    learner.says("下一课")
    assert "语音收到了" in learner.sends(Kind.VOICE, window=Window.WRITE)
    assert "第1课过了" in learner.says(right(services, 1))


def test_an_emergency_goes_before_the_quiz(learner: Person, services: Services) -> None:
    learner.says("下一课")
    assert "120" in learner.says("孩子抽搐了叫不醒")
    assert "第1课过了" in learner.says(f"答 {right(services, 1)}")


def test_who_leaves_and_comes_back_goes_on_where_they_were(
    learner: Person, services: Services
) -> None:
    pass_lesson(learner, services, 1)
    assert "学过的1课给您留着" in learner.says("退出课程")
    assert "报名课程" in learner.says("下一课")
    assert "以前学过的1课都还在" in learner.says("报名课程")
    assert "第2课" in learner.says("下一课")


def test_who_is_through_and_has_left_still_has_the_certificate(
    learner: Person, services: Services
) -> None:
    for number, lesson in enumerate(services.library.course.lessons, 1):
        pass_lesson(learner, services, number)
        if lesson is services.library.course.of_module(lesson.module)[-1]:
            learner.says("打卡 试过了")
    assert "看您的结业证书，回复「证书」" in learner.says("退出课程")
    assert "「证书」" in learner.says("课程")
    assert "您的结业证书" in learner.says("证书")
    learner.says("证书姓名 王秀英")
    assert "写好了" in learner.says("对")
    assert "报名课程" in learner.says("下一课")


def test_enrolling_twice_changes_nothing(learner: Person) -> None:
    assert "已经报名课程了" in learner.says("报名课程")


def test_mother_and_grandmother_learn_apart(
    learner: Person, registered: Person, services: Services
) -> None:
    assert "报名课程成功" in registered.says("报名课程")
    pass_lesson(learner, services, 1)
    assert "0/22课" in registered.says("课程进度")
    assert "1/22课" in learner.says("课程进度")


def test_the_family_hears_of_a_grandmothers_module_and_not_of_a_mothers(
    learner: Person, registered: Person, services: Services
) -> None:
    registered.says("报名课程")
    for person in (learner, registered):
        for number in range(1, 5):
            pass_lesson(person, services, number)
        assert "「会照料」这一瓣开了" in person.says("打卡 试过了")
    assert told(services, "course_module_passed") == [
        "报个喜：家里的奶奶（外婆）学完了「会照料」，七会已经学完1会。\n"
        "回家说一声“辛苦了”，老人家会很高兴。\n您也想学，回复「报名课程」。"
    ]


def test_a_new_wechat_goes_on_where_the_old_one_was(
    learner: Person, person: Callable[[str], Person], services: Services
) -> None:
    pass_lesson(learner, services, 1)
    code = re.search(r"加入 ([A-Z0-9]{8})", learner.says("邀请"))
    assert code is not None
    new = person("o-grandmother-anew")
    new.follows()
    new.says(f"加入 {code[1]}")
    new.says("外婆")
    assert "换了微信" in new.says("报名课程")
    assert "学过1课" in new.says("换了微信")
    assert "以前学过的1课都在" in new.says("是")
    assert "第2课" in new.says("下一课")
    assert "报名课程" in learner.says("下一课")


def test_nobody_takes_over_who_still_learns(
    learner: Person, registered: Person, person: Callable[[str], Person], services: Services
) -> None:
    pass_lesson(learner, services, 1)
    code = re.search(r"加入 ([A-Z0-9]{8})", registered.says("邀请"))
    assert code is not None
    father = person("o-father")
    father.follows()
    father.says(f"加入 {code[1]}")
    father.says("爸爸")
    assert "没有找到" in father.says("换了微信")


def test_a_grandmother_who_unfollowed_is_found_again(
    learner: Person, registered: Person, services: Services, person: Callable[[str], Person]
) -> None:
    pass_lesson(learner, services, 1)
    learner.sends(Kind.UNSUBSCRIBE)
    code = re.search(r"加入 ([A-Z0-9]{8})", registered.says("邀请"))
    assert code is not None
    learner.follows()
    learner.says(f"加入 {code[1]}")
    learner.says("外婆")
    learner.says("报名课程")
    learner.says("换了微信")
    assert "以前学过的1课都在" in learner.says("是的")


def test_a_name_is_asked_twice_and_written_once(learner: Person, services: Services) -> None:
    learner.says("证书姓名 王秀音")
    assert "证书姓名" in learner.says("不对")
    assert "「王秀英」" in learner.says("王秀英")
    assert "写好了：「王秀英」" in learner.says("对的")
    assert "人工" in learner.says("证书姓名 李四")


def test_what_is_not_for_the_course_is_answered_by_whom_it_is_for(
    learner: Person, services: Services
) -> None:
    learner.says("下一课")
    assert "没有约活动" in learner.says("我的预约")
    assert "第1课过了" in learner.says(f"答 {right(services, 1)}")


def test_a_lesson_turn_costs_no_more_than_other_reading_turns(
    learner: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner.says("下一课")
    with counted(services, monkeypatch) as bookings:
        learner.says("我的预约")
    with counted(services, monkeypatch) as again:
        learner.says("下一课")
    pass_lesson(learner, services, 1)
    with counted(services, monkeypatch) as first:
        learner.says("下一课")
    assert len(again) <= len(bookings)
    # The lesson that now lies open is written down: one statement more, and its BEGIN.
    assert len(first) <= len(again) + 2
    assert sum(one.startswith("UPDATE") for one in first) == 1


def test_progress_costs_one_statement_more_than_other_reading_turns(
    learner: Person, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    pass_lesson(learner, services, 1)
    learner.says("课程进度")
    with counted(services, monkeypatch) as bookings:
        learner.says("我的预约")
    with counted(services, monkeypatch) as progress:
        learner.says("课程进度")
    assert len(progress) <= len(bookings) + 1
