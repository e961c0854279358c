"""Home visits in the chat: asked for, chosen, answered, cancelled."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.models import HomeVisit, Notice, SpecialNeed, Staff, VisitDue, VisitorLeave
from app.services import losses, visit_decisions, visit_proposals
from app.services.audit import SYSTEM
from app.services.doctor import examine
from app.services.home_visits import Choice
from app.wiring import Services
from tests.conversations.conftest import Clock, Person
from tests.visiting import add_staff, add_visitors, get_visitor, only_visit, visitor_line

# The clock of these tests stands at Sunday, 22 November 2026, 10:00.
THURSDAY = datetime(2026, 11, 26, 9, 0, tzinfo=SHANGHAI)


@pytest.fixture
def visitors(services: Services, clock: Clock, station: str) -> None:
    with services.database.transaction() as db:
        add_visitors(db, clock(), visitor_line())


@pytest.fixture
def newborn(mother: Person, visitors: None) -> Person:
    """A mother of 糖糖, born four days ago."""
    mother.follows()
    mother.says("登记 糖糖 2026-11-18 女 城桥镇")
    assert "登记成功" in mother.says("同意")
    mother.says("需要")
    return mother


@pytest.fixture
def teacher(services: Services, clock: Clock, station: str) -> Staff:
    with services.database.transaction() as db:
        return add_staff(db, "wang", clock())


@pytest.fixture(autouse=True)
def doctor_is_content(services: Services, clock: Clock) -> Iterator[None]:
    """After every conversation here the stored data is as it should be."""
    yield
    with services.database.reading() as db:
        report = examine(db, cipher=services.cipher, now=clock())
    assert {check.name: check.broken for check in report.checks if not check.ok} == {}


def told(services: Services, kind: str) -> int:
    with services.database.reading() as db:
        return len(db.scalars(select(Notice).where(Notice.kind == kind)).all())


def test_one_line_asks_for_a_visit(newborn: Person, services: Services) -> None:
    answer = newborn.says("上门 2026-11-26 上午")
    assert "上门申请已提交" in answer
    with services.database.reading() as db:
        visit = only_visit(db)
        assert (visit.state, visit.starts_at) == ("requested", THURSDAY)


@pytest.mark.parametrize(
    "said", ["上门 下周四下午", "上门 11月26号 下午", "上门11月26日下午", "下周四下午能上门吗"]
)
def test_the_day_is_said_as_people_say_it(newborn: Person, said: str) -> None:
    assert "上门申请已提交" in newborn.says(said)


def test_step_by_step_a_number_chooses(newborn: Person, services: Services) -> None:
    offered = newborn.says("上门")
    assert "1. 11月23日（周一）上午（还能约2家）" in offered
    assert "上门申请已提交" in newborn.says("2")
    with services.database.reading() as db:
        assert only_visit(db).starts_at == datetime(2026, 11, 23, 12, 0, tzinfo=SHANGHAI)


def test_a_day_without_its_half_is_asked_back(newborn: Person) -> None:
    assert "上午还是下午" in newborn.says("上门 11月26日")
    assert "上门申请已提交" in newborn.says("下午吧")


def test_where_to_come_is_asked_and_may_be_passed_over(newborn: Person) -> None:
    assert "门牌和电话" in newborn.says("上门 11月26日 上午")
    assert "记下了住址和电话" in newborn.says("育麟路18号301室 13800001234")
    newborn.says("取消上门")
    assert "门牌" not in newborn.says("上门 11月27日 上午"), "known already"


def test_the_question_for_the_address_lets_everything_else_through(newborn: Person) -> None:
    newborn.says("上门 11月26日 上午")
    assert "老师会另外问您" in newborn.says("跳过")
    newborn.says("取消上门")
    newborn.says("上门 11月26日 上午")
    assert "上门指导" in newborn.says("我的预约")


def test_a_full_half_day_says_so_and_offers_the_nearest(
    newborn: Person, person: Callable[[str], Person]
) -> None:
    for number in (1, 2):
        other = person(f"o-{number}")
        other.follows()
        other.says("登记 果果 2026-11-17 城桥镇")
        other.says("同意")
        assert "上门申请已提交" in other.says("上门 11月26日 上午")
    answer = newborn.says("上门 11月26日 上午")
    assert "该时段已满" in answer
    assert "11月26日（周四）下午" in answer
    assert "上门申请已提交" in newborn.says("上门 11月26日 下午")


def test_a_past_day_a_weekend_and_a_far_day_say_why(newborn: Person) -> None:
    assert "已经过去" in newborn.says("上门 2026-11-20 上午")
    weekend = newborn.says("上门 11月28日 上午")
    assert "老师不上门" in weekend
    assert "11月27日（周五）上午" in weekend
    assert "太远" in newborn.says("上门 2027-06-01 上午")


def test_a_holiday_is_named(newborn: Person, clock: Clock) -> None:
    clock.at = datetime(2026, 9, 25, 10, 0, tzinfo=SHANGHAI)
    newborn.says("修改 生日 2026-09-20")
    assert "是国庆节，老师不上门" in newborn.says("上门 10月1日 上午")


def test_a_child_of_the_year_before_is_too_old(mother: Person, visitors: None) -> None:
    mother.follows()
    mother.says("登记 大宝 2025-05-01 城桥镇")
    mother.says("同意")
    answer = mother.says("上门 11月26日 上午")
    assert "不符合上门条件" in answer
    assert "特殊需求" in answer


def test_special_needs_open_the_door_at_any_age_under_three(
    mother: Person, visitors: None, services: Services
) -> None:
    mother.follows()
    mother.says("登记 大宝 2024-05-01 城桥镇")
    mother.says("同意")
    assert "只给经办的老师看" in mother.says("特殊需求 听力")
    assert "上门申请已提交" in mother.says("上门 11月26日 上午")


def test_special_needs_beyond_three_years_promise_nothing(
    mother: Person, visitors: None, clock: Clock, services: Services
) -> None:
    mother.follows()
    mother.says("登记 大宝 2023-11-25 城桥镇")
    mother.says("同意")
    clock.at = datetime(2026, 11, 25, 10, 0, tzinfo=SHANGHAI)
    answer = mother.says("特殊需求 听力")
    assert "已经满3岁了" in answer
    assert "会上门" not in answer
    with services.database.reading() as db:
        assert db.scalars(select(SpecialNeed)).all() == []


def test_special_needs_before_the_birth_wait_for_it(mother: Person, visitors: None) -> None:
    mother.follows()
    mother.says("登记 小豆芽 预产期 2026-12-20 城桥镇")
    mother.says("同意")
    assert "宝宝出生以后老师就上门" in mother.says("特殊需求 听力")


def test_after_a_loss_the_child_is_not_named(
    newborn: Person, services: Services, clock: Clock
) -> None:
    newborn.says("上门 11月26日 上午")
    with services.database.transaction() as db:
        visit = only_visit(db)
        losses.mark_lost(db, visit.child, actor=SYSTEM, now=clock())
        losses.resume_family(db, visit.child.family, actor=SYSTEM, now=clock())
    for said in ("上门", "出院 11月21日", "特殊需求 听力"):
        answer = newborn.says(said)
        assert "现在没有要安排的上门" in answer
        assert "糖糖" not in answer


def test_a_child_not_yet_born_is_no_reason_yet(mother: Person, visitors: None) -> None:
    mother.follows()
    mother.says("登记 小豆芽 预产期 2026-12-20 城桥镇")
    mother.says("同意")
    assert "还没出生" in mother.says("上门 11月26日 上午")


def test_a_newborn_missed_in_its_window_is_owed_the_visit_that_year(
    registered: Person, visitors: None, clock: Clock
) -> None:
    assert "上门申请已提交" in registered.says("上门 11月26日 上午")
    registered.says("取消上门")
    clock.at = datetime(2027, 1, 4, 10, 0, tzinfo=SHANGHAI)
    assert "不符合上门条件" in registered.says("上门 1月6日 上午")


def test_without_a_visitor_the_request_is_kept_for_a_person(
    mother: Person, station: str, services: Services
) -> None:
    mother.follows()
    mother.says("登记 糖糖 2026-11-18 女 城桥镇")
    mother.says("同意")
    assert "上门申请已提交" in mother.says("上门 11月26日 上午")
    with services.database.reading() as db:
        assert only_visit(db).starts_at is None


def test_without_a_visitor_a_second_day_is_kept_too(
    mother: Person, station: str, services: Services
) -> None:
    mother.follows()
    mother.says("登记 糖糖 2026-11-18 女 城桥镇")
    mother.says("同意")
    mother.says("上门 11月26日 上午")
    answer = mother.says("上门 11月27日 下午")
    assert "上门申请已提交" in answer
    assert "想改到11月27日（周五）下午" in answer
    assert "会打电话跟您约" in answer
    with services.database.reading() as db:
        assert str(only_visit(db).wished_on) == "2026-11-27"


def test_with_two_weeks_full_the_wish_is_kept_and_later_days_are_named(
    newborn: Person, services: Services, clock: Clock
) -> None:
    with services.database.transaction() as db:
        until = clock() + timedelta(days=20)
        leave = VisitorLeave(
            visitor_id=get_visitor(db).id,
            starts_at=clock(),
            ends_at=until,
            note="",
            set_at=clock(),
        )
        db.add(leave)
    answer = newborn.says("上门")
    assert "上门申请已提交：糖糖" in answer
    assert "老师会打电话跟您约" in answer
    assert "还能约：12月14日（周一）上午" in answer
    with services.database.reading() as db:
        assert (only_visit(db).starts_at, only_visit(db).wished_on) == (None, None)
    newborn.says("跳过")
    assert "时间改成了12月14日（周一）上午9:00" in newborn.says("上门 12月14日 上午")


def test_the_second_request_moves_the_first(newborn: Person, services: Services) -> None:
    newborn.says("上门 11月26日 上午")
    assert "时间改成了11月27日（周五）中午12:00" in newborn.says("上门 11月27日 下午")
    with services.database.reading() as db:
        assert only_visit(db).starts_at == datetime(2026, 11, 27, 12, 0, tzinfo=SHANGHAI)


def confirm(services: Services, teacher: Staff, clock: Clock) -> HomeVisit:
    with services.database.transaction() as db:
        visit = only_visit(db)
        return visit_decisions.confirm(db, visit_id=visit.id, staff=teacher, now=clock())


def test_a_confirmed_visit_keeps_its_time_until_the_new_one_is_agreed(
    newborn: Person, services: Services, teacher: Staff, clock: Clock
) -> None:
    newborn.says("上门 11月26日 上午")
    confirm(services, teacher, clock)
    answer = newborn.says("上门 11月27日 下午")
    assert "原来的11月26日（周四）上午9:00先给您留着" in answer
    with services.database.transaction() as db:
        visit = only_visit(db)
        assert visit.starts_at == THURSDAY
        visit_proposals.answer_by_staff(
            db, visit_id=visit.id, staff=teacher, accepts=True, now=clock()
        )
        assert only_visit(db).starts_at == datetime(2026, 11, 27, 12, 0, tzinfo=SHANGHAI)
    assert told(services, "visit_moved") == 1


@pytest.mark.parametrize("word", ["接受上门", "接受"])
def test_the_family_takes_the_time_that_staff_offer(
    newborn: Person, services: Services, teacher: Staff, clock: Clock, word: str
) -> None:
    newborn.says("上门 11月26日 上午")
    with services.database.transaction() as db:
        choice = Choice(get_visitor(db).id, THURSDAY + timedelta(days=1, minutes=10))
        visit_id = only_visit(db).id
        visit_proposals.propose(db, visit_id=visit_id, staff=teacher, choice=choice, now=clock())
    assert "约好了：11月27日（周五）上午9:10" in newborn.says(word)
    assert told(services, "visit_confirmed") == 1
    with services.database.reading() as db:
        assert only_visit(db).state == "confirmed"


def test_turned_down_the_visit_is_as_it_was(
    newborn: Person, services: Services, teacher: Staff, clock: Clock
) -> None:
    newborn.says("上门 11月26日 上午")
    confirm(services, teacher, clock)
    with services.database.transaction() as db:
        choice = Choice(get_visitor(db).id, THURSDAY + timedelta(days=1))
        visit_id = only_visit(db).id
        visit_proposals.propose(db, visit_id=visit_id, staff=teacher, choice=choice, now=clock())
    assert "不变" in newborn.says("换时间")
    with services.database.reading() as db:
        assert (only_visit(db).state, only_visit(db).starts_at) == ("confirmed", THURSDAY)


def test_cancelling_frees_the_time(newborn: Person, services: Services) -> None:
    newborn.says("上门 11月26日 上午")
    assert "已取消" in newborn.says("取消上门")
    assert "没有约着的上门" in newborn.says("取消上门")
    assert "上门申请已提交" in newborn.says("上门 11月26日 上午")


def test_my_bookings_show_the_visit(
    newborn: Person, services: Services, teacher: Staff, clock: Clock
) -> None:
    newborn.says("上门 11月26日 上午")
    assert "上门指导：11月26日（周四）上午9:00，糖糖 —— 待确认" in newborn.says("我的预约")
    confirm(services, teacher, clock)
    assert "施老师 —— 已确认" in newborn.says("我的预约")


def test_a_birth_is_reported_in_one_message(
    mother: Person, visitors: None, services: Services
) -> None:
    mother.follows()
    mother.says("登记 小豆芽 预产期 2026-12-20 城桥镇")
    mother.says("同意")
    answer = mother.says("生了 11月15日 11月20日出院 36周 2400克")
    assert "早产、出生体重不到2500克" in answer.replace(
        "出生体重不到2500克、早产", "早产、出生体重不到2500克"
    )
    assert "11月23日（周一）前上门" in answer, "three days after discharge"
    with services.database.reading() as db:
        due = db.scalars(select(VisitDue)).one()
        assert due.is_high_risk


def test_twins_are_both_registered_and_share_a_visit(
    mother: Person, visitors: None, services: Services
) -> None:
    mother.follows()
    mother.says("登记 小豆芽 预产期 2026-12-20 城桥镇")
    mother.says("同意")
    assert "另一个宝宝小名叫什么" in mother.says("生了，11月15日，双胞胎，11月20日出院")
    assert "小豆苗也登记好了" in mother.says("小豆苗")
    assert "上门申请已提交" in mother.says("上门 11月26日 上午")
    with services.database.reading() as db:
        assert len(db.scalars(select(VisitDue)).all()) == 2


def test_the_discharge_is_told_later(newborn: Person, services: Services) -> None:
    assert "出院" in newborn.says("出院 11月21日")
    with services.database.reading() as db:
        assert db.scalars(select(VisitDue)).one().due_on.isoformat() == "2026-11-28"
    assert "还没到" in newborn.says("出院 2026-12-30")
