"""One wish of the app, sent several times in the same moment: done once, and answered alike."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.api import repeating
from app.db import Base
from app.models import ApiAnswer, Practice, SignUp
from app.wiring import Services
from tests.api.conftest import Caller
from tests.conversations.conftest import Publisher

AT_ONCE = 4
KEY = "the-same-wish"


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """On both engines: what keeps the key is the database."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def all_at_once(app: Flask, mama: Caller) -> Callable[[str, object], list[TestResponse]]:
    def asking(path: str, body: object) -> list[TestResponse]:
        start = Barrier(AT_ONCE)

        def ask(_: int) -> TestResponse:
            caller = Caller(app.test_client(), mama.token)
            start.wait()
            return caller.asks("POST", path, body, Idempotency_Key=KEY)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(ask, range(AT_ONCE)))

    return asking


def counted(services: Services, model: type[Base]) -> int:
    with services.database.reading() as db:
        return db.execute(select(func.count()).select_from(model)).scalar_one()


def test_a_place_is_booked_once_and_answered_alike(
    mama: Caller,
    services: Services,
    publish: Publisher,
    all_at_once: Callable[[str, object], list[TestResponse]],
) -> None:
    publish("CQ-1", places=3)
    child = mama.gets("/family")["children"][0]["id"]
    answers = all_at_once("/sessions/CQ-1/sign-ups", {"children": [child]})
    assert [answer.status_code for answer in answers] == [201] * AT_ONCE
    assert len({answer.data for answer in answers}) == 1
    again = [answer.headers.get(repeating.REPLAYED) for answer in answers]
    assert sorted(map(str, again)) == ["None", *["true"] * (AT_ONCE - 1)]
    assert counted(services, SignUp) == 1
    assert mama.gets("/sessions/CQ-1")["places_left"] == 2


def test_a_practice_is_kept_once(
    mama: Caller, services: Services, all_at_once: Callable[[str, object], list[TestResponse]]
) -> None:
    mama.posts("/course/enrolment")
    kept = counted(services, ApiAnswer)
    answers = all_at_once("/course/practice", {"note": "抱了抱"})
    assert len({answer.data for answer in answers}) == 1
    assert counted(services, Practice) == 1
    assert counted(services, ApiAnswer) == kept + 1


def test_without_the_key_it_is_kept_as_often_as_it_came(
    mama: Caller,
    services: Services,
    all_at_once: Callable[[str, object], list[TestResponse]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control: each request claims a key of its own."""
    claim = repeating._claim

    def claims_another(db: Session, caregiver_id: int, key: str, digest: str) -> int | None:
        return claim(db, caregiver_id, key + token_hex(4), digest)

    mama.posts("/course/enrolment")
    monkeypatch.setattr(repeating, "_claim", claims_another)
    all_at_once("/course/practice", {"note": "抱了抱"})
    assert counted(services, Practice) == AT_ONCE
