"""The sandbox as a process of its own, for tests that need a socket or a browser."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import urllib3

from sandbox import credentials
from tests.ports import free_port
from tests.sandbox.playing import MAMA, Service

ROOT = Path(__file__).parents[2]
SEND = "/cgi-bin/message/custom/send"


class Process:
    """A running sandbox."""

    def __init__(self, service: Service, state: Path) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "sandbox", "--port", str(self.port)]
        command += ["--callback", service.address, "--state", str(state)]
        environ = {name: value for name, value in os.environ.items() if "WECHAT" not in name}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.http = urllib3.PoolManager(retries=False)
        self._wait()

    def post(self, path: str, body: object) -> bytes:
        answer: bytes = self.http.request("POST", self.base + path, json=body).data
        return answer

    def send_text(self, token: str) -> bytes:
        body = {"touser": MAMA, "msgtype": "text", "text": {"content": "你好"}}
        return self.post(f"{SEND}?access_token={token}", body)

    def token(self) -> str:
        account = {"appid": credentials.APP_ID, "secret": credentials.APP_SECRET}
        wanted = {"grant_type": "client_credential", **account}
        token: str = json.loads(self.post("/cgi-bin/stable_token", wanted))["access_token"]
        return token

    def accepted(self) -> int:
        return len(self.http.request("GET", self.base + "/_sandbox/accepted").json())

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Exit status and what was printed."""
        self.http.clear()
        if number is signal.SIGKILL:
            # The whole group: the worker of a killed arbiter would linger for seconds.
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        printed = self.process.communicate(timeout=10)[1]
        return self.process.returncode, printed

    def _wait(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.http.request("GET", self.base + "/_sandbox/stats")
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the sandbox did not start: {self.stop(signal.SIGKILL)}")
