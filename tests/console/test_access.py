"""Every route for every kind of visitor: who gets in, who is sent away, who is told nothing."""

import re
from http import HTTPStatus

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import Database
from app.models import FollowUp, GuidanceSession, SignUp
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk

PAGES = (
    "/console/",
    "/console/pending",
    "/console/sessions",
    "/console/sessions/CQ-1",
    "/console/follow-ups",
    "/console/notices",
    "/console/coverage",
    "/console/new-session",
    "/console/new-series",
    "/console/sessions/CQ-1/edit",
    "/console/sessions/CQ-1/cancel",
    "/console/sessions/CQ-1/sheet",
    "/console/sessions/CQ-1/code",
)
OF_ONE_SESSION = tuple(page for page in PAGES if "CQ-1" in page)
AT_THE_DOOR = tuple(f"/console/sessions/CQ-1/{page}" for page in ("check-in", "walk-in", "paper"))
"""Pages that open on the session's day."""
SESSION_ACTS = (
    "/console/sessions/CQ-1/publish",
    "/console/sessions/CQ-1/cancel",
    "/console/sessions/CQ-1/edit",
    "/console/sessions/CQ-1/sign-ups/{sign_up_id}/seat",
    "/console/sessions/CQ-1/sign-ups/{sign_up_id}/waive",
    "/console/sessions/CQ-1/sign-ups/{sign_up_id}/take-back",
    "/console/sessions/CQ-1/check-in/{sign_up_id}",
    "/console/sessions/CQ-1/check-in/{sign_up_id}/undo",
    "/console/sessions/CQ-1/walk-in",
    "/console/sessions/CQ-1/paper",
)
DISTRICT_ONLY = ("/console/calendar",)
ACTS = (
    "/console/pending/{sign_up_id}/confirm",
    "/console/pending/{sign_up_id}/decline",
    "/console/follow-ups/{follow_up_id}/finish",
)


def filled(path: str, desk: Desk) -> str:
    return path.format(sign_up_id=desk.sign_up_id, follow_up_id=desk.follow_up_id)


def untouched(database: Database, desk: Desk) -> bool:
    with database.reading() as db:
        sign_up = db.scalars(select(SignUp).where(SignUp.id == desk.sign_up_id)).one()
        session = db.scalars(select(GuidanceSession)).one()
        follow_up = db.scalars(select(FollowUp).where(FollowUp.id == desk.follow_up_id)).one()
        is_as_it_was = (session.state, session.places) == ("published", 10)
        return is_as_it_was and sign_up.state == "requested" and follow_up.done_at is None


def test_these_are_all_the_routes(app: Flask) -> None:
    ours = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.") and rule.endpoint != "console.static"
    }
    known = {
        *PAGES,
        *AT_THE_DOOR,
        *DISTRICT_ONLY,
        "/console/calendar/<day>/clear",
        *(act.replace("{", "<id:").replace("}", ">") for act in (*ACTS, *SESSION_ACTS)),
        "/console/login",
        "/console/logout",
        "/console/<path:_unknown>",
    }
    assert ours == {path.replace("/CQ-1", "/<code>") for path in known}


@pytest.mark.parametrize("path", [*PAGES, "/console/nonsense"])
def test_a_stranger_is_sent_to_the_log_in(browse: Browse, path: str) -> None:
    response = browse(None).get(path)
    assert response.status_code == HTTPStatus.FOUND
    assert response.location.startswith("/console/login?next=")


@pytest.mark.parametrize("path", [*ACTS, *SESSION_ACTS])
def test_a_stranger_changes_nothing(
    browse: Browse, desk: Desk, database: Database, path: str
) -> None:
    response = send(browse(None), filled(path, desk), own_reason="想试试")
    assert response.status_code == HTTPStatus.FOUND
    assert response.location.startswith("/console/login")
    assert untouched(database, desk)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("username", ["wang", "district"])
def test_the_stations_worker_and_the_district_see_every_page(
    browse: Browse, username: str, path: str
) -> None:
    response = browse(username).get(path)
    assert response.status_code == HTTPStatus.OK
    assert '<html lang="zh-CN">' in text_of(response)
    assert "<script" not in text_of(response)


@pytest.mark.parametrize("path", [page for page in PAGES if page not in OF_ONE_SESSION])
def test_another_stations_worker_sees_their_own_empty_desk(browse: Browse, path: str) -> None:
    response = browse("li").get(path)
    assert response.status_code == HTTPStatus.OK
    assert "糖糖" not in text_of(response)
    assert "CQ-1" not in text_of(response)


@pytest.mark.parametrize(
    "path",
    [*OF_ONE_SESSION, *AT_THE_DOOR, "/console/sessions/NOWHERE", "/console/sessions/NOWHERE/edit"],
)
def test_another_stations_session_looks_like_one_that_does_not_exist(
    browse: Browse, path: str
) -> None:
    response = browse("li").get(path)
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "没有这一页" in text_of(response)


@pytest.mark.parametrize("path", [*ACTS, *SESSION_ACTS])
def test_another_stations_worker_changes_nothing_and_is_told_nothing(
    browse: Browse, desk: Desk, database: Database, path: str
) -> None:
    response = send(
        browse("li"),
        filled(path, desk),
        page="/console/",
        own_reason="名额满了",
        reason="老师病了",
        child_id="1",
    )
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "糖糖" not in text_of(response)
    assert untouched(database, desk)


@pytest.mark.parametrize("path", ACTS)
def test_an_id_that_does_not_exist_is_not_found(browse: Browse, path: str) -> None:
    nothing = Desk(sign_up_id=999, follow_up_id=999, notice_id=999)
    response = send(browse("wang"), filled(path, nothing), page="/console/", own_reason="名额满了")
    assert response.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("path", [*ACTS, *SESSION_ACTS])
def test_an_act_needs_its_form_token(
    browse: Browse, desk: Desk, database: Database, path: str
) -> None:
    response = browse("wang").post(filled(path, desk), data={"own_reason": "名额满了"})
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert untouched(database, desk)


@pytest.mark.parametrize("path", ACTS)
def test_looking_at_an_act_does_not_do_it(
    browse: Browse, desk: Desk, database: Database, path: str
) -> None:
    assert browse("wang").get(filled(path, desk)).status_code in (404, 405)
    assert untouched(database, desk)


@pytest.mark.parametrize("path", [*PAGES, *ACTS])
def test_a_role_without_pages_is_told_so_and_can_log_out(
    browse: Browse, desk: Desk, database: Database, path: str
) -> None:
    browser = browse("visitor")

    if path in PAGES:
        response = browser.get(path)
    else:
        response = send(browser, filled(path, desk), page="/console/", own_reason="名额满了")

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "您的账号还没有可以用的页面" in text_of(response)
    assert untouched(database, desk)
    assert send(browser, "/console/logout", page="/console/").location == "/console/login"


@pytest.mark.parametrize("path", [*PAGES, *ACTS])
def test_a_township_lead_gets_to_the_coverage_and_no_further(
    browse: Browse, desk: Desk, database: Database, path: str
) -> None:
    browser = browse("lead")

    if path in PAGES:
        response = browser.get(path)
    else:
        response = send(browser, filled(path, desk), page="/console/", own_reason="名额满了")

    if path == "/console/":
        assert response.location == "/console/coverage"
    elif path == "/console/coverage":
        assert response.status_code == HTTPStatus.OK
    else:
        assert response.status_code == HTTPStatus.FORBIDDEN
        assert "您的账号可以看进度" in text_of(response)
    assert untouched(database, desk)
    assert send(browser, "/console/logout", page="/console/").location == "/console/login"


@pytest.mark.parametrize("path", AT_THE_DOOR)
def test_before_its_day_a_sessions_check_in_says_when_it_opens(browse: Browse, path: str) -> None:
    browser = browse("wang")
    response = browser.get(path)
    assert response.location == "/console/sessions/CQ-1"
    assert "还不能签到" in text_of(browser.get(response.location))


@pytest.mark.parametrize("path", [*DISTRICT_ONLY, "/console/calendar/2026-12-01/clear"])
def test_the_calendar_is_the_districts_alone(browse: Browse, path: str) -> None:
    worker = send(browse("wang"), path, page="/console/", day="2026-12-01", kind="blackout")
    assert worker.status_code == HTTPStatus.FORBIDDEN
    assert browse("wang").get("/console/calendar").status_code == HTTPStatus.FORBIDDEN
    assert browse("district").get("/console/calendar").status_code == HTTPStatus.OK


@pytest.mark.parametrize("query", ["page=0", "page=-3", "page=abc", "page=99999999999999999999"])
def test_a_strange_page_number_is_no_fault(browse: Browse, query: str) -> None:
    browser = browse("wang")
    for path in (
        "/console/pending",
        "/console/sessions",
        "/console/follow-ups",
        "/console/notices",
    ):
        assert browser.get(f"{path}?{query}").status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    "path", ["/console/nonsense", "/console/sessions/a/b", "/console/pending/x/confirm"]
)
def test_what_is_no_page_is_not_found_in_the_consoles_own_looks(browse: Browse, path: str) -> None:
    response = browse("wang").get(path)
    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "回到今天" in text_of(response)


def test_no_page_needs_anything_from_elsewhere(browse: Browse) -> None:
    browser = browse("wang")
    for path in PAGES:
        response = browser.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "https://" not in text_of(response)
        assert "http://" not in text_of(response)
        assert " style=" not in text_of(response)


def test_every_style_sheet_and_icon_is_served_from_here_to_everybody(browse: Browse) -> None:
    browser = browse(None)
    page = text_of(browser.get("/console/login"))
    linked = re.findall(r'<link [^>]*href="([^"]+)"', page)
    assert len(linked) == 3
    for path in linked:
        with browser.get(path) as response:
            assert response.status_code == HTTPStatus.OK, path
