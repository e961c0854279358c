"""Days that keep a distance from each other, and from those that are taken: how many fit."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def are_clear_of(days: Iterable[int], anchors: Sequence[int], gap: int) -> list[int]:
    """Days that lie at least so many from every anchor (sorted ordinals)."""
    clear = []
    for day in days:
        after = bisect_left(anchors, day)
        if after < len(anchors) and anchors[after] - day < gap:
            continue
        if after and day - anchors[after - 1] < gap:
            continue
        clear.append(day)
    return clear


@dataclass(frozen=True, slots=True)
class Packing:
    """Days that may be combined at one gap, and how many fit from each on."""

    days: Sequence[int]
    following: Sequence[int]
    """For each day the place of the first one that lies a gap or more behind it."""
    most: Sequence[int]
    """most[i]: how many can be taken of days[i:]; one entry more than the days."""

    @staticmethod
    def of(pool: Sequence[int], anchors: Sequence[int], gap: int) -> "Packing":
        days = are_clear_of(pool, anchors, gap)
        following = [bisect_left(days, day + gap) for day in days]
        most = [0] * (len(days) + 1)
        for place in range(len(days) - 1, -1, -1):
            # The earliest is never worse than a later one: it leaves the most room behind it.
            most[place] = 1 + most[following[place]]
        return Packing(days, following, most)
