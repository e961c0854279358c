"""Waiting for a seat, being offered one, and answering in one word."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.dialogue.message import Kind
from app.models import GuidanceSession, Notice, SignUp
from app.models.notice_facts import load_facts
from app.services.roster_overview import roster
from app.services.waiting_list import find_to_promote
from app.wiring import Services
from app.words.notices import render
from scheduler import promote_waiting
from tests.conversations.conftest import Clock, Person, Publisher

Family = Callable[..., Person]


@pytest.fixture
def family(person: Callable[[str], Person]) -> Family:
    """A registered family by the nickname of its one child."""

    def register(nickname: str, township: str = "城桥镇") -> Person:
        caregiver = person(f"o-{nickname}")
        caregiver.says(f"登记 {nickname} 2026-05-01 {township}")
        assert "登记成功" in caregiver.says("同意")
        caregiver.says("需要")
        return caregiver

    return register


@pytest.fixture
def full(family: Family, publish: Publisher) -> Person:
    """The family that has the one place of CQ-1."""
    publish("CQ-1", places=1, waiting_list="first_come")
    first = family("糖糖")
    assert "报名成功" in first.says("报名 CQ-1")
    return first


def states(services: Services, code: str = "CQ-1") -> dict[str, str]:
    with services.database.reading() as db:
        return {row.child: row.state for row in roster(db, code).signups}


def told(services: Services, kind: str) -> list[str]:
    """The words of all notices of this kind, the oldest first."""
    with services.database.reading() as db:
        facts = db.scalars(select(Notice.facts).where(Notice.kind == kind).order_by(Notice.id))
        return [render(load_facts(each)).text for each in facts]


def run_job(services: Services, clock: Clock) -> str:
    return promote_waiting.run(services, clock())


def test_a_full_session_says_which_place_in_line(
    full: Person, family: Family, services: Services
) -> None:
    assert "候补第1位" in family("毛毛").says("报名 CQ-1")
    second = family("豆豆")
    answer = second.says("报名 CQ-1")
    assert "候补第2位" in answer
    assert "先报的先排" in answer
    assert "候补第2位" in second.says("我的预约")
    assert "可以候补（前面2个）" in family("圆圆").says("活动")
    with services.database.reading() as db:
        found = roster(db, "CQ-1")
    assert found.taken == 1
    assert [row.position for row in found.signups] == [None, 1, 2]


def test_a_freed_seat_is_offered_to_the_first_and_taken_with_one_word(
    full: Person, family: Family, services: Services
) -> None:
    first, second = family("毛毛"), family("豆豆")
    first.says("报名 CQ-1")
    second.says("报名 CQ-1")
    full.says("取消 CQ-1")
    assert states(services) == {"糖糖": "cancelled", "毛毛": "offered", "豆豆": "waitlisted"}
    (offer,) = told(services, "sign_up_offered")
    assert "轮到毛毛了" in offer
    assert "回复「接受」" in offer
    assert "回复「放弃」" in offer
    assert "11月22日（周日）下午4:00" in offer  # six waking hours from ten o'clock
    assert "要来回复「接受」" in first.says("我的预约")
    assert "没有等您接受" in second.says("接受")
    assert "报名成功" in first.says("接受")
    assert states(services)["毛毛"] == "confirmed"
    assert "已报名" in first.says("接受")
    assert "候补第1位" in second.says("我的预约")


def test_declining_offers_the_seat_to_the_next(
    full: Person, family: Family, services: Services
) -> None:
    first, second = family("毛毛"), family("豆豆")
    first.says("报名 CQ-1")
    second.says("报名 CQ-1")
    full.says("取消 CQ-1")
    assert "让给下一家" in first.says("放弃")
    assert states(services) == {"糖糖": "cancelled", "毛毛": "cancelled", "豆豆": "offered"}
    assert len(told(services, "sign_up_offered")) == 2


def test_taking_back_an_offer_with_the_cancel_word_works_after_the_deadline(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    clock.moves(days=5, hours=23)
    full.says("取消 CQ-1")
    clock.moves(hours=2)
    assert "已取消" in first.says("取消 CQ-1")
    assert states(services)["毛毛"] == "cancelled"


def test_who_waits_may_leave_at_any_time(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first, second = family("毛毛"), family("豆豆")
    first.says("报名 CQ-1")
    second.says("报名 CQ-1")
    clock.moves(days=6, hours=12)
    assert "已取消" in first.says("取消 CQ-1")
    assert "候补第1位" in second.says("我的预约")


def test_a_late_word_is_answered_kindly_and_changes_nothing(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    full.says("取消 CQ-1")
    clock.moves(hours=6)
    assert "来晚了一步" in first.says("接受")
    assert states(services)["毛毛"] == "offered"  # the job has not come by yet
    assert "已过期" in first.says("我的预约")
    assert "ended 1 offers" in run_job(services, clock)
    assert states(services)["毛毛"] == "expired"
    assert "来晚了一步" in first.says("接受")
    (ended,) = told(services, "sign_up_offer_expired")
    assert "回复「报名 CQ-1」再排一次" in ended


def test_an_offer_can_be_taken_up_to_its_last_moment(
    full: Person, family: Family, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    full.says("取消 CQ-1")
    clock.moves(hours=6, microseconds=-1)
    assert "报名成功" in first.says("接受")


def test_the_seat_of_an_expired_offer_goes_to_who_asks_before_the_job_runs(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    full.says("取消 CQ-1")
    clock.moves(hours=6)
    newcomer = family("豆豆")
    assert "还有1个名额" in newcomer.says("活动")
    assert "报名成功" in newcomer.says("报名 CQ-1")
    assert states(services) == {"糖糖": "cancelled", "毛毛": "expired", "豆豆": "confirmed"}
    assert len(told(services, "sign_up_offer_expired")) == 1


def test_whose_offer_expired_may_line_up_again_at_the_end(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first, second, third = family("毛毛"), family("豆豆"), family("圆圆")
    for each in (first, second, third):
        each.says("报名 CQ-1")
    full.says("取消 CQ-1")
    clock.moves(hours=6)
    # The second is offered the seat by this very message; the third is before the first.
    assert "候补第2位" in first.says("报名 CQ-1")
    assert states(services)["豆豆"] == "offered"


def test_a_newcomer_never_jumps_the_queue(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    with services.database.transaction() as db:
        # A seat has come free and nobody has been told: as after a crash of an older release.
        db.execute(select(GuidanceSession)).scalar_one().places = 2
    assert "候补第1位" in family("豆豆").says("报名 CQ-1")
    assert states(services) == {"糖糖": "confirmed", "毛毛": "offered", "豆豆": "waitlisted"}


def test_raised_capacity_promotes_and_a_cut_throws_nobody_out(
    full: Person, family: Family, services: Services, publish: Publisher
) -> None:
    first, second = family("毛毛"), family("豆豆")
    first.says("报名 CQ-1")
    second.says("报名 CQ-1")
    publish("CQ-1", places=2, waiting_list="first_come")
    assert states(services) == {"糖糖": "confirmed", "毛毛": "offered", "豆豆": "waitlisted"}
    publish("CQ-1", places=1, waiting_list="first_come")
    assert "报名成功" in first.says("接受")
    full.says("取消 CQ-1")
    assert states(services)["豆豆"] == "waitlisted"  # one place, and it is taken
    first.says("取消 CQ-1")
    assert states(services)["豆豆"] == "offered"


def test_nothing_is_offered_past_the_cut_off(
    full: Person, family: Family, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("CQ-1", places=1, waiting_list="first_come", cancel_hours=1)
    first = family("毛毛")
    first.says("报名 CQ-1")
    clock.moves(days=6, hours=22)  # two hours before the start
    assert "已取消" in full.says("取消 CQ-1")
    assert states(services)["毛毛"] == "waitlisted"
    assert "made 0" in run_job(services, clock)
    # The free seat is not for whoever comes by: those who wait were first.
    answer = family("豆豆").says("报名 CQ-1")
    assert "名额已满" in answer
    assert "先留给候补" in answer


def test_an_offer_at_night_waits_for_the_morning_and_runs_from_then(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    clock.moves(hours=13)  # eleven at night
    full.says("取消 CQ-1")
    with services.database.reading() as db:
        notice = db.execute(select(Notice).where(Notice.kind == "sign_up_offered")).scalar_one()
        offer = db.execute(select(SignUp).where(SignUp.state == "offered")).scalar_one()
    assert notice.due_at == clock() + timedelta(hours=9)
    assert offer.offer_expires_at == clock() + timedelta(hours=15)  # two in the afternoon
    assert notice.expires_at == offer.offer_expires_at


def test_the_job_run_late_and_twice_settles_once(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first, second = family("毛毛"), family("豆豆")
    first.says("报名 CQ-1")
    second.says("报名 CQ-1")
    full.says("取消 CQ-1")
    clock.moves(hours=23)
    assert run_job(services, clock) == "ended 1 offers, made 1, told 0 that it is over"
    assert run_job(services, clock) == "ended 0 offers, made 0, told 0 that it is over"
    assert states(services) == {"糖糖": "cancelled", "毛毛": "expired", "豆豆": "offered"}
    assert len(told(services, "sign_up_offer_expired")) == 1
    with services.database.reading() as db:
        assert find_to_promote(db, clock()) == []


def test_with_several_offers_the_code_decides(
    full: Person, family: Family, publish: Publisher, services: Services
) -> None:
    publish("CQ-2", places=1, waiting_list="first_come", days=9)
    full.says("报名 CQ-2")
    first = family("毛毛")
    first.says("报名 CQ-1")
    first.says("报名 CQ-2")
    full.says("取消 CQ-1")
    full.says("取消 CQ-2")
    asked = first.says("接受")
    assert "CQ-1、CQ-2" in asked
    assert "报名成功" in first.says("接受 cq-2")
    assert states(services, "CQ-2")["毛毛"] == "confirmed"
    assert "让给下一家" in first.says("放弃")
    assert states(services, "CQ-1")["毛毛"] == "cancelled"


def test_another_family_cannot_answer_an_offer(
    full: Person, family: Family, services: Services
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    full.says("取消 CQ-1")
    other = family("豆豆")
    assert "没有等您接受" in other.says("接受 CQ-1")
    assert "没有等您接受" in other.says("放弃 CQ-1")
    assert states(services)["毛毛"] == "offered"


def test_siblings_wait_together_and_are_never_split_by_a_single_seat(
    full: Person, family: Family, publish: Publisher, services: Services
) -> None:
    twins = family("大宝")
    twins.says("登记 小宝 2026-05-01 城桥镇")
    answer = twins.says("报名 CQ-1 都去")
    assert "大宝候补第1位" in answer
    assert "小宝候补第2位" in answer
    publish("CQ-2", places=1, waiting_list="first_come", days=9)
    answer = twins.says("报名 CQ-2 都去")
    assert "只剩1个名额" in answer
    assert states(services, "CQ-2") == {}


def test_fewest_attended_goes_first_where_the_session_says_so(
    family: Family, publish: Publisher, services: Services
) -> None:
    publish("CQ-1", places=1, waiting_list="fewest_attended")
    publish("CQ-0", days=1)
    full, regular, new = family("糖糖"), family("毛毛"), family("豆豆")
    full.says("报名 CQ-1")
    regular.says("报名 CQ-0")
    with services.database.transaction() as db:
        before = db.execute(
            select(SignUp).join(SignUp.session).where(GuidanceSession.code == "CQ-0")
        ).scalar_one()
        before.state = "attended"
    assert "候补第1位" in regular.says("报名 CQ-1")
    answer = new.says("报名 CQ-1")
    assert "候补第1位" in answer
    assert "参加次数少的家庭先排" in answer
    full.says("取消 CQ-1")
    assert states(services)["豆豆"] == "offered"


def test_without_a_registration_there_is_no_offer_to_answer(mother: Person) -> None:
    assert "回复「登记」" in mother.says("接受")


def test_families_of_the_township_come_first(
    family: Family, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1")
    with services.database.transaction() as db:
        session = db.execute(select(GuidanceSession)).scalar_one()
        session.township_first_until = clock() + timedelta(days=1)
    other = family("毛毛", "堡镇")
    answer = other.says("报名 CQ-1")
    assert "尚未开放" in answer
    assert "先给城桥镇的家庭" in answer
    assert "明天上午10:00开放报名" in other.says("活动")
    assert "报名成功" in family("糖糖").says("报名 CQ-1")
    clock.moves(days=1)
    assert "报名成功" in other.says("报名 CQ-1")


def test_repeated_no_shows_open_twelve_hours_later(
    family: Family, publish: Publisher, services: Services, clock: Clock
) -> None:
    missed = family("糖糖")
    for number in (1, 2):
        publish(f"CQ-{number}", days=number)
        missed.says(f"报名 CQ-{number}")
    clock.moves(days=5)
    with services.database.transaction() as db:
        for sign_up in db.execute(select(SignUp)).scalars():
            sign_up.state = "no_show"
    publish("CQ-9", opens_days=0)
    answer = missed.says("报名 CQ-9")
    assert "尚未开放" in answer
    assert "晚上10:00" in answer
    assert "报名成功" in family("毛毛").says("报名 CQ-9")
    clock.moves(hours=12)
    assert "报名成功" in missed.says("报名 CQ-9")


def test_who_unfollows_leaves_the_line_and_the_next_gets_the_offer(
    family: Family, publish: Publisher, services: Services
) -> None:
    publish("CQ-1", places=1, waiting_list="first_come")
    first, second, third = family("糖糖"), family("毛毛"), family("豆豆")
    first.says("报名 CQ-1")
    assert "候补第1位" in second.says("报名 CQ-1")
    assert "候补第2位" in third.says("报名 CQ-1")
    second.sends(Kind.UNSUBSCRIBE)
    first.says("取消 CQ-1")
    assert "报名成功" in third.says("好的接受")


@pytest.mark.parametrize("said", ["报名 CQ-1。", "报名 cq-1！", "报名CQ-1."])
def test_a_code_is_read_with_what_voice_input_leaves_behind_it(
    family: Family, publish: Publisher, said: str
) -> None:
    publish("CQ-1")
    assert "报名成功" in family("糖糖").says(said)


def test_not_accepting_gives_the_offer_to_the_next(family: Family, publish: Publisher) -> None:
    publish("CQ-1", places=1, waiting_list="first_come")
    first, second, third = family("糖糖"), family("毛毛"), family("豆豆")
    for each in (first, second, third):
        each.says("报名 CQ-1")
    first.says("取消 CQ-1")
    assert "没有看懂" not in second.says("不接受")
    assert "报名成功" in third.says("接受")


def test_moved_and_given_a_seat_at_once_is_one_message(
    full: Person, family: Family, services: Services, publish: Publisher
) -> None:
    first, second = family("毛毛"), family("豆豆")
    first.says("报名 CQ-1")
    second.says("报名 CQ-1")

    publish("CQ-1", days=8, places=2, waiting_list="first_come")

    (offer,) = told(services, "sign_up_offered")
    assert "轮到毛毛了" in offer
    assert "原来是11月29日" in offer
    assert "时间：11月30日" in offer
    moved = told(services, "session_changed")
    assert len(moved) == 2
    assert not any("毛毛" in text for text in moved)
    assert "您的候补还在" in next(text for text in moved if "豆豆" in text)


def test_giving_up_a_place_that_is_taken_already_says_how_to_cancel(
    full: Person, family: Family, services: Services
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    full.says("取消 CQ-1")
    assert "报名成功" in first.says("接受")

    answer = first.says("放弃")

    assert "已经报上了" in answer
    assert "取消 CQ-1" in answer
    assert states(services)["毛毛"] == "confirmed"
    assert "已取消" in first.says("取消 CQ-1")


def test_who_still_waits_at_the_cut_off_is_told_once(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("登记 豆豆 2026-04-01 城桥镇")
    assert "候补第1位" in first.says("报名 CQ-1 都")
    clock.moves(days=6, hours=21, minutes=59)
    assert "told 0" in run_job(services, clock)
    clock.moves(minutes=1)  # two hours before the start: nothing is offered from now on

    assert "told 1" in run_job(services, clock)
    assert "told 0" in run_job(services, clock)

    (text,) = told(services, "waiting_ended")
    assert "毛毛、豆豆" in text
    assert "没有等到名额" in text
    assert "回复「活动」" in text


def test_who_got_a_seat_is_not_told_that_there_is_none(
    full: Person, family: Family, services: Services, clock: Clock
) -> None:
    first = family("毛毛")
    first.says("报名 CQ-1")
    full.says("取消 CQ-1")
    first.says("接受")
    clock.moves(days=6, hours=23)
    assert "told 0" in run_job(services, clock)
    assert told(services, "waiting_ended") == []


@pytest.mark.parametrize("said", ["接受 大宝", "接受 CQ-1 大宝", "接受 大宝 cq-1"])
def test_of_two_seats_the_one_named_is_taken_and_the_other_waits_for_its_answer(
    full: Person, family: Family, publish: Publisher, services: Services, said: str
) -> None:
    twins = family("大宝")
    twins.says("登记 小宝 2026-05-01 城桥镇")
    twins.says("报名 CQ-1 都去")
    publish("CQ-1", places=3, waiting_list="first_come")

    answer = twins.says(said)

    assert "报名成功！大宝\n" in answer
    assert states(services) == {"糖糖": "confirmed", "大宝": "confirmed", "小宝": "offered"}
    assert "小宝这次不来" in twins.says("放弃 小宝")
    assert states(services)["大宝"] == "confirmed"


def test_a_longer_nickname_does_not_stand_for_the_shorter_one(
    family: Family, publish: Publisher, services: Services
) -> None:
    publish("CQ-1")
    home = family("小豆豆")
    home.says("登记 豆豆 2026-05-01 城桥镇")
    assert "给哪个宝宝报" in home.says("报名 CQ-1")

    assert "报名成功！小豆豆\n" in home.says("小豆豆去")
    assert states(services) == {"小豆豆": "confirmed"}
