"""The web process as it is deployed, with servers that a test may break."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.config import Settings
from devtools import embedded_redis
from devtools.environment import ROOT, socket_folder
from devtools.tied import tied


@dataclass
class BreakableRedis:
    """A server of this test alone."""

    folder: Path
    socket_file: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket_file}?db=0"

    def start(self) -> None:
        command = embedded_redis.server_command(
            embedded_redis.find_server(), self.folder, self.socket_file
        )
        self.process = subprocess.Popen(tied(command), stdin=subprocess.DEVNULL)
        embedded_redis.wait_until_ready(self.socket_file, self.folder)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def breakable_redis(folder: Path) -> Iterator[BreakableRedis]:
    folder.mkdir()
    redis = BreakableRedis(folder, socket_folder(ROOT, folder) / f"gone-{os.getpid()}.sock")
    redis.start()
    try:
        yield redis
    finally:
        redis.kill()


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """The settings as the environment of a process."""
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "DATA_KEY": settings.data_key.get_secret_value(),
        "WECHAT_APP_ID": settings.wechat_app_id,
        "WECHAT_APP_SECRET": settings.wechat_app_secret.get_secret_value(),
        "WECHAT_TOKEN": settings.wechat_token.get_secret_value(),
        "WECHAT_AES_KEY": settings.wechat_aes_key.get_secret_value(),
        "WECHAT_API_URL": settings.wechat_api_url,
        "WEB_WORKERS": "2",
    }
