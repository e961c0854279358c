"""The sandbox as a process of its own, for benchmarks and for processes that are killed."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from sandbox import credentials
from tests.bench.server import ROOT
from tests.ports import free_port

READY_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Its address, and what a test asks of it."""

    url: str
    pid: int

    def _post(self, path: str, body: dict[str, object]) -> Any:
        answer = _http().post(f"{self.url}{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def add_template(self, template_id: str, kind: str = "template") -> None:
        """A template of two lines, thing1 and thing2."""
        fields = [{"key": "thing1", "label": "资料"}, {"key": "thing2", "label": "月龄"}]
        body: dict[str, object] = {
            "id": template_id,
            "title": "资料",
            "fields": fields,
            "kind": kind,
        }
        self._post("/_sandbox/templates", body)

    def add_people(self, count: int) -> list[str]:
        """So many followers; their openids."""
        answer = self._post("/_sandbox/people", {"name": "人", "following": True, "count": count})
        return [str(person["openid"]) for person in answer]

    def act(self, openid: str, action: str, **said: object) -> None:
        """Somebody does something on their phone; the callback goes nowhere, unwaited for."""
        self._post(f"/_sandbox/people/{openid}/{action}", {**said, "wait": False})

    def token(self) -> str:
        """An access token of the account."""
        answer = self._post(
            "/cgi-bin/stable_token",
            {
                "grant_type": "client_credential",
                "appid": credentials.APP_ID,
                "secret": credentials.APP_SECRET,
            },
        )
        return str(answer["access_token"])

    def accepted(self) -> list[dict[str, object]]:
        """Every message that the platform took, in order."""
        rows: list[dict[str, object]] = (
            _http().get(f"{self.url}/_sandbox/accepted", timeout=60).json()
        )
        return rows


@contextmanager
def playing(folder: Path) -> Iterator[Sandbox]:
    """A sandbox whose callbacks go nowhere, for the length of a block."""
    port = free_port()
    command = [sys.executable, "-m", "sandbox", "--port", str(port)]
    command += ["--callback", "http://127.0.0.1:9/wechat"]
    with (folder / "sandbox.log").open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=_environment())
    sandbox = Sandbox(f"http://127.0.0.1:{port}", process.pid)
    try:
        _wait_for(sandbox)
        yield sandbox
    finally:
        process.kill()
        process.wait()


def _wait_for(sandbox: Sandbox) -> None:
    until = time.monotonic() + READY_SECONDS
    while True:
        try:
            _http().get(f"{sandbox.url}/_sandbox/state", timeout=2)
            return
        except requests.RequestException:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _http() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("WECHAT_")}
