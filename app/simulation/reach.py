"""What families come to by themselves: sessions with free seats, near enough, by time."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.rules.travel import Travel, travel
from app.simulation.world import SimSession, World

DAYS_APART: Final = 7
"""Nobody takes two sessions of one week, where it chooses by itself."""
WAYS: Final = (Travel.OWN, Travel.NEAR)
"""Farther than the next townships, or over the water, nobody goes by itself."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Full sessions are taken out, so that looking costs what is free and not the whole year."""

    sessions: Sequence[SimSession]
    """All of the world, by time."""
    days: Sequence[int]
    """Theirs, as ordinals."""
    places: dict[str, int]
    """Where each session stands, by code."""
    near: dict[str, list[list[int]]]
    """By a family's township, one list a way: the places of those that have free seats."""
    lists_with: dict[str, list[list[int]]]
    """By a session's township: those of the lists that it belongs into."""

    @staticmethod
    def of(world: World) -> "Reach":
        there = defaultdict(list)
        for place, session in enumerate(world.sessions):
            there[session.township].append(place)
        near = {}
        lists_with = defaultdict(list)
        for home in sorted({family.township for family in world.families}):
            near[home] = [list[int]() for _ in WAYS]
            for way, its_list in zip(WAYS, near[home], strict=True):
                for township in [each for each in there if travel(home, each) is way]:
                    its_list += there[township]
                    lists_with[township].append(its_list)
                its_list.sort()
        return Reach(
            sessions=world.sessions,
            days=[session.day.toordinal() for session in world.sessions],
            places={session.code: place for place, session in enumerate(world.sessions)},
            near=near,
            lists_with=dict(lists_with),
        )

    def take_out(self, session: SimSession) -> None:
        """It has no free seat any more."""
        place = self.places[session.code]
        for each in self.lists_with.get(session.township, ()):
            del each[bisect_left(each, place)]

    def put_back(self, session: SimSession) -> None:
        """A seat has come free in a full one."""
        place = self.places[session.code]
        for each in self.lists_with.get(session.township, ()):
            insort(each, place)

    def look(
        self, home: str, since: date, until: date, taken: Sequence[int]
    ) -> Iterator[SimSession]:
        """From the own township, then from the near ones, each by time: clear of the days taken.

        Seats and the days (ordinals, in order) may change between two steps.
        """
        for its_list in self.near[home]:
            day = since.toordinal()
            place = bisect_left(self.days, day)
            while True:
                at = bisect_left(its_list, place)
                if at == len(its_list) or self.days[its_list[at]] > until.toordinal():
                    break
                place, day = its_list[at], self.days[its_list[at]]
                clear = first_clear(day, taken)
                if clear == day:
                    yield self.sessions[place]
                    place += 1
                else:
                    place = bisect_left(self.days, clear)


def first_clear(day: int, taken: Sequence[int]) -> int:
    """That day, or the first one after it that is far enough from all that are taken."""
    at = bisect_left(taken, day - DAYS_APART + 1)
    while at < len(taken) and taken[at] < day + DAYS_APART:
        day = taken[at] + DAYS_APART
        at += 1
    return day
