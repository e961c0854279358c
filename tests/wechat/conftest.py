"""An account for the envelope's tests, and the real sandbox behind HTTP for the deliverer's."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from werkzeug.serving import make_server

from app.config import Settings
from sandbox import credentials
from sandbox.settings import Settings as SandboxSettings
from sandbox.web import create_app_over
from sandbox.world import World
from tests.conftest import DATA_KEY, WECHAT_AES_KEY, WECHAT_APP_ID, WECHAT_TOKEN
from tests.sandbox.playing import Handle


@pytest.fixture
def account() -> Settings:
    """Settings that need no server: the platform's own demonstration account."""
    return Settings.model_validate(
        {
            "database_url": "sqlite:////nowhere.db",
            "redis_url": "unix:///nowhere",
            "secret_key": "a secret only for tests",
            "data_key": DATA_KEY,
            "wechat_app_id": WECHAT_APP_ID,
            "wechat_app_secret": "0123456789abcdef0123456789abcdef",
            "wechat_token": WECHAT_TOKEN,
            "wechat_aes_key": WECHAT_AES_KEY,
        }
    )


@dataclass
class LivePlatform(Handle):
    """The sandbox, reachable under its address."""

    address: str = ""


@pytest.fixture
def platform() -> Iterator[LivePlatform]:
    """The sandbox served on this machine; its callbacks go nowhere."""
    world = World(
        SandboxSettings(
            callback="http://127.0.0.1:9/wechat",
            deadline_seconds=0.2,
            retries=0,
            retry_pause_seconds=0.01,
        )
    )
    app = create_app_over(world)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield LivePlatform(world, app, address=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def connected(settings: Settings, platform: LivePlatform) -> Settings:
    """Settings of the sandbox's account, on real servers, that call the sandbox."""
    changed = {
        "wechat_app_id": credentials.APP_ID,
        "wechat_app_secret": credentials.APP_SECRET,
        "wechat_token": credentials.TOKEN,
        "wechat_aes_key": credentials.AES_KEY,
        "wechat_api_url": platform.address,
    }
    plain = settings.model_dump()
    for name in ("secret_key", "data_key"):
        plain[name] = plain[name].get_secret_value()
    return Settings.model_validate({**plain, **changed})
