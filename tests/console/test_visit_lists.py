"""Home visits in the console: lists with their files, the board by day and week, family's forms."""

import csv
import io
from datetime import date, datetime, timedelta
from http import HTTPStatus

import pytest
import time_machine
from sqlalchemy import select

from app.clock import SHANGHAI
from app.db import Database
from app.models import (
    AuditEntry,
    Child,
    Consent,
    HomeContact,
    NewbornCare,
    SpecialNeed,
    Staff,
    VisitDue,
)
from app.services import home_visits, visit_decisions, visit_dues
from app.services.home_contacts import CONTACT_PURPOSE
from app.services.home_visits import Wish
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_child, make_staff, mother_of
from tests.visiting import add_visitors, visitor_line

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)


@pytest.fixture
def town(desk: Desk, database: Database, now: datetime) -> dict[str, int]:
    """Two visitors; 豆豆 asked for Monday, 米米 is owed a visit, 圆圆 is not born yet."""
    with database.transaction() as db:
        station = db.scalars(select(Staff).where(Staff.username == "wang")).one().station
        add_visitors(db, now, visitor_line(), visitor_line("V2", name="陆老师"))
        make_staff(db, "v1", now, role="visitor", station=station)
        ids = {}
        for name, born in (("豆豆", date(2026, 11, 18)), ("米米", date(2026, 11, 12))):
            child = make_child(db, name, now, station=station, born=born)
            visit_dues.plan_child(db, child, now)
            ids[name] = child.id
        unborn = make_child(db, "圆圆", now, station=station, born=None)
        unborn.due_date = date(2026, 11, 15)
        ids["圆圆"] = unborn.id
        asking = mother_of(db, db.get_one(Child, ids["豆豆"]))
        wish = Wish(MONDAY.date(), None, MONDAY)
        visit = home_visits.request(db, caregiver=asking, wish=wish, now=now)
        teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        visit_decisions.confirm(db, visit_id=visit.id, staff=teacher, now=now)
        ids["family"] = db.get_one(Child, ids["米米"]).family_id
        ids["unborn family"] = unborn.family_id
    return ids


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def test_the_due_list_is_searched_and_its_file_holds_what_it_shows(
    browse: Browse, town: dict[str, int]
) -> None:
    browser = browse("wang")
    page = text_of(browser.get("/console/visits/due"))
    assert "米米" in page
    assert "豆豆" not in page, "arranged"
    found = rows_of(browser.get("/console/visits/due?q=mimi&file=csv").data)
    assert [(row["宝宝"], row["期限"]) for row in found] == [("米米", "2026-12-10")]
    assert rows_of(browser.get("/console/visits/due?risk=high&file=csv").data) == []
    expected = rows_of(browser.get("/console/visits/due?tab=expected&file=csv").data)
    assert [row["宝宝"] for row in expected] == ["圆圆"]
    assert browser.get("/console/visits/due?file=xlsx").data[:2] == b"PK"
    assert browser.get("/console/visits/due?tab=nonsense").status_code == HTTPStatus.NOT_FOUND
    assert rows_of(browse("li").get("/console/visits/due?file=csv").data) == []


def test_visits_are_listed_by_what_became_of_them_and_exported(
    browse: Browse, town: dict[str, int]
) -> None:
    browser = browse("wang")
    assert "没有等答复的申请" in text_of(browser.get("/console/visits"))
    rows = rows_of(browser.get("/console/visits?show=arranged&month=2026-11&file=csv").data)
    assert [(row["宝宝"], row["状态"], row["老师"]) for row in rows] == [
        ("豆豆", "已确认", "施老师")
    ]
    assert rows_of(browser.get("/console/visits?show=arranged&month=2026-12&file=csv").data) == []
    assert rows_of(browse("li").get("/console/visits?show=all&file=csv").data) == []
    district = text_of(browse("district").get("/console/visits?show=all&township=城桥镇"))
    assert "豆豆" in district


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "soon"])
def test_a_day_of_no_time_of_ours_is_this_weeks_board(browse: Browse, day: str) -> None:
    browser = browse("wang")
    board = browser.get(f"/console/visits/board?day={day}")
    assert board.status_code == HTTPStatus.OK
    assert day not in text_of(board)


def test_one_day_of_the_board_has_every_visitor_and_a_page_of_a_week_its_own(
    browse: Browse, town: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.visit_board.VISITORS_OF_A_WEEK", 1)
    browser = browse("wang")
    day = text_of(browser.get("/console/visits/board?day=2026-11-23&days=1"))
    assert "09:00–10:00" in day
    assert "陆老师" in day
    assert "没有安排" in day
    first = text_of(browser.get("/console/visits/board?day=2026-11-23"))
    second = text_of(browser.get("/console/visits/board?day=2026-11-23&page=2"))
    assert ("豆豆" in first, "陆老师" in first) == (True, False)
    assert ("豆豆" in second, "陆老师" in second) == (False, True)


def test_a_conflict_on_another_page_is_named_on_this_one(
    browse: Browse, town: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.visit_board.VISITORS_OF_A_WEEK", 1)
    browser = browse("wang")
    leave = {"first": "2026-11-23", "part": "day"}
    send(browser, "/console/visits/visitors/1/leave", page="/console/visits/visitors", **leave)
    browser.get("/console/visits/visitors")
    second = text_of(browser.get("/console/visits/board?day=2026-11-23&page=2"))
    assert "有1次上门排不开" in second
    assert "#visitor-0" in second
    assert "施老师" in second


def test_staff_write_down_a_birth_that_the_family_told_on_the_telephone(
    browse: Browse, town: dict[str, int], database: Database
) -> None:
    browser = browse("wang")
    page = f"/console/visits/families/{town['unborn family']}"
    child = town["圆圆"]
    fields = {
        f"c{child}-born": "2026-11-20",
        f"c{child}-discharged": "2026-11-22",
        f"c{child}-weeks": "35",
        f"c{child}-grams": "2400",
        f"c{child}-factors": "jaundice",
    }
    send(browser, f"/console/visits/children/{child}/birth", page=page, **fields)
    shown = text_of(browser.get(page))
    assert "记下了" in shown
    assert "早产" in shown
    with database.reading() as db:
        stored = db.get_one(Child, child)
        assert (stored.birth_date, stored.due_date) == (date(2026, 11, 20), None)
        assert stored.gestation_weeks == 35
        assert db.get_one(NewbornCare, child).factors == "jaundice"
        due = db.scalars(select(VisitDue).where(VisitDue.child_id == child)).one()
        assert (due.due_on, due.is_high_risk) == (date(2026, 11, 25), True), "three days"
        wang = db.scalars(select(Staff.id).where(Staff.username == "wang")).one()
        actions = db.execute(
            select(AuditEntry.action, AuditEntry.actor_id).where(
                AuditEntry.subject_type == "child", AuditEntry.subject_id == child
            )
        ).all()
        assert set(actions) == {("correct", wang), ("report_birth", wang)}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("born", "2026-12-01", "2026"),
        ("born", "", "请填写"),
        ("discharged", "2026-11-01", "出院日期在出生以前"),
        ("grams", "33", "请填克数"),
        ("weeks", "88", "20到44"),
    ],
)
def test_a_slip_in_a_birth_is_said_and_what_was_typed_stays(
    browse: Browse, town: dict[str, int], database: Database, field: str, value: str, said: str
) -> None:
    browser = browse("wang")
    child = town["圆圆"]
    page = f"/console/visits/families/{town['unborn family']}"
    fields = {f"c{child}-born": "2026-11-20", f"c{child}-grams": "2401"}
    fields[f"c{child}-{field}"] = value
    answer = send(browser, f"/console/visits/children/{child}/birth", page=page, **fields)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    shown = text_of(answer)
    assert said in shown
    if field != "grams":
        assert 'value="2401"' in shown
    with database.reading() as db:
        assert db.get_one(Child, child).birth_date is None


def test_where_to_go_is_written_down_as_it_was_told(
    browse: Browse, town: dict[str, int], database: Database
) -> None:
    browser = browse("wang")
    page = f"/console/visits/families/{town['family']}"
    act = f"{page}/contact"
    send(browser, act, page=page, address="育麟路18号301室", phone="138 0000 1234")
    shown = text_of(browser.get(page))
    assert "上门的住址和电话记下了" in shown
    assert 'href="tel:+8613800001234"' in shown
    refused = send(browser, act, page=page, address="育麟路19号", phone="12345")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "电话不太对" in text_of(refused)
    assert 'value="育麟路19号"' in text_of(refused), "what was typed stays"
    with database.reading() as db:
        contact = db.get_one(HomeContact, town["family"])
        assert (contact.address, contact.phone) == ("育麟路18号301室", "+8613800001234")
        wang = db.scalars(select(Staff.id).where(Staff.username == "wang")).one()
        written = select(AuditEntry.actor_id).where(AuditEntry.action == "set_home_contact")
        assert db.scalars(written).all() == [wang]
        assert db.scalars(select(Consent).where(Consent.purpose == CONTACT_PURPOSE)).all() == []


def test_where_a_family_lives_is_no_affair_of_the_districts(
    browse: Browse, town: dict[str, int], database: Database
) -> None:
    with database.transaction() as db:
        db.add(
            HomeContact(
                family_id=town["family"],
                address="育麟路18号301室",
                phone="+8613800001234",
                updated_at=MONDAY,
            )
        )
    pages = (f"/console/visits/families/{town['family']}", "/console/visits/due?file=csv")
    for username, sees in (("wang", True), ("district", False), ("auditor", False)):
        browser = browse(username)
        for page in pages:
            shown = text_of(browser.get(page))
            assert ("育麟路18号301室" in shown) is sees, (username, page)
            assert ("13800001234" in shown) is sees, (username, page)
    district = browse("district")
    refused = send(district, f"{pages[0]}/contact", page="/console/", address="x", phone="")
    assert refused.status_code == HTTPStatus.FORBIDDEN


def test_a_visit_nobody_recorded_is_before_everybodys_eyes(
    browse: Browse, town: dict[str, int], clock: time_machine.Traveller
) -> None:
    clock.move_to(MONDAY + timedelta(days=1))
    worker = browse("wang")
    assert "次上门的日子过了，没填记录" in text_of(worker.get("/console/"))
    assert "豆豆" in text_of(worker.get("/console/visits?show=unrecorded"))
    assert "约好的上门，去了没有" in text_of(worker.get("/console/visits/due"))
    assert "还没填记录" in text_of(browse("v1").get("/console/my-day"))
    assert "日子过了，还没填记录" in text_of(worker.get("/console/visits/1"))
    answer = send(worker, "/console/visits/1/miss", page="/console/visits/1")
    assert answer.headers["Location"].endswith("/console/visits/1"), "a teacher has no day"
    assert "没填记录" not in text_of(worker.get("/console/"))


def test_a_special_need_beyond_three_years_is_refused_with_its_reason(
    browse: Browse, town: dict[str, int], database: Database
) -> None:
    with database.transaction() as db:
        db.get_one(Child, town["米米"]).birth_date = date(2023, 11, 22)
    browser = browse("wang")
    page = f"/console/visits/families/{town['family']}"
    send(browser, f"/console/visits/children/{town['米米']}/special", page=page, do="note")
    assert "已经满3岁了" in text_of(browser.get(page))


def test_what_a_special_need_is_only_who_needs_to_know_reads(
    browse: Browse, town: dict[str, int], database: Database, clock: time_machine.Traveller
) -> None:
    child = town["豆豆"]
    with database.reading() as db:
        family_id = db.get_one(Child, child).family_id
    page = f"/console/visits/families/{family_id}"
    act = f"/console/visits/children/{child}/special"
    worker = browse("wang")
    send(worker, act, page=page, category="听力要复查", do="note")
    assert "听力要复查" in text_of(worker.get(page))
    for reader in ("district", "lead", "auditor"):
        shown = text_of(browse(reader).get(page))
        assert "特殊需求" in shown
        assert "听力要复查" not in shown, reader
    # Who cannot read it does not wipe it out by saving the form again.
    send(browse("district"), act, page=page, category="", do="note")
    assert "听力要复查" in text_of(worker.get(page))
    clock.move_to(MONDAY)
    assert "听力要复查" in text_of(browse("v1").get("/console/my-day"))
    route = text_of(browse("district").get("/console/visits/route/1?day=2026-11-23"))
    assert "特殊需求" in route
    assert "听力要复查" not in route
    worker = browse("wang")  # logged in anew: it is the next day
    send(worker, act, page=page, do="end")
    assert "听力要复查" not in text_of(worker.get(page))
    with database.reading() as db:
        need = db.get_one(SpecialNeed, child)
        assert (need.category, need.ended_at is None) == ("", False)


def test_the_health_centres_visit_is_noted_on_the_familys_page(
    browse: Browse, town: dict[str, int]
) -> None:
    browser = browse("wang")
    page = f"/console/visits/families/{town['family']}"
    act = f"/console/visits/medical/{town['米米']}"
    send(browser, act, page=page, day="2026-11-20")
    assert "卫生院11月20日（周五）做过新生儿访视" in text_of(browser.get(page))
    listed = rows_of(browser.get("/console/visits?show=medical&file=csv").data)
    assert [(row["宝宝"], row["访视日期"]) for row in listed] == [("米米", "2026-11-20")]
    tomorrow = (MONDAY + timedelta(days=1)).date().isoformat()
    send(browser, act, page=page, day=tomorrow)
    assert len(rows_of(browser.get("/console/visits?show=medical&file=csv").data)) == 1


def test_another_stations_family_is_not_there(browse: Browse, town: dict[str, int]) -> None:
    browser = browse("li")
    family, child = town["family"], town["米米"]
    page = f"/console/visits/families/{family}"
    assert browser.get(page).status_code == HTTPStatus.NOT_FOUND
    acts = (f"children/{child}/birth", f"children/{child}/special", f"medical/{child}")
    for act in (*acts, f"families/{family}/contact"):
        fields = {f"c{child}-born": "2026-11-20", "day": "2026-11-20"}
        answer = send(browser, f"/console/visits/{act}", page="/console/more", **fields)
        assert answer.status_code == HTTPStatus.NOT_FOUND, act
    nobody = send(browser, "/console/visits/children/999/birth", page="/console/more")
    assert nobody.status_code == HTTPStatus.NOT_FOUND


def test_visits_stand_on_the_familys_timeline(browse: Browse, town: dict[str, int]) -> None:
    browser = browse("wang")
    with_visit = text_of(browser.get(f"/console/families/{town['family'] - 1}?topic=visit"))
    assert "新生儿上门指导" in with_visit
    assert "施老师" in with_visit
