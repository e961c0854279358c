"""The command line as an operator has it: arguments in; output, errors and exit code out."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from app.config import Settings
from app.wiring import Services, make_services
from handlers import HANDLERS
from scheduler.timetable import JOBS
from tests.cli.running import Run, runner_of


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Logging that nobody has set up would go to standard output, among the JSON."""
    with capture_logs():
        yield


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    services = make_services(settings, HANDLERS, JOBS)
    yield services
    services.database.engine.dispose()


@pytest.fixture
def run(services: Services) -> Run:
    """run("db", "current") and so on; JSON unless told otherwise."""
    return runner_of(services)
