"""The access token, against the sandbox and a real Redis."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from app.config import Settings
from app.wechat.errors import ApiRefused, NotSent, Reaction
from app.wechat.platform import Platform
from app.wechat.token import FORCED_A_DAY, RENEW_EARLY_SECONDS, AccessTokens
from tests.wechat.posting import LivePlatform

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
PATH = "/cgi-bin/stable_token"


@pytest.fixture
def tokens(connected: Settings, redis_client: Redis) -> AccessTokens:
    return make_tokens(connected, redis_client)


@pytest.fixture
def key(connected: Settings) -> str:
    return f"wechat:{connected.wechat_app_id}:token"


def make_tokens(settings: Settings, redis: Redis) -> AccessTokens:
    platform = Platform(settings.wechat_api_url, settings.wechat_app_id)
    return AccessTokens(settings, platform, redis)


def fetches(platform: LivePlatform) -> int:
    calls = platform.client.get("/_sandbox/stats").get_json()["calls_today"]
    return int(calls.get(PATH, 0))


def test_one_token_serves_all_processes(
    connected: Settings, platform: LivePlatform, redis_client: Redis
) -> None:
    def ask(_number: int) -> str:
        return make_tokens(connected, redis_client).current()

    with ThreadPoolExecutor(8) as together:
        given = set(together.map(ask, range(24)))

    assert len(given) == 1
    assert fetches(platform) == 1


def test_it_is_renewed_five_minutes_early_by_whoever_comes_first(
    tokens: AccessTokens, platform: LivePlatform, redis_client: Redis, key: str
) -> None:
    first = tokens.current()
    platform.shift(7200 - RENEW_EARLY_SECONDS + 1)
    redis_client.expire(key, RENEW_EARLY_SECONDS - 1)

    assert tokens.current() != first
    assert redis_client.ttl(key) > 7000


def test_while_another_one_renews_the_old_token_serves(
    tokens: AccessTokens, redis_client: Redis, key: str
) -> None:
    first = tokens.current()
    redis_client.expire(key, 100)

    with redis_client.lock(key + ":lock", timeout=5):
        assert tokens.current() == first


@pytest.mark.parametrize("fault", [{"errcode": -1}, {"http_status": 502}, {"garbage": "before"}])
def test_a_renewal_that_fails_for_a_while_leaves_the_old_token_in_use(
    tokens: AccessTokens,
    platform: LivePlatform,
    redis_client: Redis,
    key: str,
    fault: dict[str, object],
) -> None:
    first = tokens.current()
    redis_client.expire(key, 100)
    platform.fault(path=PATH, **fault)

    assert tokens.current() == first


@pytest.mark.parametrize("code", [40164, 40243, 48001, 40125])
def test_what_only_an_operator_can_mend_is_raised_as_such(
    tokens: AccessTokens, platform: LivePlatform, code: int
) -> None:
    platform.fault(path=PATH, errcode=code)

    with pytest.raises(ApiRefused) as caught:
        tokens.current()

    assert caught.value.reaction is Reaction.STOP


@pytest.mark.parametrize(
    "fault", [{"errcode": -1}, {"errcode": 45009}, {"http_status": 502}, {"garbage": "before"}]
)
def test_without_a_token_nothing_was_sent(
    tokens: AccessTokens, platform: LivePlatform, fault: dict[str, object]
) -> None:
    platform.fault(path=PATH, **fault)

    with pytest.raises(NotSent):
        tokens.current()


def test_eight_who_were_refused_fetch_one_new_token(
    tokens: AccessTokens, platform: LivePlatform
) -> None:
    failed = tokens.current()
    platform.client.post("/_sandbox/expire_tokens")
    before = fetches(platform)

    with ThreadPoolExecutor(8) as together:
        given = set(together.map(lambda _: tokens.replace(failed), range(8)))

    assert len(given) == 1
    assert failed not in given
    assert fetches(platform) == before + 1


def test_a_token_that_the_platform_still_believes_in_is_refreshed_by_force(
    tokens: AccessTokens, platform: LivePlatform
) -> None:
    failed = tokens.current()

    fresh = tokens.replace(failed)

    assert fresh != failed
    assert fetches(platform) == 3  # the first, one that gave the same again, the forced one


def test_forced_refreshes_keep_their_distance(tokens: AccessTokens) -> None:
    fresh = tokens.replace(tokens.current())

    with pytest.raises(NotSent, match="forced_refresh_too_soon"):
        tokens.replace(fresh)


def test_forced_refreshes_end_for_the_day_before_the_platforms_limit(
    tokens: AccessTokens, redis_client: Redis, key: str
) -> None:
    redis_client.set(key + ":forced_today", FORCED_A_DAY)

    with pytest.raises(NotSent, match="forced_refreshes_spent"):
        tokens.replace(tokens.current())


def test_a_token_of_512_characters_is_kept_whole(
    connected: Settings, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "t" * 512

    def answer(self: Platform, path: str, body: object, token: object) -> dict[str, object]:
        return {"access_token": long, "expires_in": 7200}

    monkeypatch.setattr(Platform, "post", answer)
    tokens = make_tokens(connected, redis_client)

    assert (tokens.current(), tokens.current()) == (long, long)


def test_the_secret_travels_in_the_body_and_never_in_the_address(
    tokens: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    connections = tokens._platform._http._connections
    send = connections.exchange

    def listen(method: str, path: str, *more: Any) -> tuple[int, bytes]:
        asked.append(path)
        return send(method, path, *more)

    monkeypatch.setattr(connections, "exchange", listen)
    tokens.current()

    assert asked == [PATH]
