"""Template messages and subscription notices: fields, repeats, quotas, receipts, consents."""

from xml.etree import ElementTree

import pytest

from sandbox import catalogue
from sandbox.records import Template, TemplateField
from sandbox.template_messages import FIELD_SHAPES
from tests.sandbox.playing import MAMA, Handle, Service

SEND = "/cgi-bin/message/template/send"
BIZSEND = "/cgi-bin/message/subscribe/bizsend"
CONFIRMED = {
    "thing1": "一起爬一爬",
    "time2": "2026年12月6日 09:30",
    "thing3": "城桥镇早教指导站",
    "thing4": "糖糖",
    "phone_number5": "021-59610000",
}
PACK = {"thing1": "会坐了", "thing2": "6–8 月龄"}


def body(template: Template, values: dict[str, str], **more: object) -> dict[str, object]:
    return {
        "touser": MAMA,
        "template_id": template.id,
        "data": {key: {"value": value} for key, value in values.items()},
        **more,
    }


def confirmed(**more: object) -> dict[str, object]:
    return body(catalogue.BOOKING_CONFIRMED, CONFIRMED, **more)


def test_a_template_message_shows_as_a_card_with_its_labels(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    answer = sandbox.call(SEND, confirmed(url="http://127.0.0.1/family"))
    assert answer["errcode"] == 0
    card = sandbox.shown(MAMA)[-1]
    assert (card["kind"], card["title"], card["url"]) == (
        "template",
        "预约成功通知",
        "http://127.0.0.1/family",
    )
    assert {"label": "活动名称", "value": "一起爬一爬"} in card["fields"]


def test_a_receipt_follows_with_the_same_id(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    msgid = sandbox.call(SEND, confirmed())["msgid"]
    xml = ElementTree.fromstring(service.wait_for(2)[1].xml)
    assert xml.findtext("Event") == "TEMPLATESENDJOBFINISH"
    assert xml.findtext("MsgID") == str(msgid)
    assert xml.findtext("Status") == "success"
    assert xml.findtext("FromUserName") == MAMA


def test_somebody_who_refuses_templates_shows_only_in_the_receipt(
    sandbox: Handle, service: Service
) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "block_templates", on=True)
    before = len(sandbox.shown(MAMA))
    assert sandbox.call(SEND, confirmed())["errcode"] == 0
    xml = ElementTree.fromstring(service.wait_for(2)[1].xml)
    assert xml.findtext("Status") == "failed:user block"
    assert len(sandbox.shown(MAMA)) == before


def test_a_receipt_can_be_made_to_tell_of_a_failure(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.fault(path=SEND, job_status="failed: system failed")
    assert sandbox.call(SEND, confirmed())["errcode"] == 0
    xml = ElementTree.fromstring(service.wait_for(2)[1].xml)
    assert xml.findtext("Status") == "failed: system failed"


def test_the_same_client_msg_id_is_one_message_for_ten_minutes(
    sandbox: Handle, service: Service
) -> None:
    sandbox.act(MAMA, "follow")
    first = sandbox.call(SEND, confirmed(client_msg_id="notice-7"))
    sandbox.shift(599)
    again = sandbox.call(SEND, confirmed(client_msg_id="notice-7"))
    assert again == first
    assert len(sandbox.accepted()) == 1
    sandbox.shift(1)
    late = sandbox.call(SEND, confirmed(client_msg_id="notice-7"))
    assert late["msgid"] != first["msgid"]
    assert len(sandbox.accepted()) == 2
    # A follow and two receipts: the repeat had none.
    assert len(service.wait_for(3)) == 3


def test_client_msg_ids_of_two_people_do_not_meet(sandbox: Handle) -> None:
    for openid in (MAMA, *[person for person in sandbox.world.state.people if person != MAMA]):
        sandbox.act(openid, "follow")
        request = confirmed(client_msg_id="same") | {"touser": openid}
        assert sandbox.call(SEND, request)["errcode"] == 0
    assert len(sandbox.accepted()) == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thing1", "字" * 21),
        ("thing1", "两行\n字"),
        ("thing1", " "),
        ("time2", "明天上午"),
        ("phone_number5", "打前台"),
    ],
)
def test_a_field_that_breaks_its_limit_is_named(sandbox: Handle, key: str, value: str) -> None:
    sandbox.act(MAMA, "follow")
    answer = sandbox.call(SEND, body(catalogue.BOOKING_CONFIRMED, CONFIRMED | {key: value}))
    assert answer["errcode"] == 47003
    assert f"data.{key}.value" in answer["errmsg"]
    assert sandbox.accepted() == []


def test_a_missing_field_is_named(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    values = {key: value for key, value in CONFIRMED.items() if key != "thing4"}
    answer = sandbox.call(SEND, body(catalogue.BOOKING_CONFIRMED, values))
    assert (answer["errcode"], "thing4" in answer["errmsg"]) == (47003, True)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("thing", "字" * 20, "字" * 21),
        ("character_string", "A-7" * 10, "核对码7"),
        ("character_string", "x" * 32, "x" * 33),
        ("phrase", "已经确认了", "已经确认了吧"),
        ("phrase", "已确认", "OK"),
        ("name", "欧阳小禾", "字" * 11),
        ("time", "15:01", "三点"),
        ("number", "12.5", "十二"),
        ("phone_number", "+86 21 5961 0000", "1" * 18),
    ],
)
def test_each_kind_of_field_has_its_own_limit(kind: str, good: str, bad: str) -> None:
    assert FIELD_SHAPES[kind].fullmatch(good)
    assert not FIELD_SHAPES[kind].fullmatch(bad)


def test_every_template_of_the_account_has_fields_that_the_platform_knows() -> None:
    for template in catalogue.TEMPLATES:
        assert len(template.id) == 43
        for field in template.fields:
            assert field.key.rstrip("0123456789") in FIELD_SHAPES


def test_an_unknown_template_is_refused(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    unknown = Template("x" * 43, "", (TemplateField("thing1", ""),))
    assert sandbox.call(SEND, body(unknown, {"thing1": "一"}))["errcode"] == 40037
    # A subscription template is none of the template API's.
    assert sandbox.call(SEND, body(catalogue.PACK_READY, PACK))["errcode"] == 40037


def test_the_days_quota_ends_at_midnight_in_beijing(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.client.post("/_sandbox/limits", json={"path": SEND, "per_day": 2})
    seconds_into_day = (sandbox.world.now() + 8 * 3600) % 86_400
    sandbox.shift(86_400 - seconds_into_day - 30)
    assert [sandbox.call(SEND, confirmed())["errcode"] for _ in range(3)] == [0, 0, 45009]
    sandbox.shift(60)
    sandbox.token = sandbox.stable_token()["access_token"]
    assert sandbox.call(SEND, confirmed())["errcode"] == 0


def test_a_quota_can_be_cleared_ten_times_a_month(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.client.post("/_sandbox/limits", json={"path": SEND, "per_day": 1})
    clearing = {"appid": sandbox.world.settings.app_id}
    for _ in range(10):
        assert sandbox.call(SEND, confirmed())["errcode"] == 0
        assert sandbox.call(SEND, confirmed())["errcode"] == 45009
        assert sandbox.call("/cgi-bin/clear_quota", clearing)["errcode"] == 0
    assert sandbox.call("/cgi-bin/clear_quota", clearing)["errcode"] == 48006


def test_one_consent_is_one_notice(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    pack = body(catalogue.PACK_READY, PACK)
    assert sandbox.call(BIZSEND, pack)["errcode"] == 43101
    sandbox.act(MAMA, "subscribe_consent", template_id=catalogue.PACK_READY.id)
    assert [sandbox.call(BIZSEND, pack)["errcode"] for _ in range(2)] == [0, 43101]
    receipt = ElementTree.fromstring(service.wait_for(3)[2].xml)
    assert receipt.findtext("Event") == "subscribe_msg_sent_event"
    assert receipt.findtext("SubscribeMsgSentEvent/List/ErrorStatus") == "success"


def test_a_refused_consent_allows_nothing(sandbox: Handle, service: Service) -> None:
    sandbox.act(MAMA, "follow")
    sandbox.act(MAMA, "subscribe_consent", template_id=catalogue.PACK_READY.id, accept=False)
    assert sandbox.call(BIZSEND, body(catalogue.PACK_READY, PACK))["errcode"] == 43101
    popup = ElementTree.fromstring(service.received[1].xml)
    assert popup.findtext("Event") == "subscribe_msg_popup_event"
    assert popup.findtext("SubscribeMsgPopupEvent/List/SubscribeStatusString") == "reject"


def test_a_lasting_consent_is_not_spent_and_can_be_taken_back(sandbox: Handle) -> None:
    sandbox.act(MAMA, "follow")
    due = body(catalogue.GUIDANCE_DUE, {"thing1": "辅食", "thing2": "看看怎么做"})
    sandbox.act(MAMA, "subscribe_consent", template_id=catalogue.GUIDANCE_DUE.id)
    assert [sandbox.call(BIZSEND, due)["errcode"] for _ in range(3)] == [0, 0, 0]
    sandbox.act(
        MAMA,
        "subscribe_consent",
        template_id=catalogue.GUIDANCE_DUE.id,
        accept=False,
        in_settings=True,
    )
    assert sandbox.call(BIZSEND, due)["errcode"] == 43101


def test_the_accounts_templates_are_listed(sandbox: Handle) -> None:
    rows = sandbox.call("/cgi-bin/template/get_all_private_template")["template_list"]
    listed = {row["template_id"]: row["content"] for row in rows}
    assert "活动名称:{{thing1.DATA}}\n" in listed[catalogue.BOOKING_CONFIRMED.id]
    assert catalogue.PACK_READY.id not in listed
