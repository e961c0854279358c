"""The platform's client against the sandbox: what each trouble becomes."""

import json
import socket
from collections.abc import Sequence

import pytest
from redis import Redis

from app.config import Settings
from app.wechat.client import PlatformClient
from app.wechat.errors import AnswerLost, ApiRefused, NotSent, PlatformError, Reaction
from app.wechat.menu import MENU, publish
from app.wechat.platform import Platform
from app.wechat.token import AccessTokens
from sandbox.catalogue import BOOKING_CONFIRMED, PACK_READY
from tests.sandbox.playing import MAMA
from tests.wechat.posting import LivePlatform

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CUSTOM = "/cgi-bin/message/custom/send"
TEMPLATE = "/cgi-bin/message/template/send"
LINES = (
    ("thing1", "亲子阅读"),
    ("time2", "2026年11月28日 09:30"),
    ("thing3", "城桥站"),
    ("thing4", "糖糖"),
    ("phone_number5", "021-55550101"),
)


@pytest.fixture
def waits() -> list[float]:
    """How long the client waited between tries, without waiting."""
    return []


@pytest.fixture
def client(connected: Settings, redis_client: Redis, waits: list[float]) -> PlatformClient:
    platform = Platform(connected.wechat_api_url, connected.wechat_app_id)
    tokens = AccessTokens(connected, platform, redis_client)
    return PlatformClient(connected.wechat_api_url, platform, tokens, sleep=waits.append)


@pytest.fixture
def mama(platform: LivePlatform) -> str:
    """Somebody who follows and has just written."""
    platform.act(MAMA, "follow")
    platform.act(MAMA, "text", content="你好")
    return MAMA


def send_template(
    client: PlatformClient, openid: str, lines: Sequence[tuple[str, str]] = LINES
) -> str:
    return client.send_template(openid, BOOKING_CONFIRMED.id, lines, client_msg_id="a" * 32)


def test_words_arrive(client: PlatformClient, platform: LivePlatform, mama: str) -> None:
    client.send_text(mama, "报名确认啦👶🏻")

    assert [row["text"] for row in platform.accepted()] == ["报名确认啦👶🏻"]


def test_too_long_words_are_cut_and_not_refused(
    client: PlatformClient, platform: LivePlatform, mama: str
) -> None:
    client.send_text(mama, "长" * 5_000)

    assert platform.accepted()[0]["text"].endswith("……")


def test_a_template_message_gives_its_id(
    client: PlatformClient, platform: LivePlatform, mama: str
) -> None:
    platform_id = send_template(client, mama)

    assert [str(row["msgid"]) for row in platform.accepted()] == [platform_id]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_refused_token_is_renewed_once_and_the_message_goes(
    client: PlatformClient, platform: LivePlatform, mama: str, code: int
) -> None:
    platform.fault(path=CUSTOM, errcode=code)

    client.send_text(mama, "你好")

    assert len(platform.accepted()) == 1


def test_expired_tokens_are_renewed(
    client: PlatformClient, platform: LivePlatform, mama: str
) -> None:
    client.send_text(mama, "一")
    platform.client.post("/_sandbox/expire_tokens")
    client.send_text(mama, "二")

    assert [row["text"] for row in platform.accepted()] == ["一", "二"]


def test_a_token_refused_for_ever_ends_after_one_retry(
    client: PlatformClient, platform: LivePlatform, mama: str
) -> None:
    platform.fault(path=CUSTOM, errcode=40001, times=None)

    with pytest.raises(ApiRefused) as caught:
        client.send_text(mama, "你好")

    assert caught.value.reaction is Reaction.RENEW_TOKEN
    assert platform.accepted() == []


@pytest.mark.parametrize(
    "code, reaction",
    [
        (40003, Reaction.NOT_FOLLOWING),
        (43004, Reaction.NOT_FOLLOWING),
        (43019, Reaction.BLOCKED),
        (50002, Reaction.BLOCKED),
        (40037, Reaction.OUR_FAULT),
        (41030, Reaction.OUR_FAULT),
        (47003, Reaction.OUR_FAULT),
        (43101, Reaction.CONSENT_SPENT),
        (45009, Reaction.QUOTA_SPENT),
        (45011, Reaction.SLOW_DOWN),
        (43117, Reaction.SLOW_DOWN),
        (45015, Reaction.NEXT_CHANNEL),
        (45047, Reaction.NEXT_CHANNEL),
        (48001, Reaction.STOP),
        (48004, Reaction.STOP),
        (40164, Reaction.STOP),
        (40243, Reaction.STOP),
        (40241, Reaction.ALREADY_SENT),
        (-1, Reaction.BACK_OFF),
        (99999, Reaction.OUR_FAULT),
    ],
)
def test_every_code_has_its_reaction(
    client: PlatformClient, platform: LivePlatform, mama: str, code: int, reaction: Reaction
) -> None:
    platform.fault(path=CUSTOM, errcode=code)

    with pytest.raises(ApiRefused) as caught:
        client.send_text(mama, "你好")

    assert (caught.value.code, caught.value.reaction) == (code, reaction)


@pytest.mark.parametrize(
    "fault",
    [
        {"http_status": 502},
        {"drop": "before"},
        {"drop": "after"},
        {"garbage": "before"},
        {"garbage": "after"},
    ],
)
def test_a_text_whose_answer_is_lost_is_not_sent_again(
    client: PlatformClient,
    platform: LivePlatform,
    mama: str,
    waits: list[float],
    fault: dict[str, object],
) -> None:
    platform.fault(path=CUSTOM, **fault)

    with pytest.raises(AnswerLost):
        client.send_text(mama, "你好")

    assert waits == []
    assert len(platform.accepted()) == ("after" in fault.values())


@pytest.mark.parametrize(
    "fault",
    [{"drop": "after"}, {"garbage": "after"}, {"drop": "before"}, {"errcode": -1}],
)
def test_a_template_whose_answer_is_lost_is_repeated_under_its_id(
    client: PlatformClient,
    platform: LivePlatform,
    mama: str,
    waits: list[float],
    fault: dict[str, object],
) -> None:
    platform.fault(path=TEMPLATE, times=2, **fault)

    send_template(client, mama)

    assert waits == [1.0, 2.0]
    assert len(platform.accepted()) == 1


def test_a_lost_try_weighs_more_than_a_later_refusal(
    client: PlatformClient, platform: LivePlatform, mama: str
) -> None:
    platform.fault(path=TEMPLATE, drop="after")
    platform.fault(path=TEMPLATE, errcode=45009)

    with pytest.raises(AnswerLost):
        send_template(client, mama)


def test_a_busy_platform_is_asked_three_times_and_no_more(
    client: PlatformClient, platform: LivePlatform, mama: str, waits: list[float]
) -> None:
    platform.fault(path=TEMPLATE, errcode=-1, times=None)

    with pytest.raises(ApiRefused):
        send_template(client, mama)

    assert waits == [1.0, 2.0]


def test_where_nobody_listens_nothing_was_sent(
    connected: Settings, redis_client: Redis, client: PlatformClient, mama: str
) -> None:
    client.send_text(mama, "好")  # so that there is a token
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    deaf = Platform(f"http://127.0.0.1:{port}", connected.wechat_app_id)
    tokens = AccessTokens(connected, deaf, redis_client)

    with pytest.raises(NotSent):
        PlatformClient("", deaf, tokens).send_text(mama, "好")


@pytest.mark.parametrize("fault", [{"drop": "before"}, {"errcode": 45009}, {"http_status": 500}])
def test_no_error_bears_the_token_into_a_log(
    client: PlatformClient,
    platform: LivePlatform,
    redis_client: Redis,
    connected: Settings,
    mama: str,
    fault: dict[str, object],
) -> None:
    platform.fault(path=CUSTOM, **fault)

    with pytest.raises(PlatformError) as caught:
        client.send_text(mama, "你好")

    token = str(redis_client.get(f"wechat:{connected.wechat_app_id}:token"))
    assert token not in repr(caught.value) + str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_menu_is_published_as_the_platform_takes_it(
    client: PlatformClient, platform: LivePlatform
) -> None:
    publish(client)

    rows = platform.client.get("/_sandbox/state").get_json()["menu"]
    assert [row["name"] for row in rows] == [group.name for group in MENU.groups]
    assert rows[0]["sub_button"][0]["key"] == "活动"


def test_a_stations_code_is_lasting_and_says_where_it_is_drawn(
    client: PlatformClient, platform: LivePlatform
) -> None:
    code = client.create_qr("CQ")

    assert code.picture_url.startswith(platform.address)
    rows = platform.client.get("/_sandbox/state").get_json()["codes"]
    assert [(row["scene"], row["ends_at"]) for row in rows] == [("CQ", None)]


@pytest.mark.parametrize("scene", ["", "s" * 65])
def test_a_scene_that_the_platform_would_refuse_is_not_asked_for(
    client: PlatformClient, scene: str
) -> None:
    with pytest.raises(ValueError, match="scene"):
        client.create_qr(scene)


def test_a_subscription_notice_spends_a_consent(
    client: PlatformClient, platform: LivePlatform, mama: str
) -> None:
    platform.act(mama, "ask_consent", template_id=PACK_READY.id)
    platform.act(mama, "subscribe_consent", template_id=PACK_READY.id, accept=True)
    lines = (("thing1", "辅食添加"), ("thing2", "6个月"))

    client.send_subscription(mama, PACK_READY.id, lines, page="http://127.0.0.1:8000/family/")

    assert json.loads(platform.accepted()[0]["body"])["page"].endswith("/family/")
    with pytest.raises(ApiRefused) as caught:
        client.send_subscription(mama, PACK_READY.id, lines)
    assert caught.value.reaction is Reaction.CONSENT_SPENT
