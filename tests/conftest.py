"""Servers, databases and settings for every test: real ones, started by the tests themselves.

Each parallel worker has its own Redis and PostgreSQL, which end with the worker however it
ends. A server that cannot be started is an error, never a skip: a run without PostgreSQL that
looks green would be a lie.
"""

import base64
import shutil
import socket
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from zlib import crc32

import hypothesis
import pytest
import structlog
from redis import Redis
from sqlalchemy import Engine

from app.clock import SHANGHAI
from app.config import Settings
from app.crypto import Cipher
from app.db import Database
from app.migrating import upgrade
from devtools import embedded_postgres, embedded_redis, postgres_reset
from devtools.embedded_postgres import PostgresServer
from devtools.environment import ROOT, socket_folder
from devtools.postgres_reset import Resetter
from tests import engines, hashing
from tests.engines import make_engine

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("yuban", deadline=None)
hypothesis.settings.load_profile("yuban")

# The library's default draws every variable of every frame: a model among them takes seconds,
# and a turn that breaks would be late as well.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

hashing.be_quick()

DATA_KEY = base64.urlsafe_b64encode(b"thirty-two bytes, only for tests").decode()
# The demonstration values of the platform's own documentation.
WECHAT_TOKEN = "spamtest"
WECHAT_AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
WECHAT_APP_ID = "wx2c2769f8efd9abc2"
MIGRATED = "migrated"
COPY = "yuban.db"
TESTS = ROOT / "tests"
ENGINES = ("sqlite", "postgresql")


TAKE_TURNS = ("conversations", "cli", "wechat", "services")
"""Folders whose tests run on one engine each, every other one on the other; with --long on both."""
ON_BOTH = (
    *("test_pack_planning", "test_pack_checks", "test_coverage", "test_coverage_families"),
    *("test_coverage_kept", "test_pack_totals"),
    *("test_special_needs_coverage", "test_query_plans", "test_course_plans", "test_doctor"),
    *("test_waiting_list", "test_delivery", "test_timekeeping", "test_threads", "test_privacy"),
)
"""But for these: what they call says another thing to each engine, or locks."""
LONGEST_FIRST = ("whole_way", "concurrency", "simulation", "faults", "deploy", "devtools")
"""Folders with tests of many seconds: at the end one worker would wait for the other's last."""
WIDTHS = (375, 1280)
"""In pixels. A way through the console is gone in one each run, in turn; with --long in both."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _folder(item) not in LONGEST_FIRST)
    twins: dict[tuple[str, str], dict[object, pytest.Item]] = {}
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        given = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        if _folder(item) not in TAKE_TURNS or item.path.stem in ON_BOTH:
            given.pop("database_url", None)
        for what, mark in (("database_url", "other_engine"), ("screen", "other_width")):
            if given.get(what) in (*ENGINES, *WIDTHS):
                name = item.nodeid.replace(str(given[what]), "*")
                twins.setdefault((mark, name), {})[given[what]] = item
    for (mark, name), found in twins.items():
        if len(found) == 2:
            rests = sorted(found, key=str)[crc32(name.encode()) % 2]
            found[rests].add_marker(getattr(pytest.mark, mark))


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(TESTS).parts[0]


@pytest.fixture
def now() -> datetime:
    """A Sunday morning outside quiet hours."""
    return datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture(scope="session")
def cipher() -> Cipher:
    return Cipher((DATA_KEY,))


@pytest.fixture(scope="session")
def redis_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of this worker's Redis. Tests want `redis_url`, which empties it first."""
    home = tmp_path_factory.mktemp("redis")
    path = socket_folder(ROOT, home) / f"redis-{home.parent.name}.sock"
    with embedded_redis.serving(home, path):
        yield path


@pytest.fixture
def redis_url(redis_socket: Path) -> str:
    """A real, empty Redis."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(redis_socket))
        connection.sendall(b"FLUSHALL\r\n")
        assert connection.recv(16) == b"+OK\r\n"
    return f"unix://{redis_socket}?db=0"


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[Redis]:
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    client.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """This worker's PostgreSQL, with one migrated database in it."""
    with embedded_postgres.serving(ROOT) as server:
        server.create_database(MIGRATED)
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer, cipher: Cipher) -> PostgresServer:
    engine = make_engine(postgres_server.url(MIGRATED), cipher)
    upgrade(engine)
    engine.dispose()
    postgres_reset.remember(postgres_server.conninfo(MIGRATED))
    return postgres_server


@pytest.fixture(scope="session")
def postgres_resetter(migrated_postgres: PostgresServer) -> Iterator[Resetter]:
    with postgres_reset.resetting(migrated_postgres.conninfo(MIGRATED)) as resetter:
        yield resetter
    engines.keep(migrated_postgres.url(MIGRATED))


@pytest.fixture
def postgres_url(migrated_postgres: PostgresServer, postgres_resetter: Resetter) -> str:
    """A migrated PostgreSQL database that holds what the migration put in, and nothing else."""
    url = migrated_postgres.url(MIGRATED)
    postgres_resetter.reset(engines.keep_connected(url, postgres_resetter.others()))
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory, cipher: Cipher) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    engine = make_engine(f"sqlite:///{path}", cipher)
    upgrade(engine)
    engine.dispose()
    yield path
    engines.keep(f"sqlite:///{path.with_name(COPY)}")


@pytest.fixture
def sqlite_url(migrated_sqlite: Path) -> str:
    """A migrated SQLite database that is this test's alone."""
    path = migrated_sqlite.with_name(COPY)
    url = f"sqlite:///{path}"
    engines.keep(url)
    for left in path.parent.glob(f"{COPY}*"):
        left.unlink()
    shutil.copyfile(migrated_sqlite, path)
    return url


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database; the test runs once on each engine."""
    # By name: a test on SQLite must not start PostgreSQL.
    fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any schema, for tests of the migrations; once on each engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.create_database("bare")
    yield server.url("bare")
    server.drop_database("bare")


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Complete settings on real servers, whatever this shell's environment holds."""
    return _settings_of(database_url, redis_url)


@cache
def _settings_of(database_url: str, redis_url: str) -> Settings:
    """Frozen: one for all tests. Reading the environment takes longer than many of them."""
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "secret_key": "a secret only for tests",
            "data_key": DATA_KEY,
            "console_second_factor": "optional",
            "public_url": "http://127.0.0.1:8000",
            "wechat_app_id": WECHAT_APP_ID,
            "wechat_app_secret": "0123456789abcdef0123456789abcdef",
            "wechat_token": WECHAT_TOKEN,
            "wechat_aes_key": WECHAT_AES_KEY,
            # Nobody listens there: a test that means to call the platform says where it is.
            "wechat_api_url": "http://127.0.0.1:9",
        }
    )


@pytest.fixture
def engine(database_url: str, cipher: Cipher) -> Iterator[Engine]:
    """Kept from test to test: see tests/engines.py."""
    engine = make_engine(database_url, cipher)
    yield engine
    engines.give_back(engine)


@pytest.fixture
def database(engine: Engine) -> Database:
    return Database(engine)
