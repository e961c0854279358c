"""A year plan that signs up by itself, once its family has said that it need not be asked."""

import pytest
from sqlalchemy import select

from app.models import AuditEntry, Caregiver, Notice, SignUp, YearPlan
from app.services.handing_over import hand_over
from app.wiring import Services
from tests.conversations.conftest import Clock, Person, Publisher
from tests.conversations.plans import listed, rows, run_job, told


def arrived(services: Services) -> None:
    """What the plan has told so far has reached the family."""
    with services.database.transaction() as db:
        for notice in db.scalars(select(Notice).where(Notice.kind == "plan_taken")):
            notice.state = "sent"


@pytest.fixture
def taking(mum: Person) -> Person:
    mum.says("年度计划")
    mum.says("同意")
    assert "直接给您报上" in mum.says("自动报名")
    return mum


def test_what_opens_is_signed_up_for_and_told(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("NEW", days=30)
    publish("DECIDED", days=60, confirm="staff")

    assert run_job(services, clock).endswith("signed up for 1 plans")
    assert run_job(services, clock).endswith("signed up for 0 plans")

    assert rows(services) == [("NEW", "confirmed"), ("DECIDED", "requested")]
    (text,) = told(services, "plan_taken")
    assert "报上了2场" in text
    assert "（DECIDED） 城桥早教指导站，待确认" in text
    assert "约好2场" in text
    assert "「取消 NEW」" in text
    assert told(services, "plan_proposed") == []
    with services.database.reading() as db:
        whose = db.execute(select(AuditEntry.actor_type).where(AuditEntry.action == "sign_up"))
        assert set(whose.scalars()) == {"system"}
        plan = db.execute(select(YearPlan)).scalar_one()
        assert {one.year_plan_id for one in db.scalars(select(SignUp))} == {plan.id}


def test_what_cannot_be_given_back_in_time_is_asked_about(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("SOON", days=2.9, cancel_hours=24)
    assert run_job(services, clock).endswith("signed up for 0 plans")
    (text,) = told(services, "plan_proposed")
    assert listed(text) == ["SOON"]
    assert rows(services) == []


def test_full_ones_others_ages_and_what_was_turned_down_are_left_alone(
    mum: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("NOT-THIS", days=30)
    publish("YES", days=60)
    mum.says("年度计划")
    mum.says("不要 1")
    mum.says("同意")
    mum.says("自动报名")
    publish("FULL", days=20, places=0, waiting_list="first_come")
    publish("OLD", days=40, months=(30, 36))
    assert run_job(services, clock).endswith("signed up for 0 plans")
    assert rows(services) == [("YES", "confirmed")]


def test_after_a_missed_one_it_asks_again(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("FIRST", days=5)
    run_job(services, clock)
    arrived(services)
    clock.moves(days=6)
    with services.database.transaction() as db:
        missed = db.execute(select(SignUp)).scalar_one()
        missed.state, missed.decided_at = "no_show", clock()
    publish("SECOND", days=30)

    assert run_job(services, clock).endswith("signed up for 0 plans")

    assert len(told(services, "plan_proposed")) == 1
    assert rows(services) == [("FIRST", "no_show")]


def test_whoever_may_not_have_heard_of_the_last_is_asked_about_the_next(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("FIRST", days=30)
    run_job(services, clock)
    publish("SECOND", days=60)
    assert run_job(services, clock).endswith("signed up for 0 plans")
    arrived(services)
    assert run_job(services, clock).endswith("signed up for 1 plans")
    assert rows(services) == [("FIRST", "confirmed"), ("SECOND", "confirmed")]


def test_a_notice_that_was_dropped_was_not_heard(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("FIRST", days=30)
    run_job(services, clock)
    with services.database.transaction() as db:
        notice = db.scalars(select(Notice).where(Notice.kind == "plan_taken")).one()
        notice.state, notice.reason = "skipped", "not_following"
    publish("SECOND", days=60)
    assert run_job(services, clock).endswith("signed up for 0 plans")


def test_who_leaves_hands_over_the_news_of_what_was_taken(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("FIRST", days=30)
    run_job(services, clock)
    with services.database.transaction() as db:
        mother = db.scalars(select(Caregiver).where(Caregiver.openid == taking.openid)).one()
        father = Caregiver(
            openid="o-father",
            family_id=mother.family_id,
            is_following=True,
            pushes="on",
            created_at=clock(),
        )
        db.add(father)
        db.flush()
        assert mother.family_id is not None
        hand_over(db, family_id=mother.family_id, leaving_id=mother.id)
        notice = db.scalars(select(Notice).where(Notice.kind == "plan_taken")).one()
        assert notice.caregiver_id == father.id


def test_it_takes_no_more_than_the_year_wants(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    for number in range(1, 10):
        publish(f"S{number}", days=20 * number)
    run_job(services, clock)
    arrived(services)
    run_job(services, clock)
    assert len(rows(services)) == 6


def test_a_word_makes_it_ask_again(
    taking: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    assert "直接给您报上" in taking.says("年度计划")
    assert "先问您" in taking.says("不要自动报名")
    assert "不用问" in taking.says("年度计划")
    publish("NEW", days=30)
    assert run_job(services, clock).endswith("signed up for 0 plans")
    assert len(told(services, "plan_proposed")) == 1


def test_without_a_plan_the_list_comes_first_and_the_yes_covers_both(
    mum: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("NOW", days=10)
    shown = mum.says("以后有合适的就直接帮我报上")
    assert "先看看这份" in shown
    assert listed(shown) == ["NOW"]
    assert "直接给您报上" in mum.says("同意")
    publish("LATER", days=40)
    assert run_job(services, clock).endswith("signed up for 1 plans")
    assert rows(services) == [("NOW", "confirmed"), ("LATER", "confirmed")]


def test_with_the_list_in_hand_it_is_no_yes_to_the_list(
    mum: Person, services: Services, publish: Publisher
) -> None:
    publish("NOW", days=10)
    publish("THEN", days=40)
    mum.says("年度计划")
    mum.says("不要 2")
    answer = mum.says("自动报名")
    assert "先看看这份" in answer
    assert listed(answer) == ["NOW"]
    assert rows(services) == []
    answer = mum.says("同意")
    assert "报名成功" in answer
    assert "先问我" in answer
    assert rows(services) == [("NOW", "confirmed")]


def test_a_full_year_needs_no_plan_that_takes(
    mum: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    for number in range(1, 7):
        publish(f"S{number}", days=20 * number)
    mum.says("年度计划")
    mum.says("同意")
    mum.says("停止计划")
    answer = mum.says("自动报名")
    assert "今年的都排好了" in answer
    assert "先看看这份" not in answer


def test_without_a_plan_there_is_nothing_to_ask_first_about(mum: Person) -> None:
    assert "没有年度计划" in mum.says("先问我")


def test_a_question_about_it_changes_nothing(taking: Person, services: Services) -> None:
    taking.says("先问我")
    taking.says("有合适的活动可以直接报名吗？")
    with services.database.reading() as db:
        assert db.execute(select(YearPlan)).scalar_one().takes_since is None
