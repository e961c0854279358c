"""Finding, booking and cancelling guidance sessions in the chat."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from app.models import GuidanceSession, SignUp
from app.wiring import Services
from tests.conversations.conftest import Clock, Person, Publisher


def places_taken(services: Services, code: str) -> int:
    with services.database.reading() as db:
        return db.execute(
            select(GuidanceSession.places_taken).where(GuidanceSession.code == code)
        ).scalar_one()


def test_the_list_shows_what_fits_with_code_date_place_and_seats(
    registered: Person, publish: Publisher
) -> None:
    publish("CQ-1", places=12)
    publish("CQ-2", months=(24, 36), title="大孩子的活动")
    listed = registered.says("活动")
    assert "CQ-1" in listed
    assert "11月29日" in listed
    assert "城桥早教指导站" in listed
    assert "还有12个名额" in listed
    assert "CQ-2" not in listed


def test_signing_up_confirms_at_once_where_no_one_has_to_decide(
    registered: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1")
    assert "报名成功" in registered.says("报名 CQ-1")
    assert places_taken(services, "CQ-1") == 1
    assert "已报名" in registered.says("我的预约")


def test_a_session_that_staff_confirm_holds_the_place(
    registered: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1", confirm="staff")
    assert "待确认" in registered.says("报名 cq-1")
    assert places_taken(services, "CQ-1") == 1
    assert "待确认" in registered.says("我的预约")


def test_a_number_after_the_list_signs_up(registered: Person, publish: Publisher) -> None:
    publish("CQ-1")
    publish("CQ-2", days=8)
    registered.says("活动")
    answer = registered.says("第二个")
    assert "报名成功" in answer
    assert "CQ-2" in answer


def test_signing_up_twice_is_said_and_takes_one_place(
    registered: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1")
    registered.says("报名 CQ-1")
    assert "已报名" in registered.says("报名 CQ-1")
    assert places_taken(services, "CQ-1") == 1


def test_a_full_session_says_so_and_stores_nothing(
    registered: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1", places=0)
    assert "名额已满" in registered.says("报名 CQ-1")
    with services.database.reading() as db:
        assert db.execute(select(SignUp)).all() == []


def test_age_is_reckoned_on_the_day_of_the_session(registered: Person, publish: Publisher) -> None:
    # 糖糖 completes seven months on 1 December.
    publish("BEFORE", days=8, months=(7, 12))
    publish("AFTER", days=9, months=(7, 12))
    assert "月龄不符" in registered.says("报名 BEFORE")
    assert "报名成功" in registered.says("报名 AFTER")


def test_not_yet_open_closed_and_unknown(
    registered: Person, publish: Publisher, clock: Clock
) -> None:
    publish("LATER", opens_days=2)
    publish("SOON", days=1)
    assert "尚未开放" in registered.says("报名 LATER")
    clock.moves(hours=23, minutes=30)
    assert "已截止" in registered.says("报名 SOON")
    assert "没有找到" in registered.says("报名 NOPE")


def test_cancelling_frees_the_place_until_the_deadline(
    registered: Person, publish: Publisher, services: Services, clock: Clock
) -> None:
    publish("CQ-1", days=3)
    registered.says("报名 CQ-1")
    assert "已取消" in registered.says("取消 CQ-1")
    assert places_taken(services, "CQ-1") == 0
    assert "报名成功" in registered.says("报名 CQ-1")
    clock.moves(days=2, seconds=1)
    answer = registered.says("取消 CQ-1")
    assert "已过取消时间" in answer
    assert "021-55550101" in answer
    assert places_taken(services, "CQ-1") == 1


def test_cancelling_what_was_not_booked(registered: Person, publish: Publisher) -> None:
    publish("CQ-1")
    assert "没有报名" in registered.says("取消 CQ-1")


def test_without_a_registration_booking_says_how_to_register(
    mother: Person, publish: Publisher
) -> None:
    publish("CQ-1")
    assert "回复「登记」" in mother.says("报名 CQ-1")


@pytest.fixture
def two(registered: Person) -> Person:
    registered.says("登记 果果 2026-05-01 男 城桥镇")
    return registered


def test_with_several_children_the_name_decides(
    two: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1")
    assert "给哪个宝宝" in two.says("报名 CQ-1")
    answer = two.says("果果")
    assert "报名成功" in answer
    assert "果果" in answer
    assert "糖糖" in two.says("报名 CQ-1 糖糖")
    assert places_taken(services, "CQ-1") == 2


def test_siblings_come_both_or_neither(two: Person, publish: Publisher, services: Services) -> None:
    publish("CQ-1", places=1)
    two.says("报名 CQ-1")
    assert "名额已满" in two.says("都去")
    assert places_taken(services, "CQ-1") == 0


def test_cancelling_for_several_children_asks_which(
    two: Person, publish: Publisher, services: Services
) -> None:
    publish("CQ-1")
    two.says("报名 CQ-1 都去")
    assert "取消谁的" in two.says("取消 CQ-1")
    assert "已取消" in two.says("取消 CQ-1 果果")
    assert places_taken(services, "CQ-1") == 1


def test_another_family_cannot_cancel_it(
    registered: Person,
    person: Callable[[str], Person],
    publish: Publisher,
    services: Services,
) -> None:
    publish("CQ-1")
    registered.says("报名 CQ-1")
    other = person("o-other")
    other.says("登记 毛毛 2026-05-01 堡镇")
    other.says("同意")
    assert "没有报名" in other.says("取消 CQ-1")
    assert places_taken(services, "CQ-1") == 1


def test_more_pages_through_a_long_list(registered: Person, publish: Publisher) -> None:
    for number in range(1, 8):
        publish(f"CQ-{number}", days=number)
    assert "回复「更多」" in registered.says("活动")
    more = registered.says("更多")
    assert "CQ-7" in more
    assert "后面没有了" in registered.says("更多")


def test_after_the_deadline_a_confirmation_gives_the_telephone(
    registered: Person, publish: Publisher
) -> None:
    publish("CQ-1", days=0.5)
    answer = registered.says("报名 CQ-1")
    assert "报名成功" in answer
    assert "取消 CQ-1" not in answer
    assert "021-55550101" in answer
    publish("CQ-2", days=0.5, confirm="staff")
    answer = registered.says("报名 CQ-2")
    assert "待确认" in answer
    assert "021-55550101" in answer
    publish("CQ-3", days=3)
    assert "回复「取消 CQ-3」" in registered.says("报名 CQ-3")


def test_my_bookings_offer_a_word_only_for_what_it_still_gives_back(
    registered: Person, publish: Publisher
) -> None:
    publish("CQ-1", days=0.5)
    registered.says("报名 CQ-1")
    for asked in ("我的预约", "取消", "改时间"):
        answer = registered.says(asked)
        assert "「取消" not in answer, asked
        assert "已过取消时间，去不了请打电话 021-55550101" in answer, asked
    publish("CQ-2", days=5)
    registered.says("报名 CQ-2")
    shown = registered.says("我的预约")
    assert "去不了，回复「取消 CQ-2」" in shown
    assert "（CQ-1）已过取消时间" in shown
    assert "取消 CQ-2" in registered.says("取消")


def test_who_waits_past_the_deadline_may_leave_by_a_word(
    registered: Person,
    person: Callable[[str], Person],
    publish: Publisher,
) -> None:
    publish("CQ-1", days=0.5, places=1, waiting_list="first_come")
    other = person("o-other")
    other.says("登记 毛毛 2026-05-01 城桥镇")
    other.says("同意")
    other.says("报名 CQ-1")
    assert "候补第1位" in registered.says("报名 CQ-1")
    assert "回复「取消 CQ-1」" in registered.says("我的预约")
