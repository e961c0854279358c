"""The real process: what needs a socket, a signal, or a second life."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from tests.sandbox.playing import MAMA, Service
from tests.sandbox.process import ROOT, SEND, Process


def test_a_connection_cut_before_or_after_acceptance_gives_no_answer(process: Process) -> None:
    process.post(f"/_sandbox/people/{MAMA}/follow", {})
    token = process.token()
    taken = []
    for moment in ("before", "after"):
        process.post("/_sandbox/faults", {"path": SEND, "drop": moment})
        with pytest.raises(urllib3.exceptions.ProtocolError):
            process.send_text(token)
        taken.append(process.accepted())
    assert taken == [0, 1]
    assert json.loads(process.send_text(token))["errcode"] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_sandbox_goes_on_where_it_was(
    process: Process, service: Service, tmp_path: Path, number: signal.Signals
) -> None:
    process.post(f"/_sandbox/people/{MAMA}/follow", {})
    token = process.token()
    status, printed = process.stop(number)
    assert status == 0
    # One line of its own and not a word of the server's.
    assert printed == f"sandbox: phone {process.base}/ · callback {service.address}\n"
    again = Process(service, tmp_path / "state.json")
    try:
        assert json.loads(again.send_text(token))["errcode"] == 0
    finally:
        again.stop(signal.SIGTERM)


@pytest.mark.parametrize(
    ("variable", "value"), [("WECHAT_MODE", "compatible"), ("WECHAT_AES_KEY", "short")]
)
def test_a_wrong_setting_is_one_line(variable: str, value: str) -> None:
    environ = {**os.environ, variable: value}
    ran = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", "0"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert variable in ran.stderr


def test_a_busy_port_is_one_line() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = str(busy.getsockname()[1])
        ran = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "Address already in use" in ran.stderr
