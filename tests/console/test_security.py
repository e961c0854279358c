"""What secure() gives to every page, also to those that are no part of the console."""

from http import HTTPStatus

import pytest
from flask import Flask, request

from app.config import Settings
from app.security import MAX_BODY_BYTES, secure


@pytest.fixture
def bare_app(settings: Settings) -> Flask:
    """An application with the platform's callback and one other page that takes posts."""
    app = Flask("app")
    secure(app, settings)

    def echo() -> str:
        return f"{len(request.get_data())} {request.remote_addr}"

    app.add_url_rule("/wechat", view_func=echo, methods=["POST"], endpoint="callback")
    app.add_url_rule("/other", view_func=echo, methods=["GET", "POST"], endpoint="other")
    return app


def test_the_platforms_callback_needs_no_form_token(bare_app: Flask) -> None:
    assert bare_app.test_client().post("/wechat", data=b"<xml/>").status_code == HTTPStatus.OK


@pytest.mark.parametrize("path", ["/other", "/other?next=/wechat"])
def test_every_other_post_needs_one_also_on_a_page_added_tomorrow(
    bare_app: Flask, path: str
) -> None:
    response = bare_app.test_client().post(path, data=b"x")
    assert response.status_code == HTTPStatus.BAD_REQUEST


def test_a_body_beyond_the_limit_is_refused_unread(bare_app: Flask) -> None:
    browser = bare_app.test_client()
    assert browser.post("/wechat", data=b"x" * MAX_BODY_BYTES).status_code == HTTPStatus.OK
    too_large = browser.post("/wechat", data=b"x" * (MAX_BODY_BYTES + 1))
    assert too_large.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(
    bare_app: Flask, settings: Settings
) -> None:
    forged = {"X-Forwarded-For": "10.0.0.9"}
    assert bare_app.test_client().get("/other", headers=forged).text == "0 127.0.0.1"

    behind = Flask("app")
    secure(behind, settings.model_copy(update={"trusted_proxies": 1}))
    behind.add_url_rule("/other", view_func=lambda: str(request.remote_addr), endpoint="other")
    assert behind.test_client().get("/other", headers=forged).text == "10.0.0.9"


def test_pages_may_not_be_framed_sniffed_or_scripted_from_elsewhere(bare_app: Flask) -> None:
    headers = bare_app.test_client().get("/other").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers
