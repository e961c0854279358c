"""年度计划 in the chat: proposed, changed one by one, agreed to with one word."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.models import (
    Entitlement,
    GuidanceSession,
    PlanProposal,
    SignUp,
    YearPlan,
)
from app.wiring import Services
from tests.conversations.conftest import Clock, Person, Publisher
from tests.conversations.plans import fill, listed, rows, run_job, told


@pytest.mark.usefixtures("year")
def test_a_year_of_six_is_proposed_and_agreed_to_with_one_word(
    mum: Person, services: Services
) -> None:
    shown = mum.says("年度计划")
    proposed = listed(shown)
    assert "已参加0/6次" in shown
    assert len(proposed) == 6
    assert rows(services) == []

    answer = mum.says("同意")

    assert "报名成功" in answer
    assert "约好6场" in answer
    assert rows(services) == [(code, "confirmed") for code in proposed]
    again = mum.says("年度计划")
    assert "今年的都排好了" in again
    assert listed(again) == []


@pytest.mark.usefixtures("year")
def test_the_button_and_a_plain_yes_do_the_same(mum: Person, services: Services) -> None:
    mum.taps("年度计划")
    mum.says("好的呀")
    assert len(rows(services)) == 6


@pytest.mark.usefixtures("year")
def test_one_session_is_swapped_for_the_next_best(mum: Person, services: Services) -> None:
    before = listed(mum.says("年度计划"))
    after = listed(mum.says("换 2"))
    assert len(after) == 6
    assert before[1] not in after
    assert set(after) - set(before) != set()
    assert set(before) - set(after) == {before[1]}

    third = listed(mum.says("第二场换一个"))
    assert before[1] not in third

    mum.says("同意")
    assert [code for code, _ in rows(services)] == third


@pytest.mark.usefixtures("year")
def test_one_session_is_left_out_and_not_proposed_again(
    mum: Person, services: Services, clock: Clock
) -> None:
    before = listed(mum.says("年度计划"))
    after = listed(mum.says("不要 3"))
    assert after == [code for code in before if code != before[2]]
    mum.says("同意")
    clock.moves(days=8)
    run_job(services, clock)
    offered = told(services, "plan_proposed")
    assert offered
    assert all(before[2] not in text for text in offered)
    assert before[2] not in mum.says("年度计划")


@pytest.mark.usefixtures("year")
def test_a_number_that_is_not_in_the_list_is_asked_again(mum: Person) -> None:
    mum.says("年度计划")
    assert "1到6" in mum.says("换 9")
    assert "1到6" in mum.says("换一个")
    assert "回复「同意」" in mum.says("3")
    assert "报名成功" in mum.says("同意")


@pytest.mark.usefixtures("year")
def test_no_leaves_everything_as_it_was(mum: Person, services: Services) -> None:
    mum.says("年度计划")
    assert "什么都没有改" in mum.says("不用了")
    mum.says("年度计划")
    assert "年度计划先不弄了" in mum.says("取消")
    assert rows(services) == []


@pytest.mark.usefixtures("year")
def test_a_seat_lost_meanwhile_stores_nothing_and_proposes_anew(
    mum: Person, services: Services
) -> None:
    proposed = listed(mum.says("年度计划"))
    fill(services, proposed[3])

    answer = mum.says("同意")

    assert f"「{proposed[3]}」刚刚报不上了" in answer
    assert rows(services) == []
    fresh = listed(answer)
    assert len(fresh) == 6
    assert proposed[3] not in fresh
    mum.says("同意")
    assert [code for code, _ in rows(services)] == fresh


@pytest.mark.usefixtures("year")
def test_a_proposed_seat_is_not_turned_into_a_wait(
    mum: Person, services: Services, publish: Publisher
) -> None:
    proposed = listed(mum.says("年度计划"))
    with services.database.transaction() as db:
        for session in db.execute(select(GuidanceSession)).scalars():
            session.waiting_list = "first_come"
    fill(services, proposed[0])
    assert "刚刚报不上了" in mum.says("同意")
    assert rows(services) == []


def test_full_sessions_with_a_waiting_list_fill_what_is_left(
    mum: Person, services: Services, publish: Publisher
) -> None:
    publish("FREE", days=30)
    publish("FULL", days=60, places=0, waiting_list="first_come")
    shown = mum.says("年度计划")
    assert listed(shown) == ["FREE", "FULL"]
    assert "满了，先候补" in shown
    assert "候补1场" in mum.says("同意")
    assert rows(services) == [("FREE", "confirmed"), ("FULL", "waitlisted")]


def test_in_december_little_is_left_and_next_year_is_named(
    mum: Person, services: Services, publish: Publisher, clock: Clock
) -> None:
    clock.at = datetime(2026, 12, 10, 10, 0, tzinfo=SHANGHAI)
    publish("DEC-1", days=5)
    publish("DEC-2", days=12)
    publish("JAN", days=30)
    shown = mum.says("年度计划")
    assert listed(shown) == ["DEC-1", "DEC-2"]
    assert "1月1日起再回复「年度计划」" in shown
    mum.says("同意")
    assert [code for code, _ in rows(services)] == ["DEC-1", "DEC-2"]
    clock.at = datetime(2027, 1, 2, 10, 0, tzinfo=SHANGHAI)
    assert "2027年度计划：已参加0/6次" in mum.says("年度计划")


def test_a_child_that_turns_three_is_planned_for_until_then(
    mother: Person, services: Services, publish: Publisher, year: None
) -> None:
    mother.follows()
    mother.says("登记 大宝 2023-07-01 男 城桥镇")
    mother.says("同意")
    for number in range(1, 13):
        publish(f"CQ-{number}", days=21 * number, months=(24, 35))
    shown = listed(mother.says("年度计划"))
    assert shown
    mother.says("同意")
    with services.database.reading() as db:
        last = db.execute(
            select(GuidanceSession.starts_at)
            .join(SignUp, SignUp.session_id == GuidanceSession.id)
            .order_by(GuidanceSession.starts_at.desc())
            .limit(1)
        ).scalar_one()
    assert last < datetime(2026, 7, 1, tzinfo=SHANGHAI)


@pytest.mark.usefixtures("year")
def test_with_two_children_it_asks_which_and_counts_for_the_family(
    mum: Person, services: Services
) -> None:
    mum.says("登记 果果 2024-09-01 男 城桥镇")
    asked = mum.says("年度计划")
    assert "给哪个宝宝" in asked
    shown = mum.says("2")
    assert "给果果再排6场" in shown
    mum.says("同意")
    assert len(rows(services)) == 6
    again = mum.says("年度计划 糖糖")
    assert "约好6场" in again
    assert listed(again) == []


@pytest.mark.usefixtures("year")
def test_a_session_of_both_siblings_counts_once(mum: Person, services: Services) -> None:
    mum.says("登记 果果 2024-09-01 男 城桥镇")
    mum.says("报名 CQ-1 都去")
    mum.says("报名 CQ-2 果果")
    assert "约好2场" in mum.says("年度计划 糖糖")
    assert "给糖糖再排4场" in mum.heard[-1]


@pytest.mark.usefixtures("year")
def test_the_other_parent_sees_the_same_year(
    mum: Person, person: Callable[[str], Person], services: Services
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    father = person("o-father")
    father.follows()
    code = mum.says("邀请").split("加入 ")[1][:8]
    father.says(f"加入 {code}")
    father.says("跳过")
    assert "约好6场" in father.says("年度计划")


@pytest.mark.usefixtures("spring")
def test_an_unborn_child_has_to_wait(mother: Person) -> None:
    mother.follows()
    mother.says("登记 小豆 预产期 2026-06-01 城桥镇")
    mother.says("同意")
    assert "还没出生" in mother.says("年度计划")


def test_without_a_registration_it_says_how_to_register(mother: Person) -> None:
    mother.follows()
    assert "回复「登记」" in mother.says("年度计划")
    assert "回复「登记」" in mother.says("同意计划")
    assert "回复「登记」" in mother.says("停止计划")


@pytest.mark.usefixtures("year")
def test_the_plan_is_stored_with_who_agreed_and_marks_its_sign_ups(
    mum: Person, services: Services, clock: Clock
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    with services.database.reading() as db:
        plan = db.execute(select(YearPlan)).scalar_one()
        assert (plan.year, plan.target, plan.agreed_at, plan.ended_at) == (2026, 6, clock(), None)
        marked = db.execute(select(SignUp.year_plan_id)).scalars().all()
        assert set(marked) == {plan.id}
        assert db.execute(select(PlanProposal)).scalars().all() == []


def test_long_titles_and_a_year_of_twelve_still_fit_one_message(
    mum: Person, services: Services, publish: Publisher
) -> None:
    with services.database.transaction() as db:
        db.merge(Entitlement(year=2026, sessions=12, home_visits=1))
    for number in range(1, 15):
        publish(f"CHONGMING-STATION-{number:02}", days=20 * number, title="亲子阅读" * 15)
    shown = mum.says("年度计划")
    assert len(listed(shown)) == 12
    assert len(listed(mum.says("同意"))) == 12
    assert "约好12场" in mum.says("年度计划")
