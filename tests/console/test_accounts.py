"""Accounts, the second factor, and the audit log's page."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from pyotp import TOTP
from sqlalchemy import select

from app.config import Settings
from app.db import Database
from app.models import AuditEntry, Staff
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk, console_app
from tests.console.desk_world import PASSWORD


def secret_of(database: Database, username: str) -> str:
    with database.reading() as db:
        found = db.scalars(select(Staff.totp_secret).where(Staff.username == username)).one()
        assert found is not None
        return found


def code_now(database: Database, username: str, clock: time_machine.Traveller) -> str:
    return TOTP(secret_of(database, username)).now()


def enrol(browse: Browse, database: Database, clock: time_machine.Traveller) -> list[str]:
    """The district sets up its second factor; gives the recovery codes."""
    browser = browse("district")
    browser.get("/console/second-factor")
    code = code_now(database, "district", clock)
    shown = text_of(
        send(browser, "/console/second-factor", page="/console/second-factor", code=code)
    )
    return [part.partition("</code>")[0] for part in shown.split("<code>")[1:]]


def test_without_a_second_factor_the_password_is_enough_where_it_is_optional(
    browse: Browse, desk: Desk
) -> None:
    assert browse("district").get("/console/pending").status_code == 200


def test_with_a_second_factor_the_password_alone_opens_nothing(
    browse: Browse, app: Flask, desk: Desk, database: Database, clock: time_machine.Traveller
) -> None:
    codes = enrol(browse, database, clock)
    assert len(codes) == 10
    browser = app.test_client()
    answer = send(browser, "/console/login", username="district", password=PASSWORD)
    assert answer.location == "/console/login/code"
    assert browser.get("/console/pending").location.startswith("/console/login")

    clock.shift(timedelta(seconds=60))
    wrong = send(browser, "/console/login/code", page="/console/login/code", code="000000")
    assert wrong.status_code == 401
    code = code_now(database, "district", clock)
    right = send(browser, "/console/login/code", page="/console/login/code", code=code)
    assert right.status_code == 302
    assert browser.get("/console/pending").status_code == 200


def test_a_code_and_a_recovery_code_work_once(
    browse: Browse, app: Flask, desk: Desk, database: Database, clock: time_machine.Traveller
) -> None:
    codes = enrol(browse, database, clock)
    clock.shift(timedelta(seconds=60))
    for code in (code_now(database, "district", clock), codes[0]):
        outcomes = []
        for _ in range(2):
            browser = app.test_client()
            send(browser, "/console/login", username="district", password=PASSWORD)
            answer = send(browser, "/console/login/code", page="/console/login/code", code=code)
            outcomes.append(answer.status_code)
        assert outcomes == [302, 401]


def test_guessing_codes_locks_the_account(
    browse: Browse, app: Flask, desk: Desk, database: Database, clock: time_machine.Traveller
) -> None:
    enrol(browse, database, clock)
    clock.shift(timedelta(seconds=60))
    browser = app.test_client()
    send(browser, "/console/login", username="district", password=PASSWORD)
    for _ in range(5):
        send(browser, "/console/login/code", page="/console/login/code", code="000000")
    code = code_now(database, "district", clock)
    answer = send(browser, "/console/login/code", page="/console/login/code", code=code)
    assert answer.status_code == 401


def test_half_a_log_in_ends_after_ten_minutes(
    browse: Browse, app: Flask, desk: Desk, database: Database, clock: time_machine.Traveller
) -> None:
    enrol(browse, database, clock)
    browser = app.test_client()
    send(browser, "/console/login", username="district", password=PASSWORD)
    clock.shift(timedelta(minutes=11))
    assert browser.get("/console/login/code").location == "/console/login"


def test_where_it_is_required_the_first_log_in_leads_to_setting_it_up(
    settings: Settings, database: Database, desk: Desk, clock: time_machine.Traveller
) -> None:
    app = console_app(settings.model_copy(update={"console_second_factor": "required"}), database)
    district, worker = app.test_client(), app.test_client()
    for browser, username in ((district, "district"), (worker, "wang")):
        send(browser, "/console/login", username=username, password=PASSWORD)

    assert worker.get("/console/pending").status_code == 200
    assert district.get("/console/pending").location == "/console/second-factor"
    assert district.post("/console/pending/1/confirm").status_code == 400
    district.get("/console/second-factor")
    code = code_now(database, "district", clock)
    send(district, "/console/second-factor", page="/console/second-factor", code=code)
    assert district.get("/console/pending").status_code == 200


def test_the_district_makes_an_account_that_can_log_in(browse: Browse, app: Flask) -> None:
    browser = browse("district")
    answer = send(
        browser,
        "/console/accounts/new",
        page="/console/accounts/new",
        username="Zhao",
        role="worker",
        station="CQ",
        township="",
        password="a long new password",
    )
    assert answer.status_code == 302
    assert "账号 zhao 开好了" in text_of(browser.get(answer.location))
    newcomer = app.test_client()
    send(newcomer, "/console/login", username="zhao", password="a long new password")
    assert newcomer.get("/console/pending").status_code == 200


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"username": "wang"}, "已经有人用了"),
        ({"username": "a b"}, "不能用"),
        ({"password": "short"}, "密码太简单"),
        ({"station": ""}, "要选一个站点"),
        ({"role": "township"}, "要选一个乡镇"),
        ({"username": ""}, "有1处要改"),
    ],
)
def test_what_cannot_be_an_account_is_said_at_its_field(
    browse: Browse, fields: dict[str, str], said: str
) -> None:
    filled = {
        "username": "zhao",
        "role": "worker",
        "station": "CQ",
        "township": "",
        "password": "a long new password",
    }
    answer = send(
        browse("district"),
        "/console/accounts/new",
        page="/console/accounts/new",
        **(filled | fields),
    )
    assert answer.status_code == 422
    assert said in text_of(answer)


def test_closing_an_account_ends_its_log_in_at_once_and_can_be_undone(
    browse: Browse, desk: Desk
) -> None:
    worker, browser = browse("wang"), browse("district")
    page = f"/console/accounts/{desk.staff_id}"
    send(browser, f"{page}/close", page=page)
    assert worker.get("/console/pending").location.startswith("/console/login")
    assert "停用了" in text_of(browser.get(page))
    send(browser, f"{page}/open", page=page)
    assert browse("wang").get("/console/pending").status_code == 200


def test_the_district_cannot_lock_itself_out(
    browse: Browse, desk: Desk, database: Database
) -> None:
    browser = browse("district")
    with database.reading() as db:
        own = db.scalars(select(Staff.id).where(Staff.username == "district")).one()
    page = f"/console/accounts/{own}"
    answer = send(browser, f"{page}/close", page=page)
    assert "不能停用自己" in text_of(browser.get(answer.location))
    assert browser.get("/console/accounts").status_code == 200


def test_a_new_password_logs_out_everywhere(browse: Browse, desk: Desk, app: Flask) -> None:
    worker, browser = browse("wang"), browse("district")
    page = f"/console/accounts/{desk.staff_id}"
    send(browser, f"{page}/password", page=page, password="another long one")
    assert worker.get("/console/pending").location.startswith("/console/login")
    again = app.test_client()
    send(again, "/console/login", username="wang", password="another long one")
    assert again.get("/console/pending").status_code == 200


def test_who_looked_at_a_family_is_found_by_its_number_and_by_username(
    browse: Browse, desk: Desk
) -> None:
    browse("wang").get(f"/console/families/{desk.family_id}")
    browse("chen").get("/console/sessions")
    browser = browse("auditor")
    by_family = text_of(browser.get(f"/console/audit?q={desk.family_id}&what=views"))
    assert "wang" in by_family
    assert "chen" not in by_family
    assert "家庭" in by_family
    by_name = text_of(browser.get("/console/audit?q=wang&what=log_ins&days=1"))
    assert "登录" in by_name
    assert "chen" not in by_name


def test_the_audit_log_has_no_way_to_be_written(browse: Browse, database: Database) -> None:
    browser = browse("district")
    token = text_of(browser.get("/console/audit")).partition('csrf_token" value="')[2][:200]
    answer = browser.post("/console/audit", data={"csrf_token": token.partition('"')[0]})
    assert answer.status_code == 405
    with database.reading() as db:
        assert db.scalars(select(AuditEntry.id)).all()
