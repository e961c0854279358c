"""What a callback is once it is open: its kind, its sender, its words, its key."""

from datetime import datetime, timedelta

import pytest

from app.config import Settings
from app.dialogue.message import Kind, Window
from tests.wechat.callbacks import MAMA, event_xml, message_xml, opened

LIST = (
    "<List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
)


class TestKinds:
    @pytest.mark.parametrize(
        "sent, kind, text",
        [
            (message_xml("text", Content=" 活动 "), Kind.TEXT, "活动"),
            (message_xml("text"), Kind.TEXT, ""),
            (message_xml("voice", Recognition="报名", MediaId="m"), Kind.VOICE, "报名"),
            (message_xml("voice", MediaId="m"), Kind.VOICE, ""),
            (message_xml("image", PicUrl="http://x", MediaId="m"), Kind.IMAGE, ""),
            (message_xml("video", MediaId="m"), Kind.VIDEO, ""),
            (message_xml("shortvideo", MediaId="m"), Kind.SHORT_VIDEO, ""),
            (message_xml("location", Location_X="31", Label="城桥镇"), Kind.LOCATION, ""),
            (message_xml("link", Title="t", Url="http://x"), Kind.LINK, ""),
            (message_xml("file", Title="t"), Kind.FILE, ""),
            (message_xml("miniprogrampage", Title="t"), Kind.LINK, ""),
            (message_xml("something_new"), Kind.OTHER, ""),
        ],
    )
    def test_every_message_opens_the_long_window(
        self, account: Settings, now: datetime, sent: str, kind: Kind, text: str
    ) -> None:
        result = opened(account, sent, now)

        assert (result.inbound.kind, result.inbound.text) == (kind, text)
        assert result.inbound.window is Window.WRITE
        assert not result.is_event

    @pytest.mark.parametrize(
        "name, event_key, kind, heard, window",
        [
            ("subscribe", "", Kind.SUBSCRIBE, "", Window.TAP),
            ("subscribe", "qrscene_CQ", Kind.SUBSCRIBE, "CQ", Window.TAP),
            ("SCAN", "CQ", Kind.SCAN, "CQ", Window.TAP),
            ("unsubscribe", "", Kind.UNSUBSCRIBE, "", None),
            ("LOCATION", "", Kind.OTHER, "", None),
            ("CLICK", "我的预约", Kind.CLICK, "我的预约", Window.TAP),
            ("VIEW", "http://x/", Kind.VIEW, "http://x/", None),
            ("MASSSENDJOBFINISH", "", Kind.OTHER, "", None),
            ("pic_sysphoto", "k", Kind.OTHER, "k", None),
            ("scancode_push", "k", Kind.OTHER, "k", Window.TAP),
            ("something_new", "", Kind.OTHER, "", None),
        ],
    )
    def test_every_event_is_known_for_what_it_is(
        self,
        account: Settings,
        now: datetime,
        name: str,
        event_key: str,
        kind: Kind,
        heard: str,
        window: Window | None,
    ) -> None:
        result = opened(account, event_xml(name, EventKey=event_key), now)

        assert (result.inbound.kind, result.inbound.event_key) == (kind, heard)
        assert result.inbound.window is window
        assert result.is_event

    def test_a_scanned_code_brings_what_it_says(self, account: Settings, now: datetime) -> None:
        scanned = "<ScanType>qrcode</ScanType><ScanResult>CQ-1</ScanResult>"
        inbound = opened(
            account, event_xml("scancode_waitmsg", EventKey="签到", ScanCodeInfo=scanned), now
        ).inbound

        assert (inbound.kind, inbound.event_key, inbound.text) == (Kind.CLICK, "签到", "CQ-1")
        assert inbound.window is Window.TAP

    def test_a_template_receipt_names_its_message_and_its_fate(
        self, account: Settings, now: datetime
    ) -> None:
        sent = event_xml("TEMPLATESENDJOBFINISH", MsgID="2001", Status="failed:user block")
        inbound = opened(account, sent, now).inbound

        assert inbound.kind is Kind.TEMPLATE_RECEIPT
        assert (inbound.platform_id, inbound.status) == ("2001", "failed:user block")

    @pytest.mark.parametrize(
        "name, kind",
        [
            ("user_info_modified", Kind.USER_INFO_MODIFIED),
            ("user_authorization_revoke", Kind.AUTHORISATION_REVOKED),
            ("user_authorization_cancellation", Kind.AUTHORISATION_CANCELLED),
        ],
    )
    def test_authorisation_events_are_about_the_person_and_not_the_platform(
        self, account: Settings, now: datetime, name: str, kind: Kind
    ) -> None:
        inbound = opened(
            account, event_xml(name, FromUserName="platform", OpenID=MAMA), now
        ).inbound

        assert (inbound.kind, inbound.openid) == (kind, MAMA)

    def test_two_people_who_revoke_in_one_second_are_two(
        self, account: Settings, now: datetime
    ) -> None:
        keys = {
            opened(
                account,
                event_xml("user_authorization_revoke", FromUserName="platform", OpenID=openid),
                now,
            ).inbound.key
            for openid in ("oA", "oB")
        }

        assert len(keys) == 2

    @pytest.mark.parametrize(
        "name, group, kind",
        [
            ("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", Kind.CONSENT_POPUP),
            ("subscribe_msg_change_event", "SubscribeMsgChangeEvent", Kind.CONSENT_CHANGE),
        ],
    )
    def test_one_consent_and_several_are_read_alike(
        self, account: Settings, now: datetime, name: str, group: str, kind: Kind
    ) -> None:
        one = opened(account, event_xml(name, **{group: LIST}), now).inbound
        two = opened(
            account,
            event_xml(name, **{group: LIST + LIST.replace("T1", "T2").replace("accept", "reject")}),
            now,
        ).inbound

        assert (one.kind, one.status) == (kind, "T1:accept")
        assert two.status == "T1:accept,T2:reject"

    def test_a_sent_subscription_names_its_message(self, account: Settings, now: datetime) -> None:
        entry = (
            "<List><TemplateId>T1</TemplateId><MsgID>77</MsgID>"
            "<ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List>"
        )
        sent = event_xml("subscribe_msg_sent_event", SubscribeMsgSentEvent=entry)
        inbound = opened(account, sent, now).inbound

        assert inbound.kind is Kind.CONSENT_SENT
        assert (inbound.platform_id, inbound.status) == ("77", "T1:success")


class TestKeys:
    def test_a_retry_has_the_same_key_whatever_its_envelope(
        self, account: Settings, now: datetime
    ) -> None:
        first = opened(account, message_xml(Content="活动"), now)
        retry = opened(account, message_xml(Content="活动"), now + timedelta(seconds=5))

        assert first.inbound.key == retry.inbound.key
        assert len(first.inbound.key) == 64

    @pytest.mark.parametrize(
        "other",
        [
            message_xml(MsgId="23456789012345679"),
            message_xml(FromUserName="oBABA"),
            message_xml(CreateTime="1795312801"),
        ],
    )
    def test_message_id_sender_and_second_all_make_the_key(
        self, account: Settings, now: datetime, other: str
    ) -> None:
        assert (
            opened(account, other, now).inbound.key
            != opened(account, message_xml(), now).inbound.key
        )

    def test_two_events_of_one_second_are_two(self, account: Settings, now: datetime) -> None:
        keys = {
            opened(account, sent, now).inbound.key
            for sent in (
                event_xml("CLICK", EventKey="活动"),
                event_xml("CLICK", EventKey="帮助"),
                event_xml("VIEW", EventKey="活动"),
                event_xml("subscribe"),
                event_xml("TEMPLATESENDJOBFINISH", MsgID="1", Status="success"),
                event_xml("TEMPLATESENDJOBFINISH", MsgID="2", Status="success"),
            )
        }

        assert len(keys) == 6


class TestText:
    def test_control_characters_go_and_lines_and_emoji_stay(
        self, account: Settings, now: datetime
    ) -> None:
        typed = "<![CDATA[糖\x00糖\x08\x0b\x1f\r\n2026-05-01\t女\x7f\x85\u202e👩‍🍼❤️]]>"

        inbound = opened(account, message_xml(Content=typed), now).inbound

        assert inbound.text == "糖糖\n2026-05-01\t女👩‍🍼❤️"

    def test_a_person_may_type_what_looks_like_a_declaration(
        self, account: Settings, now: datetime
    ) -> None:
        typed = "<![CDATA[<!DOCTYPE html><!ENTITY x>&amp; ]]>"

        inbound = opened(account, message_xml(Content=typed), now).inbound

        assert inbound.text == "<!DOCTYPE html><!ENTITY x>&amp;"
