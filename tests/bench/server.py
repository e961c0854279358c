"""gunicorn with the same workers, threads and options, for the service and for the echo."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 30.0
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    process: psutil.Process
    ready_after: float
    """Seconds from the start of the process to its first answer."""

    def worker_megabytes(self) -> tuple[float, float]:
        """The largest worker's resident memory, and its proportional share, in MB."""
        workers = [child.memory_full_info() for child in self.process.children()]
        return (
            max(each.rss for each in workers) / MEGABYTE,
            max(each.pss for each in workers) / MEGABYTE,
        )


@contextmanager
def serving(application: str, environment: Mapping[str, str]) -> Iterator[Server]:
    """One application behind gunicorn, for the length of a block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        str(ROOT / "deploy" / "gunicorn_conf.py"),
        "--bind",
        f"127.0.0.1:{port}",
        application,
    ]
    began = time.monotonic()
    started = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(url, started)
        yield Server(url, psutil.Process(started.pid), time.monotonic() - began)
    finally:
        started.terminate()
        started.wait(20)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.02)
    raise RuntimeError("the server did not answer in time")
