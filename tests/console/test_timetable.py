"""Making, changing and cancelling sessions on the console's pages."""

import html
import re
from datetime import date, datetime, timedelta
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.clock import SHANGHAI
from app.db import Database
from app.models import AuditEntry, CalendarDay, GuidanceSession, Notice, SignUp, Station
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_child, make_session, make_sign_up

NEW = {
    "title": "小手抓一抓",
    "kind": "站点指导活动",
    "station": "CQ",
    "level": "station",
    "topic": "safety",
    "places": "12",
    "min_months": "6",
    "max_months": "12",
    "confirm_mode": "auto",
    "waiting_list": "first_come",
    "offer_hours": "6",
    "day": "2026-12-05",
    "starts": "09:30",
    "ends": "10:30",
    "opens_days": "30",
    "closes_hours": "12",
    "cancel_hours": "24",
    "township_days": "0",
    "code": "",
}
SERIES = {**NEW, "code": "dushu", "day": "2026-12-05", "every_weeks": "2", "until": "2027-01-16"}


def form_of(page: str) -> dict[str, str]:
    """The fields of the page's last form as a browser would send them."""
    form = page.rpartition('<form method="post"')[2]
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        found = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if found.get("type") == "checkbox" and " checked" not in tag:
            continue
        if "name" in found:
            fields[found["name"]] = html.unescape(found.get("value", ""))
    for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option[^>]*selected[^>]*value="([^"]*)"', options)
        fields[name] = chosen.group(1) if chosen else ""
    return fields


def edit_fields(browser: FlaskClient, code: str = "CQ-1") -> dict[str, str]:
    return form_of(text_of(browser.get(f"/console/sessions/{code}/edit")))


def post(browser: FlaskClient, path: str, fields: dict[str, str]) -> TestResponse:
    fields = {name: value for name, value in fields.items() if name != "csrf_token"}
    return send(browser, path, page="/console/", **fields)


def get_session(database: Database, code: str) -> GuidanceSession | None:
    with database.reading() as db:
        return db.scalars(select(GuidanceSession).where(GuidanceSession.code == code)).one_or_none()


def count_notices(database: Database) -> int:
    with database.reading() as db:
        return db.scalars(
            select(func.count(Notice.id)).where(
                Notice.kind.in_(("session_changed", "sign_up_cancelled"))
            )
        ).one()


def test_a_teacher_publishes_a_session_and_gets_a_code(browse: Browse, database: Database) -> None:
    browser = browse("wang")
    response = post(browser, "/console/new-session", {**NEW, "save": "publish"})

    assert response.location == "/console/sessions/CQ-1205"
    made = get_session(database, "CQ-1205")
    assert made is not None
    assert (made.title, made.state, made.places, made.topic) == (
        "小手抓一抓",
        "published",
        12,
        "safety",
    )
    assert made.starts_at == datetime(2026, 12, 5, 9, 30, tzinfo=SHANGHAI)
    assert made.starts_at - made.cancel_until == timedelta(hours=24)
    assert "已发布：小手抓一抓" in text_of(browser.get(response.location))
    again = post(browser, "/console/new-session", {**NEW, "save": "publish"})
    assert again.location == "/console/sessions/CQ-1205-2"


def test_a_draft_is_listed_apart_and_published_with_one_button(
    browse: Browse, database: Database
) -> None:
    browser = browse("wang")
    post(browser, "/console/new-session", {**NEW, "code": "xin-1", "save": "draft"})

    assert "草稿已存好" in text_of(browser.get("/console/sessions/XIN-1"))
    assert "XIN-1" not in text_of(browser.get("/console/sessions"))
    assert "XIN-1" in text_of(browser.get("/console/sessions?show=drafts"))
    response = post(browser, "/console/sessions/XIN-1/publish", {})
    assert "已发布" in text_of(browser.get(response.location))
    made = get_session(database, "XIN-1")
    assert made is not None
    assert made.state == "published"
    second = post(browser, "/console/sessions/XIN-1/publish", {})
    assert "现在不能这样改" in text_of(browser.get(second.location))


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"title": ""}, "请填写"),
        ({"places": "很多"}, "请填0到1000的整数"),
        ({"places": "-1"}, "请填0到1000的整数"),
        ({"day": "2026-13-40"}, "红字"),
        ({"day": "0001-01-01"}, "请填2001到2099年之间的日期"),
        ({"day": "9999-12-31"}, "请填2001到2099年之间的日期"),
        ({"ends": "09:30"}, "结束要比开始晚"),
        ({"max_months": "5"}, "最大月龄不能小于最小月龄"),
        ({"opens_days": "0"}, "截止报名要比开放报名晚"),
        ({"code": "CQ 1"}, "编号只用字母"),
        ({"code": "cq-1"}, "已经用过了"),
        ({"level": "planet"}, "红字"),
        ({"station": "BH"}, "红字"),
    ],
)
def test_what_cannot_be_taken_is_said_and_kept_as_typed(
    browse: Browse, database: Database, wrong: dict[str, str], words: str
) -> None:
    response = post(browse("wang"), "/console/new-session", {**NEW, **wrong, "save": "publish"})

    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = text_of(response)
    assert words in page
    assert "Not a valid" not in page
    assert "小手抓一抓" in page or "title" in wrong
    with database.reading() as db:
        assert db.scalars(select(func.count(GuidanceSession.id))).one() == 1


def test_a_session_in_the_past_is_taken_only_when_it_is_meant(
    browse: Browse, database: Database
) -> None:
    browser = browse("wang")
    past = NEW | {"day": "2026-10-10", "code": "CQ-9"}
    page = text_of(post(browser, "/console/new-session", past))
    assert "这个时间已经过去了，家长报不了名。" in page
    assert get_session(database, "CQ-9") is None
    assert 'name="took_place"' in page
    post(browser, "/console/new-session", past | {"took_place": "y"})
    assert get_session(database, "CQ-9") is not None
    assert "已补登：小手抓一抓（CQ-9）。" in text_of(browser.get("/console/sessions/CQ-9"))


def test_a_draft_and_a_change_of_date_warn_of_the_past(browse: Browse, database: Database) -> None:
    browser = browse("wang")
    post(browser, "/console/new-session", NEW | {"code": "CQ-9", "save": "draft"})
    moved = {"day": "2026-10-10", "opens_at": "2026-09-10T09:00"}
    fields = edit_fields(browser, "CQ-9") | moved
    page = text_of(post(browser, "/console/sessions/CQ-9/edit", fields))
    assert "这个时间已经过去了：保存以后家长报不了名" in page
    post(browser, "/console/sessions/CQ-9/edit", form_of(page) | {"step": "save"})
    post(browser, "/console/sessions/CQ-9/publish", {})
    assert "请留意：这场的时间已经过去了" in text_of(browser.get("/console/sessions/CQ-9"))


def test_a_series_shows_its_days_first_and_leaves_out_what_is_closed(
    browse: Browse, database: Database
) -> None:
    post(
        browse("district"),
        "/console/calendar",
        {"day": "2026-12-19", "kind": "blackout", "note": "全区培训"},
    )
    browser = browse("wang")
    preview = post(browser, "/console/new-series", {**SERIES, "step": "preview"})

    page = text_of(preview)
    assert "一共<strong>3场</strong>，跳过1天" in page
    assert "停办：全区培训" in page
    assert "DUSHU-03" in page
    assert "国家还没有公布2027年的放假安排" in page
    with database.reading() as db:
        assert db.scalars(select(func.count(GuidanceSession.id))).one() == 1

    back = post(browser, "/console/new-series", {**form_of(page), "step": "back"})
    assert 'value="dushu"' in text_of(back)
    first_form = page.split('<form method="post">')[1]
    saved = post(
        browser,
        "/console/new-series",
        {**form_of('<form method="post"' + first_form), "save": "publish"},
    )
    assert "已发布3场" in text_of(browser.get(saved.location))
    with database.reading() as db:
        days = db.scalars(
            select(GuidanceSession.starts_at)
            .where(GuidanceSession.series_id.is_not(None))
            .order_by(GuidanceSession.starts_at)
        ).all()
    assert [f"{day:%m-%d %H:%M}" for day in days] == ["12-05 09:30", "01-02 09:30", "01-16 09:30"]


def test_an_edit_shows_its_impact_and_saves_nothing_before(
    browse: Browse, database: Database, desk: Desk
) -> None:
    browser = browse("wang")
    fields = {**edit_fields(browser), "day": "2026-11-26", "step": "preview"}

    page = text_of(post(browser, "/console/sessions/CQ-1/edit", fields))

    assert "会收到改期通知（1个宝宝）" in page
    assert "糖糖" in page
    before = get_session(database, "CQ-1")
    assert before is not None
    assert (before.starts_at.day, before.calendar_sequence, count_notices(database)) == (25, 0, 0)

    saved = post(browser, "/console/sessions/CQ-1/edit", {**form_of(page), "step": "save"})
    assert "已保存" in text_of(browser.get(saved.location))
    after = get_session(database, "CQ-1")
    assert after is not None
    assert after.starts_at - before.starts_at == timedelta(days=1)
    # Moments that nobody touched move along; what has opened stays open.
    assert after.closes_at - before.closes_at == timedelta(days=1)
    assert after.cancel_until - before.cancel_until == timedelta(days=1)
    assert after.opens_at == before.opens_at
    assert count_notices(database) == 1


def test_seconds_that_a_browser_does_not_know_are_no_move(
    browse: Browse, database: Database
) -> None:
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession)).one()
        odd = timedelta(seconds=17, microseconds=5)
        session.starts_at, session.ends_at = session.starts_at + odd, session.ends_at + odd
        session.closes_at, session.cancel_until = (
            session.closes_at + odd,
            session.cancel_until + odd,
        )
    browser = browse("wang")
    fields = {**edit_fields(browser), "places": "11", "step": "preview"}
    page = text_of(post(browser, "/console/sessions/CQ-1/edit", fields))
    post(browser, "/console/sessions/CQ-1/edit", {**form_of(page), "step": "save"})

    after = get_session(database, "CQ-1")
    assert after is not None
    assert (after.places, after.calendar_sequence, count_notices(database)) == (11, 0, 0)
    assert after.starts_at.second == after.closes_at.second == 17

    fields = {**edit_fields(browser), "day": "2026-11-28", "step": "preview"}
    page = text_of(post(browser, "/console/sessions/CQ-1/edit", fields))
    assert "报名到11月28日" in page


def test_going_back_from_the_impact_keeps_what_was_typed(browse: Browse) -> None:
    browser = browse("wang")
    fields = {**edit_fields(browser), "title": "新名字", "step": "preview"}
    page = text_of(post(browser, "/console/sessions/CQ-1/edit", fields))
    back = text_of(post(browser, "/console/sessions/CQ-1/edit", {**form_of(page), "step": "back"}))
    assert 'value="新名字"' in back
    assert "修改活动" in back


def test_a_sign_up_between_impact_and_saving_shows_the_impact_again(
    browse: Browse, database: Database, now: datetime
) -> None:
    browser = browse("wang")
    fields = {**edit_fields(browser), "day": "2026-11-26", "step": "preview"}
    page = text_of(post(browser, "/console/sessions/CQ-1/edit", fields))
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession)).one()
        make_sign_up(db, session, make_child(db, "刚报的", now), now)

    again = post(browser, "/console/sessions/CQ-1/edit", {**form_of(page), "step": "save"})

    assert "刚才名单有变化" in text_of(again)
    assert "刚报的" in text_of(again)
    assert count_notices(database) == 0
    post(browser, "/console/sessions/CQ-1/edit", {**form_of(text_of(again)), "step": "save"})
    assert count_notices(database) == 2


def test_two_colleagues_do_not_undo_each_others_change(
    browse: Browse, database: Database, clock: object, now: datetime
) -> None:
    first, second = browse("wang"), browse("chen")
    stale = edit_fields(second)
    page = text_of(
        post(
            first,
            "/console/sessions/CQ-1/edit",
            {**edit_fields(first), "title": "王老师改的", "step": "preview"},
        )
    )
    post(first, "/console/sessions/CQ-1/edit", {**form_of(page), "step": "save"})

    response = post(
        second, "/console/sessions/CQ-1/edit", {**stale, "places": "5", "step": "preview"}
    )

    assert "同事刚刚改过" in text_of(response)
    assert 'value="王老师改的"' in text_of(response)
    kept = get_session(database, "CQ-1")
    assert kept is not None
    assert kept.places == 10


def test_who_is_too_old_by_then_loses_the_place_unless_the_teacher_keeps_it(
    browse: Browse, database: Database, desk: Desk
) -> None:
    browser = browse("wang")
    fields = {**edit_fields(browser), "max_months": "5", "step": "preview"}
    page = text_of(post(browser, "/console/sessions/CQ-1/edit", fields))
    assert "那天月龄不再符合（1个宝宝）" in page
    kept = {**form_of(page), "keeps_aged_out": "y", "step": "save"}
    post(browser, "/console/sessions/CQ-1/edit", kept)
    with database.reading() as db:
        assert db.get_one(SignUp, desk.sign_up_id).state == "requested"

    with database.transaction() as db:
        db.scalars(select(GuidanceSession)).one().max_months = 35
    fields = {**edit_fields(browser), "max_months": "5", "step": "preview"}
    page = text_of(post(browser, "/console/sessions/CQ-1/edit", fields))
    post(browser, "/console/sessions/CQ-1/edit", {**form_of(page), "step": "save"})
    with database.reading() as db:
        assert db.get_one(SignUp, desk.sign_up_id).state == "cancelled"
    assert "改期后月龄不符" in text_of(browser.get("/console/sessions/CQ-1"))


def test_moments_out_of_order_are_said_at_their_fields(browse: Browse) -> None:
    browser = browse("wang")
    fields = {**edit_fields(browser), "closes_at": "2026-12-25T10:00", "step": "preview"}
    response = post(browser, "/console/sessions/CQ-1/edit", fields)
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "截止报名不能晚于活动开始" in text_of(response)


@pytest.mark.parametrize("field", ["day", "closes_at", "township_first_until"])
def test_a_year_far_off_is_refused_in_a_change_too(browse: Browse, field: str) -> None:
    browser = browse("wang")
    far = "9999-12-31" if field == "day" else "0001-01-01T00:00"
    response = post(
        browser,
        "/console/sessions/CQ-1/edit",
        {**edit_fields(browser), field: far, "step": "preview"},
    )
    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "请填2001到2099年之间的日期" in text_of(response)


def test_this_and_following_are_changed_together(browse: Browse, database: Database) -> None:
    browser = browse("wang")
    page = text_of(post(browser, "/console/new-series", {**SERIES, "step": "preview"}))
    first_form = '<form method="post"' + page.split('<form method="post">')[1]
    post(browser, "/console/new-series", {**form_of(first_form), "save": "publish"})
    fields = edit_fields(browser, "DUSHU-02")
    assert "以后的各场都这样改" in text_of(browser.get("/console/sessions/DUSHU-02/edit"))
    changed = {**fields, "starts": "14:00", "ends": "15:00", "whole_series": "y"}
    page = text_of(post(browser, "/console/sessions/DUSHU-02/edit", {**changed, "step": "preview"}))
    assert "和后面的2场" in page
    post(browser, "/console/sessions/DUSHU-02/edit", {**form_of(page), "step": "save"})

    with database.reading() as db:
        hours = db.execute(
            select(GuidanceSession.code, GuidanceSession.starts_at)
            .where(GuidanceSession.series_id.is_not(None))
            .order_by(GuidanceSession.code)
        ).all()
    assert [at.hour for _, at in hours] == [9, 14, 14, 14]


def test_cancelling_shows_whom_it_tells_needs_a_reason_and_tells_them(
    browse: Browse, database: Database
) -> None:
    browser = browse("wang")
    path = "/console/sessions/CQ-1/cancel"
    assert "会收到取消通知（1个宝宝）" in text_of(browser.get(path))
    assert post(browser, path, {"reason": " "}).status_code == HTTPStatus.BAD_REQUEST
    assert count_notices(database) == 0

    response = post(browser, path, {"reason": "老师病了"})

    page = text_of(browser.get(response.location))
    assert "1个宝宝的家长马上会收到微信通知" in page
    assert "原因：老师病了" in page
    assert count_notices(database) == 1
    assert "CQ-1" in text_of(browser.get("/console/sessions?show=cancelled"))
    again = post(browser, path, {"reason": "再取消一次"})
    assert "现在不能这样改" in text_of(browser.get(again.location))
    assert browser.get("/console/sessions/CQ-1/edit").location == "/console/sessions/CQ-1"


def test_a_waiting_child_is_seated_beyond_the_places_with_a_reason(
    browse: Browse, database: Database, desk: Desk, now: datetime
) -> None:
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession)).one()
        session.places, session.waiting_list = 1, "first_come"
        waiting = make_sign_up(db, session, make_child(db, "候补宝", now), now, state="waitlisted")
        waiting.waitlisted_at = now
        path = f"/console/sessions/CQ-1/sign-ups/{waiting.id}"
    browser = browse("wang")
    assert "候补第1位" in text_of(browser.get("/console/sessions/CQ-1"))

    response = post(browser, f"{path}/seat", {"reason": ""})
    assert "请写一句原因" in text_of(browser.get(response.location))
    response = post(browser, f"{path}/seat", {"reason": "双胞胎的弟弟"})
    page = text_of(browser.get(response.location))

    assert "已给候补宝加了名额" in page
    assert "老师加的名额" in page
    response = post(browser, f"{path}/seat", {"reason": "再加一次"})
    assert "不能改成" in text_of(browser.get(response.location))
    response = post(browser, f"{path}/take-back", {"reason": "弄错了"})
    assert "已取消候补宝的名额" in text_of(browser.get(response.location))


def test_a_familys_no_shows_are_waived_with_a_reason_on_record(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        past = make_session(db, station, "PAST", now - timedelta(days=3))
        missed = make_sign_up(db, past, make_child(db, "没来宝", now), now, state="no_show")
        path = f"/console/sessions/PAST/sign-ups/{missed.id}/waive"
    browser = browse("wang")

    response = post(browser, path, {"reason": "宝宝住院"})

    assert "已不计没来宝家以前的没来" in text_of(browser.get(response.location))
    with database.reading() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "waive_no_shows")).one()
        assert entry.reason == "宝宝住院"


def test_the_district_sets_a_day_and_is_told_of_sessions_on_it(
    browse: Browse, database: Database
) -> None:
    browser = browse("district")
    page = text_of(browser.get("/console/calendar"))
    assert "国家还没有公布2027年的放假安排" in page

    response = post(
        browser,
        "/console/calendar",
        {"day": "2026-11-25", "kind": "blackout", "note": "<台风>"},
    )

    page = text_of(browser.get(response.location))
    assert "那天已经有1场活动，没有自动取消" in page
    assert "停办：&lt;台风&gt;" in page
    post(browser, "/console/calendar/2026-11-25/clear", {})
    with database.reading() as db:
        assert db.get(CalendarDay, date(2026, 11, 25)) is None
    for day in ("2026-11-25", "nonsense"):
        gone = post(browser, f"/console/calendar/{day}/clear", {})
        assert gone.status_code == HTTPStatus.NOT_FOUND
    past = post(
        browser, "/console/calendar", {"day": "2026-11-21", "kind": "holiday", "note": "昨天"}
    )
    assert past.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_a_new_session_on_a_holiday_warns(browse: Browse) -> None:
    browser = browse("wang")
    response = post(
        browser, "/console/new-session", {**NEW, "day": "2027-10-01", "save": "publish"}
    )
    assert "国家还没有公布2027年的放假安排" in text_of(browser.get(response.location))


@pytest.mark.parametrize("query", ["show=nonsense", "show="])
def test_a_list_of_no_kind_is_not_found(browse: Browse, query: str) -> None:
    response = browse("wang").get(f"/console/sessions?{query}")
    assert response.status_code == HTTPStatus.NOT_FOUND
