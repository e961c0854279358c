"""Asking for a subscription consent: what it would be for, and when asking would be nagging.

The platform lets a subscription notice through only where the person allowed it: a lasting consent
once for all, a one-time consent for each message anew. Nobody allows what they were not asked for,
and nobody likes to be asked twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Purpose(StrEnum):
    """What a consent is for: the kind of notice that it lets through."""

    PACK = "pack"
    REMINDER = "reminder_24h"
    OFFER = "sign_up_offered"
    VISIT = "visit_evening"


LASTING = "_long_term"
"""Behind a purpose, in the settings: the template of its lasting consent."""

ASKED_EVERY = timedelta(days=14)
"""Who did not answer is not asked again before, about anything."""
AFTER_REFUSAL = timedelta(days=90)
"""Who said no is not asked the same again before; they find the page whenever they like."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What can be asked for."""

    purpose: Purpose
    template_id: str
    is_lasting: bool
    """One yes is for good; else it is one message."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one person allowed of one template so far."""

    sends_left: int = 0
    is_lasting: bool = False
    refused_at: datetime | None = None
    asked_at: datetime | None = None
    """When we last asked in the chat; None once there was a yes."""

    @property
    def is_open(self) -> bool:
        return self.is_lasting or self.sends_left > 0


def find_asks(
    subscriptions: Mapping[str, str], templates: Mapping[str, str]
) -> Mapping[Purpose, Ask]:
    """What the account can ask for, by the settings of the same names.

    Nothing is asked for what a template message says without asking. A lasting consent is asked
    for where there is one: it spares the person all the others.
    """
    asks = {}
    for purpose in Purpose:
        lasting = subscriptions.get(f"{purpose}{LASTING}", "").split()
        named = lasting or subscriptions.get(purpose, "").split()
        if named and not templates.get(purpose):
            asks[purpose] = Ask(purpose, named[0], is_lasting=bool(lasting))
    return asks


def find_lasting(subscriptions: Mapping[str, str]) -> frozenset[str]:
    """The ids of the templates of which one yes is for good."""
    return frozenset(
        value.split()[0]
        for kind, value in subscriptions.items()
        if kind.endswith(LASTING) and value.split()
    )


def may_ask(ask: Ask, held: Mapping[str, Held], now: datetime) -> bool:
    """Whether asking now would be welcome; `held` is all that the person allowed, by template."""
    mine = held.get(ask.template_id, Held())
    if mine.is_open:
        return False
    if mine.refused_at is not None and now - mine.refused_at < AFTER_REFUSAL:
        return False
    return all(one.asked_at is None or now - one.asked_at >= ASKED_EVERY for one in held.values())
