"""Confirming and declining: what the buttons do, and what the next page says."""

from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.db import Database
from app.models import Notice, SignUp
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk


def state_of(database: Database, desk: Desk) -> tuple[str, str | None]:
    with database.reading() as db:
        sign_up = db.scalars(select(SignUp).where(SignUp.id == desk.sign_up_id)).one()
        return sign_up.state, sign_up.reason


def notices_about(database: Database, desk: Desk) -> list[str]:
    with database.reading() as db:
        return list(
            db.scalars(select(Notice.kind).where(Notice.subject == f"sign_up:{desk.sign_up_id}"))
        )


def test_confirming_gives_the_place_tells_the_family_and_says_so(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("wang")

    response = send(browser, f"/console/pending/{desk.sign_up_id}/confirm", page="/console/pending")

    assert response.location == "/console/pending"
    assert state_of(database, desk) == ("confirmed", None)
    assert notices_about(database, desk) == ["sign_up_confirmed"]
    page = text_of(browser.get("/console/pending"))
    assert "已确认：糖糖，亲子阅读分享会（CQ-1）" in page
    assert "都处理完了" in page
    assert "已确认：" not in text_of(browser.get("/console/pending"))


def test_what_was_decided_today_says_who_and_when(
    browse: Browse, desk: Desk, clock: time_machine.Traveller
) -> None:
    send(browse("chen"), f"/console/pending/{desk.sign_up_id}/confirm", page="/console/pending")

    page = text_of(browse("wang").get("/console/pending"))
    assert "今天处理过的" in page
    assert "chen，" in page
    assert "上午10:00" in page

    clock.shift(timedelta(days=1))
    assert "今天处理过的" not in text_of(browse("wang").get("/console/pending"))


@pytest.mark.parametrize("second", ["confirm", "decline"])
def test_a_request_that_somebody_else_decided_says_who_and_when(
    browse: Browse, desk: Desk, database: Database, clock: time_machine.Traveller, second: str
) -> None:
    slow = browse("wang")
    send(browse("chen"), f"/console/pending/{desk.sign_up_id}/confirm", page="/console/pending")
    clock.shift(timedelta(minutes=3))

    response = send(
        slow,
        f"/console/pending/{desk.sign_up_id}/{second}",
        page="/console/",
        own_reason="名额满了",
    )

    assert response.location == "/console/pending"
    assert "chen已在今天上午10:00确认，不用再处理了" in text_of(slow.get("/console/pending"))
    assert state_of(database, desk)[0] == "confirmed"
    assert notices_about(database, desk) == ["sign_up_confirmed"]


def test_a_request_that_the_family_took_back_says_so(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    browser = browse("wang")
    with database.transaction() as db:
        sign_up = db.scalars(select(SignUp).where(SignUp.id == desk.sign_up_id)).one()
        sign_up.state, sign_up.decided_at = "cancelled", now

    send(browser, f"/console/pending/{desk.sign_up_id}/confirm", page="/console/")

    assert "家长已在今天上午10:00取消" in text_of(browser.get("/console/pending"))


@pytest.mark.parametrize(
    "fields, stored",
    [
        ({"reason": "这场的名额已经安排满了"}, "这场的名额已经安排满了"),
        ({"own_reason": "老师生病了"}, "老师生病了"),
        ({"reason": "这场的名额已经安排满了", "own_reason": " 老师生病了 "}, "老师生病了"),
    ],
)
def test_declining_frees_the_place_and_keeps_the_reason(
    browse: Browse, desk: Desk, database: Database, fields: dict[str, str], stored: str
) -> None:
    browser = browse("wang")

    send(
        browser,
        f"/console/pending/{desk.sign_up_id}/decline",
        page="/console/pending",
        **fields,
    )

    assert state_of(database, desk) == ("declined", stored)
    assert notices_about(database, desk) == ["sign_up_declined"]
    assert "已婉拒：糖糖" in text_of(browser.get("/console/pending"))
    roster = text_of(browser.get("/console/sessions/CQ-1"))
    assert f"原因：{stored}" in roster
    assert "已占0，共10" in roster


@pytest.mark.parametrize(
    "fields, words",
    [
        ({}, "请先选一个原因"),
        ({"own_reason": "   "}, "请先选一个原因"),
        ({"own_reason": "长" * 101}, "100个字以内"),
    ],
)
def test_declining_without_a_fitting_reason_changes_nothing(
    browse: Browse, desk: Desk, database: Database, fields: dict[str, str], words: str
) -> None:
    browser = browse("wang")

    response = send(
        browser,
        f"/console/pending/{desk.sign_up_id}/decline",
        page="/console/pending",
        **fields,
    )

    assert response.location == f"/console/pending#sign-up-{desk.sign_up_id}"
    assert words in text_of(browser.get("/console/pending"))
    assert state_of(database, desk) == ("requested", None)
