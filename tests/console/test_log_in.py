from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.config import Settings
from app.db import Database
from app.models import Staff
from app.services.audit import OPERATOR
from app.services.staff import LOCK_MINUTES, MAX_FAILURES, change_password
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk, console_app
from tests.console.desk_world import PASSWORD

REFUSED = "用户名或密码不对，或者账号已被锁定"


def try_to_log_in(browser: FlaskClient, username: str, password: str) -> tuple[int, str]:
    response = send(browser, "/console/login", username=username, password=password)
    return response.status_code, text_of(response)


def test_the_right_password_opens_the_first_page(app: Flask, desk: Desk) -> None:
    browser = app.test_client()

    response = send(browser, "/console/login", username="wang", password=PASSWORD)

    assert response.status_code == HTTPStatus.FOUND
    assert response.location == "/console/"
    assert "城桥镇早教指导站" in text_of(browser.get("/console/"))


def test_a_stranger_is_sent_to_the_log_in_and_then_where_they_wanted(
    app: Flask, desk: Desk
) -> None:
    browser = app.test_client()
    sent_to = browser.get("/console/notices?state=sent").location

    response = send(browser, sent_to, page=sent_to, username="wang", password=PASSWORD)

    assert response.location == "/console/notices?state=sent"


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/console/",
        "//elsewhere.example/console/",
        "/wechat",
        "\\\\elsewhere.example/console/",
        "javascript:alert(1)",
    ],
)
def test_the_log_in_leads_nowhere_but_into_the_console(app: Flask, desk: Desk, target: str) -> None:
    browser = app.test_client()
    page = app.test_client().get("/console/login", query_string={"next": target}).request.full_path

    response = send(browser, page, username="wang", password=PASSWORD)

    assert response.location == "/console/"


def test_wrong_name_wrong_password_and_lock_are_told_in_one_sentence(
    app: Flask, desk: Desk
) -> None:
    browser = app.test_client()
    answers = [
        try_to_log_in(browser, "nobody", PASSWORD),
        *(try_to_log_in(browser, "wang", "a wrong guess") for _ in range(MAX_FAILURES)),
        try_to_log_in(browser, "wang", PASSWORD),
    ]

    assert {status for status, _ in answers} == {HTTPStatus.UNAUTHORIZED}
    sentences = {page.partition('role="alert">')[2].partition("</p>")[0] for _, page in answers}
    assert len(sentences) == 1
    assert REFUSED in sentences.pop()


def test_the_lock_ends_after_a_quarter_of_an_hour(
    app: Flask, desk: Desk, clock: time_machine.Traveller
) -> None:
    browser = app.test_client()
    for _ in range(MAX_FAILURES):
        try_to_log_in(browser, "wang", "a wrong guess")

    clock.shift(timedelta(minutes=LOCK_MINUTES))

    assert try_to_log_in(browser, "wang", PASSWORD)[0] == HTTPStatus.FOUND


def test_failures_are_stored_although_the_log_in_fails(
    app: Flask, desk: Desk, database: Database
) -> None:
    try_to_log_in(app.test_client(), "wang", "a wrong guess")

    with database.reading() as db:
        staff = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        assert staff.failed_logins == 1


def test_an_empty_form_is_sent_back_with_what_is_missing(app: Flask, desk: Desk) -> None:
    status, page = try_to_log_in(app.test_client(), "", "")
    assert status == HTTPStatus.BAD_REQUEST
    assert "请填写用户名。" in page
    assert "请填写密码。" in page


def test_a_post_without_a_form_token_does_nothing(app: Flask, desk: Desk) -> None:
    response = app.test_client().post(
        "/console/login", data={"username": "wang", "password": PASSWORD}
    )
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert "刷新后再点一次" in text_of(response)


def test_the_cookie_is_kept_from_scripts_and_other_sites(app: Flask, desk: Desk) -> None:
    response = send(app.test_client(), "/console/login", username="wang", password=PASSWORD)
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_cookie_is_secure_where_the_public_address_is(
    settings: Settings, database: Database, clock: time_machine.Traveller, desk: Desk
) -> None:
    safe = settings.model_copy(update={"public_url": "https://yuban.example"})
    browser = console_app(safe, database).test_client()

    response = browser.get("/console/login", base_url="https://yuban.example")

    assert "; Secure" in response.headers["Set-Cookie"]
    assert "max-age" in response.headers["Strict-Transport-Security"]


def test_a_session_planted_before_the_log_in_is_thrown_away(app: Flask, desk: Desk) -> None:
    browser = app.test_client()
    browser.get("/console/login")
    with browser.session_transaction() as planted:
        planted["planted"] = "by a stranger"
        token_before = planted["csrf_token"]

    send(browser, "/console/login", username="wang", password=PASSWORD)
    browser.get("/console/")

    with browser.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != token_before


def test_eight_idle_hours_log_out_and_a_page_in_between_starts_them_anew(
    browse: Browse, clock: time_machine.Traveller
) -> None:
    browser = browse("wang")
    for _ in range(4):
        clock.shift(timedelta(hours=7, minutes=59))
        assert browser.get("/console/").status_code == HTTPStatus.OK
    clock.shift(timedelta(hours=8, minutes=1))
    assert browser.get("/console/").status_code == HTTPStatus.FOUND


def test_an_idle_cookie_is_worth_nothing_even_to_who_kept_a_copy(
    app: Flask, browse: Browse, clock: time_machine.Traveller
) -> None:
    kept = browse("wang").get_cookie("yuban")
    assert kept is not None
    clock.shift(timedelta(hours=8, minutes=1))
    thief = app.test_client()
    thief.set_cookie("yuban", kept.value)
    assert thief.get("/console/").status_code == HTTPStatus.FOUND


def test_logging_out_needs_a_post_and_ends_the_session(browse: Browse) -> None:
    browser = browse("wang")
    assert browser.get("/console/logout").status_code in (404, 405)
    assert browser.get("/console/").status_code == HTTPStatus.OK

    response = send(browser, "/console/logout", page="/console/")

    assert response.location == "/console/login"
    assert browser.get("/console/").status_code == HTTPStatus.FOUND


def test_pages_are_kept_out_of_caches(browse: Browse) -> None:
    assert browse("wang").get("/console/pending").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("change", ["password", "closed"])
def test_a_changed_password_or_closed_account_ends_running_sessions(
    browse: Browse, database: Database, now: datetime, change: str
) -> None:
    browser = browse("wang")
    with database.transaction() as db:
        staff = db.scalars(select(Staff).where(Staff.username == "wang")).one()
        if change == "closed":
            staff.is_active = False
        else:
            change_password(db, staff_id=staff.id, password="another one", now=now, actor=OPERATOR)

    assert browser.get("/console/").status_code == HTTPStatus.FOUND


@pytest.mark.parametrize("cookie_id", ["", "1", "x:0", "1:x", "1:-1", "²:0", "999:0"])
def test_a_cookie_that_makes_no_sense_is_a_stranger(app: Flask, desk: Desk, cookie_id: str) -> None:
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = cookie_id
    assert browser.get("/console/").status_code == HTTPStatus.FOUND


def test_guessing_from_one_address_is_slowed_down(app: Flask, desk: Desk) -> None:
    browser = app.test_client()
    for number in range(30):
        assert try_to_log_in(browser, f"guess{number}", "a wrong guess")[0] == 401

    status, page = try_to_log_in(browser, "wang", PASSWORD)

    assert status == HTTPStatus.TOO_MANY_REQUESTS
    assert "请过5分钟再试" in page


def test_right_log_ins_do_not_count_against_the_address(app: Flask, desk: Desk) -> None:
    for _ in range(35):
        assert try_to_log_in(app.test_client(), "wang", PASSWORD)[0] == HTTPStatus.FOUND


def test_behind_a_proxy_each_visitor_has_their_own_limit(
    settings: Settings, database: Database, clock: time_machine.Traveller, desk: Desk
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": 1})
    browser = console_app(behind, database).test_client()
    for number in range(31):
        send_from(browser, "10.0.0.1", f"guess{number}")

    assert send_from(browser, "10.0.0.1", "wang") == HTTPStatus.TOO_MANY_REQUESTS
    assert send_from(browser, "10.0.0.2", "guess") == HTTPStatus.UNAUTHORIZED


def send_from(browser: FlaskClient, address: str, username: str) -> int:
    page = text_of(browser.get("/console/login"))
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    response = browser.post(
        "/console/login",
        data={"csrf_token": token, "username": username, "password": "a wrong guess"},
        headers={"X-Forwarded-For": address},
    )
    return response.status_code


def test_with_redis_down_staff_still_log_in_and_guesses_are_still_counted(
    settings: Settings, database: Database, clock: time_machine.Traveller, desk: Desk
) -> None:
    without = settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock?db=0"})
    browser = console_app(without, database).test_client()

    assert try_to_log_in(browser, "nobody", PASSWORD)[0] == HTTPStatus.UNAUTHORIZED
    assert try_to_log_in(app_browser(browser), "wang", PASSWORD)[0] == HTTPStatus.FOUND
    stranger = browser.application.test_client()
    for number in range(29):
        try_to_log_in(stranger, f"guess{number}", "a wrong guess")
    assert try_to_log_in(stranger, "guess", "a wrong guess")[0] == HTTPStatus.TOO_MANY_REQUESTS


def app_browser(browser: FlaskClient) -> FlaskClient:
    """Another browser at the same address."""
    return browser.application.test_client()
