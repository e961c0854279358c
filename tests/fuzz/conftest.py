"""The whole web application in this process, on real servers, and a log that tells what broke."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog
from flask.testing import FlaskClient
from structlog.typing import EventDict

from app import clock
from app.config import Settings
from app.demo.loading import load
from app.factory import create_app
from app.wiring import Services, make_services
from handlers import HANDLERS


@dataclass(frozen=True)
class Target:
    """What is thrown at, and what it said had broken behind its polite answers."""

    settings: Settings
    services: Services
    client: FlaskClient
    broken: list[EventDict]


@pytest.fixture
def target(settings: Settings) -> Iterator[Target]:
    services = make_services(settings, HANDLERS)
    with structlog.testing.capture_logs() as logged:
        load(services.database, clock.now())
        app = create_app(services, commands=False)
        yield Target(settings, services, app.test_client(), logged)
    services.turns.close()
    services.database.engine.dispose()
    services.redis.close()
