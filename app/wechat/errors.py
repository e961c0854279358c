"""What can go wrong between the platform and us, as facts to react to."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(eq=False)
class BadCallback(Exception):
    """A request that the platform would not have sent; the status says what to answer."""

    status: int
    reason: str


class Reaction(StrEnum):
    """What to do about an error code of the platform."""

    BACK_OFF = "back_off"
    """Busy: try again later, if a second time does no harm."""
    RENEW_TOKEN = "renew_token"
    NOT_FOLLOWING = "not_following"
    BLOCKED = "blocked"
    """This person cannot be written to."""
    OUR_FAULT = "our_fault"
    """A wrong template, page or field: no repetition mends it."""
    CONSENT_SPENT = "consent_spent"
    QUOTA_SPENT = "quota_spent"
    """Nothing more through this API until midnight in Beijing."""
    SLOW_DOWN = "slow_down"
    NEXT_CHANNEL = "next_channel"
    STOP = "stop"
    """The account, its secret or our address is refused: an operator has to act."""
    ALREADY_SENT = "already_sent"


REACTIONS: dict[int, Reaction] = {
    -1: Reaction.BACK_OFF,
    40001: Reaction.RENEW_TOKEN,
    40014: Reaction.RENEW_TOKEN,
    42001: Reaction.RENEW_TOKEN,
    40003: Reaction.NOT_FOLLOWING,
    43004: Reaction.NOT_FOLLOWING,
    43019: Reaction.BLOCKED,
    50002: Reaction.BLOCKED,
    40037: Reaction.OUR_FAULT,
    41030: Reaction.OUR_FAULT,
    47003: Reaction.OUR_FAULT,
    43101: Reaction.CONSENT_SPENT,
    45009: Reaction.QUOTA_SPENT,
    45011: Reaction.SLOW_DOWN,
    43117: Reaction.SLOW_DOWN,
    45015: Reaction.NEXT_CHANNEL,
    45047: Reaction.NEXT_CHANNEL,
    48001: Reaction.STOP,
    48004: Reaction.STOP,
    40164: Reaction.STOP,
    40243: Reaction.STOP,
    # Of the token's endpoint: a wrong app id or secret.
    40013: Reaction.STOP,
    40125: Reaction.STOP,
    40241: Reaction.ALREADY_SENT,
}


def reaction_to(code: int) -> Reaction:
    """What to do about a code; one that nobody described counts as our fault."""
    return REACTIONS.get(code, Reaction.OUR_FAULT)


class PlatformError(Exception):
    """A call of the platform's API did not succeed."""


@dataclass(eq=False)
class ApiRefused(PlatformError):
    """The platform answered with an error code: it did not do what was asked."""

    code: int
    reaction: Reaction


@dataclass(eq=False)
class AnswerLost(PlatformError):
    """The request left; no answer that can be read came back. It may have been done."""

    what: str


@dataclass(eq=False)
class NotSent(PlatformError):
    """No connection came about: it was certainly not done."""

    what: str
