"""A tiny service behind the callback, and a handle on the sandbox, for the tests of the sandbox."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto

from sandbox import credentials
from sandbox.world import FIRST_PEOPLE, World

MAMA, BABA, WAIPO = (openid for openid, _name in FIRST_PEOPLE)


@dataclass(frozen=True)
class Received:
    """One callback as it reached the service."""

    query: dict[str, str]
    body: bytes
    xml: str


@dataclass(frozen=True)
class Answer:
    """What the service answers: a status, a body, and how long it dawdles first."""

    body: bytes = b"success"
    status: int = 200
    delay_seconds: float = 0.0


class Service:
    """Answers callbacks as the tests tell it. Speaks through wechatpy, as the real service does."""

    def __init__(self, mode: str = "safe") -> None:
        self.crypto = WeChatCrypto(credentials.TOKEN, credentials.AES_KEY, credentials.APP_ID)
        self.mode = mode
        self.received: list[Received] = []
        self.answers: list[Answer] = []
        """Used up first, one a callback; then `respond` answers."""
        self.respond: Callable[[Received], Answer] = lambda received: Answer()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/wechat"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def say(self, words: str) -> Callable[[Received], Answer]:
        """A responder that answers everything with this text."""
        return lambda received: self.reply(received, words)

    def reply(self, received: Received, content: object) -> Answer:
        """wechatpy's reply, sealed in the service's mode."""
        rendered = create_reply(content, parse_message(received.xml)).render()
        return self.seal(received, rendered)

    def seal(self, received: Received, xml: str) -> Answer:
        if self.mode == "plain":
            return Answer(xml.encode())
        nonce = received.query["nonce"]
        return Answer(self.crypto.encrypt_message(xml, nonce, str(int(time.time()))).encode())

    def wait_for(self, count: int) -> list[Received]:
        """The callbacks so far, once there are so many: receipts come from the background."""
        deadline = time.monotonic() + 10
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"only {len(self.received)} of {count} callbacks"
            time.sleep(0.01)
        return self.received

    def take(self, query: dict[str, str], body: bytes) -> Answer:
        received = Received(query, body, self._open(query, body))
        self.received.append(received)
        return self.answers.pop(0) if self.answers else self.respond(received)

    def _open(self, query: dict[str, str], body: bytes) -> str:
        if self.mode == "plain":
            return body.decode()
        opened: str = self.crypto.decrypt_message(
            body, query["msg_signature"], query["timestamp"], query["nonce"]
        )
        return opened

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                query = _flat(self.path)
                self._answer(Answer(query.get("echostr", "").encode()))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(service.take(_flat(self.path), body))

            def _answer(self, answer: Answer) -> None:
                time.sleep(answer.delay_seconds)
                try:
                    self.send_response(answer.status)
                    self.send_header("Content-Length", str(len(answer.body)))
                    self.end_headers()
                    self.wfile.write(answer.body)
                except (BrokenPipeError, ConnectionResetError):
                    # The platform hung up after its deadline, as it should.
                    self.close_connection = True

            def log_message(self, *_message: object) -> None:
                """Silence."""

        return Handler


def _flat(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


@dataclass
class Handle:
    """The sandbox under test: its world, its app, and the ways in."""

    world: World
    app: Flask
    token: str = field(default="")

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def call(self, path: str, body: object = None, **args: str) -> Any:
        """An API call with a good token; the answer's JSON."""
        if not self.token:
            self.token = self.stable_token()["access_token"]
        query = {"access_token": self.token, **args}
        if body is None:
            return self.client.get(path, query_string=query).get_json()
        return self.client.post(path, query_string=query, json=body).get_json()

    def stable_token(self, **more: object) -> Any:
        wanted = {
            "grant_type": "client_credential",
            "appid": credentials.APP_ID,
            "secret": credentials.APP_SECRET,
            **more,
        }
        return self.client.post("/cgi-bin/stable_token", json=wanted).get_json()

    def act(self, openid: str, action: str, **details: object) -> Any:
        """Something a person does; the answer's JSON."""
        return self.client.post(f"/_sandbox/people/{openid}/{action}", json=details).get_json()

    def fault(self, **fault: object) -> None:
        answer = self.client.post("/_sandbox/faults", json=fault)
        assert answer.status_code == 201, answer.get_json()

    def shift(self, seconds: float) -> None:
        """Lets so much time pass, from where the clock was."""
        offset = self.world.state.clock_offset + seconds
        answer = self.client.post("/_sandbox/clock", json={"offset_seconds": offset})
        assert answer.status_code == 200

    def send_text(self, openid: str, content: str = "你好") -> int:
        """A customer-service message's errcode."""
        body = {"touser": openid, "msgtype": "text", "text": {"content": content}}
        errcode: int = self.call("/cgi-bin/message/custom/send", body)["errcode"]
        return errcode

    def shown(self, openid: str) -> list[Any]:
        """The conversation's entries."""
        rows: list[Any] = self.client.get(f"/_sandbox/people/{openid}/conversation").get_json()
        return rows

    def accepted(self) -> list[Any]:
        rows: list[Any] = self.client.get("/_sandbox/accepted").get_json()
        return rows
