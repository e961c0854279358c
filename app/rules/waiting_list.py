"""The waiting list: whose turn it is, and how long an offer holds its seat."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.rules.quiet_hours import QUIET_FROM, first_loud
from app.rules.sign_up import SignUpState

CUT_OFF = timedelta(hours=2)
"""Nothing is offered, and no offer stands, later than this before the start."""
SHORTEST_OFFER_HOURS = 2
LONGEST_OFFER_HOURS = 12


class WaitingOrder(StrEnum):
    """A session's `waiting_list`: whether there is one, and who is first in it."""

    NO = "no"
    FIRST_COME = "first_come"
    FEWEST_ATTENDED = "fewest_attended"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One place in a waiting list."""

    sign_up_id: int
    family_id: int
    waitlisted_at: datetime
    attended: int
    """Sessions that the family attended in the session's calendar year."""


def offer_ends(offered_at: datetime, hours: int, starts_at: datetime) -> datetime | None:
    """When an offer made now stops holding its seat; None where it is too late to make one.

    `hours` are waking ones, taken as 2 to 12: the night, 21:00–08:00, does not count, and an
    offer made at night runs from 08:00. It ends two hours before the start at the latest.
    An offer whose first waking moment lies past that is none: nobody would hear of it in time.
    Shanghai's time in and out.
    """
    last = starts_at - CUT_OFF
    runs_from = first_loud(offered_at)
    if runs_from >= last:
        return None
    left = timedelta(hours=min(max(hours, SHORTEST_OFFER_HOURS), LONGEST_OFFER_HOURS))
    # A day has 13 waking hours: the longest offer spans one night at most.
    night = datetime.combine(runs_from.date(), QUIET_FROM, tzinfo=runs_from.tzinfo)
    if runs_from + left <= night:
        return min(runs_from + left, last)
    return min(first_loud(night) + (left - (night - runs_from)), last)


def is_open_offer(state: SignUpState, expires_at: datetime | None, now: datetime) -> bool:
    """Whether an offer can still be taken: up to, and not at, the moment of its end.

    The time decides this, and not whether a job has settled the offer yet.
    """
    return state is SignUpState.OFFERED and expires_at is not None and now < expires_at


def in_line(waiting: Iterable[Waiting], order: WaitingOrder) -> list[Waiting]:
    """Those who wait, the first to be offered a seat first."""
    if order is WaitingOrder.FEWEST_ATTENDED:
        return sorted(waiting, key=_fewest_attended)
    # Also where the list was closed while people waited: they keep their places.
    return sorted(waiting, key=_first_come)


def _first_come(one: Waiting) -> tuple[datetime, int]:
    return one.waitlisted_at, one.sign_up_id


def _fewest_attended(one: Waiting) -> tuple[int, datetime, int]:
    return one.attended, one.waitlisted_at, one.sign_up_id
