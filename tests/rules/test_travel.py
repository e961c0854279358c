"""How far a family has to go."""

import pytest

from app.rules.townships import TOWNSHIPS
from app.rules.travel import ISLANDS, WEST_TO_EAST, Travel, travel, travel_cost


@pytest.mark.parametrize(
    "home, place, expected",
    [
        ("城桥镇", "城桥镇", Travel.OWN),
        ("横沙乡", "横沙乡", Travel.OWN),
        ("城桥镇", "港西镇", Travel.NEAR),
        ("城桥镇", "新河镇", Travel.NEAR),
        ("城桥镇", "竖新镇", Travel.FURTHER),
        ("绿华镇", "陈家镇", Travel.FURTHER),
        ("城桥镇", "长兴镇", Travel.OVER_WATER),
        ("横沙乡", "城桥镇", Travel.OVER_WATER),
        ("长兴镇", "横沙乡", Travel.OVER_WATER),
        ("城桥镇", "别处", Travel.FURTHER),
    ],
)
def test_distance_is_by_township_and_island(home: str, place: str, expected: Travel) -> None:
    assert travel(home, place) is expected


def test_every_township_has_its_place() -> None:
    assert {*WEST_TO_EAST, *ISLANDS} == set(TOWNSHIPS)
    assert len(WEST_TO_EAST) == len(set(WEST_TO_EAST))


def test_the_way_costs_more_the_further_it_is() -> None:
    costs = [travel_cost("城桥镇", place) for place in ("城桥镇", "港西镇", "陈家镇", "长兴镇")]
    assert costs == sorted(set(costs))
    assert costs[0] == 0
