"""Every route for every role and for a foreign station: who gets in, and who is told nothing."""

import re
from http import HTTPStatus

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db import Database
from app.models import Certificate, Family, FollowUp, GuidanceSession, HelpThread, Learner, SignUp
from app.services.staff import Role
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk

STATION = "worker township district"
READERS = f"{STATION} auditor"
EVERYBODY = "worker visitor township district editor auditor"
DISTRICT = "district"
DISTRICT_READERS = "district auditor"

SEES = {
    "/console/": READERS,
    "/console/more": EVERYBODY,
    "/console/pending": READERS,
    "/console/sessions": READERS,
    "/console/sessions/CQ-1": READERS,
    "/console/sessions/CQ-1/sheet": READERS,
    "/console/sessions/CQ-1/code": READERS,
    "/console/sessions/CQ-1/edit": STATION,
    "/console/sessions/CQ-1/cancel": STATION,
    "/console/sessions/CQ-1/check-in": STATION,
    "/console/sessions/CQ-1/walk-in": STATION,
    "/console/sessions/CQ-1/walk-in/new": STATION,
    "/console/sessions/CQ-1/paper": STATION,
    "/console/new-session": STATION,
    "/console/new-series": STATION,
    "/console/calendar": DISTRICT,
    "/console/families": READERS,
    "/console/families/{family_id}": READERS,
    "/console/families/{family_id}/contact": STATION,
    "/console/follow-ups": READERS,
    "/console/notices": READERS,
    "/console/threads": READERS,
    "/console/threads/{thread_id}": READERS,
    "/console/packs": f"{READERS} editor",
    "/console/packs/P00-06": f"{READERS} editor",
    "/console/course": READERS,
    "/console/course/stations": READERS,
    "/console/course/questions": READERS,
    "/console/course/enrol": STATION,
    "/console/course/learners/{learner_id}": READERS,
    "/console/coverage": READERS,
    "/console/coverage/families": READERS,
    "/console/coverage/report": "township district auditor",
    "/console/coverage/months": DISTRICT_READERS,
    "/console/second-factor": EVERYBODY,
    "/console/accounts": DISTRICT_READERS,
    "/console/accounts/{staff_id}": DISTRICT_READERS,
    "/console/accounts/new": DISTRICT,
    "/console/audit": DISTRICT_READERS,
    "/console/unread": f"{DISTRICT_READERS} editor",
    "/console/unread/review": f"{DISTRICT_READERS} editor",
    "/console/operations": DISTRICT_READERS,
    "/console/files": DISTRICT,
    "/console/files/template/families.csv": DISTRICT,
}
"""Path → the roles that may open it. Whoever adds a page adds it here."""

DOES = {
    "/console/pending/{sign_up_id}/confirm": STATION,
    "/console/pending/{sign_up_id}/decline": STATION,
    "/console/pending/{sign_up_id}/move": STATION,
    "/console/pending/bulk": STATION,
    "/console/follow-ups/{follow_up_id}/finish": STATION,
    "/console/follow-ups/{follow_up_id}/reopen": STATION,
    "/console/threads/{thread_id}/answer": STATION,
    "/console/threads/{thread_id}/close": STATION,
    "/console/threads/canned": STATION,
    "/console/threads/canned/1/drop": STATION,
    "/console/new-session": STATION,
    "/console/new-series": STATION,
    "/console/sessions/CQ-1/publish": STATION,
    "/console/sessions/CQ-1/cancel": STATION,
    "/console/sessions/CQ-1/edit": STATION,
    "/console/sessions/CQ-1/sign-ups/{sign_up_id}/seat": STATION,
    "/console/sessions/CQ-1/sign-ups/{sign_up_id}/waive": STATION,
    "/console/sessions/CQ-1/sign-ups/{sign_up_id}/take-back": STATION,
    "/console/sessions/CQ-1/check-in/{sign_up_id}": STATION,
    "/console/sessions/CQ-1/check-in/{sign_up_id}/undo": STATION,
    "/console/sessions/CQ-1/walk-in": STATION,
    "/console/sessions/CQ-1/walk-in/new": STATION,
    "/console/sessions/CQ-1/paper": STATION,
    "/console/unread/label": f"{DISTRICT} editor",
    "/console/unread/1/review": f"{DISTRICT} editor",
    "/console/calendar": DISTRICT,
    "/console/calendar/2026-12-01/clear": DISTRICT,
    "/console/families/{family_id}/contact": STATION,
    "/console/families/{family_id}/stop": STATION,
    "/console/families/{family_id}/resume": STATION,
    "/console/families/{family_id}/children/1/lost": STATION,
    "/console/packs/P00-06/switch": f"{DISTRICT} editor",
    "/console/course/enrol": STATION,
    "/console/course/learners/{learner_id}/name": STATION,
    "/console/course/learners/{learner_id}/move": STATION,
    "/console/course/certificates/{certificate_id}/revoke": STATION,
    "/console/course/certificates/{certificate_id}/restore": STATION,
    "/console/second-factor": EVERYBODY,
    "/console/accounts/new": DISTRICT,
    "/console/files": DISTRICT,
    "/console/files/1/take": DISTRICT,
    "/console/files/1/undo": DISTRICT,
    "/console/operations/retry": DISTRICT,
    "/console/operations/close": DISTRICT,
    "/console/operations/notices/{notice_id}/retry": DISTRICT,
    "/console/operations/notices/{notice_id}/close": DISTRICT,
    "/console/accounts/{staff_id}/close": DISTRICT,
    "/console/accounts/{staff_id}/open": DISTRICT,
    "/console/accounts/{staff_id}/password": DISTRICT,
    "/console/accounts/{staff_id}/forget-code": DISTRICT,
    "/console/logout": EVERYBODY,
}
"""Path → the roles that may act by it (POST)."""


def is_of_the_station(path: str) -> bool:
    """Whether it names something of the station CQ; accounts and the outbox are the district's."""
    return "CQ-1" in path or ("{" in path and not re.search("staff_id|notice_id", path))


OF_THE_STATION = tuple(path for path in SEES if is_of_the_station(path))
ACTS_OF_THE_STATION = tuple(path for path in DOES if is_of_the_station(path))
WITHOUT_SUBJECT = tuple(path for path in SEES if "CQ-1" not in path and "{" not in path)
USERNAMES = {
    "worker": "wang",
    "visitor": "visitor",
    "township": "lead",
    "district": "district",
    "editor": "editor",
    "auditor": "auditor",
}
FOREIGNERS = ("li", "lead-elsewhere")
"""A worker and a township lead of another township."""
FIELDS = {
    "own_reason": "名额满了",
    "reason": "老师病了",
    "child_id": "1",
    "name": "李四",
    "caregiver": "1",
    "text": "先加米粉",
}


def filled(path: str, desk: Desk) -> str:
    return path.format(
        sign_up_id=desk.sign_up_id,
        follow_up_id=desk.follow_up_id,
        family_id=desk.family_id,
        learner_id=desk.learner_id,
        certificate_id=desk.certificate_id,
        staff_id=desk.staff_id,
        notice_id=desk.notice_id,
        thread_id=desk.thread_id,
    )


def untouched(database: Database, desk: Desk) -> bool:
    with database.reading() as db:
        sign_up = db.scalars(select(SignUp).where(SignUp.id == desk.sign_up_id)).one()
        session = db.scalars(select(GuidanceSession)).one()
        follow_up = db.scalars(select(FollowUp).where(FollowUp.id == desk.follow_up_id)).one()
        family = db.get_one(Family, desk.family_id)
        is_as_it_was = (session.state, session.places) == ("published", 10)
        is_family_as_it_was = (family.contact_name, family.phone) == ("王阿姨", "13800001234")
        return (
            is_as_it_was
            and is_family_as_it_was
            and sign_up.state == "requested"
            and follow_up.done_at is None
            and db.get_one(HelpThread, desk.thread_id).closed_at is None
            and db.get_one(HelpThread, desk.thread_id).answered_at is None
            and db.get_one(Certificate, desk.certificate_id).revoked_at is None
            and db.get_one(Learner, desk.learner_id).name == "王秀英"
        )


def token_of(browser: FlaskClient) -> str:
    """The form token of the session, read off a page that everybody may open."""
    return (
        text_of(browser.get("/console/more"))
        .partition('name="csrf_token" value="')[2]
        .partition('"')[0]
    )


def rule_of(path: str) -> str:
    """How the route is written in the application."""
    written = path.replace("/CQ-1", "/<code>").replace("2026-12-01", "<day>")
    written = written.replace("/P00-06", "/<pack_id>").replace(
        "/children/1", "/children/<id:child_id>"
    )
    written = written.replace("families.csv", "<kind>.<suffix>")
    written = written.replace("/files/1/", "/files/<id:import_id>/")
    written = written.replace("/unread/1/", "/unread/<id:unread_id>/")
    written = written.replace("/canned/1/", "/canned/<id:answer_id>/")
    return re.sub(r"\{(\w+)\}", r"<id:\1>", written)


def test_these_are_all_the_routes(app: Flask) -> None:
    rules = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.")
        and rule.endpoint != "console.static"
        # test_visits.py has those of home visits.
        and not rule.rule.startswith(("/console/visits", "/console/my-day"))
    ]
    own = {"/console/login", "/console/login/code", "/console/<path:_unknown>"}
    own |= {
        "/console/coverage/months/<month>",
        "/console/files/<id:import_id>",
    }  # there is none yet: test_coverage.py
    seen = {rule.rule for rule in rules if "GET" in (rule.methods or ())} - own
    done = {rule.rule for rule in rules if "POST" in (rule.methods or ())} - own

    assert seen == {rule_of(path) for path in SEES}
    assert done == {rule_of(path) for path in DOES}


def test_every_role_has_a_column_here() -> None:
    assert set(USERNAMES) == set(EVERYBODY.split()) == {str(role) for role in Role}


@pytest.mark.parametrize("role", USERNAMES)
def test_a_role_opens_its_pages_and_no_others(browse: Browse, desk: Desk, role: str) -> None:
    browser = browse(USERNAMES[role])
    wrong = []
    for path, roles in SEES.items():
        response = browser.get(filled(path, desk))
        # A visitor's first page is another: they are sent there.
        may = role in roles.split() or (path, role) == ("/console/", "visitor")
        # A session's check-in sends elsewhere before its day; that is no refusal.
        expected = {HTTPStatus.OK, HTTPStatus.FOUND} if may else {HTTPStatus.FORBIDDEN}
        if path == "/console/" and response.location:
            expected |= {HTTPStatus.FOUND}  # to the role's own first page
        if response.status_code not in expected:
            wrong.append((path, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", USERNAMES)
def test_a_role_acts_only_where_it_may(
    browse: Browse, desk: Desk, database: Database, role: str
) -> None:
    browser = browse(USERNAMES[role])
    token = token_of(browser)
    wrong = []
    for path, roles in DOES.items():
        if role in roles.split():
            continue
        response = browser.post(filled(path, desk), data={"csrf_token": token, **FIELDS})
        if response.status_code != HTTPStatus.FORBIDDEN:
            wrong.append((path, response.status_code))
    assert wrong == []
    assert untouched(database, desk)


@pytest.mark.parametrize("username", FOREIGNERS)
def test_what_is_another_stations_looks_like_what_does_not_exist(
    browse: Browse, desk: Desk, username: str
) -> None:
    browser = browse(username)
    wrong = []
    for path in OF_THE_STATION:
        response = browser.get(filled(path, desk))
        if response.status_code != HTTPStatus.NOT_FOUND or "糖糖" in text_of(response):
            wrong.append((path, response.status_code))
    assert wrong == []


@pytest.mark.parametrize("username", FOREIGNERS)
def test_nobody_acts_on_what_is_another_stations(
    browse: Browse, desk: Desk, database: Database, username: str
) -> None:
    browser = browse(username)
    token = token_of(browser)
    wrong = []
    for path in ACTS_OF_THE_STATION:
        response = browser.post(filled(path, desk), data={"csrf_token": token, **FIELDS})
        if response.status_code != HTTPStatus.NOT_FOUND or "糖糖" in text_of(response):
            wrong.append((path, response.status_code))
    assert wrong == []
    assert untouched(database, desk)


@pytest.mark.parametrize("username", FOREIGNERS)
def test_lists_hold_nothing_of_another_station(browse: Browse, username: str) -> None:
    browser = browse(username)
    for path in WITHOUT_SUBJECT:
        shown = text_of(browser.get(path))
        assert "糖糖" not in shown, path
        assert "CQ-1" not in shown, path


@pytest.mark.parametrize("path", ["/console/nonsense", *SEES])
def test_a_stranger_is_sent_to_the_log_in(browse: Browse, desk: Desk, path: str) -> None:
    response = browse(None).get(filled(path, desk))
    assert response.status_code == HTTPStatus.FOUND
    assert response.location.startswith("/console/login?next=")


def test_a_stranger_changes_nothing(browse: Browse, desk: Desk, database: Database) -> None:
    browser = browse(None)
    for path in DOES:
        response = send(browser, filled(path, desk), **FIELDS)
        assert response.status_code == HTTPStatus.FOUND, path
        assert response.location.startswith("/console/login"), path
    assert untouched(database, desk)


def test_an_act_needs_its_form_token(browse: Browse, desk: Desk, database: Database) -> None:
    browser = browse("district")
    for path in DOES:
        response = browser.post(filled(path, desk), data=FIELDS)
        assert response.status_code == HTTPStatus.BAD_REQUEST, path
    assert untouched(database, desk)


def test_looking_at_an_act_does_not_do_it(browse: Browse, desk: Desk, database: Database) -> None:
    browser = browse("district")
    for path in DOES.keys() - SEES.keys():
        response = browser.get(filled(path, desk))
        assert response.status_code in (404, 405), path
    assert untouched(database, desk)


def test_an_id_that_does_not_exist_is_not_found(browse: Browse) -> None:
    browser = browse("wang")
    token = token_of(browser)
    nothing = Desk(
        sign_up_id=999,
        follow_up_id=999,
        notice_id=999,
        family_id=999,
        learner_id=999,
        certificate_id=999,
        staff_id=999,
        thread_id=999,
    )
    for path in ACTS_OF_THE_STATION:
        if "{" in path and "/check-in/" not in path:
            answer = browser.post(filled(path, nothing), data={"csrf_token": token, **FIELDS})
            assert answer.status_code == HTTPStatus.NOT_FOUND, path
    for path in ("/console/sessions/NOWHERE", "/console/families/999"):
        response = browser.get(path)
        assert response.status_code == HTTPStatus.NOT_FOUND
        assert "没有这一页" in text_of(response)


def test_an_editors_first_page_is_the_packs(browse: Browse) -> None:
    response = browse("editor").get("/console/", follow_redirects=True)

    assert "<h1>资料" in text_of(response)


def test_an_auditor_sees_everything_and_is_offered_no_act(browse: Browse, desk: Desk) -> None:
    browser = browse("auditor")
    for path in SEES:
        shown = browser.get(filled(path, desk))
        if shown.status_code == HTTPStatus.OK:
            acts = set(re.findall(r'method="post"[^>]*action="([^"]+)"', text_of(shown)))
            acts |= set(re.findall(r'action="([^"]+)"[^>]*method="post"', text_of(shown)))
            assert acts <= {"/console/logout", "/console/second-factor"}, path
    assert "糖糖" in text_of(browser.get("/console/pending"))


def test_every_page_is_ours_and_has_no_script_in_it(browse: Browse, desk: Desk) -> None:
    browser = browse("district")
    for path in SEES:
        answer = browser.get(filled(path, desk), follow_redirects=True)
        if answer.mimetype != "text/html":  # a file to download, or a picture
            continue
        shown = text_of(answer)
        assert '<html lang="zh-CN">' in shown, path
        assert "<script>" not in shown, path


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


def test_no_page_needs_anything_from_elsewhere(browse: Browse, desk: Desk) -> None:
    browser = browse("wang")
    for path in SEES:
        response = browser.get(filled(path, desk), follow_redirects=True)
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
