"""What waits for a decision and what is to be followed up: searched, filtered, exported, undone."""

import csv
import io
from datetime import datetime, timedelta
from http import HTTPStatus

from sqlalchemy import select

from app.db import Database
from app.models import AuditEntry, FollowUp, Staff, Station
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_child, make_follow_up, make_session, make_sign_up


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def test_requests_are_searched_filtered_and_exported_as_they_are_shown(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        soon = make_session(db, station, "CQ-2", now + timedelta(days=2))
        far = make_session(db, station, "CQ-3", now + timedelta(days=20))
        old = make_child(db, "米米", now, station=station)
        make_sign_up(db, soon, old, now - timedelta(days=4))
        make_sign_up(db, far, make_child(db, "=1+1", now, station=station), now)
    browser = browse("wang")
    page = text_of(browser.get("/console/pending"))
    assert "等了4天" in page
    assert "糖糖" in page
    asked = {
        "q=mimi": ["米米"],
        "q=CQ-2": ["米米"],
        "waits=3": ["米米"],
        "soon=7": ["米米", "糖糖"],
        "q=1234": ["糖糖"],
        "q=nobody": [],
    }
    for query, names in asked.items():
        rows = rows_of(browser.get(f"/console/pending?file=csv&{query}").data)
        assert [row["宝宝"] for row in rows] == names, query
    everything = rows_of(browser.get("/console/pending?file=csv").data)
    assert [row["宝宝"] for row in everything] == ["米米", "糖糖", "'=1+1"], "oldest first, neutral"
    assert browser.get("/console/pending?file=xlsx").data[:2] == b"PK"
    assert rows_of(browse("li").get("/console/pending?file=csv").data) == []
    by_station = rows_of(browse("district").get("/console/pending?station=BH&file=csv").data)
    assert by_station == []
    assert browser.get("/console/pending?waits=9").status_code == HTTPStatus.NOT_FOUND


def test_follow_ups_are_searched_filtered_and_exported(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        child = make_child(db, "米米", now, station=station)
        make_follow_up(db, now, kind="human", child=child, station=station, detail="想问辅食")
        done = make_follow_up(db, now, kind="human", station=station, detail="早就办完")
        wang = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        done.done_at, done.done_by = now, wang.id
    browser = browse("wang")
    for query, details in {
        "": ["想问辅食"],
        "q=mimi": ["想问辅食"],
        "kind=human": ["想问辅食"],
        "show=done": ["早就办完"],
    }.items():
        rows = rows_of(browser.get(f"/console/follow-ups?file=csv&{query}").data)
        found = [row["内容"] for row in rows if row["哪一种"] != "紧急"]
        assert found == details, query
    assert rows_of(browse("li").get("/console/follow-ups?show=all&file=csv").data) == []


def test_what_was_finished_by_mistake_is_taken_back(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("wang")
    path = f"/console/follow-ups/{desk.follow_up_id}"
    send(browser, f"{path}/finish", page="/console/follow-ups")
    assert "没有要跟进的事" in text_of(browser.get("/console/follow-ups"))
    shown = text_of(browser.get("/console/follow-ups?show=done"))
    assert "wang" in shown
    for _ in range(2):
        send(browser, f"{path}/reopen", page="/console/follow-ups?show=done")
    assert "糖糖" in text_of(browser.get("/console/follow-ups"))
    with database.reading() as db:
        assert db.get_one(FollowUp, desk.follow_up_id).done_at is None
        actions = db.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.subject_type == "follow_up")
            .order_by(AuditEntry.id)
        ).all()
        assert list(actions) == ["finish", "reopen"]
    assert send(browse("li"), f"{path}/reopen", page="/console/more").status_code == 404
