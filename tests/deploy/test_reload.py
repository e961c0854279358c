"""A new version is taken in under load: nobody is turned away."""

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.deploy.serving import listening, serving

CALLERS = 6
SECONDS_AROUND = 1.5


def _call(port: int, stopping: threading.Event, answers: list[int | str]) -> None:
    """One caller with a new connection for each question, as a proxy without keep-alive."""
    while not stopping.is_set():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            answers.append(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as error:
            answers.append(type(error).__name__)
        finally:
            connection.close()


@contextmanager
def _calling(port: int) -> Iterator[list[int | str]]:
    """Callers at work; what they were answered, complete when the block has ended."""
    stopping = threading.Event()
    answers: list[int | str] = []
    callers = [
        threading.Thread(target=_call, args=(port, stopping, answers)) for _ in range(CALLERS)
    ]
    for caller in callers:
        caller.start()
    try:
        yield answers
    finally:
        stopping.set()
        for caller in callers:
            caller.join(15)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_reload_under_load_turns_nobody_away(environment: dict[str, str]) -> None:
    with serving(environment | {"WEB_WORKERS": "2"}) as site, _calling(site.port) as answers:
        time.sleep(SECONDS_AROUND)
        site.reload()
        time.sleep(2 * SECONDS_AROUND)

    assert len(answers) > 100
    assert [answer for answer in answers if answer != 200] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_new_version_started_on_systemds_sockets_turns_nobody_away(
    environment: dict[str, str],
) -> None:
    """As yuban-web.socket has it: the sockets outlive the service, and who comes waits there."""
    with (
        listening(2) as sockets,
        serving(environment, sockets) as first,
        ExitStack() as calling,
    ):
        answers = calling.enter_context(_calling(first.port))
        time.sleep(SECONDS_AROUND)
        first.stop()
        with serving(environment | {"WEB_WORKERS": "2"}, sockets):
            time.sleep(SECONDS_AROUND)
            calling.close()

    assert len(answers) > 100
    assert [answer for answer in answers if answer != 200] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_that_is_killed_is_followed_by_another(environment: dict[str, str]) -> None:
    with serving(environment | {"WEB_WORKERS": "2"}) as site:
        for worker in site.workers():
            os.kill(worker, signal.SIGKILL)
        with _calling(site.port) as answers:
            time.sleep(SECONDS_AROUND)

    assert set(answers) == {200}
