"""The platform's callback under anything at all: a 4xx or a 200, never a 5xx, never a break.

A few hundred each by default; `--long` throws 20,000 in all.
"""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.clock import now as clock_now
from app.dialogue.intent import COMMANDS
from tests.fuzz.conftest import Target
from tests.wechat.callbacks import Callback, safe_callback, said, sign, xml

pytestmark = pytest.mark.timeout(1_800)

FEW, MANY = 150, 4_000
BROKE = frozenset({"callback_broke", "turn_broke", "turn_failed", "late_reply_lost"})
OPENIDS = ("oFUZZ-1", "oFUZZ-2", "oFUZZ-3")
numbers = itertools.count(1)


def thorough(request: pytest.FixtureRequest) -> settings:
    """How hard to look; one database serves all examples, as one serves all callers."""
    return settings(
        max_examples=MANY if request.config.getoption("--long") else FEW,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def post(target: Target, callback: Callback) -> TestResponse:
    return target.client.post("/wechat", query_string=callback.query, data=callback.body)


def check(target: Target, response: TestResponse) -> None:
    assert response.status_code < 500
    broken = [event for event in target.broken if event["event"] in BROKE]
    assert broken == []
    target.broken.clear()


def sealed(target: Target, inner: str) -> Callback:
    return safe_callback(target.settings, inner, clock_now())


# Everything a text can hold: PostgreSQL's NUL, half of a surrogate pair, right-to-left marks.
anything = st.text(st.characters(codec=None), max_size=300)
characters = st.text(st.characters(codec="utf-8"), max_size=300)
NAMES = (
    "ToUserName FromUserName CreateTime MsgType MsgId Content Event EventKey Recognition MediaId"
    " PicUrl Ticket Status MsgID OpenID x"
)
KINDS = "text voice image video shortvideo location link event TEXT other"
EVENTS = (
    "subscribe unsubscribe SCAN CLICK VIEW LOCATION TEMPLATESENDJOBFINISH MASSSENDJOBFINISH"
    " subscribe_msg_popup_event subscribe_msg_change_event subscribe_msg_sent_event"
    " user_info_modified user_authorization_revoke user_authorization_cancellation other"
)
names = st.sampled_from(NAMES.split())
kinds = st.sampled_from(KINDS.split())
events = st.sampled_from(EVENTS.split())


@st.composite
def pieces_of_xml(draw: st.DrawFn) -> bytes:
    """Nearly XML: elements that do not close, entities, declarations, deep nests, bad encodings."""
    name = draw(names)
    depth = draw(st.integers(0, 400))
    filling = draw(
        st.sampled_from(
            [
                "&lol;",
                "&#x0;",
                "&#xD800;",
                "<![CDATA[",
                "]]>",
                "<!DOCTYPE x [<!ENTITY a 'b'>]>",
                "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x>&x;</x>",
                "<?xml version='1.0' encoding='utf-16'?>",
            ]
        )
        | characters
    )
    text = f"<{name}>" * depth + filling + f"</{name}>" * draw(st.integers(0, depth))
    whole = f"<xml>{text}</xml>" if draw(st.booleans()) else text
    return whole.encode(draw(st.sampled_from(["utf-8", "utf-16", "gb18030"])), "surrogatepass")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_raw_bytes_and_queries(target: Target, request: pytest.FixtureRequest) -> None:
    keys = st.sampled_from(["signature", "msg_signature", "timestamp", "nonce", "encrypt_type"])
    queries = st.dictionaries(keys | characters, characters, max_size=6)

    @thorough(request)
    @given(body=st.binary(max_size=3_000) | pieces_of_xml(), query=queries)
    def throw(body: bytes, query: dict[str, str]) -> None:
        response = post(target, Callback(query, body))
        assert 400 <= response.status_code < 500
        check(target, response)

    throw()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_signed_envelopes_around_junk(target: Target, request: pytest.FixtureRequest) -> None:
    """Somebody who knows the token, but not the key; and a platform that has gone mad."""

    @thorough(request)
    @given(cipher=st.text(max_size=400) | st.binary(max_size=400).map(repr), whole=pieces_of_xml())
    def throw(cipher: str, whole: bytes) -> None:
        at = str(int(clock_now().timestamp()))
        token = target.settings.wechat_token.get_secret_value()
        query = {"timestamp": at, "nonce": "1", "encrypt_type": "aes"}
        signature = sign(token, at, "1", cipher)
        encoded = xml(Encrypt=cipher).encode("utf-8", "surrogatepass")
        for body in (encoded, whole):
            check(target, post(target, Callback(query | {"msg_signature": signature}, body)))

    throw()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sealed_messages_of_any_shape(target: Target, request: pytest.FixtureRequest) -> None:
    """What the platform itself would never send, under its own seal."""
    elements = st.dictionaries(names, anything, max_size=8)

    @thorough(request)
    @given(elements=elements, kind=kinds, event=events, whole=pieces_of_xml(), is_xml=st.booleans())
    def throw(elements: dict[str, str], kind: str, event: str, whole: bytes, is_xml: bool) -> None:
        inner = xml(**{**elements, "MsgType": kind, "Event": event})
        if not is_xml:
            inner = whole.decode("utf-8", "replace")
        callback = sealed(target, inner.encode("utf-8", "replace").decode())
        check(target, post(target, callback))

    throw()


WORDS = (
    "糖糖 城桥镇 同意 不同意 CQ-13 cq-11 2026-05-01 2月30日 女 孕32周 预产期"
    " 明天 下周六 2026-02-29 1 ９ ABA 两个孩子 0 -1 99999999999999999999 %s {}"
    " ' OR 1=1 -- <b> ]]> 🍼 \u202e"
)
words = st.sampled_from([*COMMANDS, *WORDS.split(" ")])
sentences = st.lists(words, min_size=1, max_size=6).flatmap(
    lambda said: st.sampled_from([" ", "", "，", "\n", "　"]).map(lambda gap: gap.join(said))
)


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_people_who_say_anything(target: Target, request: pytest.FixtureRequest) -> None:
    """Three people in whatever state the last sentences have left them; each gets an answer."""

    @thorough(request)
    @given(
        text=sentences | characters.filter(str.strip),
        openid=st.sampled_from(OPENIDS),
        kind=st.sampled_from(["text", "voice"]),
    )
    def throw(text: str, openid: str, kind: str) -> None:
        number = str(next(numbers))
        field = "Content" if kind == "text" else "Recognition"
        inner = xml(
            ToUserName="gh_1",
            FromUserName=openid,
            CreateTime=str(int(clock_now().timestamp())),
            MsgType=kind,
            MsgId=number,
            **{field: cdata(text.encode("utf-8", "replace").decode())},
        )
        response = post(target, sealed(target, inner))
        check(target, response)
        assert response.status_code == 200, (response.data, text)
        answer = said(target.settings, response.data) if response.data != b"success" else {}
        if text.strip():
            assert answer.get("Content"), f"silence for {text!r}"
            assert len(answer["Content"].encode()) <= 2_048

    throw()


def cdata(text: str) -> str:
    """As the platform writes what somebody typed."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_stamp_from_another_time_is_refused(target: Target) -> None:
    inner = xml(FromUserName="oFUZZ-1", MsgType="text", Content="你好", MsgId="1", CreateTime="1")
    for days in (-36_500, -1, 1, 36_500):
        old = safe_callback(target.settings, inner, clock_now() + timedelta(days=days))
        assert 400 <= post(target, old).status_code < 500
