"""The line to the service: deadline, retries, and what counts as an answer."""

import json
import time
from typing import Any

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto

from sandbox import credentials
from sandbox.line import UNAVAILABLE
from tests.sandbox.playing import MAMA, Answer, Handle, Received, Service

ARTICLE = {"title": "会坐了", "description": "", "image": "", "url": "http://a.test"}


@pytest.fixture
def following(sandbox: Handle) -> Handle:
    sandbox.act(MAMA, "follow")
    return sandbox


def last_line(sandbox: Handle) -> str:
    text: str = sandbox.shown(MAMA)[-1]["text"]
    return text


@pytest.mark.parametrize("body", [b"", b"success"])
def test_success_and_silence_show_nothing(following: Handle, service: Service, body: bytes) -> None:
    service.respond = lambda received: Answer(body)
    answer = following.act(MAMA, "text", content="你好")
    assert (answer["result"], answer["attempts"]) == ("empty", 1)
    assert last_line(following) == "你好"


def test_a_failing_service_is_asked_three_times_more_with_the_same_bytes(
    following: Handle, service: Service
) -> None:
    service.respond = lambda received: Answer(b"", status=500)
    answer = following.act(MAMA, "text", content="你好")
    assert (answer["result"], answer["attempts"], answer["status"]) == ("failed", 4, 500)
    assert len(service.received) == 5
    assert len({received.body for received in service.received[1:]}) == 1
    assert last_line(following) == UNAVAILABLE


def test_a_retry_that_is_answered_ends_the_retries(following: Handle, service: Service) -> None:
    service.answers = [Answer(b"", status=503)]
    service.respond = service.say("来了")
    answer = following.act(MAMA, "text", content="你好")
    assert (answer["attempts"], answer["reply"]["text"]) == (2, "来了")
    assert last_line(following) == "来了"


def test_a_late_answer_is_asked_for_again(following: Handle, service: Service) -> None:
    service.answers = [Answer(b"success", delay_seconds=0.6)]
    service.respond = service.say("这次赶上了")
    answer = following.act(MAMA, "text", content="你好")
    assert (answer["attempts"], answer["reply"]["text"]) == (2, "这次赶上了")
    service.wait_for(3)


def test_a_service_that_is_away_is_excused_to_the_person(
    following: Handle, service: Service
) -> None:
    following.world.settings = following.world.settings.__class__(
        callback="http://127.0.0.1:9/wechat", deadline_seconds=0.4, retry_pause_seconds=0.01
    )
    answer = following.act(MAMA, "text", content="你好")
    assert (answer["result"], answer["attempts"]) == ("failed", 4)
    assert last_line(following) == UNAVAILABLE


def test_a_failed_leave_tells_the_person_nothing(following: Handle, service: Service) -> None:
    service.respond = lambda received: Answer(b"", status=500)
    following.act(MAMA, "unfollow")
    assert last_line(following) == "你已取消关注崇明育伴"


def with_other_appid(service: Service, received: Received) -> Answer:
    crypto = WeChatCrypto(credentials.TOKEN, credentials.AES_KEY, "wx0000000000000000")
    return Answer(crypto.encrypt_message("<xml/>", received.query["nonce"]).encode())


def with_other_key(service: Service, received: Received) -> Answer:
    crypto = WeChatCrypto(credentials.TOKEN, "A" * 43, credentials.APP_ID)
    return Answer(crypto.encrypt_message("<xml/>", received.query["nonce"]).encode())


def with_other_nonce(service: Service, received: Received) -> Answer:
    return Answer(service.crypto.encrypt_message("<xml/>", "1").encode())


def with_wrong_signature(service: Service, received: Received) -> Answer:
    body = service.reply(received, "好").body.decode()
    start = body.index("<MsgSignature><![CDATA[") + 23
    return Answer((body[:start] + "0" * 40 + body[start + 40 :]).encode())


def with_long_text(service: Service, received: Received) -> Answer:
    return service.reply(received, "字" * 683)


def with_two_articles(service: Service, received: Received) -> Answer:
    return service.reply(received, [ARTICLE, ARTICLE])


def with_empty_text(service: Service, received: Received) -> Answer:
    return service.reply(received, " ")


def to_somebody_else(service: Service, received: Received) -> Answer:
    xml = "<xml><ToUserName>oOther</ToUserName></xml>"
    return service.seal(received, xml)


def with_unknown_kind(service: Service, received: Received) -> Answer:
    message = parse_message(received.xml)
    return service.seal(
        received,
        f"<xml><ToUserName>{message.source}</ToUserName><FromUserName>{message.target}"
        "</FromUserName><CreateTime>1</CreateTime><MsgType>smell</MsgType></xml>",
    )


def with_an_entity_bomb(service: Service, received: Received) -> Answer:
    return service.seal(received, '<!DOCTYPE x [<!ENTITY a "aa">]><xml>&a;</xml>')


def with_words(service: Service, received: Received) -> Answer:
    return Answer("好的".encode())


@pytest.mark.parametrize(
    ("spoiled", "detail"),
    [
        (with_other_appid, "the appid is another account's"),
        (with_other_key, "the padding is wrong"),
        (with_other_nonce, "Nonce is not the request's"),
        (with_wrong_signature, "MsgSignature is wrong"),
        (with_long_text, "more than 2048 bytes"),
        (with_two_articles, "exactly one article"),
        (with_empty_text, "Content is empty"),
        (to_somebody_else, "ToUserName is not who wrote"),
        (with_unknown_kind, "MsgType 'smell' is unknown"),
        (with_an_entity_bomb, "holds a declaration"),
        (with_words, "no XML"),
    ],
)
def test_a_malformed_reply_is_excused_and_not_asked_for_again(
    following: Handle, service: Service, spoiled: Any, detail: str
) -> None:
    service.respond = lambda received: spoiled(service, received)
    answer = following.act(MAMA, "text", content="你好")
    assert (answer["result"], answer["attempts"]) == ("malformed", 1), answer
    assert detail in answer["detail"]
    assert last_line(following) == UNAVAILABLE


def test_the_longest_text_passes(following: Handle, service: Service) -> None:
    service.respond = service.say("字" * 682)
    assert following.act(MAMA, "text", content="你好")["result"] == "reply"


def test_one_article_is_shown(following: Handle, service: Service) -> None:
    service.respond = lambda received: service.reply(received, [ARTICLE])
    following.act(MAMA, "text", content="资料")
    entry = following.shown(MAMA)[-1]
    assert (entry["kind"], entry["articles"][0]["title"]) == ("news", "会坐了")


@pytest.mark.parametrize(("action", "result"), [("text", "reply"), ("click", "malformed")])
def test_a_hand_over_answers_messages_but_no_events(
    following: Handle, service: Service, action: str, result: str
) -> None:
    def hand_over(received: Received) -> Answer:
        message = parse_message(received.xml)
        return service.seal(
            received,
            f"<xml><ToUserName>{message.source}</ToUserName><FromUserName>{message.target}"
            "</FromUserName><CreateTime>1</CreateTime>"
            "<MsgType>transfer_customer_service</MsgType></xml>",
        )

    service.respond = hand_over
    assert following.act(MAMA, action, content="人工", key="k")["result"] == result


def test_every_callback_is_on_record(following: Handle, service: Service) -> None:
    service.respond = lambda received: Answer(b"oops")
    following.act(MAMA, "text", content="你好")
    rows = following.client.get("/_sandbox/callbacks").get_json()
    assert [(row["kind"], row["outcome"]) for row in rows] == [
        ("event/subscribe", "empty"),
        ("text", "malformed"),
    ]


def test_no_lock_is_held_while_the_service_thinks(following: Handle, service: Service) -> None:
    service.respond = lambda received: Answer(b"success", delay_seconds=0.3)
    following.act(MAMA, "text", content="你好", wait=False)
    service.wait_for(2)
    begun = time.monotonic()
    assert following.send_text(MAMA) == 0
    assert time.monotonic() - begun < 0.2


def test_the_callback_address_proves_itself(sandbox: Handle) -> None:
    assert sandbox.client.post("/_sandbox/verify_address").get_json()["ok"] is True


def test_the_wire_tells_the_true_time_when_the_clock_is_shifted(
    following: Handle, service: Service
) -> None:
    following.shift(10 * 86_400)
    following.act(MAMA, "text", content="你好")
    assert abs(int(service.received[-1].query["timestamp"]) - time.time()) < 5
    assert abs(parse_message(service.received[-1].xml).time - time.time()) < 5


def test_the_answer_is_readable_chinese(following: Handle) -> None:
    raw = following.client.get("/_sandbox/people").get_data(as_text=True)
    assert "妈妈" in raw
    assert json.loads(raw)
