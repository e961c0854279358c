"""The envelope: what is let in, and what it is once it is in."""

import contextlib
import time
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.config import Settings
from app.dialogue.message import Kind, Window
from app.wechat.envelope import MAX_BODY_BYTES, check_url, open_callback
from app.wechat.errors import BadCallback
from tests.wechat.callbacks import (
    ACCOUNT,
    MAMA,
    NONCE,
    event_xml,
    message_xml,
    opened,
    plain_callback,
    safe_callback,
    sign,
    xml,
)

OTHER_KEY = "ABCDEFG0123456789abcdefghijklmnopqrstuvwxyz"


def with_(account: Settings, **changed: object) -> Settings:
    return account.model_copy(update=changed)


def refused(account: Settings, query: dict[str, str], body: bytes, at: datetime) -> BadCallback:
    with pytest.raises(BadCallback) as caught:
        open_callback(account, query, body, at)
    return caught.value


class TestTheUrlCheck:
    def test_the_platforms_known_answer_comes_out(self, account: Settings) -> None:
        checked = with_(
            account,
            wechat_token=type(account.wechat_token)("AAAAA"),
            wechat_max_skew_seconds=0,
        )
        query = {
            "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
            "timestamp": "1714036504",
            "nonce": "1514711492",
            "echostr": "4375120948345356249",
        }

        echo = check_url(checked, query, datetime.fromisoformat("2026-11-22T10:00:00+08:00"))

        assert echo == "4375120948345356249"

    @pytest.mark.parametrize("mode", ["plain", "safe"])
    def test_the_echo_is_plain_in_every_mode(
        self, account: Settings, now: datetime, mode: str
    ) -> None:
        query = plain_callback(account, "", now).query | {"echostr": "<b>好&%20"}

        assert check_url(with_(account, wechat_mode=mode), query, now) == "<b>好&%20"

    def test_a_wrong_signature_an_old_one_and_none_are_refused(
        self, account: Settings, now: datetime
    ) -> None:
        good = plain_callback(account, "", now).query | {"echostr": "1"}
        for query, at in [
            (good | {"signature": "0" * 40}, now),
            (good | {"signature": "签名"}, now),
            ({name: value for name, value in good.items() if name != "signature"}, now),
            (good, now + timedelta(seconds=601)),
            (good, now - timedelta(seconds=601)),
            ({name: value for name, value in good.items() if name != "echostr"}, now),
            ({}, now),
        ]:
            with pytest.raises(BadCallback) as caught:
                check_url(account, query, at)
            assert caught.value.status in (400, 403)


class TestWhatIsLetIn:
    def test_a_safe_callback_opens_with_its_words(self, account: Settings, now: datetime) -> None:
        inbound = opened(account, message_xml(Content="我想报名👶🏻👨‍👩‍👧"), now).inbound

        assert inbound.openid == MAMA
        assert inbound.text == "我想报名👶🏻👨‍👩‍👧"
        assert inbound.kind is Kind.TEXT
        assert inbound.window is Window.WRITE
        assert inbound.received_at == now

    def test_a_plain_callback_opens_in_plain_mode(self, account: Settings, now: datetime) -> None:
        callback = plain_callback(account, message_xml(Content="活动"), now)

        result = open_callback(
            with_(account, wechat_mode="plain"), callback.query, callback.body, now
        )

        assert result.inbound.text == "活动"
        assert result.aes_key is None

    def test_the_previous_key_still_opens_and_is_kept_for_the_reply(
        self, account: Settings, now: datetime
    ) -> None:
        rotating = with_(account, wechat_aes_key_previous=type(account.wechat_token)(OTHER_KEY))
        callback = safe_callback(account, message_xml(Content="活动"), now, OTHER_KEY)

        assert open_callback(rotating, callback.query, callback.body, now).aes_key == OTHER_KEY
        assert refused(account, callback.query, callback.body, now).status == 400

    def test_another_accounts_message_is_refused(self, account: Settings, now: datetime) -> None:
        callback = safe_callback(
            with_(account, wechat_app_id="wx0000000000000000"), message_xml(Content="活动"), now
        )

        assert refused(account, callback.query, callback.body, now).status == 400

    def test_the_mode_is_the_settings_and_never_the_requests(
        self, account: Settings, now: datetime
    ) -> None:
        inner = message_xml(Content="活动")
        plain, safe = plain_callback(account, inner, now), safe_callback(account, inner, now)
        in_plain = with_(account, wechat_mode="plain")

        assert refused(account, plain.query, plain.body, now).status == 403
        assert refused(in_plain, safe.query, safe.body, now).status == 403
        unsaid = safe.asking(encrypt_type=None, msg_signature=None)
        assert refused(in_plain, unsaid.query, unsaid.body, now).status == 400
        raw = safe.asking(encrypt_type="raw")
        assert refused(account, raw.query, raw.body, now).status == 403

    def test_a_body_in_both_forms_is_refused(self, account: Settings, now: datetime) -> None:
        safe = safe_callback(account, message_xml(Content="活动"), now)
        both = safe.body.replace(b"</xml>", b"<MsgType>text</MsgType></xml>")

        assert refused(account, safe.query, both, now).status == 403

    def test_a_clear_text_body_with_a_good_plain_signature_is_no_way_in(
        self, account: Settings, now: datetime
    ) -> None:
        plain = plain_callback(account, message_xml(Content="活动"), now)
        signed = plain.asking(msg_signature=plain.query["signature"], encrypt_type="aes")

        assert refused(account, signed.query, signed.body, now).status == 403

    @pytest.mark.parametrize("parameter", ["msg_signature", "timestamp", "nonce"])
    def test_every_signed_part_counts(
        self, account: Settings, now: datetime, parameter: str
    ) -> None:
        safe = safe_callback(account, message_xml(Content="活动"), now)
        value = safe.query[parameter]
        changed = safe.asking(**{parameter: value[:-1] + ("1" if value[-1] != "1" else "2")})

        assert refused(account, changed.query, changed.body, now).status == 403

    @pytest.mark.parametrize("seconds", [-601, 601])
    def test_a_signature_too_old_or_too_new_is_refused(
        self, account: Settings, now: datetime, seconds: int
    ) -> None:
        callback = safe_callback(account, message_xml(), now + timedelta(seconds=seconds))

        assert refused(account, callback.query, callback.body, now).status == 403

    @pytest.mark.parametrize("seconds", [-600, 0, 600])
    def test_a_signature_within_the_skew_is_let_in(
        self, account: Settings, now: datetime, seconds: int
    ) -> None:
        callback = safe_callback(account, message_xml(), now + timedelta(seconds=seconds))

        assert open_callback(account, callback.query, callback.body, now).sender == MAMA

    def test_with_no_skew_set_any_age_is_let_in(self, account: Settings, now: datetime) -> None:
        callback = safe_callback(account, message_xml(), now - timedelta(days=900))
        ageless = with_(account, wechat_max_skew_seconds=0)

        assert open_callback(ageless, callback.query, callback.body, now).sender == MAMA

    def test_a_body_past_the_cap_is_refused_unread(self, account: Settings, now: datetime) -> None:
        callback = safe_callback(account, message_xml(), now)
        padded = callback.body + b" " * (MAX_BODY_BYTES + 1 - len(callback.body))

        assert refused(account, callback.query, padded, now).status == 413
        assert open_callback(account, callback.query, padded[:-1], now).sender == MAMA


class TestJunk:
    @pytest.mark.parametrize(
        "inner",
        [
            "",
            "x",
            "<xml>",
            "<xml></xml>",
            "<xml><MsgType></MsgType></xml>",
            "<html><MsgType>text</MsgType></html>",
            message_xml().replace("</xml>", ""),
            message_xml().replace("<xml>", "<!DOCTYPE xml><xml>"),
            "<!DOCTYPE xml [<!ENTITY a 'b'>]>" + message_xml(Content="<x>&a;</x>"),
            message_xml(FromUserName=""),
            message_xml(FromUserName="妈妈"),
            message_xml(FromUserName="o" * 65),
            message_xml(FromUserName="<a>o</a>"),
            message_xml(CreateTime=""),
            message_xml(CreateTime="yesterday"),
            message_xml(CreateTime="-1"),
            message_xml(MsgId=""),
            message_xml(MsgId="1 OR 1=1"),
            message_xml(Content="<a>1</a>"),
            message_xml().replace("<MsgType>text</MsgType>", ""),
            message_xml().replace("<MsgType>", "<MsgType>text</MsgType><MsgType>"),
            message_xml().replace(
                "<FromUserName>", "<FromUserName>o1</FromUserName><FromUserName>"
            ),
            event_xml(""),
            event_xml("CLICK", EventKey="<a>1</a>"),
            event_xml("subscribe", EventKey="<a>1</a>"),
            event_xml("user_authorization_revoke"),
            message_xml(Content="<a></a>").replace("<a></a>", "&#8;"),
            "<xml>" + "<a>" * 6_000 + "</a>" * 6_000 + "</xml>",
        ],
    )
    def test_signed_junk_is_a_refusal_and_nothing_worse(
        self, account: Settings, now: datetime, inner: str
    ) -> None:
        safe = safe_callback(account, inner, now)
        plain = plain_callback(account, inner, now)

        assert refused(account, safe.query, safe.body, now).status == 400
        in_plain = with_(account, wechat_mode="plain")
        assert refused(in_plain, plain.query, plain.body, now).status == 400

    @pytest.mark.parametrize("encrypted", ["A", "AAAA", "A" * 64, "好" * 40, "====", "A" * 44, " "])
    def test_what_cannot_be_decrypted_is_refused(
        self, account: Settings, now: datetime, encrypted: str
    ) -> None:
        timestamp = str(int(now.timestamp()))
        token = account.wechat_token.get_secret_value()
        query = {
            "timestamp": timestamp,
            "nonce": NONCE,
            "encrypt_type": "aes",
            "msg_signature": sign(token, timestamp, NONCE, encrypted),
        }
        body = xml(ToUserName=ACCOUNT, Encrypt=encrypted).encode()

        assert refused(account, query, body, now).status in (400, 403)

    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(inner=st.text(st.characters(codec="utf-8"), max_size=300), cut=st.integers(0, 400))
    def test_no_text_inside_and_no_cut_raises_anything_else(
        self, account: Settings, inner: str, cut: int
    ) -> None:
        at = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
        wrapped = message_xml(Content="<![CDATA[...]]>").replace("...", inner)
        for content in (inner, wrapped, message_xml()[:cut]):
            callback = safe_callback(account, content, at)
            for body in (callback.body, callback.body[: len(callback.body) - cut]):
                with contextlib.suppress(BadCallback):
                    open_callback(account, callback.query, body, at)

    def test_the_deepest_body_that_fits_is_refused_fast(
        self, account: Settings, now: datetime
    ) -> None:
        depth = (MAX_BODY_BYTES - 11) // 7
        callback = plain_callback(account, "<xml>" + "<a>" * depth + "</a>" * depth + "</xml>", now)
        began = time.process_time()

        bad = refused(with_(account, wechat_mode="plain"), callback.query, callback.body, now)

        assert bad.status == 400
        assert time.process_time() - began < 2
