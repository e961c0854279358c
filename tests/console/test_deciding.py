"""Deciding in bulk, and moving a request to another session."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.crypto import Cipher
from app.db import Database
from app.models import GuidanceSession, Notice, SignUp, Staff, Station
from app.services import decisions
from app.services.doctor import examine
from tests.console.browsing import text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_child, make_session, make_sign_up
from tests.console.test_access import token_of


@pytest.fixture
def second(database: Database, desk: Desk, now: datetime) -> int:
    """小豆子, requested for the same session."""
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        session = db.scalars(select(GuidanceSession)).one()
        child = make_child(db, "小豆子", now, station=station)
        make_session(db, station, "CQ-2", now + timedelta(days=5), title="祖辈课堂")
        return make_sign_up(db, session, child, now).id


def state_of(database: Database, sign_up_id: int) -> str:
    with database.reading() as db:
        return db.get_one(SignUp, sign_up_id).state


def test_many_are_confirmed_at_once_and_what_was_skipped_says_who_was_faster(
    browse: Browse, desk: Desk, second: int, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        chen = db.scalars(select(Staff).where(Staff.username == "chen")).one()
        decisions.confirm(db, sign_up_id=second, staff=chen, now=now)
    browser = browse("wang")
    answer = browser.post(
        "/console/pending/bulk",
        data={
            "csrf_token": token_of(browser),
            "row": [str(desk.sign_up_id), str(second), "9999"],
            "do": "confirm",
        },
    )
    shown = text_of(answer)
    assert "办好了1个，跳过了2个" in shown
    assert "chen已在" in shown
    assert "已经不在了" in shown
    assert state_of(database, desk.sign_up_id) == "confirmed"


def test_many_are_declined_with_one_reason_and_each_family_is_told(
    browse: Browse, desk: Desk, second: int, database: Database
) -> None:
    browser = browse("wang")
    browser.post(
        "/console/pending/bulk",
        data={
            "csrf_token": token_of(browser),
            "row": [str(desk.sign_up_id), str(second)],
            "do": "decline",
            "reason": "活动的安排有变动",
        },
    )
    assert {state_of(database, one) for one in (desk.sign_up_id, second)} == {"declined"}
    with database.reading() as db:
        told = db.scalars(select(Notice).where(Notice.kind == "sign_up_declined")).all()
        assert len(told) == 2


@pytest.mark.parametrize(
    ("data", "said"),
    [({"do": "confirm"}, "还没有选"), ({"row": "1", "do": "decline", "reason": ""}, "还没有婉拒")],
)
def test_nothing_picked_or_no_reason_changes_nothing(
    browse: Browse, desk: Desk, database: Database, data: dict[str, str], said: str
) -> None:
    browser = browse("wang")
    answer = browser.post("/console/pending/bulk", data={"csrf_token": token_of(browser), **data})
    assert said in text_of(browser.get(answer.location))
    assert state_of(database, desk.sign_up_id) == "requested"


def test_a_request_is_moved_to_another_session_and_the_family_told(
    browse: Browse, desk: Desk, second: int, database: Database, cipher: Cipher, now: datetime
) -> None:
    browser = browse("wang")
    assert "祖辈课堂" in text_of(browser.get("/console/pending"))
    answer = browser.post(
        f"/console/pending/{desk.sign_up_id}/move",
        data={"csrf_token": token_of(browser), "to": "CQ-2"},
    )
    assert "已改到：糖糖，祖辈课堂" in text_of(browser.get(answer.location))
    assert state_of(database, desk.sign_up_id) == "declined"
    with database.reading() as db:
        there = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "CQ-2")).one()
        moved = db.scalars(select(SignUp).where(SignUp.session_id == there.id)).one()
        assert (moved.state, there.places_taken) == ("confirmed", 1)
        report = examine(db, cipher=cipher, now=now)
        broken = {row for check in report.checks for row in check.broken}
        assert not broken & {f"sign_up:{desk.sign_up_id}", f"sign_up:{moved.id}", "session:2"}


@pytest.mark.parametrize("code", ["NOWHERE", "BH-1", "CQ-1", ""])
def test_nobody_is_moved_to_where_one_may_not(
    browse: Browse, desk: Desk, database: Database, now: datetime, code: str
) -> None:
    with database.transaction() as db:
        elsewhere = db.scalars(select(Station).where(Station.code == "BH")).one()
        make_session(db, elsewhere, "BH-1", now + timedelta(days=5))
    browser = browse("wang")
    answer = browser.post(
        f"/console/pending/{desk.sign_up_id}/move",
        data={"csrf_token": token_of(browser), "to": code},
    )
    assert answer.status_code == 404
    assert state_of(database, desk.sign_up_id) == "requested"


def test_a_full_session_takes_nobody_and_the_request_stays(
    browse: Browse, desk: Desk, second: int, database: Database
) -> None:
    with database.transaction() as db:
        there = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "CQ-2")).one()
        there.places = 0
    browser = browse("wang")
    browser.post(
        f"/console/pending/{desk.sign_up_id}/move",
        data={"csrf_token": token_of(browser), "to": "CQ-2"},
    )
    assert state_of(database, desk.sign_up_id) == "requested"


def test_a_row_shows_the_familys_year_and_leads_to_its_page(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        sign_up = db.get_one(SignUp, desk.sign_up_id)
        past = make_session(db, station, "CQ-0", now - timedelta(days=9))
        missed = SignUp(
            session_id=past.id,
            child_id=sign_up.child_id,
            family_id=sign_up.family_id,
            caregiver_id=sign_up.caregiver_id,
            state="no_show",
            requested_at=now - timedelta(days=20),
        )
        db.add(missed)
    shown = text_of(browse("wang").get("/console/pending"))
    assert "没来1次" in shown
    assert f"/console/families/{desk.family_id}" in shown
