"""A teacher's and an administrator's day in a real browser, with the pictures of docs/console.md.

YUBAN_PICTURES=docs/pictures ./dev test tests/console/test_teachers_day.py takes them anew.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.clock import now as real_now
from app.db import Database
from app.models import Child, Family, HomeVisit, SignUp, Staff
from app.services import visit_dues
from tests.console.desk_world import (
    PASSWORD,
    make_child,
    make_follow_up,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
    mother_of,
)
from tests.console.test_browser import Screen, address, browser, check_page, screens
from tests.visiting import add_visitors, get_visitor, visitor_line

pytestmark = pytest.mark.browser

PHONE = 375

__all__ = ["address", "browser", "screens"]


@pytest.fixture
def day(database: Database) -> datetime:
    """A session under way, requests that wait, a visit today, and a newborn who is owed one."""
    at = real_now()
    with database.transaction() as db:
        station = make_station(db, "CQ")
        wang = make_staff(db, "wang", at, station=station)
        make_staff(db, "district", at, role="district")
        add_visitors(db, at, visitor_line(weekdays="1 2 3 4 5 6 7"))
        today = make_session(db, station, "CQ-21", at, title="亲子阅读分享会")
        later = make_session(db, station, "CQ-22", at + timedelta(days=3), title="抚触和按摩")
        for nickname, phone in (("糖糖", "13800001234"), ("小豆子", "13800005678")):
            child = make_child(db, nickname, at, station=station)
            child.family.contact_name, child.family.phone = "王阿姨", phone
            child.family.need = True
            make_sign_up(db, today, child, at, state="confirmed", decided_by=wang)
            make_sign_up(db, later, child, at - timedelta(days=4))
        newborn = make_child(db, "米米", at, station=station, born=at.date() - timedelta(days=9))
        visit_dues.plan_child(db, newborn, at)
        visited = make_child(db, "豆豆", at, station=station, born=at.date() - timedelta(days=12))
        visit_dues.plan_child(db, visited, at)
        starts = at + timedelta(minutes=1)
        db.add(
            HomeVisit(
                family_id=visited.family_id,
                child_id=visited.id,
                caregiver_id=mother_of(db, visited).id,
                kind="guidance",
                purpose="newborn",
                state="confirmed",
                visitor_id=get_visitor(db).id,
                starts_at=starts,
                ends_at=starts + timedelta(hours=1),
                busy_until=starts + timedelta(minutes=90),
                code_word=5,
                moves=0,
                requested_at=at,
            )
        )
        make_follow_up(
            db, at, kind="emergency", child=newborn, station=station, detail="宝宝抽搐了怎么办"
        )
    return at


def picture(screens: Screen, name: str) -> None:
    """For the guide: on a phone, as most teachers see it."""
    folder = os.environ.get("YUBAN_PICTURES")
    if folder:
        screens.be_wide(PHONE)
        screens.page.screenshot(path=Path(folder) / f"teacher-{name}.png")


def test_checking_somebody_in_is_two_taps_from_the_log_in_and_one_back(
    screens: Screen, day: datetime, database: Database
) -> None:
    page = screens.page
    screens.log_in()
    check_page(screens, "day-today")
    picture(screens, "today")
    screens.be_wide(PHONE)
    page.get_by_role("link", name="签到", exact=True).click()
    row = page.get_by_role("listitem").filter(has_text="糖糖")
    row.get_by_role("button", name="签到").click()
    expect(page.get_by_role("status")).to_contain_text("糖糖签到了")
    picture(screens, "check-in")
    assert states(database, "糖糖") == ["attended", "requested"]

    page.get_by_role("listitem").filter(has_text="糖糖").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("糖糖")
    assert states(database, "糖糖") == ["confirmed", "requested"]


def states(database: Database, nickname: str) -> list[str]:
    with database.reading() as db:
        child = next(each for each in db.scalars(select(Child)) if each.nickname == nickname)
        found = select(SignUp.state).where(SignUp.child_id == child.id).order_by(SignUp.id)
        return list(db.scalars(found))


@pytest.mark.long
def test_requests_lists_and_a_familys_visits_are_fit_for_everybody(
    screens: Screen, day: datetime, database: Database
) -> None:
    with database.reading() as db:
        family_id = next(
            each.family_id for each in db.scalars(select(Child)) if each.nickname == "米米"
        )
        assert db.scalars(select(Family)).all()
    screens.log_in()
    for name, path in (
        ("pending", "/console/pending"),
        ("pending-found", "/console/pending?q=tangtang&waits=3"),
        ("follow-ups", "/console/follow-ups"),
        ("follow-ups-done", "/console/follow-ups?show=done"),
        ("visits-all", "/console/visits?show=all"),
        ("visits-due", "/console/visits/due"),
        ("visits-board", "/console/visits/board?days=1"),
        ("family-care", f"/console/visits/families/{family_id}"),
    ):
        screens.open(path)
        check_page(screens.in_turn(name), f"day-{name}")
        if name in ("pending", "visits-due", "family-care", "visits-board"):
            picture(screens, name)


def test_an_administrator_sets_up_a_second_factor_and_logs_in_with_it(
    screens: Screen, day: datetime, database: Database
) -> None:
    page = screens.page
    screens.log_in("district")
    screens.open("/console/second-factor")
    secret = page.locator(".key").inner_text().replace(" ", "").strip()
    code = pyotp.TOTP(secret)
    page.get_by_label("6位数字").fill(code.now())
    page.get_by_role("button", name="设好").click()
    expect(page.locator("main")).to_contain_text("备用码")
    check_page(screens, "day-recovery-codes")
    spare = page.locator(".codes code").first.inner_text()
    page.get_by_role("button", name="退出").click()

    screens.log_in("district")
    check_page(screens, "day-log-in-code")
    page.get_by_label("6位数字").fill("000000")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码不对")
    # The code that set it up is spent; a spare one opens, once.
    page.get_by_label("6位数字").fill(spare)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/console/")
    with database.reading() as db:
        district = db.scalars(select(Staff).where(Staff.username == "district")).one()
        assert district.totp_confirmed_at is not None
    assert PASSWORD not in page.content()
