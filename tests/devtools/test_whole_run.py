"""./dev run, whole: the real service starts, answers, and is gone afterwards."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devtools.whole_run import STOP_SECONDS, folder_of_links, running, status, wait_for


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    with folder_of_links(tmp_path) as folder:
        yield folder


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_whole_service_starts_answers_and_stops(root: Path) -> None:
    with running(root) as run:
        web = f"http://127.0.0.1:{run.port}"
        assert status(f"{web}/healthz") == 200
        assert status(f"{web}/readyz") == 200
        assert run.console == f"{web}/console/"
        assert status(run.phone) == 200

        run.program.send_signal(signal.SIGINT)

        assert run.program.wait(STOP_SECONDS) == 0
        assert run.processes() == []

    # A second start finds everything done; and a kill leaves nothing behind.
    with running(root) as run:
        assert "migrating" not in (root / "log").read_text()

        run.program.kill()
        run.program.wait()

        wait_for(lambda: run.processes() == [], "every process has gone")
