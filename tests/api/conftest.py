"""Mini programs that call the API: the whole web application, and the sandbox as the platform."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from werkzeug.test import TestResponse

from app.config import Settings
from app.wiring import Services
from sandbox import credentials
from sandbox import web as sandbox_web
from sandbox.settings import Settings as SandboxSettings
from sandbox.world import World
from tests.conversations.conftest import person, publish, services, station
from tests.family.conftest import clock
from tests.serving import serving, whole_application

__all__ = ["clock", "person", "publish", "services", "station"]

MAMA, BABA = "oSbx0-mama-of-the-tests-0001", "oSbx0-baba-of-the-tests-0002"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The API is tested on one engine; the services behind it, on both."""
    return sqlite_url


@pytest.fixture
def world() -> World:
    world = World(SandboxSettings(callback="http://127.0.0.1:8000/wechat"))
    for openid in (MAMA, BABA):
        world.add_person("家长", openid)
    return world


@pytest.fixture
def platform_app(world: World) -> Flask:
    return sandbox_web.create_app_over(world)


@pytest.fixture
def platform(platform_app: Flask) -> Iterator[str]:
    with serving(platform_app) as address:
        yield address


@pytest.fixture
def settings(settings: Settings, platform: str) -> Settings:
    return settings.model_copy(
        update={
            "wechat_api_url": platform,
            "wechat_app_id": credentials.APP_ID,
            "wechat_app_secret": SecretStr(credentials.APP_SECRET),
            "wechat_mini_app_id": credentials.MINI_APP_ID,
            "wechat_mini_app_secret": SecretStr(credentials.MINI_APP_SECRET),
        }
    )


@pytest.fixture
def app(services: Services) -> Flask:
    return whole_application(services)


@dataclass
class Caller:
    """A mini program in somebody's hand."""

    client: FlaskClient
    token: str = ""
    keys: Iterator[int] = field(default_factory=lambda: count(1))

    def asks(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            sent.setdefault("Idempotency-Key", f"key-{id(self)}-{next(self.keys)}")
        return self.client.open(
            f"/api/v1{path}",
            method=method,
            headers=sent,
            data=None if body is None else json.dumps(body),
            content_type=None if body is None else "application/json",
        )

    def gets(self, path: str, status: int = 200) -> Any:
        return _json(self.asks("GET", path), status)

    def posts(self, path: str, body: object = None, status: int = 201, **headers: str) -> Any:
        return _json(self.asks("POST", path, body, **headers), status)

    def patches(self, path: str, body: object, status: int = 200) -> Any:
        return _json(self.asks("PATCH", path, body), status)

    def puts(self, path: str, body: object, status: int = 200) -> Any:
        return _json(self.asks("PUT", path, body), status)

    def deletes(self, path: str, status: int = 200) -> Any:
        return _json(self.asks("DELETE", path), status)


def _json(response: TestResponse, status: int) -> Any:
    assert response.status_code == status, response.get_data(as_text=True)
    return response.get_json(force=True)


@pytest.fixture
def log_in(app: Flask, platform_app: Flask) -> Callable[[str], Caller]:
    """Somebody's mini program, logged in by a code of the platform."""
    platform = platform_app.test_client()

    def logging_in(openid: str) -> Caller:
        answer = platform.post(f"/_sandbox/people/{openid}/code").get_json()
        caller = Caller(app.test_client())
        caller.token = caller.posts("/log-in", {"code": answer["code"]}, 200)["token"]
        return caller

    return logging_in


@pytest.fixture
def mama(log_in: Callable[[str], Caller]) -> Caller:
    """The mini program of 糖糖's mother, registered in it."""
    caller = log_in(MAMA)
    register(caller, "糖糖")
    return caller


def register(
    caller: Caller, nickname: str, township: str = "城桥镇", *, born: str = "2026-05-01"
) -> Any:
    version = caller.gets("/family/consents")["notice"]["version"]
    body = {
        "nickname": nickname,
        "birth_date": born,
        "township": township,
        "consent_version": version,
    }
    return caller.posts("/family/children", body)
