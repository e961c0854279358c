"""What the sandbox remembers, as plain records that can be written to a file and read again."""

from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["in", "out", "system"]
"""Seen from the phone: in comes from the account, out from the person."""

MenuKind = Literal["click", "view", "scancode_push", "scancode_waitmsg", "location_select"]


@dataclass(frozen=True, slots=True)
class Article:
    """A card that opens a page."""

    title: str
    description: str = ""
    url: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a template message."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a message menu, which answers for the person when tapped."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing seen in a person's conversation."""

    seq: int
    at: float
    """Seconds since the epoch by the sandbox's clock."""
    direction: Direction
    kind: str
    text: str = ""
    title: str = ""
    url: str = ""
    picture: str = ""
    tail: str = ""
    articles: tuple[Article, ...] = ()
    fields: tuple[Field, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """What an act of the person allows the account to send."""

    at: float
    seconds: float
    messages: int
    used: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """One access_token. Ends when it ends; `dropped` when something invalidated it earlier."""

    value: str
    issued_at: float
    ends_at: float
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """One message that the platform took for delivery, in order of acceptance."""

    number: int
    at: float
    openid: str
    kind: str
    """custom, template or subscribe."""
    body: str
    """The request's JSON as it came."""
    text: str
    """What the person reads, in one string."""
    client_msg_id: str | None
    msgid: int


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code made by qrcode/create."""

    ticket: str
    scene: str
    url: str
    made_at: float
    ends_at: float | None
    """None for a permanent code."""


@dataclass(frozen=True, slots=True)
class OAuthCode:
    """A code of the web authorisation: good once, for five minutes."""

    code: str
    openid: str
    scope: str
    made_at: float
    snapshot: bool
    used: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    """One button of the account's menu."""

    name: str
    kind: MenuKind | None = None
    key: str = ""
    url: str = ""
    buttons: tuple["Button", ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateField:
    """One field of a template: `thing1` under the label 活动名称."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Template:
    """A message template of the account."""

    id: str
    title: str
    fields: tuple[TemplateField, ...]
    kind: Literal["template", "one_time", "long_term"] = "template"


@dataclass(frozen=True, slots=True)
class Sent:
    """What client_msg_id remembers of one send."""

    at: float
    msgid: int


@dataclass(frozen=True, slots=True)
class Callback:
    """One call of the service's callback, for whoever looks into why."""

    at: float
    openid: str
    kind: str
    attempts: int
    seconds: float
    outcome: str
    """empty, reply, malformed, failed or timeout."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A trouble that waits for the next calls of one API."""

    path: str
    errcode: int | None = None
    http_status: int | None = None
    delay_seconds: float = 0.0
    drop: Literal["", "before", "after"] = ""
    garbage: Literal["", "before", "after"] = ""
    job_status: str = ""
    openid: str = ""
    times: int | None = 1
    """How many calls are still to meet it; None for all."""
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One callback to post."""

    openid: str
    kind: str
    """text, event/CLICK and so on."""
    xml: str
    is_event: bool
    tells_trouble: bool = True
    """Whether the person sees a sentence where the service fails."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A letter as it goes over the wire."""

    query: str
    body: str
    nonce: str


@dataclass(slots=True)
class Person:
    """Somebody with a phone."""

    openid: str
    name: str
    following: bool = False
    followed_at: float = 0.0
    scene: str = ""
    wrote: Grant | None = None
    """The customer-service window that writing opened."""
    tapped: Grant | None = None
    """The one that a menu click, a scan or following opened."""
    consents: dict[str, int] = field(default_factory=dict)
    """Unspent one-time consents by template id."""
    long_term: dict[str, bool] = field(default_factory=dict)
    """Lasting consents by template id."""
    asked: list[str] = field(default_factory=list)
    """Subscription templates that a page just asked consent for."""
    blocks_templates: bool = False
    snapshot: bool = False
    """Opens pages in the platform's snapshot mode, which gives a virtual openid."""
    entries: list[Entry] = field(default_factory=list)
    last: tuple[Letter, Sealed] | None = None
    """The last callback, for sending the very same again."""
