"""`menu` and `qr` against the sandbox's platform."""

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from app.config import Settings
from sandbox import credentials
from sandbox.settings import Settings as SandboxSettings
from sandbox.web import create_app_over
from sandbox.world import World
from tests.cli.running import Run

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def platform() -> Iterator[str]:
    """The address of a sandbox whose callbacks go nowhere."""
    app = create_app_over(World(SandboxSettings(callback="http://127.0.0.1:9/wechat")))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(settings: Settings, platform: str) -> Settings:
    account = {
        "wechat_app_id": credentials.APP_ID,
        "wechat_app_secret": credentials.APP_SECRET,
        "wechat_api_url": platform,
    }
    known = {name: getattr(settings, name) for name in type(settings).model_fields}
    return Settings.model_validate({**known, **account})


def test_the_menu_is_shown_and_published(run: Run) -> None:
    shown = run("menu", "show").json

    assert [group["name"] for group in shown["button"]] == ["找活动", "我家", "帮助"]
    assert "找活动  近期活动  活动" in run("menu", "show", as_json=False).out
    published = run("menu", "publish")
    assert published.json["published"] is True
    assert published.err == ""


@pytest.mark.usefixtures("demo")
def test_a_stations_lasting_code_is_made(run: Run, platform: str) -> None:
    made = run("qr", "create", "CQ").json

    assert made["station"] == "CQ"
    assert made["picture_url"].startswith(f"{platform}/cgi-bin/showqrcode?ticket=")
    assert run("qr", "create", "CQ", as_json=False).out.startswith(platform)
    assert run("qr", "create", "NOWHERE").error == "station_unknown"


class TestWhenThePlatformIsAway:
    @pytest.fixture
    def platform(self) -> str:
        return "http://127.0.0.1:9"

    def test_it_is_told_in_one_line(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        # It is tried three times; nobody has to wait in between here.
        monkeypatch.setattr("app.wechat.client.FIRST_WAIT_SECONDS", 0.0)

        assert run("menu", "publish").error == "platform_unreachable"


class TestWhenTheAccountIsWrong:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"wechat_app_id": "wx0000000000000000"})

    def test_the_platforms_code_is_told(self, run: Run) -> None:
        done = run("menu", "publish")

        assert done.error == "platform_refused"
        assert "40013" in done.err


class TestWhenRedisIsAway:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"redis_url": "unix:///nowhere/redis.sock"})

    def test_it_is_told_in_one_line(self, run: Run) -> None:
        assert run("menu", "publish").error == "redis_unreachable"

    def test_what_needs_no_redis_works(self, run: Run) -> None:
        assert run("jobs", "list").code == 0
