"""How many customer-service messages a person's acts allow, and for how long."""

from dataclasses import replace

from sandbox.errors import ApiError
from sandbox.records import Grant, Person

WROTE_SECONDS, WROTE_MESSAGES = 48 * 3600, 5
"""After the person writes."""
TAPPED_SECONDS, TAPPED_MESSAGES = 60, 3
"""After a menu click, following, or a scan."""


def open_by_writing(person: Person, now: float) -> None:
    """A message opens the long window anew; what was left of the last one is not added."""
    person.wrote = Grant(at=now, seconds=WROTE_SECONDS, messages=WROTE_MESSAGES)


def open_by_tapping(person: Person, now: float) -> None:
    """A tap opens the short window anew."""
    person.tapped = Grant(at=now, seconds=TAPPED_SECONDS, messages=TAPPED_MESSAGES)


def spend(person: Person, now: float) -> None:
    """Takes one message from the window that ends first and has one left.

    Raises ApiError 45015 where no window is open, 45047 where all open ones are spent.
    """
    tapped, wrote = person.tapped, person.wrote
    if tapped and _is_open(tapped, now) and tapped.used < tapped.messages:
        person.tapped = replace(tapped, used=tapped.used + 1)
    elif wrote and _is_open(wrote, now) and wrote.used < wrote.messages:
        person.wrote = replace(wrote, used=wrote.used + 1)
    elif any(grant and _is_open(grant, now) for grant in (tapped, wrote)):
        raise ApiError(45047)
    else:
        raise ApiError(45015)


def left(person: Person, now: float) -> int:
    """How many messages may be sent now."""
    grants = (person.tapped, person.wrote)
    return sum(grant.messages - grant.used for grant in grants if grant and _is_open(grant, now))


def _is_open(grant: Grant, now: float) -> bool:
    return now - grant.at < grant.seconds
