"""The embedded Redis server keeps what it was given."""

import signal
from pathlib import Path

import pytest
from redis import Redis

from devtools import embedded_redis
from devtools.environment import ROOT, socket_folder


def test_data_survives_a_kill(tmp_path: Path) -> None:
    path = socket_folder(ROOT, tmp_path) / "kill.sock"
    with embedded_redis.serving(tmp_path / "redis", path) as server:
        with Redis(unix_socket_path=str(path)) as client:
            client.set("dialogue", "登记")
        server.send_signal(signal.SIGKILL)
        server.wait()

    with (
        embedded_redis.serving(tmp_path / "redis", path),
        Redis(unix_socket_path=str(path), decode_responses=True) as client,
    ):
        assert client.get("dialogue") == "登记"


def test_nothing_listens_on_the_network(tmp_path: Path) -> None:
    path = socket_folder(ROOT, tmp_path) / "closed.sock"
    with (
        embedded_redis.serving(tmp_path, path),
        Redis(unix_socket_path=str(path), decode_responses=True) as client,
    ):
        assert client.config_get("port") == {"port": "0"}


def test_a_server_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(embedded_redis.RedisNotReady, match=r"redis\.log"):
        embedded_redis.wait_until_ready(tmp_path / "nobody.sock", tmp_path, seconds=0.05)


def test_an_installed_server_comes_before_the_packaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "valkey-server"
    installed.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert embedded_redis.find_server() == installed
