"""The platform's side of the callback: XML out, signature and cipher, the reply's XML in.

Written on the cipher itself, not on the library that the service uses, so that a fault which both
sides would share cannot hide.
"""

import base64
import binascii
import hashlib
import os
import re
import struct
from collections.abc import Sequence
from typing import TypeAlias
from urllib.parse import urlencode
from xml.etree import ElementTree

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sandbox.records import Sealed
from sandbox.settings import Settings

BLOCK = 32
"""PKCS#7 pads to 32 bytes here, not to the cipher's 16."""

Node: TypeAlias = "str | int | float | Sequence[tuple[str, Node]]"

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class MalformedReply(Exception):
    """The service answered something that the platform does not understand."""


def build_xml(nodes: Sequence[tuple[str, Node]]) -> str:
    """The platform's XML: texts in CDATA, numbers bare."""
    return f"<xml>{_inner(nodes)}</xml>"


def sign(*parts: str) -> str:
    """sha1 over the sorted parts, in hex."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def seal(settings: Settings, xml: str, *, openid: str, timestamp: int, nonce: str) -> Sealed:
    """The callback as the platform posts it in the account's mode."""
    query = {
        "signature": sign(settings.token, str(timestamp), nonce),
        "timestamp": str(timestamp),
        "nonce": nonce,
        "openid": openid,
    }
    if settings.mode == "plain":
        return Sealed(urlencode(query), xml, nonce)
    encrypted = encrypt(settings, xml)
    query["encrypt_type"] = "aes"
    query["msg_signature"] = sign(settings.token, str(timestamp), nonce, encrypted)
    body = build_xml([("ToUserName", settings.account_id), ("Encrypt", encrypted)])
    return Sealed(urlencode(query), body, nonce)


def open_reply(settings: Settings, body: bytes, nonce: str) -> ElementTree.Element | None:
    """The reply's XML, verified and decrypted; None where there is nothing to show.

    Raises MalformedReply, in words for whoever mends the service.
    """
    if body in (b"", b"success"):
        return None
    outer = _parse(body)
    if settings.mode == "plain":
        return outer
    encrypted = outer.findtext("Encrypt")
    if not encrypted:
        raise MalformedReply("the reply is not encrypted")
    timestamp = outer.findtext("TimeStamp") or ""
    if not re.fullmatch(r"\d{10}", timestamp):
        raise MalformedReply("TimeStamp is not ten digits")
    if outer.findtext("Nonce") != nonce:
        raise MalformedReply("Nonce is not the request's")
    if outer.findtext("MsgSignature") != sign(settings.token, timestamp, nonce, encrypted):
        raise MalformedReply("MsgSignature is wrong")
    return _parse(decrypt(settings, encrypted).encode())


def encrypt(settings: Settings, text: str) -> str:
    """base64 of AES-256-CBC over random(16) + length + text + appid."""
    content = text.encode()
    plain = os.urandom(16) + struct.pack(">I", len(content)) + content + settings.app_id.encode()
    padding = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(settings).encryptor()
    padded = plain + bytes([padding]) * padding
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(settings: Settings, encrypted: str) -> str:
    """The text again. Raises MalformedReply for anything that does not fit, also the appid."""
    try:
        raw = base64.b64decode(encrypted, validate=True)
    except binascii.Error:
        raise MalformedReply("Encrypt is not base64") from None
    if len(raw) < BLOCK or len(raw) % 16:
        raise MalformedReply("Encrypt has a wrong length")
    decryptor = _cipher(settings).decryptor()
    plain = decryptor.update(raw) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise MalformedReply("the padding is wrong: another AES key?")
    content = plain[16:-padding]
    if len(content) < 4:
        raise MalformedReply("Encrypt holds nothing")
    (length,) = struct.unpack(">I", content[:4])
    text, app_id = content[4 : 4 + length], content[4 + length :]
    if app_id != settings.app_id.encode():
        raise MalformedReply("the appid is another account's")
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise MalformedReply("the reply is not UTF-8") from None


def _cipher(settings: Settings) -> Cipher[modes.CBC]:
    key = base64.b64decode(settings.aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def _inner(nodes: Sequence[tuple[str, Node]]) -> str:
    return "".join(f"<{name}>{_write(node)}</{name}>" for name, node in nodes)


def _write(node: Node) -> str:
    if isinstance(node, str):
        # A phone's keyboard types no control characters, and XML has no way to hold them.
        safe = _NOT_XML.sub("", node).replace("]]>", "]]]]><![CDATA[>")
        return f"<![CDATA[{safe}]]>"
    if isinstance(node, int | float):
        return str(node)
    return _inner(node)


def _parse(body: bytes) -> ElementTree.Element:
    # Entities have no place in a reply, and a bomb of them would stop the sandbox.
    if b"<!" in body.replace(b"<![CDATA[", b""):
        raise MalformedReply("the reply holds a declaration")
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError) as error:
        raise MalformedReply(f"the reply is no XML: {error}") from None
    if root.tag != "xml":
        raise MalformedReply("the reply is not inside <xml>")
    return root
