"""The course in the console: who learns and who is stuck, paper lists, hard questions, revoking."""

import csv
import io
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.console.course import read_paper
from app.db import Database
from app.models import AuditEntry, Caregiver, Certificate, Child, Learner, Notice
from app.services import course
from content.lessons import Course
from content.library import load_library
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_child


@pytest.fixture(scope="module")
def syllabus() -> Course:
    return load_library().course


@pytest.fixture
def stuck(database: Database, desk: Desk, now: datetime, syllabus: Course) -> int:
    """A grandmother of the station who failed her first quiz nine days ago."""
    at = now - timedelta(days=9)
    with database.transaction() as db:
        graduate = db.get_one(Learner, desk.learner_id)
        child = make_child(db, "小豆子", at, station=graduate.family.station)
        child.family.caregivers[0].relation = "grandmother"
        learner = course.enrol(db, syllabus, child.family.caregivers[0], at).learner
        lesson = course.open_next(db, syllabus, learner)
        assert lesson is not None
        letters = "".join(lesson.right).translate(str.maketrans("ABC", "BCA"))
        given = dict(enumerate(letters, 1))
        course.answer(db, course=syllabus, learner=learner, given=given, now=at)
        return learner.id


def test_staff_see_who_learns_and_who_is_stuck_where(browse: Browse, stuck: int) -> None:
    browser = browse("wang")
    page = text_of(browser.get("/console/course"))
    assert "小豆子的奶奶或外婆" in page
    assert "糖糖的妈妈" in page
    assert "1位一周没动" in page
    waiting = text_of(browser.get("/console/course?state=stuck&module=1"))
    assert "小豆子" in waiting
    assert "糖糖" not in waiting
    assert "小豆子" in text_of(browser.get("/console/course?q=xiaodou"))
    assert "小豆子" not in text_of(browse("li").get("/console/course"))


def test_the_list_is_exported_as_it_is_shown(browse: Browse, stuck: int) -> None:
    answer = browse("wang").get("/console/course?state=stuck&file=csv")
    header, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert header[:3] == ["学员", "姓名", "状态"]
    assert [row[0] for row in rows] == ["小豆子的奶奶或外婆"]


def test_stations_stand_side_by_side(browse: Browse, stuck: int) -> None:
    header, row = csv.reader(
        io.StringIO(
            browse("district").get("/console/course/stations?file=csv").data.decode("utf-8-sig")
        )
    )
    found = dict(zip(header, row, strict=True))
    assert found["站点"] == "城桥镇早教指导站"
    assert [found[name] for name in ("报名", "会照料", "一周没动", "结业")] == ["2", "1", "1", "1"]


def test_the_hardest_question_comes_first_by_first_answers(
    browse: Browse, stuck: int, database: Database, syllabus: Course, now: datetime
) -> None:
    with database.transaction() as db:
        learner = db.get_one(Learner, stuck)
        # The second answers, after the explanation, say nothing of how hard it is.
        given = dict(enumerate(syllabus.lessons[0].right, 1))
        course.answer(db, course=syllabus, learner=learner, given=given, now=now)
    page = browse("wang").get("/console/course/questions?file=csv").data.decode("utf-8-sig")
    header, *rows = csv.reader(io.StringIO(page))
    assert len(rows) == 3
    found = dict(zip(header, rows[0], strict=True))
    assert (found["答过的人"], found["头一回答错"], found["答错的占"]) == ("1", "1", "100%")


def test_a_learner_has_a_page_of_answers_and_practice(browse: Browse, stuck: int) -> None:
    page = text_of(browse("wang").get(f"/console/course/learners/{stuck}"))
    assert "一周没动" in page
    assert "对0题" in page
    assert browse("li").get(f"/console/course/learners/{stuck}").status_code == 404


def test_a_certificate_is_revoked_with_a_reason_and_restored(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("wang")
    page = f"/console/course/learners/{desk.learner_id}"
    address = f"/console/course/certificates/{desk.certificate_id}"
    send(browser, f"{address}/revoke", page=page, reason="  ")
    assert "请写一句原因" in text_of(browser.get(page))
    send(browser, f"{address}/revoke", page=page, reason="发错了人")
    assert "已作废" in text_of(browser.get(page))
    send(browser, f"{address}/revoke", page=page, reason="再点一次")
    assert "已经有人办过了" in text_of(browser.get(page))
    with database.reading() as db:
        certificate = db.get_one(Certificate, desk.certificate_id)
        assert certificate.revoked_reason == "发错了人"
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "revoke")).one()
        assert entry.reason == "发错了人"
    send(browser, f"{address}/restore", page=page, reason="看错了")
    assert "恢复有效了" in text_of(browser.get(page))
    with database.reading() as db:
        kinds = db.scalars(select(Notice.kind).order_by(Notice.id)).all()
        assert list(kinds)[-2:] == ["certificate_revoked", "certificate_restored"]
        assert db.get_one(Certificate, desk.certificate_id).revoked_at is None


def test_staff_correct_a_name(browse: Browse, desk: Desk, database: Database) -> None:
    browser = browse("wang")
    page = f"/console/course/learners/{desk.learner_id}"
    send(browser, f"{page}/name", page=page, name="<b>")
    assert "不像姓名" in text_of(browser.get(page))
    send(browser, f"{page}/name", page=page, name="王秀音")
    with database.reading() as db:
        assert db.get_one(Certificate, desk.certificate_id).name == "王秀音"


@pytest.fixture
def born(database: Database, desk: Desk) -> date:
    with database.reading() as db:
        child = db.scalars(select(Child).where(Child.family_id == desk.family_id)).one()
        assert child.birth_date is not None
        return child.birth_date


def test_a_paper_list_is_taken_whole_or_not_at_all(
    browse: Browse, desk: Desk, database: Database, born: date
) -> None:
    browser = browse("wang")
    typed = f"糖糖 {born} 外婆 李桂芳\n没有 {born} 奶奶\n糖糖 昨天 隔壁 李桂芳\n糖糖"
    refused = send(browser, "/console/course/enrol", list=typed)
    assert refused.status_code == 422
    page = text_of(refused)
    for fault in ("第3行", "第4行", "李桂芳"):
        assert fault in page
    refused = send(browser, "/console/course/enrol", list="\n".join(typed.splitlines()[:2]))
    assert "第2行" in text_of(refused)
    assert "没有这天生的这个宝宝" in text_of(refused)
    with database.reading() as db:
        assert len(db.scalars(select(Learner)).all()) == 1

    good = f"糖糖\t{born}\t外婆\t李桂芳\n糖糖，{born:%Y.%m.%d}，妈妈"
    assert send(browser, "/console/course/enrol", list=good).status_code == 302
    assert "报名了1位；1位早就在学，没有动。" in text_of(browser.get("/console/course"))
    with database.reading() as db:
        learner = db.scalars(select(Learner).order_by(Learner.id.desc())).first()
        assert learner is not None
        assert (learner.relation, learner.name, learner.caregiver_id) == (
            "grandmother",
            "李桂芳",
            None,
        )


def test_who_has_a_wechat_is_told_of_the_enrolment(
    browse: Browse, desk: Desk, database: Database, born: date, now: datetime
) -> None:
    with database.transaction() as db:
        db.add(
            Caregiver(
                openid="o-granny",
                family_id=desk.family_id,
                relation="grandmother",
                is_following=True,
                created_at=now,
            )
        )
    browser = browse("wang")
    send(browser, "/console/course/enrol", list=f"糖糖 {born} 奶奶 李桂芳")
    send(browser, "/console/course/enrol", list=f"糖糖 {born} 奶奶 李桂芳")
    with database.reading() as db:
        (notice,) = db.scalars(select(Notice).where(Notice.kind == "course_enrolled"))
        assert notice.caregiver.openid == "o-granny"


def test_two_grandmothers_of_one_child_are_two_learners(
    browse: Browse, desk: Desk, database: Database, born: date, now: datetime
) -> None:
    with database.transaction() as db:
        granny = Caregiver(
            openid="o-granny",
            family_id=desk.family_id,
            relation="grandmother",
            is_following=True,
            created_at=now,
        )
        db.add(granny)
        db.flush()
        course.enrol(db, load_library().course, granny, now)
    browser = browse("wang")
    both = f"糖糖 {born} 奶奶 李桂芳\n糖糖 {born} 外婆 王秀英\n糖糖 {born} 奶奶 李桂芳"
    send(browser, "/console/course/enrol", list=both)
    page = text_of(browser.get("/console/course"))
    assert "报名了1位；2位早就在学，没有动。" in page
    assert "第1行：家里有一位同辈在学，还没写姓名，当成同一位了" in page
    for again in (both, "\n".join(reversed(both.splitlines()))):
        send(browser, "/console/course/enrol", list=again)
        assert "报名了0位；3位早就在学" in text_of(browser.get("/console/course"))
    with database.reading() as db:
        kin = db.scalars(
            select(Learner).where(Learner.relation == "grandmother").order_by(Learner.id)
        ).all()
        assert [(one.name, one.caregiver_id is None) for one in kin] == [
            (None, False),
            ("王秀英", True),
        ]


def test_two_grandmothers_without_names_are_told_apart_first(
    browse: Browse, desk: Desk, database: Database, born: date
) -> None:
    typed = f"糖糖 {born} 奶奶\n糖糖 {born} 外婆 王秀英\n糖糖 {born} 外公"
    refused = send(browse("wang"), "/console/course/enrol", list=typed)
    page = text_of(refused)
    assert "第1行" in page
    assert "都写上姓名" in page
    assert "第3行" not in page
    with database.reading() as db:
        assert len(db.scalars(select(Learner)).all()) == 1


def test_who_left_the_course_is_not_said_to_learn_and_not_enrolled_by_others(
    browse: Browse, desk: Desk, database: Database, born: date, now: datetime
) -> None:
    with database.transaction() as db:
        db.get_one(Learner, desk.learner_id).left_at = now
    browser = browse("wang")
    send(browser, "/console/course/enrol", list=f"糖糖 {born} 妈妈")
    page = text_of(browser.get("/console/course"))
    assert "1位自己退出过" in page
    assert "早就在学" not in page
    with database.reading() as db:
        assert db.get_one(Learner, desk.learner_id).left_at is not None


def test_another_stations_child_is_not_found_on_a_paper_list(browse: Browse, born: date) -> None:
    refused = send(browse("li"), "/console/course/enrol", list=f"糖糖 {born} 奶奶")
    assert "没有这天生的这个宝宝" in text_of(refused)


def test_a_learner_is_moved_to_another_wechat_of_the_family(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        new = Caregiver(openid="o-new", family_id=desk.family_id, is_following=True, created_at=now)
        db.add(new)
        db.flush()
        caregiver_id = new.id
    browser = browse("wang")
    page = f"/console/course/learners/{desk.learner_id}"
    send(browser, f"{page}/move", page=page, caregiver=str(caregiver_id))
    assert "接上了" in text_of(browser.get(page))
    with database.reading() as db:
        assert db.get_one(Learner, desk.learner_id).caregiver_id == caregiver_id


def test_a_list_that_is_too_long_is_refused_at_its_line() -> None:
    rows, faults = read_paper("糖糖 2026-05-01 外婆\n" * 201, date(2026, 11, 22))
    assert rows == []
    assert [(one.line, one.reason) for one in faults] == [(201, "too_many_people")]


def test_an_empty_list_says_so(browse: Browse, app: Flask) -> None:
    assert "名单还是空的" in text_of(send(browse("wang"), "/console/course/enrol", list="\n \n"))
