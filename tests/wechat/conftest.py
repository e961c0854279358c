"""An account for the envelope's tests, and the real sandbox behind HTTP for the deliverer's."""

import threading
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from werkzeug.serving import make_server

from app.clock import now as clock_now
from app.config import Settings
from app.db import Database
from app.wechat.deliver import Deliverer, make_deliverer
from sandbox import credentials
from sandbox.settings import Settings as SandboxSettings
from sandbox.template_ids import DEMO_TEMPLATE_IDS
from sandbox.web import create_app_over
from sandbox.world import World
from tests.conftest import DATA_KEY, WECHAT_AES_KEY, WECHAT_APP_ID, WECHAT_TOKEN
from tests.outbox import book
from tests.sandbox.playing import MAMA
from tests.wechat.posting import Impatient, LivePlatform, Post


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


@pytest.fixture
def redis_of_ours(connected: Settings) -> Iterator[Redis]:
    redis = Redis.from_url(connected.redis_url)
    yield redis
    redis.close()


@pytest.fixture
def make_post(
    connected: Settings,
    database: Database,
    platform: LivePlatform,
    redis_of_ours: Redis,
) -> Iterator[Callable[[dict[str, str]], Post]]:
    made: list[Deliverer] = []
    now = clock_now()  # the sandbox goes by the true time: so must the deliverer

    def make(templates: dict[str, str]) -> Post:
        stopping = Impatient()
        settings = connected.model_copy(update={"wechat_templates": templates})
        deliverer = make_deliverer(settings, database, redis_of_ours, worker="w", stopping=stopping)
        made.append(deliverer)
        with database.transaction() as db:
            booking = book(db, MAMA, now)
        platform.act(MAMA, "follow")
        # Following opened a window of a minute in the sandbox: it is over.
        platform.shift(61)
        return Post(database, platform, deliverer, stopping, booking, now)

    yield make
    for deliverer in made:
        deliverer.close()


@pytest.fixture
def post(make_post: Callable[[dict[str, str]], Post]) -> Post:
    """With the sandbox's templates."""
    return make_post(DEMO_TEMPLATE_IDS)


@pytest.fixture
def bare_post(make_post: Callable[[dict[str, str]], Post]) -> Post:
    """Without any template: only the window is left."""
    return make_post({})
