"""A sandbox in this process, before a tiny service that answers as the test tells it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.settings import Settings
from sandbox.web import create_app_over
from sandbox.world import World
from tests.sandbox.playing import Handle, Service
from tests.sandbox.process import Process


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def sandbox(service: Service) -> Handle:
    """The sandbox in safe mode; impatient, so that no test waits for seconds."""
    settings = Settings(
        callback=service.address, deadline_seconds=0.4, retries=3, retry_pause_seconds=0.01
    )
    world = World(settings)
    return Handle(world, create_app_over(world))


@pytest.fixture
def process(service: Service, tmp_path: Path) -> Iterator[Process]:
    """A sandbox that listens on a port."""
    process = Process(service, tmp_path / "state.json")
    yield process
    if process.process.poll() is None:
        process.stop(signal.SIGKILL)
