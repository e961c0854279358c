"""Sealed replies, opened again as the platform opens them."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from app.config import Settings
from app.dialogue.message import Article, Reply
from app.wechat.envelope import NOTHING_TO_SAY, open_callback, seal_reply
from app.wechat.plain_text import TEXT_LIMIT_BYTES
from tests.wechat.callbacks import (
    ACCOUNT,
    MAMA,
    event_xml,
    message_xml,
    opened,
    plain_callback,
    safe_callback,
    said,
)

OTHER_KEY = "ABCDEFG0123456789abcdefghijklmnopqrstuvwxyz"
LATER = datetime.fromisoformat("2026-11-22T10:00:03+08:00")


def answered(
    account: Settings, now: datetime, reply: Reply | None, sent: str = ""
) -> dict[str, str]:
    letter = opened(account, sent or message_xml(), now)
    return said(account, seal_reply(account, letter, reply, LATER))


def test_words_come_back_to_who_wrote(account: Settings, now: datetime) -> None:
    heard = answered(account, now, Reply("报名成功！\n👶🏻 11月28日见"))

    assert heard["Content"] == "报名成功！\n👶🏻 11月28日见"
    assert heard["MsgType"] == "text"
    assert (heard["ToUserName"], heard["FromUserName"]) == (MAMA, ACCOUNT)
    assert heard["CreateTime"] == str(int(LATER.timestamp()))


def test_in_plain_mode_the_reply_is_plain(account: Settings, now: datetime) -> None:
    in_plain = account.model_copy(update={"wechat_mode": "plain"})
    callback = plain_callback(in_plain, message_xml(), now)
    letter = open_callback(in_plain, callback.query, callback.body, now)

    body = seal_reply(in_plain, letter, Reply("好的"), now)

    assert said(in_plain, body)["Content"] == "好的"


def test_the_reply_is_sealed_with_the_key_that_opened(account: Settings, now: datetime) -> None:
    rotating = account.model_copy(update={"wechat_aes_key_previous": SecretStr(OTHER_KEY)})
    callback = safe_callback(rotating, message_xml(), now, OTHER_KEY)
    letter = open_callback(rotating, callback.query, callback.body, now)

    body = seal_reply(rotating, letter, Reply("好的"), now)

    assert said(rotating, body, OTHER_KEY)["Content"] == "好的"


@pytest.mark.parametrize("reply", [None, Reply(""), Reply(" \n"), Reply("\x00\x08")])
def test_nothing_to_say_is_a_bare_success(
    account: Settings, now: datetime, reply: Reply | None
) -> None:
    assert seal_reply(account, opened(account, message_xml(), now), reply, now) == NOTHING_TO_SAY


@pytest.mark.parametrize(
    "words",
    ["]]>", "a]]>b]]>", "]]]]>>", "<![CDATA[x]]>", "&amp;<b>", "</Content></xml>", "糖\x0b糖"],
)
def test_no_words_break_out_of_their_place(account: Settings, now: datetime, words: str) -> None:
    heard = answered(account, now, Reply(words))

    assert heard["Content"] == words.replace("\x0b", "")
    assert set(heard) == {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=900))
def test_whatever_is_said_arrives_as_xml_within_the_limit(account: Settings, words: str) -> None:
    now = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
    heard = answered(account, now, Reply(words))

    assert len(heard.get("Content", "").encode()) <= TEXT_LIMIT_BYTES


def test_a_card_opens_its_page(account: Settings, now: datetime) -> None:
    card = Article("育儿资料]]>", "给糖糖", "http://127.0.0.1:8000/family/?a=1&b=]]>")

    heard = answered(account, now, Reply(article=card, kind="article"))

    assert heard["MsgType"] == "news"
    assert heard["ArticleCount"] == "1"
    assert (heard["Title"], heard["Description"], heard["Url"]) == (
        card.title,
        card.description,
        card.url,
    )


def test_a_message_is_handed_over_to_a_person(account: Settings, now: datetime) -> None:
    heard = answered(account, now, Reply("老师马上来", kind="hand_over"))

    assert heard["MsgType"] == "transfer_customer_service"
    assert heard["ToUserName"] == MAMA


def test_a_tap_cannot_be_handed_over_and_gets_the_words(account: Settings, now: datetime) -> None:
    tap = event_xml("CLICK", EventKey="人工")

    heard = answered(account, now, Reply("老师马上来", kind="hand_over"), tap)

    assert (heard["MsgType"], heard["Content"]) == ("text", "老师马上来")
