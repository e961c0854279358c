"""The course as pages: petals, lessons, quizzes, practice, the certificate and its public check."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from app.models import GuidanceSession, SignUp
from app.rules.sign_up import SignUpState
from app.services import registration
from app.wiring import Services
from content.lessons import Lesson
from tests.conversations.conftest import Person, Publisher
from tests.family.conftest import MovedClock, Phone


@pytest.fixture
def phone(registered: Person, open_as: Callable[[str], Phone]) -> Phone:
    return open_as("o-mother")


@pytest.fixture
def learner(phone: Phone) -> Phone:
    assert "报名成功" in phone.posts("course/enrol")
    return phone


def hands_in(
    phone: Phone, lesson: Lesson, letters: str = "", *, quiz: str = "", status: int = 200
) -> str:
    """The page after the quiz was sent; the right letters where none are given."""
    given: dict[str, object] = {
        f"answer-{number}": letter
        for number, letter in enumerate(letters or lesson.right, 1)
        if letter != "-"
    }
    quiz = quiz or lesson.quiz_key
    return phone.posts(f"course/{lesson.id}", status, **{**given, "quiz": quiz})


def test_who_has_not_enrolled_sees_what_the_course_is(phone: Phone, services: Services) -> None:
    page = phone.opens("course")
    assert "不要钱" in page
    for module in services.library.course.modules:
        assert module.name in page


def test_a_lesson_can_be_read_before_enrolling_but_not_answered(
    phone: Phone, services: Services
) -> None:
    lesson = services.library.course.lessons[0]
    page = phone.opens(f"course/{lesson.id}")
    assert lesson.habit in page
    assert "报名课程" in page
    assert lesson.quiz[0].text not in page
    refused = hands_in(phone, lesson, status=409)
    assert "还没有报名" in refused


def test_the_whole_course_on_the_pages_ends_in_a_certificate_that_anybody_checks(
    learner: Phone, services: Services, app: Flask
) -> None:
    course = services.library.course
    for lesson in course.lessons:
        assert f"下一课：{lesson.title}" in learner.opens("course")
        page = learner.opens(f"course/{lesson.id}")
        for shown in (lesson.title, lesson.message, *lesson.points, lesson.practice):
            assert shown in page
        marked = hands_in(learner, lesson)
        assert "三题全对，这一课过了" in marked
        assert lesson.quiz[0].explanation in marked
    for module in course.modules:
        page = learner.posts("course/practice", module=module.number, note="试过了")
        assert f"「{module.name}」这一瓣开了" in page
    assert "七会完成7会" in page
    certificate = learner.opens("course/certificate")
    code = re.search(r"编号 ([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})", certificate)
    assert code is not None
    picture = learner.client.get("/family/course/certificate.png")
    assert picture.mimetype == "image/png"
    assert picture.get_data().startswith(b"\x89PNG")

    assert "王秀英" in learner.posts("course/certificate/name", name="王秀英")
    anybody = app.test_client()
    page = anybody.get(f"/certificates/{code[1]}").get_data(as_text=True)
    assert "证书有效" in page
    assert "王*英" in page
    assert "王秀英" not in page
    for secret in ("糖糖", "o-mother", "城桥"):
        assert secret not in page
    typed = anybody.get(f"/certificates/?code={code[1].lower().replace('-', '')}")
    assert "证书有效" in typed.get_data(as_text=True)


def test_who_practised_first_sees_the_certificate_after_the_last_quiz(
    learner: Phone, services: Services
) -> None:
    course = services.library.course
    for module in course.modules:
        learner.posts("course/practice", module=module.number, note="试过了")
    for lesson in course.lessons[:-1]:
        assert "三题全对" in hands_in(learner, lesson)
    page = hands_in(learner, course.lessons[-1])
    assert "七会完成7会" in page
    assert "course/certificate" in page


def test_a_number_that_nobody_has_is_not_found(app: Flask) -> None:
    anybody = app.test_client()
    for code in ("AAAA-BBBB-CCCC", "x" * 300, "%00", "../../console", "'--"):
        assert anybody.get(f"/certificates/{code}").status_code in (308, 404)
    assert anybody.get("/certificates/").status_code == 200


def test_a_quiz_that_is_answered_in_part_keeps_what_was_chosen(
    learner: Phone, services: Services
) -> None:
    lesson = services.library.course.lessons[0]
    page = hands_in(learner, lesson, "-B-")
    assert "还有2道题没选" in page
    assert page.count(" checked") == 1
    assert "还没有选答案" in learner.posts(f"course/{lesson.id}", quiz=lesson.quiz_key)


def test_wrong_answers_are_explained_and_may_be_given_again(
    learner: Phone, services: Services
) -> None:
    lesson = services.library.course.lessons[0]
    wrong = "".join(lesson.right).translate(str.maketrans("ABC", "BCA"))
    page = hands_in(learner, lesson, wrong)
    assert "再答一次" in page
    assert "过了" not in page
    assert all(question.explanation in page for question in lesson.quiz)
    assert "这一课过了" in hands_in(learner, lesson)


def test_an_old_page_of_a_quiz_that_was_edited_is_shown_the_new_one(
    learner: Phone, services: Services
) -> None:
    lesson = services.library.course.lessons[0]
    page = hands_in(learner, lesson, quiz="an older one")
    assert "题目换了" in page
    assert "学过0/22课" in learner.opens("course")


def test_the_practice_is_offered_where_the_lesson_asks_for_it(
    learner: Phone, services: Services
) -> None:
    lesson = services.library.course.lessons[0]
    page = learner.opens(f"course/{lesson.id}")
    assert "试过了，打卡" in page
    page = learner.posts("course/practice", module=1, lesson=lesson.id, note="试过了")
    assert "打卡成功" in page
    assert "已打卡" in page
    assert lesson.message in page, "back where it was asked"


def test_a_class_shows_on_the_page_without_a_step_in_the_chat(
    learner: Phone, services: Services, publish: Publisher, clock: MovedClock
) -> None:
    publish("ZB-1", days=1)
    with services.database.transaction() as db:
        session = db.scalars(select(GuidanceSession)).one()
        session.kind = "祖辈课堂"
        mother = registration.find_caregiver(db, "o-mother")
        assert mother is not None
        assert mother.family is not None
        db.add(
            SignUp(
                session_id=session.id,
                child_id=mother.family.children[0].id,
                family_id=mother.family.id,
                caregiver_id=mother.id,
                state=SignUpState.ATTENDED,
                is_walk_in=True,
                requested_at=clock(),
                decided_at=clock(),
            )
        )
    clock.moves(days=2)
    assert "已打卡" in learner.opens("course")


def test_who_is_through_and_has_left_finds_the_certificate_on_the_page(
    learner: Phone, services: Services
) -> None:
    for lesson in services.library.course.lessons:
        hands_in(learner, lesson)
    for module in services.library.course.modules:
        learner.posts("course/practice", module=module.number)
    assert "看结业证书" in learner.posts("course/leave")
    assert "编号" in learner.opens("course/certificate")
    assert learner.client.get("/family/course/certificate.png").mimetype == "image/png"
    assert "王秀英" in learner.posts("course/certificate/name", name="王秀英")


def test_a_lesson_that_is_none_is_not_found(learner: Phone) -> None:
    for path in ("course/nothing", "course/nothing/marked", "course/certificate.png"):
        assert learner.client.get(f"/family/{path}").status_code == 404


def test_leaving_and_coming_back_keeps_what_was_passed(learner: Phone, services: Services) -> None:
    lesson = services.library.course.lessons[0]
    hands_in(learner, lesson)
    assert "先停下" in learner.posts("course/leave")
    assert "以前学过的1课都还在" in learner.opens("course")
    assert "以前学过的1课都在" in learner.posts("course/enrol")
    assert "学过1/22课" in learner.opens("course")
