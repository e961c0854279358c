"""The seven-skills course in the chat: from 报名课程 to the certificate, and what goes wrong."""

import re

import pytest

from app.wiring import Services
from tests.conversations.conftest import Person


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


def test_a_grandmother_goes_from_enrolling_to_the_certificate(
    learner: Person, services: Services
) -> None:
    course = services.library.course
    for number, lesson in enumerate(course.lessons, 1):
        shown = learner.says("下一课")
        assert f"第{number}课 {lesson.title}" in shown
        answer = learner.says(f"答 {right(services, number)}")
        assert f"第{number}课过了" in answer
        if lesson is course.of_module(lesson.module)[-1]:
            answer = learner.says("打卡 今天试过了，孩子很开心")
            assert f"「{course.module(lesson.module).name}」这一瓣开了" in answer
    assert "结业" in answer
    code = re.search(r"证书编号：([0-9A-Z-]{14})", answer)
    assert code is not None
    assert "王秀英" in learner.says("我叫王秀英")
    assert "写好了" in learner.says("对")
    assert code[1] in learner.says("课程进度")
