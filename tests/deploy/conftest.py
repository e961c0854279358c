"""The service in processes of its own, on this test's servers."""

from collections.abc import Iterator

import pytest

from app.config import Settings
from app.wiring import Services, make_services
from handlers import HANDLERS
from scheduler.timetable import JOBS
from tests.deploy.serving import Site, serving


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    services = make_services(settings, HANDLERS, JOBS)
    yield services
    services.database.engine.dispose()


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The settings as a unit's EnvironmentFile gives them."""
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "DATA_KEY": settings.data_key.get_secret_value(),
        "PUBLIC_URL": "https://yuban.example",
        "WECHAT_APP_ID": settings.wechat_app_id,
        "WECHAT_APP_SECRET": settings.wechat_app_secret.get_secret_value(),
        "WECHAT_TOKEN": settings.wechat_token.get_secret_value(),
        "WECHAT_AES_KEY": settings.wechat_aes_key.get_secret_value(),
        "WECHAT_API_URL": settings.wechat_api_url,
        "TRUSTED_PROXIES": "1",
        "WEB_WORKERS": "1",
    }


@pytest.fixture
def site(environment: dict[str, str]) -> Iterator[Site]:
    with serving(environment) as site:
        yield site
