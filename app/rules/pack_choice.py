"""Which pack is due for whom, and when: windows in days after birth, bands, catching up.

The planner does the same in SQL for everybody at once (services/pack_planning.py); tests hold
the two against each other. Here it is said for one child.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, Protocol, TypeVar

from app.rules.age import FULL_GESTATION_DAYS, TERM_WEEKS
from app.rules.quiet_hours import QUIET_UNTIL

CORRECTED_UNTIL_DAYS: Final = 730
"""24 months of a window that is counted in days."""
EARLIEST_WEEKS: Final = 22
"""Of gestation; an earlier birth is entered by mistake, and not corrected."""
TERM: Final = 40
"""Stands for every child whose windows count from the birth date."""

CATCH_UP: Final = timedelta(hours=48)
"""A push that is late by more is not sent any more."""
BAND_DAYS: Final = 30
"""A late joiner is given what has opened within so many days before, and no older backlog."""
A_WEEK: Final = timedelta(days=7)
PACKS_A_WEEK: Final = 3
"""At most so many a week and family; a caregiver may choose fewer for themself."""
OPENS_AT: Final = QUIET_UNTIL
"""Shanghai's hour at which a window opens: the first loud one."""

GRANDPARENTS: Final = frozenset({"grandmother", "grandfather"})


class AgedPack(Protocol):
    """What the rules look at in a pack."""

    @property
    def id(self) -> str: ...
    @property
    def topic(self) -> str: ...
    @property
    def audience(self) -> str: ...
    @property
    def from_days(self) -> int: ...
    @property
    def until_days(self) -> int: ...
    @property
    def uses_corrected_age(self) -> bool: ...


P = TypeVar("P", bound=AgedPack)


@dataclass(frozen=True, slots=True)
class Window:
    """In days after the birth; `closes` is the first day after it."""

    opens: int
    closes: int


BANDS = (0, 28, 92, 183, 274, 365, 548, 730, 1_500)
"""Edges, in days, of the ages under which packs are looked up: weeks first, then half-years."""


def band_of(days: int) -> tuple[int, int]:
    """The stretch of ages that a day of life lies in; its end is exclusive."""
    last = next((edge for edge in BANDS[1:] if days < edge), BANDS[-1])
    return BANDS[BANDS.index(last) - 1], last


@dataclass(frozen=True, slots=True)
class ReaderOf:
    """A caregiver and a child, as far as an audience asks."""

    relation: str | None
    gestation_weeks: int | None
    has_twin: bool


def window_weeks(gestation_weeks: int | None) -> int:
    """The weeks by which a child's windows are counted; TERM where nothing is corrected."""
    if gestation_weeks is None or not EARLIEST_WEEKS <= gestation_weeks < TERM_WEEKS:
        return TERM
    return gestation_weeks


def window_of(pack: AgedPack, weeks: int = TERM) -> Window | None:
    """A pack's window for a child of so many `window_weeks`; None where it has none.

    A corrected window comes later by what the child came early, until 24 months of age; from
    then on the birth date counts again.
    """
    early = FULL_GESTATION_DAYS - weeks * 7 if pack.uses_corrected_age else 0
    opens, closes = pack.from_days + early, pack.until_days + early
    if opens >= CORRECTED_UNTIL_DAYS:
        opens = max(pack.from_days, CORRECTED_UNTIL_DAYS)
    if closes > CORRECTED_UNTIL_DAYS:
        closes = max(pack.until_days, CORRECTED_UNTIL_DAYS)
    return Window(opens, closes) if opens < closes else None


def is_open(pack: AgedPack, born: date, gestation_weeks: int | None, on: date) -> bool:
    """Whether a day lies in the pack's window for this child."""
    window = window_of(pack, window_weeks(gestation_weeks))
    return window is not None and window.opens <= (on - born).days < window.closes


def is_for(audience: str, reader: ReaderOf) -> bool:
    """Whether a pack is pushed to this caregiver for this child. Anybody may ask for it."""
    match audience:
        case "everyone":
            return True
        case "grandparents":
            return reader.relation in GRANDPARENTS
        case "parents":
            return reader.relation not in GRANDPARENTS
        case "preterm":
            return window_weeks(reader.gestation_weeks) != TERM
        case "multiples":
            return reader.has_twin
        case _:
            # Special needs are a person's matter: such a pack is handed out, not pushed.
            return False


def current(packs: Iterable[P], born: date, gestation_weeks: int | None, on: date) -> tuple[P, ...]:
    """The packs whose windows are open, what opened last first."""
    weeks = window_weeks(gestation_weeks)
    found = []
    for pack in packs:
        window = window_of(pack, weeks)
        if window is not None and window.opens <= (on - born).days < window.closes:
            found.append((-window.opens, pack.id, pack))
    return tuple(pack for _, _, pack in sorted(found, key=lambda one: one[:2]))


def band(packs: Sequence[P], born: date, gestation_weeks: int | None, on: date) -> tuple[P, ...]:
    """Of the open packs those that a late joiner is given: the newest, and none that is old.

    What opened within BAND_DAYS; where nothing did, the one that opened last.
    """
    weeks = window_weeks(gestation_weeks)
    opened = current(packs, born, gestation_weeks, on)
    fresh = []
    for pack in opened:
        window = window_of(pack, weeks)
        if window is not None and window.opens >= (on - born).days - BAND_DAYS:
            fresh.append(pack)
    return tuple(fresh) or opened[:1]


def opening(born: date, days: int, zone: tzinfo) -> datetime:
    """The moment, by Shanghai's clock, at which a window opens or closes."""
    return datetime.combine(born + timedelta(days=days), OPENS_AT, zone)


def is_late(due_at: datetime, now: datetime) -> bool:
    """Whether a push was missed by so much that it is not caught up."""
    return now - due_at >= CATCH_UP
