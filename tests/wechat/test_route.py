"""The callback's address over HTTP, before turns of the test's own."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from app.clock import now as clock_now
from app.config import Settings
from app.dialogue.message import Inbound, Reply
from app.telemetry import configure_logging
from app.wechat.envelope import MAX_BODY_BYTES
from app.wechat.route import CallbackApp
from tests.wechat.callbacks import (
    Callback,
    event_xml,
    message_xml,
    plain_callback,
    safe_callback,
    said,
)


@dataclass
class Talkative:
    """Turns that answer as the test says."""

    answer: Callable[[Inbound], Reply | None] = lambda inbound: Reply("好的")
    heard: list[Inbound] = field(default_factory=list)

    def handle(self, inbound: Inbound) -> Reply | None:
        self.heard.append(inbound)
        return self.answer(inbound)


@dataclass(frozen=True)
class Edge:
    """What the callback needs of the services."""

    settings: Settings
    turns: Talkative


@pytest.fixture
def turns() -> Talkative:
    return Talkative()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "verify"


@pytest.fixture
def client(account: Settings, turns: Talkative, files: Path) -> Client:
    with_files = account.model_copy(update={"wechat_verify_dir": files})
    return Client(CallbackApp(Edge(with_files, turns)))


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What goes to standard error as log lines."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    configure_logging("INFO")
    written = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(written)
    yield written
    root.handlers = before
    root.setLevel(level)


def post(client: Client, callback: Callback) -> tuple[int, bytes]:
    answer = client.post("/wechat", query_string=callback.query, data=callback.body)
    return answer.status_code, answer.data


def test_a_message_gets_its_sealed_answer(
    client: Client, account: Settings, turns: Talkative
) -> None:
    status, body = post(client, safe_callback(account, message_xml(Content="活动"), clock_now()))

    assert status == 200
    assert said(account, body)["Content"] == "好的"
    assert [inbound.text for inbound in turns.heard] == ["活动"]


def test_silence_is_a_bare_success(client: Client, account: Settings, turns: Talkative) -> None:
    turns.answer = lambda inbound: None

    callback = safe_callback(account, event_xml("unsubscribe"), clock_now())

    assert post(client, callback) == (200, b"success")


def test_turns_that_break_are_a_success_to_the_platform_and_a_traceback_to_us(
    client: Client, account: Settings, turns: Talkative, logged: io.StringIO
) -> None:
    def break_down(inbound: Inbound) -> Reply:
        raise ZeroDivisionError(f"with {inbound.text}")

    turns.answer = break_down

    callback = safe_callback(account, message_xml(Content="13800138000"), clock_now())

    assert post(client, callback) == (200, b"success")
    (line,) = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert line["event"] == "callback_broke"
    assert line["exception"][0] == "builtins.ZeroDivisionError"
    assert any("break_down" in frame for frame in line["exception"])
    assert "13800138000" not in logged.getvalue()


def test_the_url_check_echoes_as_plain_text(client: Client, account: Settings) -> None:
    query = plain_callback(account, "", clock_now()).query | {"echostr": "<script>1</script>"}

    answer = client.get("/wechat", query_string=query)

    assert (answer.status_code, answer.data) == (200, b"<script>1</script>")
    assert answer.content_type == "text/plain; charset=utf-8"


def test_junk_is_refused_without_a_traceback(
    client: Client, account: Settings, turns: Talkative, logged: io.StringIO
) -> None:
    good = safe_callback(account, message_xml(), clock_now())
    assert client.get("/wechat").status_code == 400
    assert client.post("/wechat").status_code == 400
    assert post(client, good.asking(msg_signature="0" * 40))[0] == 403
    assert post(client, Callback(good.query, b"\xff\xfe"))[0] == 400
    assert post(client, Callback(good.query, b"x" * (MAX_BODY_BYTES + 1)))[0] == 413

    assert turns.heard == []
    assert "Traceback" not in logged.getvalue()
    assert all("exception" not in json.loads(line) for line in logged.getvalue().splitlines())


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_only_the_two_methods_are_there(client: Client, method: str) -> None:
    assert client.open("/wechat", method=method).status_code == 405


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.dictionaries(
        st.sampled_from(["signature", "msg_signature", "timestamp", "nonce", "encrypt_type", "x"]),
        st.text(st.characters(codec="utf-8"), max_size=40) | st.just("1795312800") | st.just("aes"),
    ),
    body=st.binary(max_size=500),
)
def test_no_request_of_a_stranger_is_more_than_a_refusal(
    client: Client, turns: Talkative, query: dict[str, str], body: bytes
) -> None:
    answer = client.post("/wechat", query_string=query, data=body)

    assert 400 <= answer.status_code < 500
    assert turns.heard == []


class TestVerificationFiles:
    def test_a_file_put_there_later_is_served(self, client: Client, files: Path) -> None:
        assert client.get("/MP_verify_aBc123.txt").status_code == 404
        files.mkdir()
        (files / "MP_verify_aBc123.txt").write_text("aBc123")

        answer = client.get("/MP_verify_aBc123.txt")

        assert (answer.status_code, answer.data) == (200, b"aBc123")
        assert answer.content_type == "text/plain; charset=utf-8"

    @pytest.mark.parametrize(
        "path",
        [
            "/MP_verify_.txt",
            "/MP_verify_..%2Fsecret.txt",
            "/MP_verify_../secret.txt",
            "/MP_verify_a.b.txt",
            "/MP_verify_a%00.txt",
            "/MP_verify_" + "a" * 65 + ".txt",
            "/MP_verify_ü.txt",
            "/MP_verify_other.html",
        ],
    )
    def test_nothing_else_can_be_read(self, client: Client, files: Path, path: str) -> None:
        files.mkdir()
        (files.parent / "secret.txt").write_text("secret")
        (files / "MP_verify_a.b.txt").write_text("secret")

        assert client.get(path).status_code in (404, 308)

    def test_without_a_folder_there_are_none(self, account: Settings, turns: Talkative) -> None:
        client = Client(CallbackApp(Edge(account, turns)))

        assert client.get("/MP_verify_aBc123.txt").status_code == 404


def test_every_answer_bears_its_requests_id(client: Client) -> None:
    ids = {client.get("/wechat").headers["X-Request-Id"] for _ in range(3)}

    assert len(ids) == 3
