"""Home visits in a real browser: the pages on a phone, and a record written without a network."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.clock import SHANGHAI
from app.clock import now as real_now
from app.db import Database
from app.models import HomeContact, HomeVisit, Staff, VisitReport
from app.services import losses, visit_dues
from app.services.audit import SYSTEM
from tests.console.desk_world import make_child, make_staff, make_station, mother_of
from tests.console.test_browser import Screen, address, browser, check_page, screen, screens
from tests.visiting import add_visitors, get_visitor, visitor_line

pytestmark = pytest.mark.browser

__all__ = ["address", "browser", "screen", "screens"]


@pytest.fixture
def today_visit(database: Database) -> int:
    """One visit of V1 today, another asked for; a family of the due list, one whose visit of
    yesterday nobody recorded, and one that a visit must not disturb."""
    at = real_now()
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_staff(db, "wang", at, station=station)
        make_staff(db, "v1", at, role="visitor", station=station)
        add_visitors(
            db,
            at,
            visitor_line(weekdays="1 2 3 4 5 6 7"),
            visitor_line("V2", name="陆老师", weekdays="1 2 3 4 5 6 7"),
        )
        noon = datetime.combine(at.date(), datetime.min.time(), SHANGHAI) + timedelta(hours=12)
        ids = []
        for nickname, state, starts in (
            ("一个名字特别长的宝宝", "confirmed", noon),
            ("豆豆", "requested", noon + timedelta(hours=2)),
            ("米米", None, None),
            ("圆圆", "confirmed", noon - timedelta(days=1)),
            ("乐乐", "confirmed", noon + timedelta(hours=4)),
        ):
            child = make_child(
                db, nickname, at, station=station, born=at.date() - timedelta(days=9)
            )
            visit_dues.plan_child(db, child, at)
            db.add(
                HomeContact(
                    family_id=child.family_id,
                    address="育麟路18号301室",
                    phone="021-55550300",
                    updated_at=at,
                )
            )
            if state is None or starts is None:
                continue
            visit = HomeVisit(
                family_id=child.family_id,
                child_id=child.id,
                caregiver_id=mother_of(db, child).id,
                kind="guidance",
                purpose="newborn",
                state=state,
                visitor_id=get_visitor(db).id,
                starts_at=starts,
                ends_at=starts + timedelta(hours=1),
                busy_until=starts + timedelta(minutes=90),
                code_word=5,
                moves=0,
                requested_at=at - timedelta(days=1),
            )
            db.add(visit)
            db.flush()
            ids.append(visit.id)
        # The last of them: a loss was told, and nothing else of it is known.
        losses.stop_family(db, child.family, actor=SYSTEM, now=at)
        return ids[0]


@pytest.mark.long
def test_every_page_reads_well_on_a_phone_and_on_a_desktop(
    screens: Screen, today_visit: int, database: Database
) -> None:
    with database.reading() as db:
        visitor_id = get_visitor(db).id
        teacher = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        assert teacher.station_id is not None
        family_id = db.get_one(HomeVisit, today_visit).family_id
    screens.log_in("wang")
    for name, path in (
        ("visits", "/console/visits"),
        ("visits-unrecorded", f"/console/visits/{today_visit + 2}"),
        ("visits-care", f"/console/visits/families/{family_id + 2}"),
        ("visits-stopped", f"/console/visits/families/{family_id + 4}"),
        ("visits-tasks", "/console/follow-ups"),
        ("visits-due", "/console/visits/due"),
        ("visits-board", "/console/visits/board"),
        ("visits-visitors", "/console/visits/visitors"),
        ("visits-one", f"/console/visits/{today_visit}"),
        ("visits-time", f"/console/visits/{today_visit}/time"),
        ("visits-arrange", f"/console/visits/arrange/{family_id + 2}"),
        ("visits-route", f"/console/visits/route/{visitor_id}"),
    ):
        screens.open(path)
        check_page(screens, name)


def test_a_record_written_without_a_network_is_sent_once_when_it_is_back(
    screen: Screen, today_visit: int, database: Database
) -> None:
    page = screen.page
    screen.log_in("v1")
    expect(page.get_by_text("一个名字特别长的宝宝")).to_be_visible()
    check_page(screen, "visits-my-day")
    page.get_by_role("link", name="填记录").click()
    check_page(screen, "visits-form")
    page.get_by_label("体重（克）").fill("3300")
    page.get_by_label("纯母乳").check()

    page.context.set_offline(True)
    page.get_by_role("button", name="完成，发给家长小结").click()
    expect(page.get_by_text("没有网：记录存在这部手机里")).to_be_visible()
    assert count_reports(database) == 0

    page.context.set_offline(False)
    for _ in range(100):
        if page.evaluate("localStorage.length") == 0:
            break
        page.wait_for_timeout(100)
    assert count_reports(database) == 1
    screen.open(f"/console/visits/{today_visit}/record")
    assert page.get_by_label("体重（克）").input_value() == "", "what was sent is not kept"


def test_what_was_begun_is_there_after_the_page_was_closed(
    screen: Screen, today_visit: int, database: Database
) -> None:
    screen.log_in("v1")
    screen.open(f"/console/visits/{today_visit}/record")
    screen.page.get_by_label("体温（℃）").fill("36.8")
    screen.page.get_by_label("睡眠安全").first.check()
    screen.open("/console/my-day")
    screen.open(f"/console/visits/{today_visit}/record")
    assert screen.page.get_by_label("体温（℃）").input_value() == "36.8"
    assert count_reports(database) == 0


def count_reports(database: Database) -> int:
    with database.reading() as db:
        return len(db.scalars(select(VisitReport)).all())
