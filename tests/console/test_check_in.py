"""The pages at the door, the paper sheet, and what is printed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Database
from app.models import GuidanceSession, SignUp, Station
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse
from tests.console.desk_world import make_child, make_session, make_sign_up

DOOR = "/console/sessions/TODAY/check-in"


@pytest.fixture
def today(database: Database, desk: object, now: datetime) -> dict[str, int]:
    """Sign-ups of a session that starts in ten minutes, by nickname."""
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        session = make_session(db, station, "TODAY", now + timedelta(minutes=10), title="今天这场")
        made = {}
        for nickname, state in (
            ("豆豆", "confirmed"),
            ("米粒", "confirmed"),
            ("果果", "requested"),
            ("安安", "waitlisted"),
            ("小宇", "cancelled"),
        ):
            sign_up = make_sign_up(db, session, make_child(db, nickname, now), now, state=state)
            sign_up.waitlisted_at = now if state == "waitlisted" else None
            made[nickname] = sign_up.id
        return made


def state_of(database: Database, sign_up_id: int) -> str:
    with database.reading() as db:
        return db.get_one(SignUp, sign_up_id).state


def test_two_taps_from_the_first_page_check_a_child_in(
    browse: Browse, database: Database, today: dict[str, int]
) -> None:
    browser = browse("wang")
    assert f'href="{DOOR}"' in text_of(browser.get("/console/"))
    page = text_of(browser.get(DOOR))
    assert "还没签到 <small>3个</small>" in page
    assert "小宇" not in page

    response = send(browser, f"{DOOR}/{today['豆豆']}", page=DOOR)

    page = text_of(browser.get(response.location))
    assert "豆豆签到了" in page
    assert "到了1个" in page
    assert "上午10:00</time>，wang" in page
    assert state_of(database, today["豆豆"]) == "attended"


def test_a_repeated_tap_says_who_was_faster_and_undo_takes_it_back(
    browse: Browse, database: Database, today: dict[str, int]
) -> None:
    first, second = browse("wang"), browse("chen")
    path = f"{DOOR}/{today['豆豆']}"
    send(first, path, page=DOOR)

    response = send(second, path, page=DOOR)
    assert "豆豆已经签到过了（今天上午10:00，wang），不用再签" in text_of(
        second.get(response.location)
    )
    response = send(second, f"{path}/undo", page=DOOR)
    assert "已撤销豆豆的签到" in text_of(second.get(response.location))
    assert state_of(database, today["豆豆"]) == "confirmed"
    response = send(first, f"{path}/undo", page=DOOR)
    assert "名单刚刚有变化" in text_of(first.get(response.location))


def test_a_cancelled_sign_up_is_no_longer_on_the_list(
    browse: Browse, today: dict[str, int]
) -> None:
    browser = browse("wang")
    response = send(browser, f"{DOOR}/999", page=DOOR)
    assert "名单刚刚有变化" in text_of(browser.get(response.location))


def test_who_only_waits_and_comes_is_let_in(
    browse: Browse, database: Database, today: dict[str, int]
) -> None:
    browser = browse("wang")
    assert "来了也可以签到" in text_of(browser.get(DOOR))
    send(browser, f"{DOOR}/{today['安安']}", page=DOOR)
    assert state_of(database, today["安安"]) == "attended"


def test_a_walk_in_is_found_by_nickname_and_checked_in(
    browse: Browse, database: Database, today: dict[str, int], now: datetime
) -> None:
    with database.transaction() as db:
        child_id = make_child(db, "路过宝", now).id
    browser = browse("wang")
    path = "/console/sessions/TODAY/walk-in"
    assert "没有登记叫“过路宝”的宝宝" in text_of(browser.get(f"{path}?nickname=过路宝"))
    assert "路过宝" in text_of(browser.get(f"{path}?nickname=路过宝"))

    response = send(browser, path, page=path, child_id=str(child_id))

    page = text_of(browser.get(response.location))
    assert "路过宝签到了" in page
    assert "现场来的" in page
    assert "已签到" in text_of(browser.get(f"{path}?nickname=路过宝"))
    for nobody in ("x", "999", "-1", "99999999999999999999"):
        assert send(browser, path, page="/console/", child_id=nobody).status_code == 404


def test_the_paper_sheet_is_entered_with_one_button_and_the_rest_as_missing(
    browse: Browse, database: Database, today: dict[str, int], clock: object, now: datetime
) -> None:
    browser = browse("wang")
    path = "/console/sessions/TODAY/paper"
    assert "没勾的记为没来" not in text_of(browser.get(path))
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "TODAY")).one()
        session.starts_at, session.ends_at = now - timedelta(hours=2), now
    assert "没勾的记为没来" in text_of(browser.get(path))

    response = send(browser, path, page=path, came=str(today["豆豆"]), save="rest_is_missing")

    page = text_of(browser.get(response.location))
    assert "已保存：签到1个，没来1个" in page
    assert state_of(database, today["豆豆"]) == "attended"
    assert state_of(database, today["米粒"]) == "no_show"
    assert "办完了" in text_of(browser.get("/console/sessions/TODAY"))
    response = send(browser, f"{DOOR}/{today['米粒']}", page=DOOR)
    assert "米粒签到了" in text_of(browser.get(response.location))


def test_the_sign_in_sheet_has_a_line_for_each_child_and_some_for_walk_ins(
    browse: Browse, today: dict[str, int]
) -> None:
    page = text_of(browse("wang").get("/console/sessions/TODAY/sheet"))
    assert "签到表：今天这场" in page
    for nickname, is_there in (("豆豆", True), ("果果", True), ("安安", False), ("小宇", False)):
        assert (nickname in page) is is_there
    assert page.count('class="signature"') == 3 + 6


def test_the_sessions_code_is_drawn_or_said_to_be_out_of_reach(
    browse: Browse, database: Database, today: dict[str, int], now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        make_session(db, station, "SILENT", now + timedelta(days=1))
        make_session(db, station, "DRAFT", now + timedelta(days=1), state="draft")
    browser = browse("wang")

    assert "<svg" in text_of(browser.get("/console/sessions/TODAY/code"))
    silent = text_of(browser.get("/console/sessions/SILENT/code"))
    assert "<svg" not in silent
    assert "现在连不上微信" in silent
    assert browser.get("/console/sessions/DRAFT/code").status_code == 404
