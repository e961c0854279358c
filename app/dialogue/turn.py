"""One turn as a handler sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.clock import SHANGHAI
from app.dialogue.emergency import Emergency
from app.dialogue.message import Dialogue, Inbound, Reply
from app.dialogue.search import Answers
from app.models import Caregiver
from app.page_links import PageLinks
from app.rules.asking import Ask, Purpose
from content.shelf import Shelf

if TYPE_CHECKING:
    from content.library import Library


@dataclass(frozen=True, slots=True)
class Desk:
    """What does not change between turns and an answer may mention."""

    public_url: str
    service_phone: str
    calendar_url: Callable[[int], str]
    """The link to a sign-up's calendar file."""
    pages: PageLinks
    """Links to the family's pages; a turn's own are turn.page_link's."""
    shelf: Shelf
    answers: Answers = field(default_factory=Answers)
    asks: Mapping[Purpose, Ask] = field(default_factory=dict)
    """Subscription consents that an answer may ask for."""
    lasting_templates: frozenset[str] = frozenset()
    """Subscription templates of which one yes is for good."""

    @property
    def library(self) -> "Library":
        """Packs, lessons and answers as of now."""
        return self.shelf.library


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything that an answer to one message may need."""

    db: Session
    inbound: Inbound
    text: str
    """Normalised: full-width folded, blanks collapsed, trimmed, Latin in lower case."""
    argument: str
    """What stood behind the command word."""
    caregiver: Caregiver
    dialogue: Dialogue | None
    now: datetime
    desk: Desk
    likeliest: tuple[str, ...] = ()
    """What the message may want, the likeliest first; empty for one-line forms."""

    @property
    def today(self) -> date:
        return self.now.astimezone(SHANGHAI).date()

    def page_link(self, path: str, *, signed: bool = False) -> str:
        """The page at a path below /family/, such as "year-plan".

        Signed, it opens without a log-in for the caregiver of this turn, for two weeks, and
        nothing but this page: for what is read in a hurry, or on a device without WeChat.
        """
        if not signed:
            return self.desk.pages.url(path)
        return self.desk.pages.signed(path, caregiver_id=self.caregiver.id, now=self.now)

    @property
    def phone(self) -> str:
        """The telephone to give: the family's station's, else the scanned one's, else ours."""
        family = self.caregiver.family
        station = (family.station if family else None) or self.caregiver.scanned_station
        return (station.phone if station else "") or self.desk.service_phone


Answered = tuple[Reply, Dialogue | None]
ELSEWHERE: Answered = (Reply(), None)
"""A topic's answer to words that are not meant for it: the dialogue ends, intent decides."""

Handler = Callable[[Turn], Answered]


@dataclass(frozen=True, slots=True)
class Handlers:
    """Who answers what; wsgi hands this in, so that app never imports handlers."""

    intents: Mapping[str, Handler]
    topics: Mapping[str, Handler]
    """Who goes on with a running dialogue."""
    quiz_aside: Callable[[Turn], Answered | None]
    """Letters for a quiz that lies open, though something else was talked of since; else None."""
    in_thread: Callable[[Turn], Answered | None]
    """Words meant for the person with whom the caregiver talks; None where they are not."""
    emergency: Callable[[Turn, Emergency], Answered]
    followed: Handler
    scanned: Handler
    not_text: Handler
    not_understood: Handler
    second_offered: Callable[[Reply, str], Reply]
    """The reply, with a line that the other request was heard, too."""
    summary: Callable[[Dialogue], str]
    """How far a half-filled dialogue had come, to stand before the next question."""
    waiting_tail: Callable[[Reply, Dialogue], Reply]
    """The reply, with a line that says which dialogue still waits."""
