"""The command line as an operator has it: arguments in; output, errors and exit code out."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app import clock
from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.demo.loading import load
from app.wiring import Services, make_services
from handlers import HANDLERS
from scheduler.timetable import JOBS
from tests.cli.running import Run, runner_of
from tests.engines import give_back, make_own_engine

SQLITE = "sqlite:///"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Logging that nobody has set up would go to standard output, among the JSON."""
    with capture_logs():
        yield


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    services = make_services(settings, HANDLERS, JOBS)
    yield services
    give_back(services.database.engine)


@pytest.fixture
def run(services: Services) -> Run:
    """run("db", "current") and so on; JSON unless told otherwise."""
    return runner_of(services)


@pytest.fixture(scope="session")
def demo_sqlite(migrated_sqlite: Path, cipher: Cipher) -> Path:
    """A file with the demo data: loading it takes a second, copying it nothing."""
    path = migrated_sqlite.with_name("demo.db")
    shutil.copyfile(migrated_sqlite, path)
    engine = make_own_engine(f"{SQLITE}{path}", cipher)
    assert load(Database(engine), clock.now()) is not None
    engine.dispose()
    return path


@pytest.fixture
def demo(request: pytest.FixtureRequest, services: Services, run: Run) -> None:
    """The database holds what `demo load` loads."""
    url = services.settings.database_url
    if not url.startswith(SQLITE):
        assert run("demo", "load").code == 0
        return
    services.database.engine.dispose()
    shutil.copyfile(request.getfixturevalue("demo_sqlite"), url.removeprefix(SQLITE))
