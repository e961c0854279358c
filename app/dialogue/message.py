"""What comes in, what goes back, and one turn between them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """Every kind of message and event that the platform sends us."""

    TEXT = "text"
    VOICE = "voice"
    IMAGE = "image"
    VIDEO = "video"
    SHORT_VIDEO = "shortvideo"
    LOCATION = "location"
    LINK = "link"
    FILE = "file"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    SCAN = "scan"
    CLICK = "click"
    VIEW = "view"
    TEMPLATE_RECEIPT = "template_receipt"
    AUTHORISATION_REVOKED = "authorisation_revoked"
    AUTHORISATION_CANCELLED = "authorisation_cancelled"
    USER_INFO_MODIFIED = "user_info_modified"
    CONSENT_POPUP = "consent_popup"
    CONSENT_CHANGE = "consent_change"
    CONSENT_SENT = "consent_sent"
    OTHER = "other"
    """Acknowledged and left alone: mass-send receipts, location reports, what is yet to come."""


class Window(StrEnum):
    """What a message opens for customer-service messages."""

    WRITE = "write"
    """5 messages within 48 hours."""
    TAP = "tap"
    """3 messages within 1 minute: menu click, follow, scan."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """One callback of the platform, already verified and decrypted."""

    key: str
    """64 hex digits; the same for the platform's retries of one message."""
    openid: str
    kind: Kind
    received_at: datetime
    text: str = ""
    """What was typed, or recognised from voice; empty where nothing was."""
    event_key: str = ""
    """The menu's key for a click; the scene, without qrscene_, for a follow or scan."""
    window: Window | None = None
    platform_id: str = ""
    """The MsgID that a template receipt is about."""
    status: str = ""
    """What a receipt says: success, failed:user block, failed: system failed."""


@dataclass(frozen=True, slots=True)
class Article:
    """A card that opens a page."""

    title: str
    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one message: words, or one card, or a hand-over to a person."""

    text: str = ""
    article: Article | None = None
    kind: Literal["text", "article", "hand_over"] = "text"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A running dialogue: which topic, at which step, and what has been said so far."""

    topic: str
    step: str
    since: datetime
    draft: dict[str, str] = field(default_factory=dict)
