"""A callback on its way through a process, between the thread at the door and those that work."""

import threading
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field

from app.dialogue.message import Inbound, Kind, Reply
from app.dialogue.store import Slot
from app.services import inbox, registration

SILENT = frozenset(
    {
        Kind.VIEW,
        Kind.TEMPLATE_RECEIPT,
        Kind.AUTHORISATION_CANCELLED,
        Kind.USER_INFO_MODIFIED,
        Kind.CONSENT_POPUP,
        Kind.CONSENT_CHANGE,
        Kind.CONSENT_SENT,
        Kind.OTHER,
    }
)
"""Events that are acknowledged without a word."""
CONSENTS = frozenset({Kind.CONSENT_POPUP, Kind.CONSENT_CHANGE, Kind.CONSENT_SENT})
GONE = frozenset({Kind.UNSUBSCRIBE, Kind.AUTHORISATION_REVOKED, Kind.AUTHORISATION_CANCELLED})


@dataclass(slots=True)
class Race:
    """Between the turn's commit and the deadline: whoever comes first decides."""

    has_first_aid: bool = False
    """At the deadline first aid was given: no second answer has to follow."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    winner: str | None = None

    def win(self, who: str) -> bool:
        with self.lock:
            self.winner = self.winner or who
            return self.winner == who


@dataclass(slots=True, eq=False)
class Job:
    """One callback on its way, and the thread at the door that waits for its reply."""

    inbound: Inbound
    race: Race
    context: Context
    """The thread's log lines, and what it queues, bear the request's id."""
    done: threading.Lock = field(default_factory=threading.Lock)
    """Held until the reply is there."""
    slot: Slot | None = None
    entry: inbox.Entry | None = None
    """Its reply, where nothing more is to be done than to keep it."""
    reply: Reply | None = None
    read: registration.CaregiverRead | None = None
    """Who it is, where several were read together."""
    read_at: float = 0.0

    def __post_init__(self) -> None:
        self.done.acquire()

    def run(self, do: Callable[["Job"], None]) -> None:
        """Do something with it under the request's id.

        In a copy: who failed to keep its reply with others' may call it back while the thread
        that handed it over is still on its way out of the context.
        """
        self.context.copy().run(do, self)

    def wait(self, seconds: float) -> bool:
        """Whether its reply is there within this time; several may wait."""
        is_done = self.done.acquire(timeout=seconds)
        if is_done:
            self.done.release()
        return is_done


class HandedOver(Exception):
    """Nothing was written but the reply, and somebody keeps it, gives it and leaves the line."""
