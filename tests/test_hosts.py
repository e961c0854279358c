"""Requests for a name that is not ours: refused everywhere, with a page of ours and no fault."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app.config import Settings
from app.wiring import Services, make_services
from handlers import HANDLERS
from tests.serving import whole_application

PATHS = (
    "/",
    "/console/login",
    "/family/",
    "/api/openapi.json",
    "/nothing",
    "/static/x",
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One engine is enough: nothing here asks it."""
    return sqlite_url


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"public_url": "https://yuban.example", "other_hosts": "wx.example, alt.example"}
    )


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    services = make_services(settings, HANDLERS)
    yield services
    services.turns.close()
    services.database.engine.dispose()
    services.redis.close()


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return whole_application(services).test_client()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("host", ["evil.example", "yuban.example.evil", "yuban.example@evil", "["])
def test_a_name_that_is_not_ours_gets_nothing(client: FlaskClient, path: str, host: str) -> None:
    response = client.get(path, headers={"Host": host})

    assert response.status_code == 400
    assert "evil" not in response.get_data(as_text=True)
    assert "Location" not in response.headers
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "host", ["yuban.example", "wx.example", "alt.example:8443", "127.0.0.1:8000", "localhost"]
)
def test_our_own_names_and_the_machine_itself_are_answered(client: FlaskClient, host: str) -> None:
    assert client.get("/console/login", headers={"Host": host}).status_code == 200


def test_a_balancer_may_ask_by_a_bare_address(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"Host": "10.0.0.7:8000"}).status_code == 200
