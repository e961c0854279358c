"""The pages of guidance sessions: find, sign up, wait, give back."""

from collections.abc import Callable

import pytest

from app.wiring import Services
from tests.conversations.conftest import Person, Publisher
from tests.family.conftest import MovedClock, Phone


@pytest.fixture
def phone(registered: Person, open_as: Callable[[str], Phone]) -> Phone:
    """The mother of 糖糖, six months old."""
    return open_as(registered.openid)


@pytest.fixture
def other_family(person: Callable[[str], Person]) -> Person:
    father = person("o-other-father")
    father.follows()
    father.says("登记 果果 2026-04-10 男 堡镇")
    father.says("同意")
    return father


def test_the_list_shows_what_fits_and_the_seats_that_are_left(
    phone: Phone, publish: Publisher
) -> None:
    publish("CQ-1", title="亲子抚触", places=3)
    publish("CQ-2", title="大孩子的", months=(24, 36))
    page = phone.opens("sessions")
    assert "亲子抚触" in page
    assert "还有3个名额" in page
    assert "大孩子的" not in page
    assert "大孩子的" in phone.opens("sessions?age=any")
    assert "大孩子的" in phone.opens("sessions?age=24")


def test_the_list_narrows_by_township_kind_and_day(phone: Phone, publish: Publisher) -> None:
    publish("CQ-1", days=7)
    publish("CQ-2", days=8, title="第二天的")
    assert "亲子抚触" in phone.opens("sessions?township=城桥镇")
    assert "没有合适的活动" in phone.opens("sessions?township=横沙乡")
    assert "没有合适的活动" in phone.opens("sessions?kind=祖辈课堂")
    page = phone.opens("sessions?day=2026-11-30")
    assert "第二天的" in page
    assert "亲子抚触" not in page
    assert "（周一），1场" in phone.opens("sessions?month=2026-11")


@pytest.mark.parametrize(
    "query", ["age=x", "day=2026-02-31", "month=99-99", "month=9999-99", "township=%00x", "kind=x"]
)
def test_nonsense_in_the_address_is_no_harm(phone: Phone, publish: Publisher, query: str) -> None:
    publish("CQ-1")
    assert phone.client.get(f"/family/sessions?{query}").status_code in (200, 400)


def test_a_child_is_signed_up_once_however_often_it_is_tapped(
    phone: Phone, publish: Publisher
) -> None:
    publish("CQ-1", places=3)
    assert "糖糖报名成功" in phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    again = phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    assert "已经报过了" in again
    assert "还有" not in again
    assert "已报名" in phone.opens("bookings")
    assert "糖糖：已报名" in phone.opens("sessions/cq-1")


def test_a_session_that_filled_meanwhile_says_so_and_nothing_happened(
    phone: Phone, publish: Publisher, other_family: Person
) -> None:
    publish("CQ-1", places=1)
    phone.opens("sessions/CQ-1")
    assert "报名成功" in other_family.says("报名 CQ-1")
    page = phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    assert "名额已满" in page
    assert "现在没有预约" in phone.opens("bookings")


def test_a_full_session_offers_its_waiting_list_and_then_a_seat(
    phone: Phone, publish: Publisher, other_family: Person, services: Services, clock: MovedClock
) -> None:
    publish("CQ-1", places=1, waiting_list="first_come")
    other_family.says("报名 CQ-1")
    assert "排候补" in phone.opens("sessions/CQ-1")
    assert "排进候补了，第1位" in phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    assert "候补第1位" in phone.opens("sessions/CQ-1")
    other_family.says("取消 CQ-1")
    page = phone.opens("sessions/CQ-1")
    assert "有名额等您接受" in page
    assert "接受了，糖糖报名成功" in phone.posts("sessions/CQ-1/offer", answer="accept")
    assert "已经报过了" in phone.posts("sessions/CQ-1/offer", answer="accept")


def test_a_declined_offer_goes_to_the_next(
    phone: Phone, publish: Publisher, other_family: Person
) -> None:
    publish("CQ-1", places=1, waiting_list="first_come")
    other_family.says("报名 CQ-1")
    phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    other_family.says("取消 CQ-1")
    assert "让给下一家" in phone.posts("sessions/CQ-1/offer", answer="decline")
    page = phone.posts("sessions/CQ-1/offer", answer="decline")
    assert "said bad" in page


def test_a_place_is_given_back_once(phone: Phone, publish: Publisher) -> None:
    publish("CQ-1", places=2)
    phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    assert "名额已取消" in phone.posts("sessions/CQ-1/cancel", child="糖糖")
    assert "不用再取消" in phone.posts("sessions/CQ-1/cancel", child="糖糖")
    assert "还有2个名额" in phone.opens("sessions/CQ-1")


def test_after_the_deadline_the_page_says_whom_to_call(
    phone: Phone, publish: Publisher, clock: MovedClock
) -> None:
    publish("CQ-1", cancel_hours=24)
    phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    clock.moves(days=6, hours=12)
    page = phone.opens("sessions/CQ-1")
    assert "已过取消时间" in page
    assert "tel:021-55550101" in page
    assert "已过取消时间" in phone.posts("sessions/CQ-1/cancel", child="糖糖")


def test_another_familys_child_is_nobody_here(
    phone: Phone, publish: Publisher, other_family: Person
) -> None:
    publish("CQ-1")
    page = phone.posts("sessions/CQ-1/sign-up", child="果果")
    assert "没有叫「果果」的宝宝" in page
    other_family.says("报名 CQ-1")
    assert "不用再取消" in phone.posts("sessions/CQ-1/cancel")
    assert "果果" not in phone.opens("sessions/CQ-1")


def test_what_does_not_exist_has_a_page(phone: Phone) -> None:
    assert "没有找到编号" in phone.opens("sessions/NONE", status=404)


def test_a_messages_link_shows_the_session_and_asks_for_nothing(
    phone: Phone,
    publish: Publisher,
    services: Services,
    clock: MovedClock,
    app: object,
    open_as: Callable[[str], Phone],
) -> None:
    publish("CQ-1")
    phone.posts("sessions/CQ-1/sign-up", child="糖糖")
    link = services.page_links.signed("sessions/CQ-1", caregiver_id=1, now=clock())
    page = open_as("nobody").opens(link.removeprefix("http://127.0.0.1:8000"))
    assert "糖糖：已报名" in page
    assert "sign-up" not in page
    assert "cancel" not in page


def test_who_has_no_family_sees_what_there_is(
    person: Callable[[str], Person], publish: Publisher, open_as: Callable[[str], Phone]
) -> None:
    person("o-new").follows()
    publish("CQ-1")
    phone = open_as("o-new")
    assert "亲子抚触" in phone.opens("sessions")
    assert "登记了宝宝才能报名" in phone.opens("sessions/CQ-1")
    assert "登记" in phone.opens("bookings", status=409)
