"""Everything that one sandbox knows, behind one lock that is never held over the network."""

import secrets
import threading
import time
from dataclasses import dataclass, field

from sandbox.catalogue import TEMPLATES
from sandbox.errors import ActionError, ApiError
from sandbox.records import (
    Accepted,
    Article,
    Button,
    Callback,
    Choice,
    Direction,
    Entry,
    Fault,
    Field,
    OAuthCode,
    Person,
    QrCode,
    Sent,
    Template,
    Token,
)
from sandbox.settings import Settings

FIRST_PEOPLE = (
    ("oSbx0MamaChongming2026aaaaaa", "妈妈"),
    ("oSbx0BabaChongming2026bbbbbb", "爸爸"),
    ("oSbx0WaipoChongming2026ccccc", "外婆"),
)
"""Openid and name of who has a phone at the start; fixed, so that demo data may name them."""

ENTRIES_KEPT = 500
CALLBACKS_KEPT = 500


@dataclass(slots=True)
class State:
    """What is written to the state file."""

    epoch: str = field(default_factory=lambda: secrets.token_hex(8))
    """Which life this is: another one after every reset."""
    clock_offset: float = 0.0
    last_number: int = 0
    people: dict[str, Person] = field(default_factory=dict)
    stable_tokens: list[Token] = field(default_factory=list)
    classic_tokens: list[Token] = field(default_factory=list)
    forced_refreshes: list[float] = field(default_factory=list)
    menu: list[Button] | None = None
    codes: dict[str, QrCode] = field(default_factory=dict)
    accepted: list[Accepted] = field(default_factory=list)
    sent_ids: dict[str, Sent] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    """How often each API was called, by path and Beijing day."""
    quota_clearings: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    """Daily limits that a test lowered, by path."""
    oauth_codes: dict[str, OAuthCode] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    callbacks: list[Callback] = field(default_factory=list)


def first_state() -> State:
    """A fresh platform: three people who do not follow yet, the templates, no menu."""
    state = State()
    for openid, name in FIRST_PEOPLE:
        state.people[openid] = Person(openid=openid, name=name)
    for template in TEMPLATES:
        state.templates[template.id] = template
    return state


class World:
    """The state with its lock, its clock and the faults that wait."""

    def __init__(self, settings: Settings, state: State | None = None) -> None:
        self.settings = settings
        self.lock = threading.RLock()
        self.changed = threading.Event()
        """Set whenever something worth keeping changed; the store clears it."""
        self.state = state or first_state()
        self.faults: list[Fault] = []

    def now(self) -> float:
        """Seconds since the epoch by the sandbox's clock, which tests may shift."""
        return time.time() + self.state.clock_offset

    def next_number(self) -> int:
        """The next of one series for everything that needs an order. Call under the lock."""
        self.state.last_number += 1
        self.changed.set()
        return self.state.last_number

    def next_msgid(self) -> int:
        """A message id with the platform's 17 digits."""
        with self.lock:
            return 24_600_000_000_000_000 + self.next_number()

    def record_callback(self, callback: Callback) -> None:
        """Remembers how one call of the service's callback went."""
        with self.lock:
            self.state.callbacks.append(callback)
            del self.state.callbacks[:-CALLBACKS_KEPT]
            self.changed.set()

    def reset(self) -> None:
        """Back to the first day; tokens, people and messages are gone."""
        with self.lock:
            self.state = first_state()
            self.faults.clear()
            self.changed.set()

    def get_person(self, openid: str) -> Person:
        """Whoever has this openid. Raises ActionError (404)."""
        person = self.state.people.get(openid)
        if person is None:
            raise ActionError("no such person", status=404)
        return person

    def get_follower(self, openid: str) -> Person:
        """A follower, for an API call. Raises ApiError 40003 or 43004."""
        person = self.state.people.get(openid)
        if person is None:
            raise ApiError(40003)
        if not person.following:
            raise ApiError(43004)
        return person

    def add_person(self, name: str, openid: str = "") -> Person:
        """A new person who does not follow yet. Raises ActionError where the openid is taken."""
        with self.lock:
            openid = openid or "oSbx0" + secrets.token_urlsafe(18)[:23]
            if openid in self.state.people:
                raise ActionError("this openid is taken")
            person = Person(openid=openid, name=name)
            self.state.people[openid] = person
            self.changed.set()
            return person

    def show(
        self,
        openid: str,
        direction: Direction,
        kind: str,
        *,
        text: str = "",
        title: str = "",
        url: str = "",
        picture: str = "",
        tail: str = "",
        articles: tuple[Article, ...] = (),
        fields: tuple[Field, ...] = (),
        choices: tuple[Choice, ...] = (),
    ) -> Entry:
        """Adds one thing to a person's conversation."""
        with self.lock:
            entry = Entry(
                seq=self.next_number(),
                at=self.now(),
                direction=direction,
                kind=kind,
                text=text,
                title=title,
                url=url,
                picture=picture,
                tail=tail,
                articles=articles,
                fields=fields,
                choices=choices,
            )
            entries = self.get_person(openid).entries
            entries.append(entry)
            del entries[:-ENTRIES_KEPT]
            return entry
