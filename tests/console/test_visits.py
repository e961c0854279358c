"""The console's pages of home visits, and the visitor's day."""

from datetime import date, datetime, timedelta
from http import HTTPStatus

import pytest
import time_machine
from sqlalchemy import select

from app.clock import SHANGHAI
from app.db import Database
from app.models import HomeVisit, Referral, Staff, VisitReport
from app.services import home_visits, visit_decisions, visit_dues
from app.services.home_visits import Choice, Wish
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_child, make_staff, mother_of
from tests.visiting import add_visitors, get_visitor, visitor_line

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def visit_id(desk: Desk, database: Database, now: datetime) -> int:
    """豆豆, four days old, of the station CQ: asked for Monday morning."""
    with database.transaction() as db:
        station = db.scalars(select(Staff).where(Staff.username == "wang")).one().station
        add_visitors(db, now, visitor_line(), visitor_line("V2", name="陆老师"))
        make_staff(db, "v1", now, role="visitor", station=station)
        make_staff(db, "v2", now, role="visitor", station=station)
        child = make_child(db, "豆豆", now, station=station, born=date(2026, 11, 18))
        visit_dues.plan_child(db, child, now)
        wish = Wish(MONDAY.date(), None, MONDAY)
        return home_visits.request(db, caregiver=mother_of(db, child), wish=wish, now=now).id


@pytest.fixture
def confirmed(visit_id: int, database: Database, now: datetime) -> int:
    with database.transaction() as db:
        teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        visit_decisions.confirm(db, visit_id=visit_id, staff=teacher, now=now)
    return visit_id


def state_of(database: Database, visit_id: int) -> str:
    with database.reading() as db:
        return db.get_one(HomeVisit, visit_id).state


def test_a_request_is_confirmed_beside_the_childs_name(
    browse: Browse, visit_id: int, database: Database
) -> None:
    browser = browse("wang")
    assert "豆豆" in text_of(browser.get("/console/visits"))
    response = send(browser, f"/console/visits/{visit_id}/confirm", page="/console/visits")
    assert response.location == "/console/visits"
    assert "已安排：豆豆" in text_of(browser.get("/console/visits"))
    assert state_of(database, visit_id) == "confirmed"


def test_the_second_teacher_is_told_who_and_when(browse: Browse, confirmed: int) -> None:
    browser = browse("chen")
    send(browser, f"/console/visits/{confirmed}/confirm", page="/console/visits")
    page = text_of(browser.get(f"/console/visits/{confirmed}"))
    assert "这一次上门wang在11月22日（周日）上午10:00处理过了" in page
    assert "施老师去" in page


@pytest.mark.parametrize(
    "path",
    ["/console/visits/{}", "/console/visits/{}/time", "/console/visits/{}/record"],
)
def test_another_stations_visit_is_not_there(browse: Browse, confirmed: int, path: str) -> None:
    assert browse("li").get(path.format(confirmed)).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "act", ["confirm", "decline", "cancel", "wish", "time", "set-off", "arrive", "miss", "record"]
)
def test_another_stations_worker_changes_nothing(
    browse: Browse, visit_id: int, database: Database, act: str
) -> None:
    browser = browse("li")
    send(
        browser,
        f"/console/visits/{visit_id}/{act}",
        page="/console/visits",
        own_reason="想试试",
        key=KEY,
        child="1",
        slot=f"1@{MONDAY.isoformat()}",
    )
    assert state_of(database, visit_id) == "requested"


def test_the_board_the_list_and_the_route_are_shown(
    browse: Browse, confirmed: int, database: Database
) -> None:
    browser = browse("wang")
    board = text_of(browser.get("/console/visits/board?day=2026-11-23"))
    assert "09:00" in board
    assert "豆豆" in board
    with database.reading() as db:
        visitor_id = get_visitor(db).id
    route = text_of(browser.get(f"/console/visits/route/{visitor_id}?day=2026-11-23"))
    assert "豆豆" in route
    for tab in ("due", "overdue", "escalated", "unreachable", "referrals", "expected"):
        page = browser.get(f"/console/visits/due?tab={tab}")
        assert page.status_code == HTTPStatus.OK
    assert browser.get("/console/visits/due?tab=nonsense").status_code == HTTPStatus.NOT_FOUND
    assert "施老师" in text_of(browser.get("/console/visits/visitors"))
    assert browser.get("/console/visits/board?day=nonsense").status_code == HTTPStatus.OK


def test_another_visitor_and_time_are_chosen(
    browse: Browse, visit_id: int, database: Database
) -> None:
    browser = browse("wang")
    page = f"/console/visits/{visit_id}/time?day=2026-11-24"
    assert "陆老师" in text_of(browser.get(page))
    with database.reading() as db:
        other = get_visitor(db, "V2").id
    at = MONDAY + timedelta(days=1)
    send(
        browser,
        f"/console/visits/{visit_id}/time",
        page=page,
        slot=f"{other}@{at.isoformat()}",
        how="set",
        day="2026-11-24",
    )
    with database.reading() as db:
        visit = db.get_one(HomeVisit, visit_id)
        assert (visit.state, visit.visitor_id, visit.starts_at) == ("confirmed", other, at)


@pytest.mark.parametrize("visitor", ["0", "-1", "9" * 30, "²"])
def test_a_visitor_that_cannot_be_is_no_choice(
    browse: Browse, visit_id: int, database: Database, visitor: str
) -> None:
    browser = browse("wang")
    page = f"/console/visits/{visit_id}/time"
    send(browser, page, page=page, slot=f"{visitor}@{MONDAY.isoformat()}", how="set")
    assert "请先选一个时段" in text_of(browser.get(page))
    assert state_of(database, visit_id) == "requested"


def test_leave_names_what_is_arranged_and_shows_as_a_conflict(
    browse: Browse, confirmed: int, database: Database
) -> None:
    browser = browse("wang")
    with database.reading() as db:
        visitor_id = get_visitor(db).id
    send(
        browser,
        f"/console/visits/visitors/{visitor_id}/leave",
        page="/console/visits/visitors",
        first="2026-11-23",
        part="morning",
    )
    assert "已经约了1次上门" in text_of(browser.get("/console/visits/visitors"))
    board = text_of(browser.get("/console/visits/board?day=2026-11-23"))
    assert "有1次上门排不开" in board
    assert "老师请假" in board
    assert state_of(database, confirmed) == "confirmed"


def test_a_visitor_sees_their_own_day_and_no_other(
    browse: Browse, confirmed: int, clock: time_machine.Traveller
) -> None:
    clock.move_to(MONDAY)
    own = browse("v1")
    assert own.get("/console/").location == "/console/my-day"
    page = text_of(own.get("/console/my-day"))
    assert "豆豆" in page
    assert "暗号" in page
    other = browse("v2")
    assert "豆豆" not in text_of(other.get("/console/my-day"))
    assert other.get(f"/console/visits/{confirmed}/record").status_code == HTTPStatus.NOT_FOUND
    assert own.get("/console/visits").status_code == HTTPStatus.FORBIDDEN
    assert own.get(f"/console/visits/{confirmed}").status_code == HTTPStatus.FORBIDDEN


def test_the_way_the_door_and_the_record_sent_twice(
    browse: Browse, confirmed: int, database: Database, clock: time_machine.Traveller
) -> None:
    clock.move_to(MONDAY)
    browser = browse("v1")
    for step in ("set-off", "set-off", "arrive", "arrive"):
        send(browser, f"/console/visits/{confirmed}/{step}", page="/console/my-day")
    assert state_of(database, confirmed) == "en_route"
    with database.reading() as db:
        child = db.get_one(HomeVisit, confirmed).child_id
    form = text_of(browser.get(f"/console/visits/{confirmed}/record"))
    token = form.partition('name="csrf_token" value="')[2].partition('"')[0]
    for is_new in (True, False):
        response = browser.post(
            f"/console/visits/{confirmed}/record",
            data={
                "csrf_token": token,
                "key": KEY,
                "child": child,
                f"temperature-{child}": "37.6",
                f"weight_grams-{child}": "3300",
                f"feeding-{child}": "breast",
                "advice": "feeding",
                "referred_to": "区妇幼",
            },
            headers={"X-Requested-With": "visit.js"},
        )
        assert response.json == {"taken": True, "is_new": is_new}
    with database.reading() as db:
        assert len(db.scalars(select(VisitReport)).all()) == 1
        assert db.scalars(select(Referral.signs)).all() == ["temperature"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("temperature-{}", "376", "有的数字不对"),
        ("next_on", "2027-11-23", "要在11月24日（周二）和"),
    ],
)
def test_a_slip_in_the_record_is_said_and_nothing_is_taken_or_lost(
    browse: Browse,
    confirmed: int,
    database: Database,
    clock: time_machine.Traveller,
    name: str,
    value: str,
    said: str,
) -> None:
    clock.move_to(MONDAY)
    browser = browse("v1")
    with database.reading() as db:
        child = str(db.get_one(HomeVisit, confirmed).child_id)
    fields = {
        "key": KEY,
        "child": child,
        f"weight_grams-{child}": "3301",
        f"feeding-{child}": "breast",
        f"danger-{child}": "cord",
        "advice": "sleep",
        "note": "外婆在家",
        name.format(child): value,
    }
    path = f"/console/visits/{confirmed}/record"
    refused = send(browser, path, page="/console/my-day", **fields)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = text_of(refused)
    assert said in page
    for kept in ('value="3301"', 'value="breast" checked', 'value="cord" checked', "外婆在家"):
        assert kept in page
    assert f'name="key" value="{KEY}"' in page, "sent again, it is still the same record"
    assert state_of(database, confirmed) == "confirmed"
    teacher = browse("wang")
    right = {key: text for key, text in fields.items() if text != value}
    taken = send(teacher, path, page="/console/visits", **right)
    assert taken.location == f"/console/visits/{confirmed}", "a teacher has no day of their own"
    assert state_of(database, confirmed) == "completed"


def test_a_family_is_arranged_from_the_due_list(
    browse: Browse, desk: Desk, visit_id: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Staff).where(Staff.username == "wang")).one().station
        child = make_child(db, "米米", now, station=station, born=date(2026, 11, 10))
        visit_dues.plan_child(db, child, now)
        family_id, visitor_id = child.family_id, get_visitor(db, "V2").id
    browser = browse("wang")
    assert "米米" in text_of(browser.get("/console/visits/due"))
    page = f"/console/visits/arrange/{family_id}?day=2026-11-24"
    assert "建议" in text_of(browser.get(page))
    choice = Choice(visitor_id, MONDAY + timedelta(days=1))
    send(
        browser,
        f"/console/visits/arrange/{family_id}",
        page=page,
        slot=f"{choice.visitor_id}@{choice.starts_at.isoformat()}",
        day="2026-11-24",
    )
    assert "已安排：米米" in text_of(browser.get("/console/visits/due"))
    assert "米米" not in text_of(browser.get("/console/visits/due"))
