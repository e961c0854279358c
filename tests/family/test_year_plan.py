"""The year as a picture: proposed, changed, agreed to once."""

import re
from collections.abc import Callable

import pytest

from app.dialogue.message import Kind, Window
from tests.conversations.conftest import Person, Publisher
from tests.family.conftest import MovedClock, Phone


@pytest.fixture
def phone(registered: Person, open_as: Callable[[str], Phone]) -> Phone:
    return open_as(registered.openid)


@pytest.fixture
def three(publish: Publisher) -> None:
    for number, days in enumerate((5, 14, 23), start=1):
        publish(f"CQ-{number}", days=days, title=f"第{number}场")


def hidden(page: str, name: str) -> str:
    found = re.findall(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return str(found[0])


def agreed(phone: Phone, page: str) -> str:
    return phone.posts(
        "year-plan/agree",
        child=hidden(page, "child"),
        shown=hidden(page, "shown"),
        declined=hidden(page, "declined"),
    )


def test_the_page_shows_what_would_fill_the_year(phone: Phone, three: None) -> None:
    page = phone.opens("year-plan")
    assert "已参加0/6次" in page
    assert "3场全部报名" in page
    assert "还差6次" in page
    assert "还差3次没有合适的活动" in page


def test_one_yes_signs_up_for_all_and_a_second_for_nothing_more(phone: Phone, three: None) -> None:
    page = phone.opens("year-plan")
    after = agreed(phone, page)
    assert "3场都报上了" in after
    assert "报上了，还没去的" in after
    assert "不用再报" in agreed(phone, page)
    assert phone.opens("bookings").count("已报名") == 3


def test_one_is_swapped_and_the_others_stay(phone: Phone, three: None, publish: Publisher) -> None:
    publish("CQ-4", days=5, title="同一天的")
    page = phone.opens("year-plan")
    shown = hidden(page, "shown")
    first = shown.split("-")[0]
    change = f"year-plan?child={hidden(page, 'child')}&shown={shown}&swap={first}"
    after = phone.opens(change)
    assert "换成了" in after
    assert first not in hidden(after, "shown").split("-")
    assert hidden(after, "shown").split("-")[1:] == shown.split("-")[1:]


def test_one_is_dropped_and_not_proposed_again(phone: Phone, three: None) -> None:
    page = phone.opens("year-plan")
    shown = hidden(page, "shown")
    first = shown.split("-")[0]
    after = phone.opens(f"year-plan?child={hidden(page, 'child')}&shown={shown}&drop={first}")
    assert "2场全部报名" in after
    agreed(phone, after)
    assert "第1场" not in phone.opens("year-plan")


def test_a_session_that_filled_meanwhile_takes_none(
    phone: Phone, publish: Publisher, person: Callable[[str], Person]
) -> None:
    publish("CQ-1", days=5, places=1)
    publish("CQ-2", days=12)
    page = phone.opens("year-plan")
    other = person("o-other")
    other.follows()
    other.says("登记 果果 2026-04-10 男 城桥镇")
    other.says("同意")
    other.says("报名 CQ-1")
    after = agreed(phone, page)
    assert "先一场都没有报" in after
    assert "现在没有预约" in phone.opens("bookings")


@pytest.mark.parametrize(
    "query",
    ["child=999", "child=x", "shown=1-x-99999999999", "shown=&drop=1", "swap=7", "shown=1&swap=1"],
)
def test_nonsense_in_the_address_is_no_harm(phone: Phone, three: None, query: str) -> None:
    assert "2026年" in phone.opens(f"year-plan?{query}")


def test_attended_ones_are_done(
    phone: Phone, registered: Person, publish: Publisher, clock: MovedClock
) -> None:
    publish("CQ-1", days=3, title="去过的")
    registered.says("报名 CQ-1")
    clock.moves(days=3, minutes=-5)
    registered.sends(Kind.SCAN, event_key="s:CQ-1", window=Window.TAP)
    page = phone.opens("year-plan")
    assert "已参加1/6次" in page
    assert "参加过的" in page


def test_the_plan_can_be_stopped(phone: Phone, three: None) -> None:
    agreed(phone, phone.opens("year-plan"))
    assert "年度计划停了" in phone.posts("year-plan/stop")


def test_the_plan_may_sign_up_by_itself_until_it_is_told_to_ask(phone: Phone, three: None) -> None:
    assert "不用问，直接报上" not in phone.opens("year-plan")
    agreed(phone, phone.opens("year-plan"))
    assert "不用问，直接报上" in phone.opens("year-plan")
    after = phone.posts("year-plan/taking", takes="yes")
    assert "改成先问我" in after
    assert "就直接给您报上" in after or "直接给您报上" in after
    assert "不用问，直接报上" in phone.posts("year-plan/taking", takes="no")


def test_a_number_that_leads_nowhere_is_not_remembered_as_declined(
    phone: Phone, three: None
) -> None:
    page = phone.opens("year-plan")

    phone.posts(
        "year-plan/agree",
        child=hidden(page, "child"),
        shown=hidden(page, "shown"),
        declined="999-2147483647",
    )

    assert "现在没有预约" not in phone.opens("bookings")
