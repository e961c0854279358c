"""Refusals and breakdowns are answers too: they bear the same guards as the pages."""

import pytest
from flask import Flask
from sqlalchemy import text

from app.wiring import Services
from tests.conversations.conftest import services
from tests.family.conftest import clock
from tests.guarded import missing_guards
from tests.serving import whole_application

__all__ = ["clock", "services"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(services: Services) -> Flask:
    return whole_application(services)


ANSWERS = (
    ("GET", "/", None),
    ("GET", "/nothing-here", None),
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
    ("GET", "/metrics", None),
    ("GET", "/robots.txt", None),
    ("GET", "/calendar/made-up.ics", None),
    ("GET", "/certificates/ABCD-EFGH-2345", None),
    ("GET", "/console/", None),
    ("GET", "/console/login", None),
    ("GET", "/console/login?next=//evil.example", None),
    ("GET", "/console/nothing-here", None),
    ("GET", "/console/static/console.css", None),
    ("GET", "/console/login\0", None),
    ("DELETE", "/console/login", None),
    ("POST", "/console/login", b"no token"),
    ("POST", "/console/login", b"x" * 2_000_000),
    ("GET", "/family/", None),
    ("GET", "/family/nothing-here", None),
    ("GET", "/family/me?key=forged", None),
    ("GET", "/family/back?state=forged&code=1", None),
    ("GET", "/family/packs/P01-01", None),
    ("GET", "/family/packs/P99-99", None),
    ("POST", "/family/me/about", b"no token"),
    ("GET", "/family/static/icon.svg", None),
    ("GET", "/api/", None),
    ("GET", "/api/openapi.json", None),
    ("GET", "/api/v1/family", None),
    ("POST", "/api/v1/log-in", b"{"),
    ("GET", "/api/v1/nothing-here", None),
    ("TRACE", "/console/login", None),
)


def test_an_answer_of_any_kind_is_guarded(app: Flask) -> None:
    client = app.test_client()
    bare = {}
    for method, path, body in ANSWERS:
        response = client.open(path, method=method, data=body)
        assert response.status_code < 500, path
        if missing := missing_guards(response):
            bare[method, path] = missing
        response.close()
    assert bare == {}


@pytest.mark.parametrize("path", ["/console/login", "/family/", "/api/"])
def test_a_foreign_host_is_answered_with_the_guards(app: Flask, path: str) -> None:
    response = app.test_client().get(path, headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert missing_guards(response) == []
    assert "evil.example" not in str(response.headers) + response.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/family/packs/P01-01", "/calendar/{}.ics", "/console/login"])
def test_a_breakdown_is_answered_with_the_guards(app: Flask, services: Services, path: str) -> None:
    link = services.calendar_links.url(1).rpartition("/")[2].removesuffix(".ics")
    with services.database.transaction() as db:
        db.execute(text("DROP TABLE pack_catalogue"))
        db.execute(text("ALTER TABLE sign_ups RENAME TO gone"))
        db.execute(text("ALTER TABLE staff RENAME TO gone_too"))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    client = app.test_client()
    if path == "/console/login":
        page = client.get(path).get_data(as_text=True)
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        fields = {"csrf_token": token, "username": "a", "password": "b"}
        response = client.post(path, data=fields)
    else:
        response = client.get(path.format(link))

    assert response.status_code in (500, 503)
    assert missing_guards(response) == []
    said = response.get_data(as_text=True)
    assert not any(
        word in said for word in ("Traceback", "sqlite", "no such table", "OperationalError")
    )
