"""The platform's envelope: a signed, mostly encrypted XML in, an Inbound out; a Reply back in.

wechatpy decrypts, encrypts and renders. Around it stands what it lacks: the pinned mode,
comparison in constant time, the body's cap, both AES keys, one error for everything malformed. Its
parser, which is written in Python, took as long as all the encryption: ElementTree reads the same.
"""

import hmac
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from wechatpy.crypto import PrpCrypto, WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException
from wechatpy.replies import ArticlesReply, TextReply, TransferCustomerServiceReply
from wechatpy.utils import WeChatSigner

from app.config import Settings
from app.dialogue.message import Inbound, Reply
from app.wechat.errors import BadCallback
from app.wechat.inbound import read_inbound
from app.wechat.plain_text import clean, fit

MAX_BODY_BYTES = 64 * 1024
MAX_ECHO_LENGTH = 1_024
NOTHING_TO_SAY = b"success"
"""The answer that shows the person nothing and stops the platform's retries."""
TITLE_LIMIT_BYTES = 192
DESCRIPTION_LIMIT_BYTES = 512

# wechatpy lets all of these through when a signed body is not what it should be.
_MALFORMED = (
    AssertionError,
    AttributeError,
    ElementTree.ParseError,
    IndexError,
    InvalidAppIdException,
    KeyError,
    TypeError,
    ValueError,
    struct.error,
)
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[A-Za-z0-9_.~-]{1,128}")
# A DOCTYPE can only stand before the root element. Looking for it anywhere would refuse
# the person who types "<!DOCTYPE html>" into the chat.
_STARTS_WITH_ROOT = re.compile(r"\s*(?:<\?xml[^<>]{0,200}\?>\s*)?<xml[\s>]")


@dataclass(frozen=True, slots=True)
class Opened:
    """A callback that was verified, and what is needed to answer it."""

    inbound: Inbound
    sender: str
    account: str
    nonce: str
    aes_key: str | None
    """The key that decrypted it; None in plain mode."""
    is_event: bool


def check_url(settings: Settings, query: Mapping[str, str], now: datetime) -> str:
    """The echostr that proves to the platform that this address is ours.

    It is plain in every mode. Raises BadCallback.
    """
    timestamp, nonce = _fresh(settings, query, now)
    token = settings.wechat_token.get_secret_value()
    _check_signature(query.get("signature", ""), token, timestamp, nonce)
    echo = query.get("echostr", "")
    if not echo or len(echo) > MAX_ECHO_LENGTH:
        raise BadCallback(400, "no echostr")
    return echo


def open_callback(
    settings: Settings, query: Mapping[str, str], body: bytes, now: datetime
) -> Opened:
    """The message in a callback. Raises BadCallback for whatever the platform would not send."""
    if len(body) > MAX_BODY_BYTES:
        raise BadCallback(413, "body too large")
    timestamp, nonce = _fresh(settings, query, now)
    token = settings.wechat_token.get_secret_value()
    aes_key: str | None = None
    if settings.wechat_mode == "safe":
        if "msg_signature" not in query or query.get("encrypt_type", "aes") != "aes":
            raise BadCallback(403, "not in safe mode")
        encrypted = _encrypted_part(_decoded(body))
        _check_signature(query["msg_signature"], token, timestamp, nonce, encrypted)
        xml, aes_key = _decrypt(settings, encrypted)
    else:
        if query.get("encrypt_type", "raw") != "raw":
            raise BadCallback(403, "not in plain mode")
        _check_signature(query.get("signature", ""), token, timestamp, nonce)
        xml = _decoded(body)
    fields = _parse(xml)
    inbound = read_inbound(fields, now)
    return Opened(
        inbound=inbound,
        sender=fields.text("FromUserName"),
        account=fields.text("ToUserName"),
        nonce=nonce,
        aes_key=aes_key,
        is_event=fields.is_event,
    )


def seal_reply(settings: Settings, opened: Opened, reply: Reply | None, now: datetime) -> bytes:
    """The body that answers a callback, encrypted with the key that the callback came in."""
    xml = _render(opened, reply, int(now.timestamp()))
    if xml is None:
        return NOTHING_TO_SAY
    if opened.aes_key is None:
        return xml.encode()
    crypto = WeChatCrypto(
        settings.wechat_token.get_secret_value(), opened.aes_key, settings.wechat_app_id
    )
    sealed: str = crypto.encrypt_message(xml, opened.nonce, str(int(now.timestamp())))
    return sealed.encode()


def _fresh(settings: Settings, query: Mapping[str, str], now: datetime) -> tuple[str, str]:
    """The timestamp and nonce, of the right shape and not too old or new."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not _TIMESTAMP.fullmatch(timestamp) or not _NONCE.fullmatch(nonce):
        raise BadCallback(400, "no timestamp or nonce")
    skew = abs(now.timestamp() - int(timestamp))
    if 0 < settings.wechat_max_skew_seconds < skew:
        raise BadCallback(403, "timestamp too far from our clock")
    return timestamp, nonce


def _check_signature(given: str, *signed: str) -> None:
    signer = WeChatSigner()
    signer.add_data(*signed)
    if not hmac.compare_digest(str(signer.signature).encode(), given.encode()):
        raise BadCallback(403, "bad signature")


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadCallback(400, "not UTF-8") from None


def _checked_xml(xml: str) -> str:
    if not _STARTS_WITH_ROOT.match(xml):
        raise BadCallback(400, "not the platform's XML")
    # Raw control characters, which people paste into a chat, end any XML parser's work.
    return clean(xml)


def _encrypted_part(body: str) -> str:
    try:
        root = ElementTree.fromstring(_checked_xml(body))
    except _MALFORMED:
        raise BadCallback(400, "malformed XML") from None
    if root.find("MsgType") is not None:
        # Both forms in one body: the compatible mode, which nothing here should be set to.
        raise BadCallback(403, "not in safe mode")
    encrypted = root.findtext("Encrypt")
    if not encrypted:
        raise BadCallback(403, "not in safe mode")
    return encrypted


def _decrypt(settings: Settings, encrypted: str) -> tuple[str, str]:
    """The XML inside, and the key that opened it: the current one, or else the previous."""
    for aes_key in settings.aes_keys:
        crypto = WeChatCrypto(
            settings.wechat_token.get_secret_value(), aes_key, settings.wechat_app_id
        )
        try:
            return str(PrpCrypto(crypto.key).decrypt(encrypted, settings.wechat_app_id)), aes_key
        except _MALFORMED:
            continue
    raise BadCallback(400, "cannot be decrypted for this account")


@dataclass(frozen=True, slots=True)
class _Parsed:
    """The elements of a message, as read_inbound asks for them."""

    element: ElementTree.Element

    @property
    def is_event(self) -> bool:
        return self.text("MsgType").lower() == "event"

    def text(self, name: str) -> str:
        """An element's text; empty where there is none. Repeated or nested: BadCallback."""
        found = self.element.findall(name)
        if not found:
            return ""
        if len(found) > 1 or len(found[0]) or found[0].attrib:
            raise BadCallback(400, "malformed XML")
        return (found[0].text or "").strip()

    def group(self, name: str) -> tuple["_Parsed", ...]:
        """The <List> entries inside an element."""
        outer = self.element.find(name)
        return () if outer is None else tuple(_Parsed(each) for each in outer.findall("List"))

    def inside(self, outer: str, name: str) -> str:
        """The text of an element within another."""
        element = self.element.find(outer)
        return "" if element is None else _Parsed(element).text(name)


def _parse(xml: str) -> _Parsed:
    try:
        return _Parsed(ElementTree.fromstring(_checked_xml(xml)))
    except _MALFORMED:
        raise BadCallback(400, "malformed XML") from None


def _render(opened: Opened, reply: Reply | None, seconds: int) -> str | None:
    """The reply's XML; None where there is nothing to say."""
    if reply is None:
        return None
    ends = {"source": _cdata(opened.account), "target": _cdata(opened.sender), "time": seconds}
    if reply.kind == "hand_over" and not opened.is_event:
        # The platform hands over messages only; an event's words are said instead.
        return str(TransferCustomerServiceReply(**ends).render())
    if reply.kind == "article" and reply.article is not None:
        card = {
            "title": _cdata(fit(reply.article.title, TITLE_LIMIT_BYTES)),
            "description": _cdata(fit(reply.article.description, DESCRIPTION_LIMIT_BYTES)),
            "url": _cdata(clean(reply.article.url)),
        }
        return str(ArticlesReply(articles=[card], **ends).render())
    words = fit(reply.text)
    if not words:
        return None
    return str(TextReply(content=_cdata(words), **ends).render())


def _cdata(text: str) -> str:
    """The text with each "]]>", which would end the CDATA that wechatpy puts it in, split."""
    return text.replace("]]>", "]]]]><![CDATA[>")
