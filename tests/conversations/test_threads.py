"""Talking with a person in the chat: asked for, heard, answered, let go."""

from sqlalchemy import select

from app.db import Database
from app.models import HelpThread, Notice, ThreadMessage
from app.services import threads
from app.services.staff import StaffScope, scope_of
from app.wiring import Services
from tests.console.desk_world import make_staff
from tests.conversations.conftest import Clock, Person, Publisher


def said(database: Database) -> list[str]:
    with database.reading() as db:
        return [each.text for each in db.scalars(select(ThreadMessage).order_by(ThreadMessage.id))]


def answer(services: Services, clock: Clock, text: str) -> StaffScope:
    with services.database.transaction() as db:
        scope = scope_of(make_staff(db, "district", clock(), role="district"))
        thread = db.scalars(select(HelpThread).order_by(HelpThread.id.desc())).first()
        assert thread is not None
        assert threads.answer(db, scope, thread.id, text=text, seen=0, now=clock()).done
        return scope


def test_whoever_asks_on_a_sunday_is_told_when_somebody_is_there(registered: Person) -> None:
    told = registered.says("人工")
    assert "已经转给人工" in told
    assert "11月23日（周一）上午9:00" in told or "明天上午9:00" in told
    assert "120" in told


def test_in_working_hours_the_expected_wait_is_said(registered: Person, clock: Clock) -> None:
    clock.moves(days=1)
    assert "一般1小时内回您" in registered.says("我要找老师")


def test_what_follows_goes_to_the_person_and_not_to_the_machine(
    registered: Person, services: Services
) -> None:
    registered.says("人工")
    assert "记下了" in registered.says("就是上次那个老师说的事情")
    assert "记下了" in registered.says("嘎三胡")
    assert said(services.database) == ["人工", "就是上次那个老师说的事情", "嘎三胡"]
    assert "已经在找老师了" in registered.says("人工")


def test_one_line_forms_still_work_and_are_not_the_persons(
    registered: Person, services: Services, publish: Publisher
) -> None:
    publish("CQ-1")
    registered.says("人工")
    assert "CQ-1" in registered.says("活动")
    assert "报名成功" in registered.says("报名 CQ-1")
    assert said(services.database) == ["人工"]


def test_a_plain_question_is_answered_meanwhile_and_kept_for_the_person(
    registered: Person, services: Services
) -> None:
    registered.says("人工")
    told = registered.says("可以喝蜂蜜水吗")
    assert "蜂蜜" in told
    assert "这句也给老师看了" in told
    assert said(services.database)[-1] == "可以喝蜂蜜水吗"


def test_once_a_person_has_answered_the_machine_keeps_out(
    registered: Person, services: Services, clock: Clock
) -> None:
    registered.says("人工")
    answer(services, clock, "您说")
    assert registered.says("可以喝蜂蜜水吗") == "这句也给老师了。说完了，回复「结束」。"
    with services.database.reading() as db:
        assert db.scalars(select(HelpThread)).one().waiting_since is not None


def test_an_emergency_comes_first_in_a_conversation_too(
    registered: Person, services: Services
) -> None:
    registered.says("人工")
    assert registered.says("宝宝噎住了喘不上气").startswith("请马上拨打120")
    assert said(services.database) == ["人工", "宝宝噎住了喘不上气"]


def test_a_word_ends_it_and_the_machine_is_there_again(
    registered: Person, services: Services
) -> None:
    registered.says("人工")
    assert "就不麻烦老师了" in registered.says("不用了，谢谢")
    assert "蜂蜜" in registered.says("可以喝蜂蜜水吗")
    assert said(services.database) == ["人工"]


def test_handed_back_by_staff_the_machine_answers_the_next_word(
    registered: Person, services: Services, clock: Clock
) -> None:
    registered.says("人工")
    scope = answer(services, clock, "好了")
    with services.database.transaction() as db:
        threads.close(db, scope, db.scalars(select(HelpThread.id)).one(), clock())
    assert "不客气" in registered.says("谢谢")


def test_a_running_registration_goes_on_beside_it(mother: Person, services: Services) -> None:
    mother.says("登记")
    mother.says("同意")
    mother.says("人工")
    assert "生日" in mother.says("果果")
    assert said(services.database) == ["人工"]


def test_a_complaint_is_a_task_and_a_conversation(registered: Person, services: Services) -> None:
    told = registered.says("老师态度太差了，我要投诉")
    assert "对不起" in told
    assert "记下了" in registered.says("就是上周六那个")
    with services.database.reading() as db:
        assert db.scalars(select(HelpThread)).one().kind == "complaint"


def test_a_loss_told_to_the_person_still_stops_everything(
    registered: Person, services: Services
) -> None:
    registered.says("人工")
    registered.says("宝宝昨天没了")
    assert said(services.database)[-1] == "宝宝昨天没了"
    with services.database.reading() as db:
        thread = db.scalars(select(HelpThread)).one()
        assert thread.caregiver.family is not None
        assert thread.caregiver.family.stopped_at is not None


def test_who_has_their_data_erased_leaves_no_words_behind(
    registered: Person, services: Services
) -> None:
    registered.says("人工")
    registered.says("我家在南门路")
    registered.says("注销")
    registered.says("确认注销")
    with services.database.reading() as db:
        thread = db.scalars(select(HelpThread)).one()
        assert (thread.closed_how, thread.waiting_since) == ("erased", None)
        assert {each.text for each in thread.messages} == {""}
        assert db.scalars(select(Notice.kind)).all().count("staff_answer") == 0
