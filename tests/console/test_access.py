"""Every route for every role and for a foreign station: who gets in, and who is told nothing."""

import re
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.db import Database
from app.services.staff import Role
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Rows
from tests.console.routes import (
    BEFORE_THE_LOG_IN,
    DOES,
    EVERYBODY,
    FIELDS,
    OF_A_STATION,
    ROUTES,
    SEES,
    filled,
    named_in,
)
from tests.guarded import missing_guards

USERNAMES = {
    "worker": "wang",
    "visitor": "v1",
    "township": "lead",
    "district": "district",
    "editor": "editor",
    "auditor": "auditor",
}
FOREIGNERS = {"worker": "li", "township": "lead-elsewhere", "visitor": "v9"}
"""Of another township, by their role."""
WITHOUT_SUBJECT = tuple(rule for rule in SEES if not named_in(rule))


def rows_of(database: Database) -> dict[str, list[str]]:
    """All that is stored, but who looked and who logged in."""
    with database.reading() as db:
        tables = db.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        return {
            table: [str(tuple(row)) for row in db.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608
            for table in tables.all()
            if table not in ("audit_log", "audited_families", "staff")
        }


def token_of(browser: FlaskClient) -> str:
    """The form token of the session, read off a page that everybody may open."""
    return (
        text_of(browser.get("/console/more"))
        .partition('name="csrf_token" value="')[2]
        .partition('"')[0]
    )


def test_these_are_all_the_routes(app: Flask) -> None:
    """A route that is new, or gone, or takes another method, has to be entered in routes.py."""
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.")
        and rule.endpoint != "console.static"
        and rule.rule not in BEFORE_THE_LOG_IN
    ]

    assert {rule.rule for rule in rules if "GET" in (rule.methods or ())} == set(SEES)
    assert {rule.rule for rule in rules if "POST" in (rule.methods or ())} == set(DOES)


def test_what_names_a_row_of_a_family_or_a_session_is_of_a_station() -> None:
    of_the_district = {
        *("pack_id", "kind", "suffix", "month", "day"),
        *("import_id", "staff_id", "notice_id", "unread_id"),
        "answer_id",  # 常用答复: test_threads.py has whose they are
    }
    named = {rule for rule in ROUTES if set(named_in(rule)) - of_the_district}

    assert named == OF_A_STATION


def test_every_role_has_a_column_here() -> None:
    assert set(USERNAMES) == set(EVERYBODY.split()) == {str(role) for role in Role}


@pytest.mark.parametrize("role", USERNAMES)
def test_a_role_opens_its_pages_and_no_others(browse: Browse, rows: Rows, role: str) -> None:
    browser = browse(USERNAMES[role])
    wrong = []
    for path, roles in SEES.items():
        response = browser.get(filled(path, rows))
        # A visitor's first page is another: they are sent there.
        may = role in roles.split() or (path, role) == ("/console/", "visitor")
        # A session's check-in sends elsewhere before its day; that is no refusal.
        expected = {HTTPStatus.OK, HTTPStatus.FOUND} if may else {HTTPStatus.FORBIDDEN}
        if path == "/console/" and response.location:
            expected |= {HTTPStatus.FOUND}  # to the role's own first page
        if response.status_code not in expected:
            wrong.append((path, response.status_code))
        assert missing_guards(response) == [], path
    assert wrong == []


@pytest.mark.parametrize("role", USERNAMES)
def test_a_role_acts_only_where_it_may(
    browse: Browse, rows: Rows, database: Database, role: str
) -> None:
    browser = browse(USERNAMES[role])
    before = rows_of(database)
    token = token_of(browser)
    wrong = []
    for path, roles in DOES.items():
        if role in roles.split():
            continue
        response = browser.post(filled(path, rows), data={"csrf_token": token, **FIELDS})
        if response.status_code != HTTPStatus.FORBIDDEN:
            wrong.append((path, response.status_code))
    assert wrong == []
    assert rows_of(database) == before


@pytest.mark.parametrize("role", FOREIGNERS)
def test_what_is_another_stations_looks_like_what_does_not_exist(
    browse: Browse, rows: Rows, role: str
) -> None:
    browser = browse(FOREIGNERS[role])
    wrong = []
    for path in SEES.keys() & OF_A_STATION:
        if role not in SEES[path].split():
            continue  # Refused already, as to everybody of this role.
        response = browser.get(filled(path, rows))
        if response.status_code != HTTPStatus.NOT_FOUND or "糖糖" in text_of(response):
            wrong.append((path, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", FOREIGNERS)
def test_nobody_acts_on_what_is_another_stations(
    browse: Browse, rows: Rows, database: Database, role: str
) -> None:
    browser = browse(FOREIGNERS[role])
    before = rows_of(database)
    token = token_of(browser)
    wrong = []
    for path in DOES.keys() & OF_A_STATION:
        if role not in DOES[path].split():
            continue
        response = browser.post(filled(path, rows), data={"csrf_token": token, **FIELDS})
        if response.status_code != HTTPStatus.NOT_FOUND or "糖糖" in text_of(response):
            wrong.append((path, response.status_code))
    assert wrong == []
    assert rows_of(database) == before


@pytest.mark.parametrize("username", FOREIGNERS.values())
def test_lists_hold_nothing_of_another_station(browse: Browse, rows: Rows, username: str) -> None:
    browser = browse(username)
    for path in WITHOUT_SUBJECT:
        shown = text_of(browser.get(path))
        for theirs in ("糖糖", "CQ-1", "施老师", "13800001234"):
            assert theirs not in shown, (path, theirs)


def test_a_stranger_is_sent_to_the_log_in(browse: Browse, rows: Rows) -> None:
    browser = browse(None)
    for path in ("/console/nonsense", *SEES):
        response = browser.get(filled(path, rows))
        assert response.status_code == HTTPStatus.FOUND, path
        assert response.location.startswith("/console/login?next="), path


def test_a_stranger_changes_nothing(browse: Browse, rows: Rows, database: Database) -> None:
    browser = browse(None)
    before = rows_of(database)
    for path in DOES:
        response = send(browser, filled(path, rows), **FIELDS)
        assert response.status_code == HTTPStatus.FOUND, path
        assert response.location.startswith("/console/login"), path
    assert rows_of(database) == before


def test_an_act_needs_its_form_token(browse: Browse, rows: Rows, database: Database) -> None:
    browser = browse("district")
    before = rows_of(database)
    for path in DOES:
        response = browser.post(filled(path, rows), data=FIELDS)
        assert response.status_code == HTTPStatus.BAD_REQUEST, path
    assert rows_of(database) == before


def test_looking_at_an_act_does_not_do_it(browse: Browse, rows: Rows, database: Database) -> None:
    browser = browse("district")
    before = rows_of(database)
    for path in DOES.keys() - SEES.keys():
        response = browser.get(filled(path, rows))
        assert response.status_code in (404, 405), path
    assert rows_of(database) == before


def test_an_id_that_does_not_exist_is_not_found(browse: Browse) -> None:
    browser = browse("wang")
    token = token_of(browser)
    nothing = {name: 999 for rule in ROUTES for name in named_in(rule)} | {"step": "arrive"}
    nothing["code"] = "NOWHERE"
    ended = "/console/visits/leave/<id:leave_id>/end"  # a second tap finds nothing, either
    for path in (DOES.keys() & OF_A_STATION) - {ended}:
        answer = browser.post(filled(path, nothing), data={"csrf_token": token, **FIELDS})
        assert answer.status_code == HTTPStatus.NOT_FOUND, path
    for path in SEES.keys() & OF_A_STATION:
        response = browser.get(filled(path, nothing))
        assert response.status_code == HTTPStatus.NOT_FOUND, path
        assert "没有这一页" in text_of(response), path


def test_an_editors_first_page_is_the_packs(browse: Browse) -> None:
    response = browse("editor").get("/console/", follow_redirects=True)

    assert "<h1>资料" in text_of(response)


def test_an_auditor_sees_everything_and_is_offered_no_act(browse: Browse, rows: Rows) -> None:
    browser = browse("auditor")
    for path in SEES:
        shown = browser.get(filled(path, rows))
        if shown.status_code == HTTPStatus.OK and shown.mimetype == "text/html":
            acts = set(re.findall(r'method="post"[^>]*action="([^"]+)"', text_of(shown)))
            acts |= set(re.findall(r'action="([^"]+)"[^>]*method="post"', text_of(shown)))
            assert acts <= {"/console/logout", "/console/second-factor"}, path
    assert "糖糖" in text_of(browser.get("/console/pending"))


def test_every_page_is_ours_and_needs_nothing_from_elsewhere(browse: Browse, rows: Rows) -> None:
    browser = browse("district")
    for path in SEES:
        answer = browser.get(filled(path, rows), follow_redirects=True)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        if answer.mimetype != "text/html":  # a file to download, or a picture
            continue
        shown = text_of(answer)
        assert '<html lang="zh-CN">' in shown, path
        for foreign in ("<script>", " style=", "https://", "http://"):
            assert foreign not in shown, (path, foreign)


@pytest.mark.parametrize("path", ["check-in", "walk-in", "paper"])
def test_before_its_day_a_sessions_check_in_says_when_it_opens(browse: Browse, path: str) -> None:
    browser = browse("wang")
    response = browser.get(f"/console/sessions/CQ-1/{path}")
    assert response.location == "/console/sessions/CQ-1"
    assert "还不能签到" in text_of(browser.get(response.location))


@pytest.mark.parametrize("query", ["page=0", "page=-3", "page=abc", "page=99999999999999999999"])
def test_a_strange_page_number_is_no_fault(browse: Browse, query: str) -> None:
    browser = browse("wang")
    for page in ("pending", "sessions", "families", "follow-ups", "notices"):
        assert browser.get(f"/console/{page}?{query}").status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "path", ["/console/nonsense", "/console/sessions/a/b", "/console/pending/x/confirm"]
)
def test_what_is_no_page_is_not_found_in_the_consoles_own_looks(browse: Browse, path: str) -> None:
    response = browse("wang").get(path)
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "回到今天" in text_of(response)


def test_every_style_sheet_and_icon_is_served_from_here_to_everybody(browse: Browse) -> None:
    browser = browse(None)
    page = text_of(browser.get("/console/login"))
    linked = re.findall(r'<link [^>]*href="([^"]+)"', page)
    assert len(linked) == 3
    for path in linked:
        with browser.get(path) as response:
            assert response.status_code == HTTPStatus.OK, path
