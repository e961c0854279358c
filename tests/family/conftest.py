"""Families with phones, and the pages that they open: the whole web application, one database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.clock import now as clock_now
from app.family.opening import CAREGIVER, LOG_IN, MARK
from app.rules.identity import Device, mark_of
from app.services import log_ins
from app.services.registration import find_caregiver
from app.wiring import Services
from tests.conversations.conftest import (
    Clock,
    grandmother,
    mother,
    person,
    publish,
    registered,
    services,
    station,
)
from tests.serving import whole_application

__all__ = ["grandmother", "mother", "person", "publish", "registered", "services", "station"]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages are tested on one engine; the services behind them, on both."""
    return sqlite_url


class MovedClock(Clock):
    """The time of the chat and of the pages: one for both."""

    def __init__(self, at: datetime, traveller: time_machine.Traveller) -> None:
        super().__init__(at)
        self._traveller = traveller

    def moves(self, **step: float) -> None:
        self.at += timedelta(**step)
        self._traveller.move_to(self.at)


@pytest.fixture
def clock(now: datetime) -> Iterator[MovedClock]:
    with time_machine.travel(now, tick=False) as traveller:
        yield MovedClock(now, traveller)


@pytest.fixture
def app(services: Services) -> Flask:
    return whole_application(services)


@dataclass
class Phone:
    """A browser in somebody's hand, already known to be theirs."""

    client: FlaskClient

    def opens(self, path: str, status: int = 200) -> str:
        """The page's text at a path below /family/, after its redirects."""
        response = self.client.get(_below(path), follow_redirects=True)
        return _text(response, status)

    def posts(self, path: str, status: int = 200, **fields: object) -> str:
        """The page's text after its form was sent."""
        token = self.token()
        response = self.client.post(
            _below(path), data={**fields, "csrf_token": token}, follow_redirects=True
        )
        return _text(response, status)

    def token(self) -> str:
        page = self.client.get("/family/leave-page-that-is-not").get_data(as_text=True)
        return page.split('name="csrf_token" value="')[1].split('"')[0]


def _below(path: str) -> str:
    return path if path.startswith("/family/") else f"/family/{path}"


def _text(response: TestResponse, status: int) -> str:
    page = response.get_data(as_text=True)
    assert response.status_code == status, page
    return page


@pytest.fixture
def open_as(app: Flask, services: Services) -> Callable[[str], Phone]:
    """The phone of whoever has this openid; a stranger's for an unknown one."""

    def opening(openid: str) -> Phone:
        client = app.test_client()
        with services.database.transaction() as db:
            caregiver = find_caregiver(db, openid)
            if caregiver is not None:
                made = log_ins.begin(
                    db, caregiver, way="pages", device=Device.IPHONE, now=clock_now()
                )
                with client.session_transaction("/family/") as kept:
                    kept[CAREGIVER], kept[MARK] = caregiver.id, mark_of(openid)
                    kept[LOG_IN] = made.id
        return Phone(client)

    return opening
