"""Callbacks as the platform makes them, written on the cipher itself and not on wechatpy."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from xml.sax.saxutils import escape

from app.config import Settings
from app.wechat.envelope import Opened, open_callback
from sandbox.envelope import encrypt, open_reply
from sandbox.settings import Settings as SandboxSettings

ACCOUNT = "gh_0123456789ab"
MAMA = "oMAMA-0123456789abcdefghijkl"
NONCE = "1514711492"


@dataclass(frozen=True)
class Callback:
    """One request to /wechat."""

    query: dict[str, str]
    body: bytes

    def asking(self, **changed: str | None) -> "Callback":
        """The same with other query parameters; None takes one away."""
        merged = {**self.query, **changed}
        return replace(self, query={name: v for name, v in merged.items() if v is not None})


def platform_of(settings: Settings, aes_key: str | None = None) -> SandboxSettings:
    """The platform's view of an account."""
    return SandboxSettings(
        callback="",
        app_id=settings.wechat_app_id,
        token=settings.wechat_token.get_secret_value(),
        aes_key=aes_key or settings.wechat_aes_key.get_secret_value(),
        mode=settings.wechat_mode,
        account_id=ACCOUNT,
    )


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def xml(**elements: str) -> str:
    """A message's XML; what comes as <...> is put in as it is."""
    inside = "".join(
        f"<{name}>{value if value.startswith('<') else escape(value)}</{name}>"
        for name, value in elements.items()
    )
    return f"<xml>{inside}</xml>"


def message_xml(kind: str = "text", **elements: str) -> str:
    head = {
        "ToUserName": ACCOUNT,
        "FromUserName": MAMA,
        "CreateTime": "1795312800",
        "MsgType": kind,
        "MsgId": "23456789012345678",
    }
    return xml(**{**head, **elements})


def event_xml(name: str, **elements: str) -> str:
    head = {
        "ToUserName": ACCOUNT,
        "FromUserName": MAMA,
        "CreateTime": "1795312800",
        "MsgType": "event",
        "Event": name,
    }
    return xml(**{**head, **elements})


def safe_callback(
    settings: Settings, inner: str, at: datetime, aes_key: str | None = None
) -> Callback:
    """An encrypted callback, as safe mode has it."""
    encrypted = encrypt(platform_of(settings, aes_key), inner)
    token, timestamp = settings.wechat_token.get_secret_value(), str(int(at.timestamp()))
    query = {
        "signature": sign(token, timestamp, NONCE),
        "timestamp": timestamp,
        "nonce": NONCE,
        "openid": MAMA,
        "encrypt_type": "aes",
        "msg_signature": sign(token, timestamp, NONCE, encrypted),
    }
    return Callback(query, xml(ToUserName=ACCOUNT, Encrypt=encrypted).encode())


def plain_callback(settings: Settings, inner: str, at: datetime) -> Callback:
    """A callback in clear, as plain mode has it."""
    token, timestamp = settings.wechat_token.get_secret_value(), str(int(at.timestamp()))
    query = {"signature": sign(token, timestamp, NONCE), "timestamp": timestamp, "nonce": NONCE}
    return Callback(query, inner.encode())


def opened(settings: Settings, inner: str, at: datetime) -> Opened:
    """A message, through the envelope."""
    callback = safe_callback(settings, inner, at)
    return open_callback(settings, callback.query, callback.body, at)


def said(settings: Settings, body: bytes, aes_key: str | None = None) -> dict[str, str]:
    """The elements of a sealed reply, as the platform verifies and reads it; empty for silence."""
    root = open_reply(platform_of(settings, aes_key), body, NONCE)
    if root is None:
        return {}
    return {element.tag: element.text or "" for element in root.iter() if element is not root}
