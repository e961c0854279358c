"""What a person does not type, a copied cookie, and a database that is away."""

from http import HTTPStatus

import pytest
from flask import Flask

from app.config import Settings
from app.crypto import Cipher
from app.db import Database, make_engine
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse, Desk, console_app


def test_a_copied_cookie_is_worth_nothing_after_the_log_out(desk: Desk, browse: Browse) -> None:
    browser = browse("wang")
    cookie = browser.get_cookie("yuban")
    assert cookie is not None
    thief = browse(None)
    thief.set_cookie("yuban", cookie.value)
    assert thief.get("/console/").status_code == HTTPStatus.OK
    send(browser, "/console/logout", page="/console/")
    assert thief.get("/console/").status_code == HTTPStatus.FOUND


def test_logging_out_on_one_device_leaves_the_other_signed_in(desk: Desk, browse: Browse) -> None:
    phone, desktop = browse("wang"), browse("wang")
    send(phone, "/console/logout", page="/console/")
    assert desktop.get("/console/").status_code == HTTPStatus.OK


@pytest.mark.parametrize("path", ["/console/sessions/%00", "/console/sessions/a%00b"])
def test_the_character_nul_in_an_address_is_refused(desk: Desk, browse: Browse, path: str) -> None:
    assert browse("district").get(path).status_code == HTTPStatus.BAD_REQUEST


def test_the_character_nul_in_a_form_is_refused(desk: Desk, browse: Browse) -> None:
    answer = send(browse(None), "/console/login", username="a\0b", password="x" * 12)
    assert answer.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("number", [2**31, 99_999_999_999_999_999_999_999])
@pytest.mark.parametrize(
    "path",
    ["/console/pending/{}/confirm", "/console/pending/{}/decline", "/console/follow-ups/{}/finish"],
)
def test_a_number_that_no_row_can_have_is_not_found(
    desk: Desk, browse: Browse, path: str, number: int
) -> None:
    answer = send(browse("district"), path.format(number), page="/console/")
    assert answer.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.usefixtures("desk")
def test_with_the_database_away_the_page_says_so(settings: Settings, cipher: Cipher) -> None:
    gone = Database(make_engine("postgresql+psycopg://127.0.0.1:1/gone", cipher))
    app: Flask = console_app(settings, gone)
    browser = app.test_client()
    shown = browser.get("/console/login")
    assert shown.status_code == HTTPStatus.OK
    answer = send(browser, "/console/login", username="worker", password="x" * 12)
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "系统正忙" in text_of(answer)


@pytest.mark.parametrize("places", ["9" * 400, "1234567890", "-" + "9" * 400])
def test_a_number_longer_than_anybody_means_is_told_at_its_field(
    desk: Desk, browse: Browse, places: str
) -> None:
    answer = send(
        browse("district"), "/console/new-session", page="/console/more", title="x", places=places
    )
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "还没有保存" in text_of(answer)
