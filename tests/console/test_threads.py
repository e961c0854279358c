"""The console's side of a conversation: read, answered once, handed back."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy import func, select

from app.db import Database
from app.models import CannedAnswer, HelpThread, Notice
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk


def test_the_list_names_who_waits_and_the_page_shows_the_family(browse: Browse, desk: Desk) -> None:
    browser = browse("wang")
    assert "位家长等老师回话" in text_of(browser.get("/console/"))
    listed = text_of(browser.get("/console/threads"))
    assert "糖糖的妈妈" in listed
    assert "想问问辅食" in listed
    page = text_of(browser.get(f"/console/threads/{desk.thread_id}"))
    for words in ("想问问辅食", "6个月", "王阿姨", "13800001234", "发给家长"):
        assert words in page


def test_an_answer_is_queued_and_a_second_tap_says_nothing_more(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("wang")
    address = f"/console/threads/{desk.thread_id}/answer"
    told = send(browser, address, text="先加米粉", seen="0")
    assert "先加米粉" in text_of(browser.get(told.location))
    again = send(browser, address, text="先加米粉，一勺", seen="0")
    assert "wang" in text_of(again)
    assert "先加米粉，一勺" in text_of(again), "what was typed is kept"
    with database.reading() as db:
        assert db.scalar(select(func.count(Notice.id)).where(Notice.kind == "staff_answer")) == 1


def test_an_empty_or_endless_answer_is_not_sent_and_not_lost(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("wang")
    address = f"/console/threads/{desk.thread_id}/answer"
    shown = browser.get(send(browser, address, text="  ", seen="0").location)
    assert "请先写一句回答" in text_of(shown)
    endless = text_of(send(browser, address, text="长" * 501, seen="0"))
    assert "501个字" in endless
    assert "长" * 501 in endless
    with database.reading() as db:
        assert db.scalar(select(func.count(Notice.id)).where(Notice.kind == "staff_answer")) == 0


def test_a_canned_answer_fills_the_field(browse: Browse, desk: Desk) -> None:
    browser = browse("wang")
    send(browser, "/console/threads/canned", text="周三上午我都在站里")
    page = browser.get(f"/console/threads/{desk.thread_id}?canned=6")
    assert "周三上午我都在站里</textarea>" in text_of(page)
    assert "</textarea>" in text_of(browser.get(f"/console/threads/{desk.thread_id}?canned=99"))


def test_a_canned_answer_is_dropped_by_its_own_station_alone(
    browse: Browse, desk: Desk, database: Database
) -> None:
    send(browse("wang"), "/console/threads/canned", text="周三上午我都在站里")
    with database.reading() as db:
        kept = db.scalars(select(CannedAnswer.id)).one()
    assert send(browse("li"), f"/console/threads/canned/{kept}/drop").status_code == 404
    assert send(browse("wang"), f"/console/threads/canned/{kept}/drop").status_code == 302
    with database.reading() as db:
        assert db.scalars(select(CannedAnswer)).all() == []


def test_handing_back_ends_it_once(browse: Browse, desk: Desk, database: Database) -> None:
    browser = browse("wang")
    address = f"/console/threads/{desk.thread_id}/close"
    assert "结束了" in text_of(browser.get(send(browser, address).location))
    assert "已经结束了" in text_of(browser.get(send(browser, address).location))
    page = text_of(browser.get(f"/console/threads/{desk.thread_id}"))
    assert "wang结束了这次留言" in page
    assert "发给家长</button>" not in page
    with database.reading() as db:
        assert db.scalars(select(HelpThread.closed_how)).one() == "staff"


def test_outside_the_window_the_page_says_that_the_answer_will_wait(
    browse: Browse, desk: Desk, now: datetime
) -> None:
    page = text_of(browse("wang").get(f"/console/threads/{desk.thread_id}"))
    assert "等家长下次来说话时送到" in page


def test_an_auditor_reads_and_has_nothing_to_press(browse: Browse, desk: Desk) -> None:
    page = text_of(browse("auditor").get(f"/console/threads/{desk.thread_id}"))
    assert "想问问辅食" in page
    assert "发给家长</button>" not in page


def test_the_list_is_searched_filtered_and_exported_as_it_is_shown(
    browse: Browse, desk: Desk
) -> None:
    browser = browse("wang")
    for found in ("", "?q=tangtang", "?q=1234", "?kind=person", "?show=all"):
        assert "糖糖的妈妈" in text_of(browser.get(f"/console/threads{found}")), found
    for other in ("?q=doudou", "?kind=complaint", "?show=closed"):
        assert "糖糖的妈妈" not in text_of(browser.get(f"/console/threads{other}")), other
    assert browser.get("/console/threads?show=nonsense").status_code == HTTPStatus.NOT_FOUND

    file = browser.get("/console/threads?q=tangtang&file=csv").get_data().decode("utf-8-sig")
    head, row = file.strip().splitlines()
    assert head.startswith("谁家,哪一种,怎样了,最后一句")
    assert row.startswith("糖糖的妈妈,找老师,等回复,想问问辅食怎么加,家长,城桥镇早教指导站")


def test_the_district_chooses_a_station(browse: Browse, desk: Desk) -> None:
    browser = browse("district")
    assert "糖糖的妈妈" in text_of(browser.get("/console/threads?station=CQ"))
    assert "糖糖的妈妈" not in text_of(browser.get("/console/threads?station=BH"))
