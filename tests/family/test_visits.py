"""The page of home visits: a time chosen, who comes, an offer answered."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.models import Consent, HomeContact, HomeVisit, Staff, Visitor
from app.services import visit_decisions, visit_proposals
from app.services.home_contacts import CONTACT_PURPOSE
from app.services.home_visits import Choice
from app.wiring import Services
from tests.conversations.conftest import Person
from tests.conversations.test_home_visits import THURSDAY
from tests.family.conftest import MovedClock, Phone
from tests.visiting import add_staff, add_visitors, get_visitor, only_visit, visitor_line


@pytest.fixture
def phone(
    mother: Person,
    services: Services,
    clock: MovedClock,
    station: str,
    open_as: Callable[[str], Phone],
) -> Phone:
    """The mother of a newborn, where one visitor goes."""
    with services.database.transaction() as db:
        add_visitors(db, clock(), visitor_line())
        add_staff(db, "wang", clock())
    mother.follows()
    mother.says("登记 糖糖 2026-11-18 女 城桥镇")
    mother.says("同意")
    return open_as(mother.openid)


def test_a_time_is_chosen_and_then_shown(phone: Phone, services: Services) -> None:
    assert "选一个时间" in phone.opens("visits")
    page = phone.posts("visits/ask", starts_at=THURSDAY.isoformat())
    assert "上门申请已提交" in page
    assert "待确认" in page
    with services.database.reading() as db:
        assert only_visit(db).starts_at == THURSDAY


def test_a_time_that_somebody_else_took_meanwhile_says_so(
    phone: Phone, person: Callable[[str], Person]
) -> None:
    other = person("o-other")
    other.follows()
    other.says("登记 果果 2026-11-17 城桥镇")
    other.says("同意")
    other.says("上门 11月26日 上午")
    page = phone.posts("visits/ask", starts_at=THURSDAY.isoformat())
    assert "该时段已满" in page


def test_who_comes_is_shown_once_it_is_confirmed(
    phone: Phone, services: Services, clock: MovedClock
) -> None:
    page = phone.posts("visits/ask", starts_at=THURSDAY.isoformat())
    assert "施老师" not in page
    _confirm(services, clock)
    page = phone.opens("visits")
    assert "施老师" in page
    assert "暗号" in page
    assert 'href="tel:13800000001"' in page


def _confirm(services: Services, clock: MovedClock) -> None:
    with services.database.transaction() as db:
        teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        visit_decisions.confirm(db, visit_id=only_visit(db).id, staff=teacher, now=clock())


def test_an_offer_is_answered_on_the_page(
    phone: Phone, services: Services, clock: MovedClock
) -> None:
    phone.posts("visits/ask", starts_at=THURSDAY.isoformat())
    with services.database.transaction() as db:
        teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        choice = Choice(get_visitor(db).id, THURSDAY + timedelta(days=1))
        visit_proposals.propose(
            db, visit_id=only_visit(db).id, staff=teacher, choice=choice, now=clock()
        )
    assert "11月27日（周五）上午9:00行吗" in phone.opens("visits")
    assert "约好了" in phone.posts("visits/answer", answer="accept")
    assert "没有等您答复" in phone.posts("visits/answer", answer="accept")


def test_it_is_cancelled_on_the_page(phone: Phone, services: Services) -> None:
    phone.posts("visits/ask", starts_at=THURSDAY.isoformat())
    assert "已取消" in phone.posts("visits/cancel")
    with services.database.reading() as db:
        assert db.scalars(select(HomeVisit.state)).all() == ["cancelled"]


@pytest.mark.parametrize(
    "said",
    [
        *("", "tomorrow", "2026-11-20T09:00:00+08:00"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
    ],
)
def test_nonsense_and_the_past_change_nothing(phone: Phone, services: Services, said: str) -> None:
    phone.posts("visits/ask", starts_at=said)
    with services.database.reading() as db:
        assert db.scalars(select(HomeVisit)).all() == []


def test_where_to_come_is_filled_in_changed_and_taken_away(
    phone: Phone, services: Services
) -> None:
    def kept() -> tuple[str | None, str | None, int]:
        with services.database.reading() as db:
            contact = db.scalars(select(HomeContact)).one()
            given = select(Consent).where(Consent.purpose == CONTACT_PURPOSE)
            return contact.address, contact.phone, len(db.scalars(given).all())

    assert "门牌和电话" in phone.opens("visits")
    page = phone.posts("visits/contact", address="地址：育麟路18号301室", phone="138 0000 1234")
    assert "记下了住址和电话" in page
    assert 'value="育麟路18号301室"' in page
    assert kept() == ("育麟路18号301室", "+8613800001234", 1)
    assert "没看出门牌" in phone.posts("visits/contact", address="好的", phone="")
    assert "电话不太对" in phone.posts("visits/contact", address="", phone="12345")
    assert "太长了" in phone.posts("visits/contact", address="路" * 101, phone="")
    assert kept() == ("育麟路18号301室", "+8613800001234", 1), "what was refused changes nothing"
    assert "都删掉了" in phone.posts("visits/contact", address="", phone=" ")
    assert kept() == (None, None, 1)


def test_where_everything_is_full_a_person_is_asked_to_call(
    phone: Phone, services: Services
) -> None:
    with services.database.transaction() as db:
        db.execute(update(Visitor).values(is_active=False))
    assert "请老师打电话来约" in phone.opens("visits")
    page = phone.posts("visits/ask", starts_at="any")
    assert "老师会打电话跟您约" in page
    assert "请老师打电话来约" not in page, "asked once is enough"
    with services.database.reading() as db:
        assert (only_visit(db).state, only_visit(db).starts_at) == ("requested", None)


def test_another_familys_photo_is_not_shown(phone: Phone) -> None:
    assert phone.client.get("/family/visits/photo").status_code == 404
