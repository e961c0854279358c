"""A teacher's and an administrator's day in a real browser, with the pictures of docs/console.md.

YUBAN_PICTURES=docs/pictures ./dev test --long tests/console/test_teachers_day.py takes them anew.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import now as real_now
from app.db import Database
from app.models import Child, HomeVisit, PackPush, SignUp, Staff, Station
from app.services import course, pack_catalogue, visit_dues
from content.library import load_library
from tests.console.desk_world import (
    PASSWORD,
    make_child,
    make_follow_up,
    make_graduate,
    make_notice,
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
WHOLE = ("family", "course")
"""What is to be seen begins below the first screenful."""
PICTURED = ("pending", "visits-due", "family-care", "visits-board", "family", "course")

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
        if name in WHOLE:  # a taller telephone: the bar at the foot would lie across a long page
            height = screens.page.evaluate("document.documentElement.scrollHeight")
            screens.page.set_viewport_size({"width": PHONE, "height": height})
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


@pytest.fixture
def busy(database: Database, day: datetime) -> dict[str, int]:
    """Families by their child: a story of a year, and two who learn, one of them done."""
    with database.transaction() as db:
        children = {each.nickname: each for each in db.scalars(select(Child))}
        sugar, bean = children["糖糖"], children["小豆子"]
        station = db.scalars(select(Station)).one()
        for weeks in (3, 7, 12):
            past = day - timedelta(weeks=weeks)
            session = make_session(db, station, f"CQ-{weeks}", past, title="育儿加油站")
            state = "no_show" if weeks == 7 else "attended"
            make_sign_up(db, session, sugar, past - timedelta(days=6), state=state)
            make_notice(db, sugar, past - timedelta(days=5), state="sent", text="已确认")
        pack_catalogue.sync(db, list(load_library().packs.values()), day)
        give_pack(db, sugar, "P05-01", day - timedelta(days=9), state="sent")
        give_pack(
            db, sugar, "P05-02", day - timedelta(days=2), state="skipped", reason="weekly_cap"
        )
        make_graduate(db, bean, day - timedelta(days=2))
        grandmother = sugar.family.caregivers[0]
        grandmother.relation = "grandmother"
        enrolled = course.enrol(db, load_library().course, grandmother, day - timedelta(days=9))
        assert enrolled.learner.module == 1
        return {nickname: child.family_id for nickname, child in children.items()}


def give_pack(
    db: Session, child: Child, pack: str, at: datetime, *, state: str, reason: str | None = None
) -> None:
    db.add(
        PackPush(
            child_id=child.id,
            caregiver_id=mother_of(db, child).id,
            family_id=child.family_id,
            pack_id=pack,
            version=1,
            because="age",
            state=state,
            reason=reason,
            sent_at=at if state == "sent" else None,
            due_at=at,
            closes_at=at + timedelta(days=30),
            planned_at=at,
        )
    )


@pytest.mark.long
def test_requests_lists_and_a_familys_visits_are_fit_for_everybody(
    screens: Screen, busy: dict[str, int]
) -> None:
    screens.log_in()
    for name, path in (
        ("pending", "/console/pending"),
        ("pending-found", "/console/pending?q=tangtang&waits=3"),
        ("follow-ups", "/console/follow-ups"),
        ("follow-ups-done", "/console/follow-ups?show=done"),
        ("visits-all", "/console/visits?show=all"),
        ("visits-due", "/console/visits/due"),
        ("visits-board", "/console/visits/board?days=1"),
        ("family-care", f"/console/visits/families/{busy['米米']}"),
        ("family", f"/console/families/{busy['糖糖']}"),
        ("course", "/console/course"),
    ):
        screens.open(path)
        check_page(screens.in_turn(name), f"day-{name}")
        if name in PICTURED:
            picture(screens, name)


def test_an_administrator_sets_up_a_second_factor_and_logs_in_with_it(
    screens: Screen, day: datetime, database: Database
) -> None:
    page = screens.page
    screens.log_in("district")
    screens.open("/console/second-factor")
    picture(screens, "second-factor")
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
