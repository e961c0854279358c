"""What the platform still lets us send to one person, and through which channel first.

The numbers are the platform's: after a person writes, 5 customer-service messages within
48 hours; after a menu click, a follow or a scan, 3 within 1 minute.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Channel(StrEnum):
    CUSTOMER_SERVICE = "customer_service"
    TEMPLATE = "template"
    LONG_TERM = "long_term"
    """A subscription notice under a lasting consent."""
    ONE_TIME = "one_time"
    """A subscription notice that spends a consent: one yes, one message."""


PACKS_LEAVE = 2
"""Customer-service messages of a window that packs leave to answers and bookings."""
CLOSING = timedelta(hours=12)
"""So long before its end a window is closing: the next pack may not find it open."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one act of the person opens."""

    messages: int
    lasts: timedelta
    margin: timedelta
    """Taken off the end: our clock is not the platform's, and a send takes time."""


AFTER_WRITING = Allowance(5, timedelta(hours=48), timedelta(seconds=60))
AFTER_TAPPING = Allowance(3, timedelta(minutes=1), timedelta(seconds=5))


@dataclass(frozen=True, slots=True)
class Budget:
    """What is known of one openid."""

    wrote_at: datetime | None
    """When the person last wrote, within 48 hours."""
    tapped_at: datetime | None
    sent_at: Sequence[datetime]
    """When customer-service messages went, or may have gone, to the person since then."""

    def messages_left(self, now: datetime) -> int:
        """Customer-service messages that may be sent now: never more than the platform allows.

        Each window is charged with everything sent since it opened. Which window the platform
        charges first is not known; this way it does not matter.
        """
        return max(
            self._left(self.wrote_at, AFTER_WRITING, now),
            self._left(self.tapped_at, AFTER_TAPPING, now),
        )

    def is_last_pack(self, now: datetime) -> bool:
        """Whether a pack sent now may be the last one that goes without a consent."""
        if self.messages_left(now) <= PACKS_LEAVE + 1:
            return True
        return self.wrote_at is None or now - self.wrote_at >= AFTER_WRITING.lasts - CLOSING

    def _left(self, opened_at: datetime | None, allowance: Allowance, now: datetime) -> int:
        if opened_at is None or now - opened_at >= allowance.lasts - allowance.margin:
            return 0
        spent = sum(1 for sent in self.sent_at if sent >= opened_at)
        return max(0, allowance.messages - spent)


def channels(
    budget: Budget,
    *,
    has_template: bool,
    now: datetime,
    has_lasting: bool = False,
    has_one_time: bool = False,
    is_pack: bool = False,
) -> tuple[Channel, ...]:
    """The channels open now, the one to try first in front; none where the notice must wait.

    A customer-service message says everything in our words, and a template only its fields. What
    costs nothing goes first, and what a person has to allow anew each time goes last.
    """
    open_now = []
    if budget.messages_left(now) > (PACKS_LEAVE if is_pack else 0):
        open_now.append(Channel.CUSTOMER_SERVICE)
    if has_lasting:
        open_now.append(Channel.LONG_TERM)
    if has_template:
        open_now.append(Channel.TEMPLATE)
    if has_one_time:
        open_now.append(Channel.ONE_TIME)
    return tuple(open_now)
