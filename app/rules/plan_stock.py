"""The sessions a year plan is chosen from, put in order once for all the families that choose.

Whatever one family asks costs about the days of the year, not the sessions of the district:
they are kept by the ages they are for, by day, and for each township by the way there.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.rules.travel import travel_cost

FEW_SEATS: Final = 4
FEW_SEATS_COST: Final = 10
"""Left for families who can come to no other."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A published session whose sign-up is open."""

    id: int
    code: str
    day: date
    township: str
    kind: str
    topic: str | None
    seats_left: int
    """Seats that a new sign-up gets at once: 0 where others wait already."""
    has_waiting_list: bool
    min_months: int
    max_months: int
    """Both inclusive, in completed months on the day."""
    own_township_only: bool = False
    """Open to its own township's families alone for now."""

    @property
    def fixed_cost(self) -> int:
        """What speaks against it for everybody, in days."""
        return FEW_SEATS_COST if 0 < self.seats_left <= FEW_SEATS else 0


class Group:
    """Sessions for the same ages, and where they are for one township alone, the same one."""

    def __init__(self, min_months: int, max_months: int, only_for: str) -> None:
        self.min_months, self.max_months, self.only_for = min_months, max_months, only_for
        self.days: list[int] = []
        """Ordinals of the days on which one has free seats, in order."""
        self._free: defaultdict[int, int] = defaultdict(int)
        """How many of a day have."""
        self._on: defaultdict[int, list[Candidate]] = defaultdict(list)
        """All of a day as they were first put, by code."""
        self._by_way: defaultdict[int, dict[str, list[tuple[int, int]]]] = defaultdict(dict)

    def add(self, one: Candidate) -> None:
        day = one.day.toordinal()
        insort(self._on[day], one, key=lambda each: each.code)
        self._by_way.pop(day, None)
        self.count(one, int(one.seats_left > 0))

    def drop(self, one: Candidate) -> None:
        day = one.day.toordinal()
        self._on[day] = [each for each in self._on[day] if each.id != one.id]
        self._by_way.pop(day, None)
        self.count(one, -int(one.seats_left > 0))

    def count(self, one: Candidate, more: int) -> None:
        """So many more (or fewer) of the day have free seats."""
        day = one.day.toordinal()
        had = self._free[day]
        self._free[day] += more
        if not had and self._free[day]:
            insort(self.days, day)
        elif had and not self._free[day]:
            del self.days[bisect_left(self.days, day)]

    def on(self, day: int) -> Sequence[Candidate]:
        return self._on.get(day, ())

    def by_way(self, home: str, day: int) -> Sequence[tuple[int, int]]:
        """The way's cost from there and the id of each of a day: the nearest first, by code."""
        by_home = self._by_way[day]
        found = by_home.get(home)
        if found is None:
            ways = [(travel_cost(home, one.township), one.id) for one in self.on(day)]
            found = by_home[home] = sorted(ways, key=lambda way: way[0])
        return found


@dataclass(frozen=True, slots=True)
class Fitting:
    """A group that a family may come to, from one day on and until before another."""

    group: Group
    since: int
    until: int


class Stock:
    """Open sessions at one moment, which may be brought up to date one by one."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.candidates: dict[int, Candidate] = {}
        """By id, in the order in which they came."""
        self.hidden: frozenset[int] = frozenset()
        """Those that are there for others only."""
        self._groups: dict[tuple[int, int, str], Group] = {}
        for one in candidates:
            self.add(one)

    def __iter__(self) -> Iterator[Candidate]:
        return (one for one in self.candidates.values() if one.id not in self.hidden)

    def without(self, hidden: frozenset[int]) -> "Stock":
        """The same to look at, but for these; what changes in one changes in both."""
        seen = copy(self)
        seen.hidden = hidden
        return seen

    def add(self, one: Candidate) -> None:
        """One that was not there."""
        self.candidates[one.id] = one
        key = _key_of(one)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(*key)
        group.add(one)

    def drop(self, session_id: int) -> None:
        """One that was there."""
        one = self.candidates.pop(session_id)
        self._groups[_key_of(one)].drop(one)

    def put(self, one: Candidate) -> None:
        """A known session with another number of free seats, and nothing else changed."""
        was = self.candidates[one.id]
        self.candidates[one.id] = one
        self._groups[_key_of(one)].count(one, (one.seats_left > 0) - (was.seats_left > 0))

    def groups_for(self, home: str) -> list[Group]:
        """Those that are not another township's alone."""
        return [group for group in self._groups.values() if group.only_for in ("", home)]

    def free_days(self, fitting: Iterable[Fitting], excluded: Collection[int]) -> list[int]:
        """On which days a family finds a free seat that is not excluded: ordinals, in order."""
        fitting = tuple(fitting)
        days: set[int] = set()
        for each in fitting:
            known = each.group.days
            days.update(known[bisect_left(known, each.since) : bisect_left(known, each.until)])
        in_doubt = {
            self.candidates[one].day.toordinal() for one in excluded if one in self.candidates
        }
        for day in in_doubt & days:
            if not any(
                one.id not in excluded and self.candidates[one.id].seats_left > 0
                for each in fitting
                if each.since <= day < each.until
                for one in each.group.on(day)
            ):
                days.remove(day)
        return sorted(days)


def _key_of(one: Candidate) -> tuple[int, int, str]:
    return one.min_months, one.max_months, one.township if one.own_township_only else ""
