"""A teacher's week in a real browser: making, moving, checking in, printing."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.clock import now as real_now
from app.db import Database
from app.models import GuidanceSession, SignUp
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)
from tests.console.test_browser import Screen, address, browser, check_page, screen, screens

pytestmark = pytest.mark.browser

__all__ = ["address", "browser", "screen", "screens"]


@pytest.fixture
def week(database: Database) -> datetime:
    """A session under way with families in every state, one in a week, a draft, one cancelled."""
    at = real_now()
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_station(db, "BH", township="堡镇")
        wang = make_staff(db, "wang", at, station=station)
        make_staff(db, "district", at, role="district")
        today = make_session(db, station, "TODAY", at, title="今天的亲子阅读")
        for nickname, state in (
            ("糖糖", "confirmed"),
            ("一个名字特别特别长的宝宝", "confirmed"),
            ("豆豆", "requested"),
            ("米粒", "attended"),
            ("果果", "waitlisted"),
            ("安安", "no_show"),
        ):
            child = make_child(db, nickname, at, station=station)
            decider = None if state in ("requested", "waitlisted") else wang
            made = make_sign_up(db, today, child, at, state=state, decided_by=decider)
            made.waitlisted_at = at if state == "waitlisted" else None
        later = make_session(db, station, "LATER", at + timedelta(days=7), title="下周的活动")
        later.max_months = 12
        child = make_child(db, "小宇", at, born=(at - timedelta(days=360)).date())
        make_sign_up(db, later, child, at, state="confirmed")
        make_sign_up(db, later, make_child(db, "小丁", at), at, state="confirmed")
        make_child(db, "路过宝", at)
        make_session(db, station, "DRAFT", at + timedelta(days=9), state="draft")
        make_session(db, station, "GONE", at + timedelta(days=9), state="cancelled")
    return at


def test_sessions_of_every_kind_and_day_are_fit_for_everybody(
    screens: Screen, week: datetime
) -> None:
    """What the table of routes (test_browser.py) does not show: drafts, what is over, the day."""
    screens.log_in("district")
    for path in (
        "sessions",
        "sessions?show=drafts",
        "sessions?show=past",
        "sessions/TODAY",
        "sessions/DRAFT",
        "sessions/GONE",
        "sessions/TODAY/check-in",
        "sessions/TODAY/walk-in?nickname=路过宝",
        "sessions/TODAY/walk-in?nickname=没有的",
        "sessions/TODAY/paper",
    ):
        screens.open(f"/console/{path}")
        name = "timetable-" + path.replace("/", "-").replace("?", "-")
        check_page(screens.in_turn(name), name)


def test_a_teacher_makes_a_session_moves_another_and_sees_whom_it_touches(
    screen: Screen, week: datetime, database: Database
) -> None:
    page = screen.page
    screen.log_in()
    page.get_by_role("link", name="活动", exact=True).click()
    page.get_by_role("link", name="新建活动").click()
    page.get_by_role("button", name="发布").click()
    check_page(screen, "new-session-refused")
    page.get_by_label("名称").fill("小手抓一抓")
    page.get_by_label("种类").fill("站点指导活动")
    day = (week + timedelta(days=20)).astimezone(SHANGHAI).date()
    page.get_by_label("日期").fill(day.isoformat())
    page.get_by_label("名额", exact=True).fill("12")
    page.get_by_role("button", name="发布").click()
    assert "已发布：小手抓一抓" in page.get_by_role("status").inner_text()
    check_page(screen, "session-made")

    screen.open("/console/sessions/LATER")
    page.get_by_role("link", name="修改").click()
    moved_to = (week + timedelta(days=60)).astimezone(SHANGHAI).date()
    page.get_by_label("日期").fill(moved_to.isoformat())
    page.get_by_role("button", name="看一看影响").click()
    assert "会收到改期通知（1个宝宝）" in page.inner_text("main")
    assert "那天月龄不再符合（1个宝宝）" in page.inner_text("main")
    check_page(screen, "impact")
    with database.reading() as db:
        unmoved = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "LATER")).one()
        assert unmoved.calendar_sequence == 0
    page.get_by_role("button", name="确认保存并通知").click()
    assert "已保存：下周的活动" in page.get_by_role("status").inner_text()
    check_page(screen, "moved")


def test_a_series_is_seen_before_it_is_saved(screen: Screen, week: datetime) -> None:
    page = screen.page
    screen.log_in()
    screen.open("/console/new-series")
    page.get_by_label("名称").fill("每两周一次的阅读")
    page.get_by_label("种类").fill("亲子阅读分享会")
    first = (week + timedelta(days=7)).astimezone(SHANGHAI).date()
    page.get_by_label("日期").fill(first.isoformat())
    page.get_by_label("排到哪一天").fill((first + timedelta(weeks=12)).isoformat())
    page.get_by_label("名额", exact=True).fill("10")
    page.get_by_label("系列编号").fill("DUSHU")
    page.get_by_role("button", name="看一看日期").click()
    check_page(screen, "series-preview")
    page.get_by_role("button", name="场").click()
    assert "已发布" in page.get_by_role("status").inner_text()


def test_a_teacher_checks_in_at_the_door_and_from_the_paper_sheet(
    screen: Screen, week: datetime, database: Database
) -> None:
    page = screen.page
    screen.log_in()
    check_page(screen, "today-with-check-in")
    page.get_by_role("link", name="签到", exact=True).click()
    row = page.get_by_role("listitem").filter(has_text="糖糖")
    row.get_by_role("button", name="签到").click()
    assert "糖糖签到了" in page.get_by_role("status").inner_text()
    check_page(screen, "checked-in")

    page.get_by_role("link", name="没报名的来了").click()
    page.get_by_label("宝宝登记的小名").fill("路过宝")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="签到").click()
    assert "路过宝签到了" in page.get_by_role("status").inner_text()

    page.get_by_role("link", name="补录签到表").click()
    page.get_by_label("一个名字特别特别长的宝宝").check()
    page.get_by_label("豆豆").check()
    check_page(screen, "paper-ticked")
    page.get_by_role("button", name="保存勾上的").click()
    assert "签到2个" in page.get_by_role("status").inner_text()
    with database.reading() as db:
        states = db.scalars(select(SignUp.state).where(SignUp.session_id == 1)).all()
        assert states.count("attended") == 5


def test_the_sheet_prints_without_the_consoles_furniture(screen: Screen, week: datetime) -> None:
    screen.log_in()
    screen.open("/console/sessions/TODAY/sheet")
    screen.page.emulate_media(media="print")
    screen.shoot("sheet-printed", screen.widths[0])
    assert screen.page.get_by_role("table").is_visible()
    for hidden in ("header.top", ".screen-only"):
        assert not screen.page.locator(hidden).first.is_visible()
