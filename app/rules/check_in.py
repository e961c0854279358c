"""When a family may check itself in by scanning the session's code at the door."""

from datetime import datetime, timedelta
from enum import StrEnum

SCENE = "s:"
"""What a session's code bears before the session's own; a station's bears the station's alone,
which never has a colon."""

OPENS_BEFORE = timedelta(minutes=60)
"""Families from the far end of the island come early; before that it is the wrong day."""
CLOSES_AFTER = timedelta(minutes=60)
"""Who forgot to scan on the way in scans on the way out; later it is for the staff to say."""


class Phase(StrEnum):
    """What a scan finds."""

    TOO_EARLY = "too_early"
    BEFORE = "before"
    """The door is open and the session has not begun."""
    UNDER_WAY = "under_way"
    AFTER = "after"
    """It has ended; those who signed up may still check in."""
    TOO_LATE = "too_late"


OPEN = frozenset({Phase.BEFORE, Phase.UNDER_WAY, Phase.AFTER})


def phase_of(starts_at: datetime, ends_at: datetime, now: datetime) -> Phase:
    """Each moment belongs to the phase that begins with it; the last one of AFTER is its own."""
    if now < starts_at - OPENS_BEFORE:
        return Phase.TOO_EARLY
    if now < starts_at:
        return Phase.BEFORE
    if now < ends_at:
        return Phase.UNDER_WAY
    return Phase.AFTER if now <= ends_at + CLOSES_AFTER else Phase.TOO_LATE


def code_of(scene: str) -> str | None:
    """The session's code in a scene; None for a scene of another kind."""
    return scene.removeprefix(SCENE) if scene.startswith(SCENE) else None
