"""The operator's page: what it shows of a bad night, with Redis and without, and its acts."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import select

from app.config import Settings
from app.console.operations import SHOWN_STATES
from app.db import Database
from app.models import AuditEntry, Child, Notice
from app.rules.channel_budget import Channel
from app.services import timekeeping
from app.wechat.errors import REACTIONS
from app.wechat.pauses import Pauses
from app.wechat.quotas import DailyQuotas
from app.words import operations as words
from app.words.timeline import NOTICE_STATES
from scheduler.timetable import JOBS
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import make_notice

PAGE = "/console/operations"


@pytest.fixture
def bad_night(database: Database, desk: Desk, now: datetime) -> list[int]:
    """Three notices failed for a template, one uncertain; the ids of the former."""
    with database.transaction() as db:
        child = db.scalars(select(Child)).first()
        assert child is not None
        failed = [
            make_notice(db, child, now, state="failed", reason="refused:47003").id for _ in range(3)
        ]
        make_notice(db, child, now, state="queued")
        timekeeping.record_start(db, "tidy", now - timedelta(days=3))
        timekeeping.record_end(db, "tidy", "failed", now, error="DiskFull")
        return failed


def state_of(database: Database, notice_id: int) -> str:
    with database.reading() as db:
        return db.get_one(Notice, notice_id).state


@pytest.mark.usefixtures("bad_night")
def test_it_says_what_is_wrong_and_what_to_do(
    browse: Browse, settings: Settings, now: datetime
) -> None:
    redis = Redis.from_url(settings.redis_url)
    app_id = settings.wechat_app_id
    Pauses(redis, app_id).begin(Channel.CUSTOMER_SERVICE, "refused:40164", 240)
    DailyQuotas(redis, app_id).note_sent(Channel.TEMPLATE, 95_000, now)
    redis.set(f"wechat:{app_id}:token", "TOKEN-ITSELF", ex=6600)
    redis.close()

    shown = text_of(browse("district").get(PAGE))

    assert "模板的字段对不上" in shown
    assert "WECHAT_TEMPLATES" in shown
    assert "IP 白名单" in shown
    assert "连着出错1次" in shown
    assert "DiskFull" in shown
    assert "还剩5000次" in shown
    assert "快用完了" in shown
    assert "还有效1小时" in shown
    assert "TOKEN-ITSELF" not in shown
    # The recipient is masked: enough to find the family by.
    assert "糖*" in shown
    assert "糖糖" not in shown


@pytest.mark.usefixtures("bad_night")
def test_without_redis_it_shows_the_rest(browse: Browse, app: Flask, settings: Settings) -> None:
    browser = browse("district")
    from dataclasses import replace

    app.extensions["yuban"] = replace(
        app.extensions["yuban"], redis=Redis.from_url("unix:///nowhere/redis.sock")
    )

    response = browser.get(PAGE)

    assert response.status_code == 200
    assert "Redis 连不上" in text_of(response)
    assert "模板的字段对不上" in text_of(response)


def test_one_click_sends_a_group_again_and_the_next_finds_nothing(
    browse: Browse, bad_night: list[int], database: Database, desk: Desk
) -> None:
    browser = browse("district")
    group = {"state": "failed", "reason": "refused:47003"}

    send(browser, f"{PAGE}/retry", page=PAGE, **group)
    said = text_of(browser.get(PAGE))

    assert "3条又排进了队列" in said
    assert {state_of(database, each) for each in bad_night} == {"queued"}
    assert state_of(database, desk.notice_id) == "unknown"
    send(browser, f"{PAGE}/retry", page=PAGE, **group)
    assert "已经有人处理过了" in text_of(browser.get(PAGE))


def test_one_notice_is_put_aside_and_the_audit_log_says_by_whom(
    browse: Browse, database: Database, desk: Desk
) -> None:
    browser = browse("district")

    send(browser, f"{PAGE}/notices/{desk.notice_id}/close", page=PAGE)

    assert "1条记为处理好了" in text_of(browser.get(PAGE))
    with database.reading() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "close_notice")).one()
        assert entry.subject_id == desk.notice_id
    send(browser, f"{PAGE}/notices/{desk.notice_id}/retry", page=PAGE)
    assert state_of(database, desk.notice_id) == "unknown"


def test_what_may_have_arrived_is_sent_again_by_its_own_form_alone(
    browse: Browse, database: Database, desk: Desk
) -> None:
    browser = browse("district")
    path = f"{PAGE}/notices/{desk.notice_id}/retry"

    send(browser, path, page=PAGE)
    assert "1条没有再发" in text_of(browser.get(PAGE))
    assert state_of(database, desk.notice_id) == "unknown"

    send(browser, path, page=PAGE, even_if_arrived="yes")
    assert "1条又排进了队列" in text_of(browser.get(PAGE))


def test_a_notice_that_does_not_exist_is_nothing(browse: Browse, database: Database) -> None:
    browser = browse("district")

    response = send(browser, f"{PAGE}/notices/99999/retry", page=PAGE)

    assert response.status_code == 302
    assert "已经有人处理过了" in text_of(browser.get(PAGE))


def test_every_job_and_every_code_has_its_words() -> None:
    assert words.JOBS.keys() == {job.name for job in JOBS}
    assert words.CODES.keys() == REACTIONS.keys()
    assert set(SHOWN_STATES) < set(NOTICE_STATES)
    assert words.advise("refused:99999").means == "微信没有接收，错误码 99999"
    assert words.advise("what is this") == words.UNHEARD_OF


def test_spans_are_said_in_the_largest_unit() -> None:
    said = [words.say_span(timedelta(seconds=each)) for each in (0, 59, 60, 3599, 3600, 90_000)]

    assert said == ["0秒", "59秒", "1分钟", "59分钟", "1小时", "1天"]
