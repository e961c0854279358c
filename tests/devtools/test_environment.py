"""The settings that ./dev chooses."""

import stat
from pathlib import Path

import pytest

from devtools.environment import (
    Addresses,
    EnvironmentBroken,
    complete,
    default_settings,
    read_or_make_keys,
    socket_path,
)


def test_what_the_environment_says_wins() -> None:
    environment = {"PUBLIC_URL": "https://yuban.example", "WECHAT_MODE": ""}

    complete(environment, {"PUBLIC_URL": "http://127.0.0.1:8000", "WECHAT_MODE": "safe"})

    assert environment == {"PUBLIC_URL": "https://yuban.example", "WECHAT_MODE": "safe"}


def test_a_run_with_the_sandbox_talks_to_it(tmp_path: Path) -> None:
    settings = default_settings(tmp_path, Addresses(web_port=9000, sandbox_port=9005))

    assert settings["PUBLIC_URL"] == "http://127.0.0.1:9000"
    assert settings["WECHAT_API_URL"] == "http://127.0.0.1:9005"


def test_without_the_sandbox_the_platform_is_left_to_the_service(tmp_path: Path) -> None:
    assert "WECHAT_API_URL" not in default_settings(tmp_path, Addresses(9000, None))
    assert "WECHAT_API_URL" not in default_settings(tmp_path, None)


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "keys.env"

    first, second = read_or_make_keys(path), read_or_make_keys(path)

    assert first == second
    assert first["SECRET_KEY"] != first["DATA_KEY"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_key_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "keys.env"
    path.write_text("SECRET_KEY=abc\n")

    with pytest.raises(EnvironmentBroken, match="put it back"):
        read_or_make_keys(path)

    assert path.read_text() == "SECRET_KEY=abc\n"


@pytest.mark.parametrize("name", ["育伴", "with space", "long" * 30])
def test_sockets_have_short_plain_paths_wherever_the_project_lies(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    root = tmp_path / name
    root.mkdir()

    path = socket_path(root, "redis")

    assert len(str(path)) <= 100
    assert path.is_relative_to("/tmp")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path == socket_path(root, "redis")
    path.parent.rmdir()


def test_a_folder_that_somebody_else_could_enter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    odd = tmp_path / "with space"
    socket_path(odd, "redis").parent.chmod(0o755)

    with pytest.raises(EnvironmentBroken, match="private"):
        socket_path(odd, "redis")
