"""A session's code, scanned at the door."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.dialogue.message import Kind, Window
from app.models import AuditEntry, Child, GuidanceSession, SignUp
from app.wiring import Services
from tests.conversations.conftest import Clock, Person, Publisher


def scan(person: Person, scene: str = "s:CQ-1") -> str:
    return person.sends(Kind.SCAN, event_key=scene, window=Window.TAP)


def states(services: Services, code: str = "CQ-1") -> dict[str, str]:
    """The children's nicknames with the states of their sign-ups."""
    with services.database.reading() as db:
        rows = db.execute(
            select(Child.nickname, SignUp.state)
            .join(SignUp, SignUp.child_id == Child.id)
            .join(GuidanceSession, GuidanceSession.id == SignUp.session_id)
            .where(GuidanceSession.code == code)
            .order_by(SignUp.id)
        )
        return dict(rows.all())


def places_taken(services: Services) -> int:
    with services.database.reading() as db:
        return db.execute(select(GuidanceSession.places_taken)).scalar_one()


@pytest.fixture
def two(registered: Person) -> Person:
    registered.says("登记 果果 2026-05-01 男 城桥镇")
    return registered


def test_a_scan_at_the_door_checks_in_and_counts(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    registered.says("报名 CQ-1")
    clock.moves(hours=23, minutes=30)

    answer = scan(registered)

    assert "签到成功" in answer
    assert "糖糖" in answer
    assert "已参加1/6次" in answer
    assert states(services) == {"糖糖": "attended"}
    with services.database.reading() as db:
        actor = db.execute(
            select(AuditEntry.actor_type).where(AuditEntry.action == "attended")
        ).scalar_one()
    assert actor == "caregiver"


def test_a_second_scan_says_so_and_changes_nothing(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    registered.says("报名 CQ-1")
    clock.moves(days=1)
    scan(registered)

    assert "已经签到过了" in scan(registered)
    assert states(services) == {"糖糖": "attended"}


def test_all_signed_up_children_are_checked_in_together(
    two: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    two.says("报名 CQ-1 都去")
    clock.moves(days=1)

    answer = scan(two)

    assert "糖糖、果果" in answer
    assert "已参加1/6次" in answer
    assert states(services) == {"糖糖": "attended", "果果": "attended"}


def test_the_code_may_come_in_any_case(
    registered: Person, publish: Publisher, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    registered.says("报名 CQ-1")
    clock.moves(days=1)

    assert "签到成功" in scan(registered, "s:cq-1")


@pytest.mark.parametrize(
    "hours, said, state",
    [
        (22.9, "来早啦", "confirmed"),
        (23, "签到成功", "attended"),
        (26, "签到成功", "attended"),
        (26.1, "扫码签不了到", "confirmed"),
    ],
)
def test_the_door_is_open_from_an_hour_before_until_an_hour_after(
    registered: Person,
    publish: Publisher,
    services: Services,
    clock: Clock,
    hours: float,
    said: str,
    state: str,
) -> None:
    publish("CQ-1", days=1)
    registered.says("报名 CQ-1")
    clock.moves(hours=hours)

    assert said in scan(registered)
    assert states(services) == {"糖糖": state}


def test_who_has_not_signed_up_and_comes_days_early_hears_how_to(
    registered: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1")

    assert "回复「报名 CQ-1」" in scan(registered)
    assert states(services) == {}


def test_a_walk_in_sits_down_while_places_are_left(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1, places=1)
    clock.moves(hours=23, minutes=59)
    assert "开始后如果还有位子" in scan(registered)
    clock.moves(minutes=1)

    answer = scan(registered)

    assert "签到成功" in answer
    assert states(services) == {"糖糖": "attended"}
    assert places_taken(services) == 0
    assert "已经签到过了" in scan(registered)


def test_a_walk_in_takes_no_ones_place(
    registered: Person,
    person: Callable[[str], Person],
    publish: Publisher,
    services: Services,
    clock: Clock,
) -> None:
    publish("CQ-1", days=1, places=1)
    registered.says("报名 CQ-1")
    other = person("o-other")
    other.says("登记 毛毛 2026-05-01 城桥镇")
    other.says("同意")
    clock.moves(days=1)

    assert "请问问现场老师" in scan(other)
    assert states(services) == {"糖糖": "confirmed"}


def test_walk_ins_fill_the_free_places_and_no_more(
    registered: Person,
    person: Callable[[str], Person],
    publish: Publisher,
    services: Services,
    clock: Clock,
) -> None:
    publish("CQ-1", days=1, places=1)
    other = person("o-other")
    other.says("登记 毛毛 2026-05-01 城桥镇")
    other.says("同意")
    clock.moves(days=1)
    assert "签到成功" in scan(registered)

    assert "位子都有人了" in scan(other)
    assert states(services) == {"糖糖": "attended"}


def test_after_the_end_nobody_walks_in(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    clock.moves(days=1, hours=1)

    assert "已经结束" in scan(registered)
    assert states(services) == {}


def test_a_walk_in_of_the_wrong_age_is_sent_to_the_teacher(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1, months=(24, 36))
    clock.moves(days=1)

    assert "月龄" in scan(registered)
    assert states(services) == {}


def test_with_several_children_a_walk_in_says_which_came(
    two: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    clock.moves(days=1)
    assert "哪个宝宝来了" in scan(two)

    assert "签到成功" in two.says("2")
    assert states(services) == {"果果": "attended"}


def test_both_walk_in_where_two_places_are_left_and_neither_where_one_is(
    two: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1, places=1)
    clock.moves(days=1)
    scan(two)
    assert "位子都有人了" in two.says("都来了")
    assert states(services) == {}

    with services.database.transaction() as db:
        db.execute(update(GuidanceSession).values(places=2))
    scan(two)
    assert "糖糖、果果" in two.says("都来了")


def test_other_words_after_the_question_are_understood_as_themselves(
    two: Person, publish: Publisher, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    clock.moves(days=1)
    scan(two)

    assert "年已参加0/6次" in two.says("我的预约")


def test_who_waited_and_came_all_the_same_sits_down_when_a_place_is_left(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1, places=0, waiting_list="first_come")
    assert "候补第1位" in registered.says("报名 CQ-1")
    clock.moves(hours=22, minutes=30)  # past the last moment of an offer
    with services.database.transaction() as db:
        db.execute(update(GuidanceSession).values(places=1))
    clock.moves(hours=1, minutes=30)

    assert "签到成功" in scan(registered)
    assert states(services) == {"糖糖": "attended"}
    assert places_taken(services) == 0


def test_a_wrong_code_is_answered_with_the_right_session(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1, title="亲子抚触")
    publish("CQ-2", days=1.1, title="亲子阅读")
    registered.says("报名 CQ-2")
    clock.moves(days=1)

    answer = scan(registered)

    assert "「亲子阅读」" in answer
    assert "另一场" in answer
    assert states(services) == {}
    assert states(services, "CQ-2") == {"糖糖": "confirmed"}


def test_a_session_of_another_day_does_not_keep_from_walking_in(
    registered: Person, publish: Publisher, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    publish("CQ-2", days=2)
    registered.says("报名 CQ-2")
    clock.moves(days=1)

    assert "签到成功" in scan(registered)


def test_marked_as_missing_is_for_the_teacher_to_undo(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    registered.says("报名 CQ-1")
    with services.database.transaction() as db:
        db.execute(update(SignUp).values(state="no_show"))
    clock.moves(days=1)

    assert "记的是没来" in scan(registered)
    assert states(services) == {"糖糖": "no_show"}


def test_a_cancelled_session_says_so(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1)
    with services.database.transaction() as db:
        db.execute(update(GuidanceSession).values(state="cancelled"))
    clock.moves(days=1)

    assert "取消了" in scan(registered)


@pytest.mark.parametrize("scene", ["s:NOPE", "s:", "s:CQ-1"])
def test_unknown_codes_and_drafts_are_not_recognised(
    registered: Person, publish: Publisher, services: Services, scene: str
) -> None:
    publish("CQ-1", days=1)
    with services.database.transaction() as db:
        db.execute(update(GuidanceSession).values(state="draft"))

    assert "没认出来" in scan(registered, scene)


def test_a_follower_without_a_registration_hears_how_to(
    mother: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1", days=0)
    mother.follows()

    assert "回复「登记」" in scan(mother)
    assert states(services) == {}


def test_following_through_a_sessions_code_stays_and_leads_to_registration(
    mother: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=0)
    answer = mother.follows("s:CQ-1")

    assert "崇明育伴" in answer
    assert "城桥早教指导站" in answer
    assert "再扫一次码" in answer
    mother.says("登记 糖糖 2026-05-01 女 城桥镇")
    mother.says("同意")
    assert "签到成功" in scan(mother)


def test_following_through_an_unknown_code_stays(mother: Person) -> None:
    assert "没认出来" in mother.follows("s:NOPE")
    assert "登记成功" in [mother.says("登记 糖糖 2026-05-01 女 城桥镇"), mother.says("同意")][1]


def test_a_stations_code_works_as_before(registered: Person, station: str, clock: Clock) -> None:
    assert "城桥早教指导站" in scan(registered, station)
    clock.at += timedelta(seconds=1)
    assert "没认出来" in scan(registered, "NOPE")


def test_another_family_is_not_checked_in(
    registered: Person,
    person: Callable[[str], Person],
    publish: Publisher,
    services: Services,
    clock: Clock,
) -> None:
    publish("CQ-1", days=1, places=1)
    registered.says("报名 CQ-1")
    clock.moves(days=1)
    stranger = person("o-stranger")

    scan(stranger)

    assert states(services) == {"糖糖": "confirmed"}


def test_a_confirmed_family_gets_the_link_to_its_calendar(
    registered: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1")
    publish("CQ-2", confirm="staff")

    answer = registered.says("报名 CQ-1")

    with services.database.reading() as db:
        sign_up_id = db.execute(select(SignUp.id)).scalar_one()
    assert f"加到日历：{services.calendar_links.url(sign_up_id)}" in answer
    assert "加到日历" not in registered.says("报名 CQ-2")


def test_who_waits_hears_at_the_door_that_they_wait(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=1, places=0, waiting_list="first_come")
    registered.says("报名 CQ-1")

    for later in (timedelta(0), timedelta(hours=23, minutes=30), timedelta(minutes=40)):
        clock.at += later
        answer = scan(registered)
        assert "候补里" in answer
        assert "没有预约" not in answer
        assert "报名 CQ-1" not in answer
    assert states(services) == {"糖糖": "waitlisted"}
