"""A year plan kept on track: what is lost or newly opens is proposed, who lags is nudged."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.models import (
    Caregiver,
    GuidanceSession,
    Notice,
    SignUp,
    Staff,
)
from app.models.notice_facts import PlanProposed, load_facts
from app.services import check_in, decisions, publishing, staff
from app.services.audit import OPERATOR
from app.services.seats import get_session
from app.wiring import Services
from tests.conversations.conftest import Clock, Person, Publisher
from tests.conversations.plans import listed, nudges, rows, run_job, told

PROPOSED_ONE = "proposed sessions for 1 plans, nudged 0 families, signed up for 0 plans"
NOTHING_TO_DO = "proposed sessions for 0 plans, nudged 0 families, signed up for 0 plans"


def add_district(db: Session, now: datetime) -> Staff:
    return staff.add_staff(
        db,
        username="district",
        password="rice and congee",
        role=staff.Role.DISTRICT,
        station_code=None,
        township_name=None,
        now=now,
        actor=OPERATOR,
    )


@pytest.mark.usefixtures("year")
def test_a_cancelled_session_is_replaced_in_the_same_answer(
    mum: Person, services: Services
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    first = rows(services)[0][0]

    answer = mum.says(f"取消 {first}")

    assert "已取消" in answer
    (offered,) = listed(answer)
    assert offered != first
    assert "回复「同意计划」" in answer
    assert "报名成功" in mum.says("同意计划")
    assert (offered, "confirmed") in rows(services)


@pytest.mark.usefixtures("year")
def test_a_missed_session_is_replaced_by_a_proposal(
    mum: Person, services: Services, clock: Clock
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    with services.database.transaction() as db:
        missed = db.execute(select(SignUp).order_by(SignUp.session_id).limit(1)).scalar_one()
        missed.state, missed.decided_at = "no_show", clock() + timedelta(days=22)
    clock.moves(days=23)

    assert run_job(services, clock) == PROPOSED_ONE

    (text,) = told(services, "plan_proposed")
    (offered,) = listed(text)
    assert "报名成功" in mum.says("同意计划")
    assert (offered, "confirmed") in rows(services)
    assert run_job(services, clock) == NOTHING_TO_DO


@pytest.mark.usefixtures("year")
def test_one_missed_by_the_paper_sheet_is_replaced_at_once(
    mum: Person, services: Services, clock: Clock
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    missed = rows(services)[0][0]
    with services.database.reading() as db:
        over = get_session(db, missed).ends_at + timedelta(hours=8)
    clock.moves(days=(over.date() - clock().date()).days)
    with services.database.transaction() as db:
        scope = staff.scope_of(add_district(db, clock()))
        found = check_in.enter_sheet(
            db, scope, missed, came=(), rest_is_missing=True, now=max(over, clock())
        )

    assert (found.attended, found.missing) == (0, 1)
    (text,) = told(services, "plan_proposed")
    (offered,) = listed(text)
    assert offered != missed
    assert "报名成功" in mum.says("同意计划")
    assert rows(services)[0] == (missed, "no_show")
    assert (offered, "confirmed") in rows(services)


@pytest.mark.usefixtures("year")
def test_a_declined_session_is_replaced_by_a_proposal(
    mum: Person, services: Services, clock: Clock
) -> None:
    with services.database.transaction() as db:
        for session in db.execute(select(GuidanceSession)).scalars():
            session.confirm_mode = "staff"
        add_district(db, clock())
    mum.says("年度计划")
    assert "待确认" in mum.says("同意")
    with services.database.transaction() as db:
        asked = db.execute(select(SignUp).order_by(SignUp.id).limit(1)).scalar_one()
        who = db.execute(select(Staff)).scalar_one()
        decisions.decline(db, sign_up_id=asked.id, staff=who, reason="满了", now=clock())
    # At once, and not again by the next hour's job.
    assert len(told(services, "plan_proposed")) == 1
    clock.moves(hours=1)
    run_job(services, clock)
    assert len(told(services, "plan_proposed")) == 1


@pytest.mark.usefixtures("year")
def test_a_session_cancelled_by_staff_is_replaced_at_once(
    mum: Person, services: Services, clock: Clock
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    first = rows(services)[0][0]
    with services.database.transaction() as db:
        publishing.cancel_session(db, first, reason="台风", actor=OPERATOR, now=clock())
    (text,) = told(services, "plan_proposed")
    (offered,) = listed(text)
    assert offered != first
    assert "报名成功" in mum.says("同意")


def test_new_sessions_are_proposed_as_they_open(
    mum: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    publish("FIRST", days=20)
    shown = mum.says("年度计划")
    assert "还差5场" in shown
    assert "还差5场" in mum.says("同意")
    clock.moves(days=10)
    assert run_job(services, clock).startswith("proposed sessions for 0 plans")

    publish("LATER", days=40, opens_days=2)
    assert run_job(services, clock).startswith("proposed sessions for 0 plans")
    clock.moves(days=3)
    assert run_job(services, clock).startswith("proposed sessions for 1 plans")
    assert run_job(services, clock).startswith("proposed sessions for 0 plans")

    (text,) = told(services, "plan_proposed")
    assert listed(text) == ["LATER"]
    mum.says("同意计划")
    assert rows(services) == [("FIRST", "confirmed"), ("LATER", "confirmed")]


def test_a_plan_that_only_waits_asks_once_a_week(
    mum: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    publish("A", days=30)
    run_job(services, clock)
    clock.moves(days=2)
    publish("B", days=60)
    run_job(services, clock)
    assert len(told(services, "plan_proposed")) == 1
    clock.moves(days=6)
    run_job(services, clock)
    assert [listed(text) for text in told(services, "plan_proposed")] == [["A"], ["A", "B"]]
    with services.database.reading() as db:
        states = db.execute(
            select(Notice.state).where(Notice.kind == "plan_proposed").order_by(Notice.id)
        ).scalars()
        assert list(states) == ["skipped", "queued"]


def test_a_full_session_is_never_proposed_unasked(
    mum: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    publish("FULL", days=30, places=0, waiting_list="first_come")
    run_job(services, clock)
    clock.moves(days=100)
    publish("FULL-2", days=30, places=0, waiting_list="first_come")
    assert run_job(services, clock) == NOTHING_TO_DO


def test_who_loses_a_session_is_asked_again_at_once(
    mum: Person, services: Services, clock: Clock, publish: Publisher
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    publish("A", days=30)
    run_job(services, clock)
    mum.says("同意计划")
    publish("B", days=60)
    clock.moves(days=1)
    run_job(services, clock)
    assert len(told(services, "plan_proposed")) == 1
    with services.database.transaction() as db:
        lost = db.execute(select(SignUp)).scalar_one()
        lost.state, lost.decided_at = "declined", clock()
    run_job(services, clock)
    assert [listed(text) for text in told(services, "plan_proposed")] == [["A"], ["B"]]


def test_nothing_published_is_a_standing_request(
    mum: Person, services: Services, publish: Publisher, clock: Clock
) -> None:
    shown = mum.says("年度计划")
    assert "还差6场" in shown
    assert "要我们帮您留意吗" in shown
    assert "会在这里问您" in mum.says("同意")
    assert "要我们帮您留意吗" not in mum.says("年度计划")
    publish("NEW", days=30)
    run_job(services, clock)
    assert len(told(services, "plan_proposed")) == 1


def test_a_standing_request_can_be_ended(
    mum: Person, services: Services, publish: Publisher, clock: Clock
) -> None:
    assert "没有年度计划" in mum.says("停止计划")
    mum.says("年度计划")
    mum.says("同意")
    assert "年度计划停了" in mum.says("停止计划")
    publish("NEW", days=30)
    run_job(services, clock)
    assert told(services, "plan_proposed") == []


@pytest.mark.usefixtures("year")
def test_a_family_in_need_without_a_plan_is_nudged_at_most_once_in_31_days(
    mum: Person, services: Services, clock: Clock
) -> None:
    clock.at = datetime(2026, 3, 20, 10, 0, tzinfo=SHANGHAI)
    run_job(services, clock)
    assert nudges(services) == 0  # it came on 2 March: nobody is behind after 18 days
    clock.at = datetime(2026, 5, 20, 10, 0, tzinfo=SHANGHAI)
    run_job(services, clock)
    (text,) = told(services, "year_plan_nudge")
    assert "已参加0/6次" in text
    assert "回复「年度计划」" in text
    for days in (1, 10, 19.9):
        clock.moves(days=days)
        run_job(services, clock)
    assert nudges(services) == 1
    clock.moves(days=1)
    run_job(services, clock)
    assert nudges(services) == 2


@pytest.mark.usefixtures("year")
def test_who_is_not_in_need_or_wants_no_pushes_is_not_nudged(
    mum: Person, services: Services, clock: Clock
) -> None:
    clock.at = datetime(2026, 5, 20, 10, 0, tzinfo=SHANGHAI)
    mum.says("暂停推送")
    run_job(services, clock)
    assert nudges(services) == 0
    mum.says("恢复推送")
    mum.says("不需要")
    run_job(services, clock)
    assert nudges(services) == 0
    mum.says("需要")
    run_job(services, clock)
    assert nudges(services) == 1


@pytest.mark.usefixtures("year")
def test_a_nudge_waits_for_the_morning(mum: Person, services: Services, clock: Clock) -> None:
    clock.at = datetime(2026, 5, 20, 22, 0, tzinfo=SHANGHAI)
    run_job(services, clock)
    with services.database.reading() as db:
        due = db.execute(select(Notice.due_at).where(Notice.kind == "year_plan_nudge")).scalar_one()
    assert due == datetime(2026, 5, 21, 8, 0, tzinfo=SHANGHAI)


def test_nobody_is_nudged_towards_nothing(mum: Person, services: Services, clock: Clock) -> None:
    clock.at = datetime(2026, 8, 20, 10, 0, tzinfo=SHANGHAI)
    run_job(services, clock)
    assert nudges(services) == 0
    with services.database.reading() as db:
        caregiver = db.execute(select(Caregiver)).scalar_one()
        assert caregiver.family is not None
        assert caregiver.family.nudged_at is None


def test_the_notice_of_a_proposal_knows_what_it_offers(
    mum: Person, services: Services, publish: Publisher, clock: Clock
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    publish("NEW", days=30)
    run_job(services, clock)
    with services.database.reading() as db:
        facts = load_facts(db.execute(select(Notice.facts)).scalar_one())
    assert isinstance(facts, PlanProposed)
    assert [session.code for session in facts.sessions] == ["NEW"]


@pytest.mark.usefixtures("year")
def test_a_bare_yes_takes_what_the_plan_proposed(
    mum: Person, services: Services, clock: Clock
) -> None:
    mum.says("年度计划")
    mum.says("同意")
    with services.database.transaction() as db:
        missed = db.execute(select(SignUp).order_by(SignUp.session_id).limit(1)).scalar_one()
        missed.state, missed.decided_at = "no_show", clock() + timedelta(days=22)
    clock.moves(days=23)
    run_job(services, clock)
    (offered,) = listed(told(services, "plan_proposed")[0])

    assert "报名成功" in mum.says("好的，同意")

    assert (offered, "confirmed") in rows(services)
    assert "没有等您同意的事" in mum.says("同意")
