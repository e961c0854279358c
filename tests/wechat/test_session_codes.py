"""The code of a guidance session, asked of the sandbox's platform."""

from urllib.parse import urlsplit

import pytest
from redis import Redis

from app.config import Settings
from app.wechat.deliver import make_client
from app.wechat.session_codes import SessionCodes
from tests.wechat.posting import Impatient, LivePlatform


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The codes lie in Redis: one engine is enough."""
    return sqlite_url


def make_codes(settings: Settings, redis: Redis) -> SessionCodes:
    client = make_client(settings, redis, Impatient())
    return SessionCodes(client, redis, settings.wechat_app_id)


def test_a_sessions_code_is_made_once_and_kept(
    connected: Settings, platform: LivePlatform, redis_of_ours: Redis
) -> None:
    first = make_codes(connected, redis_of_ours).find_url("CQ-1")
    again = make_codes(connected, redis_of_ours).find_url("CQ-1")

    assert first is not None
    assert first == again
    assert urlsplit(first).hostname == "weixin.qq.com"
    assert [code.scene for code in platform.world.state.codes.values()] == ["s:CQ-1"]


def test_another_session_has_another_code(
    connected: Settings, platform: LivePlatform, redis_of_ours: Redis
) -> None:
    codes = make_codes(connected, redis_of_ours)
    assert codes.find_url("CQ-1") != codes.find_url("CQ-2")


def test_a_platform_out_of_reach_gives_none_and_keeps_nothing(
    connected: Settings, redis_of_ours: Redis
) -> None:
    nowhere = connected.model_copy(update={"wechat_api_url": "http://127.0.0.1:9"})
    assert make_codes(nowhere, redis_of_ours).find_url("CQ-1") is None
    assert make_codes(connected, redis_of_ours).find_url("CQ-1") is not None
