"""Connections that are kept, against servers that say what each test lets them say."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.wechat import connections
from app.wechat.connections import Connections, Interrupted, NotConnected, connections_to

BODY = '{"好": 1}'.encode()
JSON = {"Content-Type": "application/json"}
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"

Talk = Callable[[socket.socket], None]
"""What a server says to one connection; it hangs up afterwards."""


class Server:
    """Its port, and what came in: the parts as they arrived, and how many connections."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.heard: list[bytes] = []
        self.callers = 0


@contextmanager
def serving(talk: Callable[[Server], Talk], wrap: ssl.SSLContext | None = None) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            server.callers += 1
            with suppress(OSError), caller:
                secured = wrap.wrap_socket(caller, server_side=True) if wrap else caller
                with secured:
                    talk(server)(secured)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def answering(*answers: bytes) -> Callable[[Server], Talk]:
    """A part of a request is heard, an answer given; after the last one it hangs up."""

    def talk(server: Server) -> Talk:
        def speak(caller: socket.socket) -> None:
            for answer in answers:
                server.heard.append(caller.recv(65_536))
                caller.sendall(answer)

        return speak

    return talk


def post(to: Connections, path: str = "/cgi-bin/x?access_token=t") -> tuple[int, bytes]:
    return to.exchange("POST", path, BODY, JSON)


def test_a_request_leaves_in_one_piece_with_its_length() -> None:
    with serving(answering(FINE)) as server:
        assert post(connections_to(server.url)) == (200, b"{}")

        [whole] = server.heard
        head, _, body = whole.partition(b"\r\n\r\n")
        assert body == BODY
        assert head.startswith(b"POST /cgi-bin/x?access_token=t HTTP/1.1\r\n")
        assert b"Content-Type: application/json" in head
        assert f"Content-Length: {len(BODY)}".encode() in head
        assert f"Host: 127.0.0.1:{server.port}".encode() in head


def test_a_question_without_a_body_says_nothing_of_one() -> None:
    with serving(answering(FINE)) as server:
        connections_to(server.url).exchange("GET", "/sns/x", None, {})

        assert b"Content-" not in server.heard[0]


def test_a_connection_is_used_again() -> None:
    with serving(answering(FINE, FINE, FINE)) as server:
        kept = connections_to(server.url)
        for _ in range(3):
            post(kept)

        assert server.callers == 1
        kept.close()


@pytest.mark.parametrize("answer", [FINE, CLOSING])
def test_one_that_the_host_closed_is_not_used_again(answer: bytes) -> None:
    with serving(answering(answer)) as server:
        kept = connections_to(server.url)
        post(kept)
        wait_until_hung_up(kept)
        post(kept)

        assert server.callers == 2
        assert server.heard[1].endswith(BODY)


def wait_until_hung_up(kept: Connections) -> None:
    """The end of a connection may arrive a moment after the answer."""
    assert isinstance(kept, connections.Direct)
    for connection in kept._idle:
        connection.sock.settimeout(5)
        assert connection.sock.recv(1, socket.MSG_PEEK) == b""


def test_where_nobody_listens_no_connection_came_about() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(NotConnected, match="ConnectionRefusedError"):
        post(connections_to(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize(
    "answer",
    [b"", b"no HTTP at all", FINE[:10], FINE[:-1]],
    ids=["nothing", "no HTTP", "half a line", "half a body"],
)
def test_a_request_that_left_without_a_whole_answer_is_interrupted(answer: bytes) -> None:
    with serving(answering(answer)) as server:
        kept = connections_to(server.url)
        with pytest.raises(Interrupted):
            post(kept)

        assert server.heard[0].endswith(BODY)
        # And its connection is not given to the next request.
        with pytest.raises(Interrupted):
            post(kept)
        assert server.callers == 2


def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READ_SECONDS", 0.05)
    done = threading.Event()

    def wait(_caller: socket.socket) -> None:
        done.wait(5)

    with serving(lambda _server: wait) as server:
        with pytest.raises(Interrupted, match="TimeoutError"):
            post(connections_to(server.url))
        done.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that its own key has signed, with the key behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def secured(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_under_tls_a_request_goes_to_whom_we_trust(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with serving(answering(FINE, FINE), secured(certificate)) as server:
        kept = connections_to(f"https://localhost:{server.port}")

        assert post(kept) == (200, b"{}")
        assert post(kept) == (200, b"{}")
        assert [part[-len(BODY) :] for part in server.heard] == [BODY, BODY]
        assert server.callers == 1


def test_whom_we_do_not_trust_hears_nothing(certificate: Path) -> None:
    with serving(answering(FINE), secured(certificate)) as server:
        with pytest.raises(NotConnected, match="SSLCertVerificationError"):
            post(connections_to(f"https://localhost:{server.port}"))

        assert server.heard == []


def test_the_way_out_may_be_a_proxy_but_never_the_way_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(answering(FINE)) as proxy, serving(answering(FINE)) as here:
        monkeypatch.setenv("http_proxy", f"http://somebody:secret@127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)

        post(connections_to("http://platform.test"))
        post(connections_to(here.url))

    assert proxy.heard[0].startswith(b"POST http://platform.test/cgi-bin/x?access_token=t HTTP/1.1")
    assert b"proxy-authorization: basic " in proxy.heard[0].lower()
    assert here.heard[0].startswith(b"POST /cgi-bin/x")


def test_a_proxy_that_is_away_took_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    with pytest.raises(NotConnected):
        post(connections_to("http://platform.test"))
