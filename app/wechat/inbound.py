"""Which message or event a callback is, who sent it, and what makes it the same one again."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, Self

from app.dialogue.message import Inbound, Kind, Window
from app.wechat.errors import BadCallback
from app.wechat.plain_text import clean

_OPENID = re.compile(r"[!-~]{1,64}")
_NUMBER = re.compile(r"[0-9]{1,20}")
SCENE_PREFIX = "qrscene_"

_MESSAGES = {
    "text": Kind.TEXT,
    "voice": Kind.VOICE,
    "image": Kind.IMAGE,
    "video": Kind.VIDEO,
    "shortvideo": Kind.SHORT_VIDEO,
    "location": Kind.LOCATION,
    "link": Kind.LINK,
    "miniprogrampage": Kind.LINK,
    "file": Kind.FILE,
}
_EVENTS = {
    "subscribe": Kind.SUBSCRIBE,
    "unsubscribe": Kind.UNSUBSCRIBE,
    "scan": Kind.SCAN,
    "click": Kind.CLICK,
    # The phone shows "消息接收中" until we answer: it is a click that brings a code along.
    "scancode_waitmsg": Kind.CLICK,
    "view": Kind.VIEW,
    "view_miniprogram": Kind.VIEW,
    "templatesendjobfinish": Kind.TEMPLATE_RECEIPT,
    "subscribe_msg_popup_event": Kind.CONSENT_POPUP,
    "subscribe_msg_change_event": Kind.CONSENT_CHANGE,
    "subscribe_msg_sent_event": Kind.CONSENT_SENT,
    "user_info_modified": Kind.USER_INFO_MODIFIED,
    "user_authorization_revoke": Kind.AUTHORISATION_REVOKED,
    "user_authorization_cancellation": Kind.AUTHORISATION_CANCELLED,
}
_TAPS = frozenset(
    {
        "subscribe",
        "scan",
        "click",
        "scancode_waitmsg",
        "scancode_push",
    }
)
_ABOUT_SOMEONE = frozenset(
    {Kind.USER_INFO_MODIFIED, Kind.AUTHORISATION_REVOKED, Kind.AUTHORISATION_CANCELLED}
)
_CONSENTS = {
    Kind.CONSENT_POPUP: ("SubscribeMsgPopupEvent", "SubscribeStatusString"),
    Kind.CONSENT_CHANGE: ("SubscribeMsgChangeEvent", "SubscribeStatusString"),
    Kind.CONSENT_SENT: ("SubscribeMsgSentEvent", "ErrorStatus"),
}


class Fields(Protocol):
    """The elements of one message."""

    @property
    def is_event(self) -> bool: ...

    def text(self, name: str) -> str: ...

    def group(self, name: str) -> tuple[Self, ...]: ...

    def inside(self, outer: str, name: str) -> str: ...


def read_inbound(fields: Fields, now: datetime) -> Inbound:
    """The message or event. Raises BadCallback where what identifies it is missing."""
    return _event(fields, now) if fields.is_event else _message(fields, now)


def _message(fields: Fields, now: datetime) -> Inbound:
    openid = _checked(fields.text("FromUserName"), _OPENID, "no sender")
    created = _checked(fields.text("CreateTime"), _NUMBER, "no time")
    message_id = _checked(fields.text("MsgId"), _NUMBER, "no message id")
    kind = _MESSAGES.get(_checked_name(fields.text("MsgType")), Kind.OTHER)
    text = ""
    if kind is Kind.TEXT:
        text = fields.text("Content")
    elif kind is Kind.VOICE:
        text = fields.text("Recognition")
    return Inbound(
        key=_key("message", (message_id, openid, created)),
        openid=openid,
        kind=kind,
        received_at=now,
        text=clean(text).strip(),
        window=Window.WRITE,
    )


def _event(fields: Fields, now: datetime) -> Inbound:
    name = _checked_name(fields.text("Event"))
    kind = _EVENTS.get(name, Kind.OTHER)
    # In authorisation events the sender is the platform itself.
    whose = "OpenID" if kind in _ABOUT_SOMEONE else "FromUserName"
    openid = _checked(fields.text(whose), _OPENID, "no sender")
    created = _checked(fields.text("CreateTime"), _NUMBER, "no time")
    event_key = clean(fields.text("EventKey")).removeprefix(SCENE_PREFIX)
    platform_id = fields.text("MsgID") or fields.text("MsgId")
    status = fields.text("Status")
    if kind in _CONSENTS:
        platform_id, status = _consents(fields, kind)
    return Inbound(
        key=_key("event", (openid, created, name, event_key, platform_id, status)),
        openid=openid,
        kind=kind,
        received_at=now,
        text=clean(fields.inside("ScanCodeInfo", "ScanResult")),
        event_key=event_key,
        window=Window.TAP if name in _TAPS else None,
        platform_id=platform_id,
        status=status,
    )


def _consents(fields: Fields, kind: Kind) -> tuple[str, str]:
    """The message id of a sent one, and "template:status" of each, joined by commas."""
    group, status = _CONSENTS[kind]
    entries = fields.group(group)
    ids = (entry.text("MsgID") for entry in entries)
    states = (f"{entry.text('TemplateId')}:{entry.text(status)}" for entry in entries)
    return next(ids, ""), clean(",".join(states))


def _key(what: str, parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join((what, *parts)).encode()).hexdigest()


def _checked_name(name: str) -> str:
    if not name:
        raise BadCallback(400, "no message type")
    return name.lower()


def _checked(value: str, shape: re.Pattern[str], reason: str) -> str:
    if not shape.fullmatch(value):
        raise BadCallback(400, reason)
    return value
