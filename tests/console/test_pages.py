"""What the pages show, and what their buttons do."""

from datetime import date, datetime, timedelta
from http import HTTPStatus

import pytest
from sqlalchemy import select

from app.db import Database
from app.models import AuditEntry, FollowUp, Notice, Station
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import (
    make_child,
    make_follow_up,
    make_notice,
    make_session,
    make_sign_up,
)


def test_today_says_what_waits_and_what_comes(browse: Browse) -> None:
    page = text_of(browse("wang").get("/console/"))
    assert "11月22日（周日）" in page
    assert "其中1件紧急" in page
    # A request, a follow-up, a notice and a conversation.
    assert page.count('<span class="tile-number">1</span>') == 4
    assert "亲子阅读分享会" in page
    assert 'href="/console/pending"' in page


def test_an_empty_desk_says_what_to_do_next(browse: Browse) -> None:
    browser = browse("li")
    assert "最近没有活动" in text_of(browser.get("/console/"))
    assert "都处理完了" in text_of(browser.get("/console/pending"))
    assert "还没有安排好的活动" in text_of(browser.get("/console/sessions"))
    assert "没有要跟进的事" in text_of(browser.get("/console/follow-ups"))
    assert "没有出问题的通知" in text_of(browser.get("/console/notices"))
    assert "没有找到" in text_of(browser.get("/console/notices?state=sent"))


def test_a_request_shows_child_age_session_and_this_years_count(browse: Browse) -> None:
    page = text_of(browse("wang").get("/console/pending"))
    for words in (
        "糖糖",
        "6个月",
        "亲子阅读分享会（CQ-1）",
        "今年已参加0次",
        "已占1/10",
        "今天上午9:00",
    ):
        assert words in page


def test_requests_stand_with_the_oldest_first(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        session = make_session(db, station, "CQ-2", now + timedelta(days=5))
        for nickname, waited in (("后来", 5), ("先来", 600)):
            child = make_child(db, nickname, now, station=station)
            make_sign_up(db, session, child, now - timedelta(minutes=waited))

    page = text_of(browse("wang").get("/console/pending"))

    assert page.index("先来") < page.index("糖糖") < page.index("后来")


def test_a_child_not_born_by_the_session_is_told_apart(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        session = make_session(db, station, "CQ-2", now + timedelta(days=5))
        child = make_child(db, "豆豆", now, station=station, born=None)
        make_sign_up(db, session, child, now)
    browser = browse("wang")

    assert "还没出生" in text_of(browser.get("/console/pending"))
    assert "还没出生" in text_of(browser.get("/console/sessions/CQ-2"))


def test_a_name_with_markup_is_shown_as_it_was_typed(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        session = make_session(db, station, "CQ-2", now + timedelta(days=5))
        child = make_child(db, "<b>糖</b>", now, station=station)
        sign_up = make_sign_up(db, session, child, now)
        make_follow_up(db, now, child=child, station=station, detail="<img src=x>")
    browser = browse("wang")

    send(browser, f"/console/pending/{sign_up.id}/confirm", page="/console/pending")

    for path in ("/console/pending", "/console/sessions/CQ-2", "/console/follow-ups"):
        page = text_of(browser.get(path))
        assert "&lt;b&gt;糖&lt;/b&gt;" in page
        assert "<b>糖" not in page
        assert "<img" not in page
        assert "&amp;lt;" not in page


def test_sessions_show_today_and_later_with_places_and_open_requests(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        make_session(db, station, "EARLY", now.replace(hour=8), title="早上的活动")
        make_session(db, station, "PAST", now - timedelta(days=1), title="昨天的活动")
        make_session(db, station, "GONE", now + timedelta(days=1), state="cancelled")

    page = text_of(browse("wang").get("/console/sessions"))

    assert "早上的活动" in page
    assert "昨天的活动" not in page
    assert "已取消" in page
    assert "1个待确认" in page
    assert page.index("EARLY") < page.index("GONE") < page.index("CQ-1")


def test_a_long_list_has_pages(browse: Browse, database: Database, now: datetime) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        for number in range(60):
            make_session(db, station, f"S-{number:02}", now + timedelta(days=10, hours=number))
    browser = browse("wang")

    first = text_of(browser.get("/console/sessions"))
    second = text_of(browser.get("/console/sessions?page=2"))

    assert first.count('class="row-card"') == 50
    assert second.count('class="row-card"') == 11
    assert 'rel="next"' in first
    assert 'rel="next"' not in second
    assert 'href="/console/sessions"' in second


def test_a_roster_shows_everybody_in_every_state(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        session = make_session(db, station, "CQ-2", now + timedelta(days=5))
        for state in ("cancelled", "waitlisted", "confirmed", "requested"):
            child = make_child(db, f"宝{state}", now, station=station)
            make_sign_up(db, session, child, now, state=state)

    page = text_of(browse("wang").get("/console/sessions/cq-2"))

    order = [page.index(f"宝{s}") for s in ("requested", "confirmed", "waitlisted", "cancelled")]
    assert order == sorted(order)
    assert "有1个报名等您确认" in page


def test_emergencies_stand_first_and_are_finished_once(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        child = make_child(db, "豆豆", now, station=station)
        make_follow_up(db, now - timedelta(days=1), child=child, station=station)
    browser, colleague = browse("wang"), browse("chen")
    page = text_of(browser.get("/console/follow-ups"))
    assert page.index("糖糖的妈妈") < page.index("豆豆的妈妈")

    send(browser, f"/console/follow-ups/{desk.follow_up_id}/finish", page="/console/follow-ups")
    send(colleague, f"/console/follow-ups/{desk.follow_up_id}/finish", page="/console/follow-ups")

    assert "已记为处理完了" in text_of(browser.get("/console/follow-ups"))
    told = text_of(colleague.get("/console/follow-ups"))
    assert "wang已在今天上午10:00处理完了" in told
    assert "糖糖的妈妈" not in told
    with database.reading() as db:
        follow_up = db.scalars(select(FollowUp).where(FollowUp.id == desk.follow_up_id)).one()
        assert follow_up.done_at == now


def test_what_has_no_station_lies_with_the_district(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        make_follow_up(db, now, kind="complaint", detail="没有登记过的人说的话")

    assert "没有登记过的人说的话" in text_of(browse("district").get("/console/follow-ups"))
    assert "没有登记过的人说的话" not in text_of(browse("wang").get("/console/follow-ups"))


def test_a_follow_up_about_a_notice_or_the_platform_is_told_in_words(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        child = make_child(db, "豆豆", now, station=station)
        make_follow_up(
            db,
            now,
            kind="notice_unknown",
            child=child,
            station=station,
            detail="notice:12 sign_up_confirmed answer_lost:timeout",
        )
        make_follow_up(db, now, kind="notice_failed", detail="platform all refused:40164")

    page = text_of(browse("district").get("/console/follow-ups"))

    assert "通知编号12" in page
    assert "系统不会再发一遍" in page
    assert "answer_lost" not in page
    assert "微信暂停了发送" in page
    assert "refused:40164" in page


def test_notices_gone_astray_are_shown_first_with_their_words_and_reason(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        child = make_child(db, "豆豆", now, station=station)
        make_notice(db, child, now, state="sent", text="发过的原话")
        make_notice(db, child, now, state="failed", reason="refused:40037")
    browser = browse("wang")

    page = text_of(browser.get("/console/notices"))
    assert "发送时中断了" in page
    assert "报名确认啦！糖糖" in page
    assert "微信没有接收（40037）" in page
    assert "发过的原话" not in page

    assert "发过的原话" in text_of(browser.get("/console/notices?state=sent"))
    assert "发过的原话" in text_of(browser.get("/console/notices?state=all"))
    assert browser.get("/console/notices?state=nonsense").status_code == HTTPStatus.NOT_FOUND


def test_a_notice_about_our_session_is_ours_whatever_the_familys_station(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        baozhen = db.scalars(select(Station).where(Station.code == "BH")).one()
        child = make_child(db, "堡镇宝宝", now, station=baozhen)
        make_notice(db, child, now, subject=f"sign_up:{desk.sign_up_id}")
        make_notice(db, child, now, subject="family:7", text="与城桥无关")

    ours = text_of(browse("wang").get("/console/notices"))
    assert "堡镇宝宝" in ours
    assert "与城桥无关" not in ours


def test_a_notice_that_cannot_be_read_is_shown_without_its_words(
    browse: Browse, desk: Desk, database: Database
) -> None:
    with database.transaction() as db:
        notice = db.scalars(select(Notice).where(Notice.id == desk.notice_id)).one()
        notice.facts, notice.state, notice.reason = "{}", "failed", "facts_unreadable"

    page = text_of(browse("wang").get("/console/notices"))

    assert "内容读不出来" in page


@pytest.mark.parametrize(
    "path, page",
    [
        ("/console/pending", "pending"),
        ("/console/sessions/CQ-1", "roster"),
        ("/console/follow-ups", "follow_ups"),
        ("/console/notices", "notices"),
    ],
)
def test_looking_at_families_is_on_record(
    browse: Browse, database: Database, path: str, page: str
) -> None:
    browse("wang").get(path)

    with database.reading() as db:
        views = db.scalars(select(AuditEntry).where(AuditEntry.action == "view")).all()
        assert [view.subject_type for view in views] == [page]
        assert views[0].actor_id is not None


def test_the_district_sees_which_station_a_request_is_for(
    browse: Browse, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "BH")).one()
        session = make_session(db, station, "BH-1", now + timedelta(days=5))
        child = make_child(db, "堡堡", now, station=station, born=date(2025, 1, 31))
        make_sign_up(db, session, child, now)

    page = text_of(browse("district").get("/console/pending"))

    assert "糖糖" in page
    assert "堡镇早教指导站" in page
    assert "城桥镇早教指导站" in page
