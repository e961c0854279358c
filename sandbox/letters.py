"""The XML of every message and event that the platform posts to a callback."""

import time
from collections.abc import Sequence

from sandbox.envelope import Node, build_xml
from sandbox.records import Letter
from sandbox.settings import Settings

PLATFORM_OPENID = "oSbx0PlatformItself00000000"
"""Who authorisation events come from; the person is in their OpenID."""


def message(
    settings: Settings,
    openid: str,
    kind: str,
    msgid: int,
    fields: Sequence[tuple[str, Node]],
) -> Letter:
    """Something that a person wrote or sent."""
    xml = build_xml(
        [*_head(settings, openid), ("MsgType", kind), *fields, ("MsgId", msgid)],
    )
    return Letter(openid, kind, xml, is_event=False)


def event(
    settings: Settings,
    openid: str,
    name: str,
    fields: Sequence[tuple[str, Node]] = (),
    *,
    tells_trouble: bool = False,
) -> Letter:
    """Something that happened: a follow, a tap, a job done."""
    xml = build_xml(
        [*_head(settings, openid), ("MsgType", "event"), ("Event", name), *fields],
    )
    return Letter(openid, f"event/{name}", xml, is_event=True, tells_trouble=tells_trouble)


def authorisation_event(settings: Settings, openid: str, name: str) -> Letter:
    """user_info_modified, user_authorization_revoke or user_authorization_cancellation."""
    fields: list[tuple[str, Node]] = [
        ("OpenID", openid),
        ("AppID", settings.app_id),
        ("RevokeInfo", "1"),
        ("PluginID", ""),
        ("OpenPID", ""),
    ]
    return event(settings, PLATFORM_OPENID, name, fields)


def template_receipt(settings: Settings, openid: str, msgid: int, status: str) -> Letter:
    """TEMPLATESENDJOBFINISH: what became of a template message."""
    fields: list[tuple[str, Node]] = [("MsgID", msgid), ("Status", status)]
    return event(settings, openid, "TEMPLATESENDJOBFINISH", fields)


def subscription_sent(settings: Settings, openid: str, template_id: str, msgid: int) -> Letter:
    """subscribe_msg_sent_event: what became of a subscription notice."""
    row: list[tuple[str, Node]] = [
        ("TemplateId", template_id),
        ("MsgID", msgid),
        ("ErrorCode", "0"),
        ("ErrorStatus", "success"),
    ]
    fields: list[tuple[str, Node]] = [("SubscribeMsgSentEvent", [("List", row)])]
    return event(settings, openid, "subscribe_msg_sent_event", fields)


def consent(
    settings: Settings, openid: str, template_id: str, *, accepted: bool, in_settings: bool
) -> Letter:
    """subscribe_msg_popup_event from a page's question, or …change_event from the settings."""
    row: list[tuple[str, Node]] = [
        ("TemplateId", template_id),
        ("SubscribeStatusString", "accept" if accepted else "reject"),
    ]
    if in_settings:
        return event(
            settings,
            openid,
            "subscribe_msg_change_event",
            [("SubscribeMsgChangeEvent", [("List", row)])],
        )
    # 1: a page of the account asked; 2 would be an article.
    row.append(("PopupScene", "1"))
    return event(
        settings,
        openid,
        "subscribe_msg_popup_event",
        [("SubscribeMsgPopupEvent", [("List", row)])],
    )


def _head(settings: Settings, openid: str) -> list[tuple[str, Node]]:
    return [
        ("ToUserName", settings.account_id),
        ("FromUserName", openid),
        # True time, as in the signature: a shifted clock is the sandbox's own affair.
        ("CreateTime", int(time.time())),
    ]
