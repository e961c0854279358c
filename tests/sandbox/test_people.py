"""What people do on the phone reaches the callback as the platform would tell it."""

from typing import Any
from xml.etree import ElementTree

import pytest
from wechatpy.utils import check_signature

from sandbox import catalogue, credentials
from sandbox.line import UNAVAILABLE
from sandbox.settings import Settings
from sandbox.web import create_app_over
from sandbox.world import World
from tests.sandbox.playing import BABA, MAMA, WAIPO, Answer, Handle, Service


def told(service: Service, number: int = -1) -> ElementTree.Element:
    return ElementTree.fromstring(service.received[number].xml)


def test_three_people_are_there_and_none_follows(sandbox: Handle) -> None:
    people = sandbox.client.get("/_sandbox/people").get_json()
    assert [(one["name"], one["following"]) for one in people] == [
        ("妈妈", False),
        ("爸爸", False),
        ("外婆", False),
    ]
    assert [one["openid"] for one in people] == [MAMA, BABA, WAIPO]
    assert {len(one["openid"]) for one in people} == {28}


def test_a_callback_is_sealed_as_the_platform_seals_it(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "text", content="你好")
    received = service.received[-1]
    query = received.query
    assert query["openid"] == MAMA
    assert query["encrypt_type"] == "aes"
    check_signature(credentials.TOKEN, query["signature"], query["timestamp"], query["nonce"])
    outer = ElementTree.fromstring(received.body)
    assert outer.findtext("ToUserName") == credentials.ACCOUNT_ID
    assert "你好" not in received.body.decode()


@pytest.mark.parametrize("content", ["你好 😀👨‍👩‍👧", "]]> <b>&amp;", "第一行\n第二行", "x" * 900])
def test_a_text_arrives_and_is_answered_unharmed(
    sandbox: Handle, service: Service, content: str
) -> None:
    sandbox.act(MAMA, "follow")
    service.respond = service.say("收到 😀")
    answer = sandbox.act(MAMA, "text", content=content)
    assert told(service).findtext("Content") == content
    assert answer["reply"]["text"] == "收到 😀"
    assert [(row["direction"], row["text"]) for row in sandbox.shown(MAMA)[-2:]] == [
        ("out", content),
        ("in", "收到 😀"),
    ]


def test_control_characters_never_reach_the_wire(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "text", content="a\x00b\x0bc\ufffe")
    assert told(service).findtext("Content") == "abc"


@pytest.mark.parametrize(
    ("action", "details", "kind", "holds"),
    [
        (
            "voice",
            {"recognition": "我要报名"},
            "voice",
            {"Recognition": "我要报名", "Format": "amr"},
        ),
        ("voice", {}, "voice", {"Recognition": ""}),
        ("image", {}, "image", {}),
        ("video", {}, "video", {}),
        ("shortvideo", {}, "shortvideo", {}),
        ("location", {"label": "堡镇"}, "location", {"Label": "堡镇", "Scale": "15"}),
        ("link", {"title": "文章"}, "link", {"Title": "文章"}),
        ("file", {"title": "a.pdf"}, "file", {"Title": "a.pdf"}),
    ],
)
def test_every_kind_of_message_arrives(
    sandbox: Handle,
    service: Service,
    action: str,
    details: dict[str, str],
    kind: str,
    holds: dict[str, str],
) -> None:
    sandbox.act(MAMA, "follow")
    assert sandbox.act(MAMA, action, **details)["result"] == "empty"
    xml = told(service)
    assert xml.findtext("MsgType") == kind
    assert (xml.findtext("MsgId") or "").isdigit()
    assert {name: xml.findtext(name) for name in holds} == holds
    assert sandbox.shown(MAMA)[-1]["direction"] == "out"


@pytest.mark.parametrize(
    ("action", "details", "event", "key"),
    [
        ("click", {"key": "sessions"}, "CLICK", "sessions"),
        ("view", {"url": "https://example.test/"}, "VIEW", "https://example.test/"),
        ("unfollow", {}, "unsubscribe", ""),
        ("report_location", {}, "LOCATION", None),
        ("event", {"event": "brand_new"}, "brand_new", ""),
    ],
)
def test_every_event_arrives_without_a_message_id(
    sandbox: Handle,
    service: Service,
    action: str,
    details: dict[str, str],
    event: str,
    key: str | None,
) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, action, **details)
    xml = told(service)
    assert (xml.findtext("MsgType"), xml.findtext("Event")) == ("event", event)
    assert xml.findtext("EventKey") == key
    assert xml.find("MsgId") is None


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("revoke", "user_authorization_revoke"),
        ("cancellation", "user_authorization_cancellation"),
        ("modified", "user_info_modified"),
    ],
)
def test_authorisation_events_come_from_the_platform_about_the_person(
    sandbox: Handle, service: Service, kind: str, event: str
) -> None:
    sandbox.act(MAMA, "authorize_revoke", kind=kind)
    xml = told(service)
    assert xml.findtext("Event") == event
    assert xml.findtext("OpenID") == MAMA
    assert xml.findtext("FromUserName") != MAMA


def test_a_scanning_menu_button_tells_what_was_scanned(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    button = {"type": "scancode_waitmsg", "name": "签到", "key": "check_in"}
    sandbox.call("/cgi-bin/menu/create", {"button": [button]})
    sandbox.act(MAMA, "click", key="check_in", result="CQ-1206")
    xml = told(service)
    assert xml.findtext("Event") == "scancode_waitmsg"
    assert xml.findtext("ScanCodeInfo/ScanResult") == "CQ-1206"


def test_a_menu_button_can_send_a_place(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    button = {"type": "location_select", "name": "附近", "key": "near"}
    sandbox.call("/cgi-bin/menu/create", {"button": [button]})
    sandbox.act(MAMA, "click", key="near", label="堡镇")
    assert told(service).findtext("SendLocationInfo/Label") == "堡镇"


def test_without_following_nothing_can_be_said(sandbox: Handle, service: Service) -> None:
    assert sandbox.act(MAMA, "text", content="你好") == {"error": "not following"}
    assert service.received == []
    assert sandbox.shown(MAMA) == []


@pytest.mark.parametrize(
    ("action", "details", "status"),
    [
        ("text", {"content": ""}, 400),
        ("text", {"content": 7}, 400),
        ("text", {"content": "a", "copies": 21}, 400),
        ("click", {}, 400),
        ("scan", {}, 400),
        ("sing", {}, 404),
        ("follow", {}, 409),
        ("subscribe_consent", {"template_id": "no"}, 404),
        ("authorize_revoke", {"kind": "no"}, 400),
    ],
)
def test_what_cannot_be_done_says_why(
    sandbox: Handle, action: str, details: dict[str, Any], status: int
) -> None:
    sandbox.act(MAMA, "follow")
    answer = sandbox.client.post(f"/_sandbox/people/{MAMA}/{action}", json=details)
    assert answer.status_code == status
    assert answer.get_json()["error"]


def test_somebody_unknown_can_do_nothing(sandbox: Handle) -> None:
    assert sandbox.client.post("/_sandbox/people/oNobody/follow").status_code == 404
    assert sandbox.client.post("/_sandbox/people/oNobody/retry_last").status_code == 404
    assert sandbox.act(MAMA, "retry_last") == {"error": "nothing was sent yet"}


def test_the_last_callback_can_be_sent_again_to_the_letter(
    sandbox: Handle, service: Service
) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "text", content="报名 CQ-1")
    sandbox.act(MAMA, "retry_last")
    sandbox.act(MAMA, "retry_last", fresh=True)
    first, again, fresh = service.received[1:]
    assert again == first
    assert fresh.xml == first.xml
    assert fresh.query["nonce"] != first.query["nonce"]


def test_copies_go_out_together_and_the_phone_shows_one_answer(
    sandbox: Handle, service: Service
) -> None:
    sandbox.act(MAMA, "follow")
    service.respond = service.say("好")
    answer = sandbox.act(MAMA, "text", content="报名 CQ-1", copies=3)
    assert len({received.xml for received in service.received[1:]}) == 1
    assert len(service.received) == 4
    assert len(answer["copies"]) == 2
    assert [row["text"] for row in sandbox.shown(MAMA) if row["direction"] == "in"] == ["好"]


def test_the_phone_need_not_wait_for_the_answer(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    assert sandbox.act(MAMA, "text", content="你好", wait=False)["result"] == ""
    service.wait_for(2)


def test_people_can_be_made_in_numbers_and_as_followers(sandbox: Handle, service: Service) -> None:
    made = sandbox.client.post(
        "/_sandbox/people", json={"name": "家庭", "count": 30, "following": True}
    ).get_json()
    assert len({one["openid"] for one in made}) == 30
    assert sandbox.call("/cgi-bin/user/get")["total"] == 30
    assert service.received == []
    named = sandbox.client.post("/_sandbox/people", json={"name": "奶奶", "openid": "oNai"})
    assert named.get_json()["openid"] == "oNai"
    assert sandbox.client.post("/_sandbox/people", json={"openid": "oNai"}).status_code == 409


def test_a_page_can_ask_for_consent_and_the_phone_shows_the_question(
    sandbox: Handle, service: Service
) -> None:
    sandbox.act(MAMA, "follow")
    template_id = catalogue.PACK_READY.id
    sandbox.act(MAMA, "ask_consent", template_id=template_id)
    asked = sandbox.client.get(f"/_sandbox/phone?openid={MAMA}").get_json()["asked"]
    assert asked == [{"id": template_id, "title": "育儿资料更新提醒"}]
    assert len(service.received) == 1
    sandbox.act(MAMA, "subscribe_consent", template_id=template_id)
    assert sandbox.client.get(f"/_sandbox/phone?openid={MAMA}").get_json()["asked"] == []


def test_the_phone_hears_only_what_is_new(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    seen = sandbox.shown(MAMA)[-1]["seq"]
    sandbox.act(MAMA, "text", content="你好")
    news = sandbox.client.get(f"/_sandbox/phone?openid={MAMA}&after={seen}").get_json()
    assert [row["text"] for row in news["entries"]] == ["你好"]


def test_in_plain_mode_nothing_is_encrypted() -> None:
    service = Service(mode="plain")
    try:
        world = World(Settings(callback=service.address, mode="plain"))
        sandbox = Handle(world, create_app_over(world))
        service.respond = service.say("欢迎")
        assert sandbox.act(MAMA, "follow")["reply"]["text"] == "欢迎"
        received = service.received[0]
        assert "msg_signature" not in received.query
        assert b"subscribe" in received.body
    finally:
        service.close()


def test_an_unencrypted_reply_in_safe_mode_is_no_reply(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    service.respond = lambda received: Answer(b"<xml><MsgType>text</MsgType></xml>")
    assert sandbox.act(MAMA, "text", content="你好")["result"] == "malformed"
    assert sandbox.shown(MAMA)[-1]["text"] == UNAVAILABLE


def test_reset_begins_anew(sandbox: Handle) -> None:
    before = sandbox.client.get("/_sandbox/phone").get_json()["epoch"]
    sandbox.act(MAMA, "follow")
    sandbox.fault(path="*", errcode=-1, times=None)
    sandbox.client.post("/_sandbox/reset")
    state = sandbox.client.get("/_sandbox/state").get_json()
    assert [one["following"] for one in state["people"]] == [False, False, False]
    assert state["faults"] == []
    assert sandbox.client.get("/_sandbox/phone").get_json()["epoch"] != before
