"""Home visits by the app: a time chosen, who comes, an offer answered, a birth, a loss."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.models import Child, Consent, Family, FollowUp, HomeVisit, SpecialNeed, Staff, Visitor
from app.services import visit_decisions, visit_proposals
from app.services.home_contacts import CONTACT_PURPOSE
from app.services.home_visits import Choice
from app.wiring import Services
from tests.api.conftest import MAMA, Caller, register
from tests.conversations.test_home_visits import THURSDAY
from tests.family.conftest import MovedClock
from tests.visiting import add_staff, add_visitors, get_visitor, only_visit, visitor_line


@pytest.fixture
def newborns(
    log_in: Callable[[str], Caller], services: Services, clock: MovedClock, station: str
) -> Caller:
    """The mother of a newborn, where one visitor goes."""
    with services.database.transaction() as db:
        add_visitors(db, clock(), visitor_line())
        add_staff(db, "wang", clock())
    caller = log_in(MAMA)
    register(caller, "糖糖", born="2026-11-18")
    return caller


def confirm(services: Services, clock: MovedClock) -> None:
    with services.database.transaction() as db:
        teacher = db.scalars(select(Staff)).one()
        visit_decisions.confirm(db, visit_id=only_visit(db).id, staff=teacher, now=clock())


def test_a_beginning_is_chosen_and_the_visitor_known_once_it_is_confirmed(
    newborns: Caller, services: Services, clock: MovedClock
) -> None:
    days = {one["day"]: one["starts_at"] for one in newborns.gets("/visit/slots")["items"]}
    assert THURSDAY.isoformat() in days[str(THURSDAY.date())]
    made = newborns.posts("/visit", {"starts_at": THURSDAY.isoformat()})
    assert (made["starts_at"], made["visitor"]) == (THURSDAY.isoformat(), None)
    newborns.gets("/visit/photo", 404)
    confirm(services, clock)
    with services.database.transaction() as db:
        db.execute(update(Visitor).values(photo=b"\x89PNG\r\n\x1a\n", photo_type="image/png"))
    shown = newborns.gets("/visit")
    assert (shown["visitor"], shown["has_photo"], shown["may_change"]) == ("施老师", True, True)
    assert shown["code_word"]
    assert newborns.asks("GET", "/visit/photo").content_type == "image/png"


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"day": "2026-11-26", "any_time": True},
        {"half": "morning"},
        {"half": "morning", "starts_at": "2026-11-26T09:00:00+08:00"},
    ],
)
def test_a_wish_names_one_time(newborns: Caller, wish: dict[str, object]) -> None:
    assert newborns.posts("/visit", wish, 422)["code"] == "one_time"


@pytest.mark.parametrize(
    "starts_at", ["2026-11-26T09:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_a_beginning_outside_of_any_calendar_is_refused(newborns: Caller, starts_at: str) -> None:
    answer = newborns.posts("/visit", {"starts_at": starts_at}, 422)
    assert answer["facts"]["fields"] == ["starts_at"]


def test_a_time_that_staff_ask_about_is_answered_once(
    newborns: Caller, services: Services, clock: MovedClock
) -> None:
    assert newborns.posts("/visit/answer", {"answer": "accept"}, 409)["code"] == "no_visit_proposal"
    newborns.posts("/visit", {"any_time": True})
    later = THURSDAY + timedelta(days=1)
    with services.database.transaction() as db:
        teacher = db.scalars(select(Staff)).one()
        visit_proposals.propose(
            db,
            visit_id=only_visit(db).id,
            staff=teacher,
            choice=Choice(get_visitor(db).id, later),
            now=clock(),
        )
    assert newborns.gets("/visit")["proposal"]["starts_at"] == later.isoformat()
    asked = {"answer": "accept"}
    first = newborns.asks("POST", "/visit/answer", asked, Idempotency_Key="tap-00001")
    again = newborns.asks("POST", "/visit/answer", asked, Idempotency_Key="tap-00001")
    assert (first.status_code, first.data) == (200, again.data)
    taken = newborns.gets("/visit")
    assert (taken["state"], taken["starts_at"]) == ("confirmed", later.isoformat())
    assert taken["proposal"] is None
    moved = newborns.posts("/visit/other-time", {"starts_at": THURSDAY.isoformat()}, 200)
    assert moved["starts_at"] == later.isoformat(), "the old time stays until staff agree"


def test_the_address_is_a_consent_of_its_own_and_is_taken_away(
    newborns: Caller, services: Services
) -> None:
    told = {"address": "北门路9号301室", "phone": "13800000000"}
    for _ in range(2):
        answer = newborns.asks("PUT", "/visit/contact", told).get_json(force=True)
    assert answer["address"] == "北门路9号301室"
    with services.database.reading() as db:
        purposes = list(db.scalars(select(Consent.purpose)))
    assert purposes.count(CONTACT_PURPOSE) == 1
    unclear = newborns.asks("PUT", "/visit/contact", {"phone": "12"})
    assert unclear.get_json(force=True)["code"] == "home_contact_unclear"
    assert newborns.gets("/visit/contact")["phone"] == "+8613800000000"
    newborns.asks("PUT", "/visit/contact", {})
    assert newborns.gets("/visit/contact")["address"] == ""


def test_a_visit_that_was_is_listed_and_spoken_of(
    newborns: Caller, services: Services, clock: MovedClock
) -> None:
    assert newborns.posts("/visit/rating", {"rating": "good"}, 404)["code"] == "nothing_to_rate"
    assert newborns.gets("/visits")["owed"][0]["child"] == "糖糖"
    newborns.posts("/visit", {"starts_at": THURSDAY.isoformat()})
    confirm(services, clock)
    with services.database.transaction() as db:
        db.execute(update(HomeVisit).values(state="completed"))
    assert newborns.gets("/visits")["items"][0]["visitor"] == "施老师"
    said = newborns.posts("/visit/rating", {"rating": "bad", "words": "没洗手"}, 200)
    assert "对不起" in said["message"]
    with services.database.reading() as db:
        assert db.scalars(select(FollowUp.kind)).all() == ["complaint"]


def test_a_birth_and_the_way_home_decide_by_when_somebody_comes(newborns: Caller) -> None:
    child = newborns.gets("/family")["children"][0]["id"]
    told = {"discharged_on": "2026-11-21", "gestation_weeks": 35, "weight_grams": 2300}
    said = newborns.posts(f"/family/children/{child}/birth", told, 200)
    assert (said["due_on"], said["is_high_risk"]) == ("2026-11-24", True)
    wrong = newborns.posts(f"/family/children/{child}/birth", {"discharged_on": "2026-11-01"}, 409)
    assert wrong["code"] == "birth_report_unlikely"


def test_special_needs_are_kept_and_a_loss_stops_everything(
    newborns: Caller, services: Services
) -> None:
    child = newborns.gets("/family")["children"][0]["id"]
    noted = newborns.asks("PUT", f"/family/children/{child}/special-need", {"category": "听力"})
    assert "只给经办的老师看" in noted.get_json(force=True)["message"]
    with services.database.reading() as db:
        assert db.scalars(select(SpecialNeed.category)).one() == "听力"
    newborns.posts("/family/loss", {"sure": False}, 422)
    said = newborns.posts("/family/loss", {"sure": True}, 200)["message"]
    assert "多保重" in said
    with services.database.reading() as db:
        assert db.scalars(select(Family.stopped_at)).one() is not None
        assert db.scalars(select(FollowUp.kind)).all() == ["loss"]
        assert db.scalars(select(Child.lost_at)).one() is None, "a person asks, and enters it"
