"""How far a family has to go: townships of Chongming, on the main island and over the water."""

from enum import StrEnum
from typing import Final

ISLANDS: Final = frozenset({"长兴镇", "横沙乡"})
"""Islands of their own: every way there, or away from there, goes over the water."""
WEST_TO_EAST: Final = (
    "绿华镇",
    "三星镇",
    "新村乡",
    "庙镇",
    "新海镇",
    "港西镇",
    "城桥镇",
    "东平镇",
    "建设镇",
    "新河镇",
    "竖新镇",
    "堡镇",
    "港沿镇",
    "向化镇",
    "中兴镇",
    "陈家镇",
)
"""The main island's townships along its length of 80 km, roughly 5 km a step."""
NEAR_STEPS: Final = 3

OTHER_TOWNSHIP_COST: Final = 14
STEP_COST: Final = 2
OVER_WATER_COST: Final = 90


class Travel(StrEnum):
    OWN = "own"
    NEAR = "near"
    FURTHER = "further"
    """On the same island, more than about 15 km away."""
    OVER_WATER = "over_water"


def travel(home: str, place: str) -> Travel:
    """How far a session's township is from the family's."""
    if home == place:
        return Travel.OWN
    if home in ISLANDS or place in ISLANDS:
        return Travel.OVER_WATER
    return Travel.NEAR if _steps(home, place) <= NEAR_STEPS else Travel.FURTHER


def travel_cost(home: str, place: str) -> int:
    """What the way there weighs against a session, in days of deviation from the rhythm."""
    if home == place:
        return 0
    if home in ISLANDS or place in ISLANDS:
        return OVER_WATER_COST
    return OTHER_TOWNSHIP_COST + STEP_COST * _steps(home, place)


_PLACES: Final = {name: place for place, name in enumerate(WEST_TO_EAST)}


def _steps(home: str, place: str) -> int:
    """Townships apart, along the island; the whole length where a name is not on it."""
    if home not in _PLACES or place not in _PLACES:
        return len(WEST_TO_EAST)
    return abs(_PLACES[home] - _PLACES[place])
