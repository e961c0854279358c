"""The simulated world is what it says it is, and the same for the same seed."""

from bisect import insort
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pytest

from app.rules.age import is_under_three
from app.rules.travel import Travel, travel
from app.simulation.reach import DAYS_APART, Reach
from app.simulation.world import START, World, fits, make_world


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(families=200, months=12, seats_per_family=7, seed=5)


def test_the_same_seed_makes_the_same_world(world: World) -> None:
    assert make_world(families=200, months=12, seats_per_family=7, seed=5) == world
    assert make_world(families=200, months=12, seats_per_family=7, seed=6) != world


@pytest.mark.parametrize(
    "families, months, per_family, seats",
    [(200, 12, 7, 1400), (60, 6, 3.5, 210), (1, 1, 1, 1), (13, 12, 0.5, 6)],
)
def test_there_are_as_many_families_and_seats_as_asked(
    families: int, months: int, per_family: float, seats: int
) -> None:
    made = make_world(families=families, months=months, seats_per_family=per_family, seed=1)

    assert len(made.families) == families
    assert made.seats == seats
    assert all(session.places > 0 for session in made.sessions)
    assert all(START <= session.day <= made.end for session in made.sessions)


def test_every_family_has_a_child_under_three_when_it_joins(world: World) -> None:
    for family in world.families:
        assert START <= family.joins_on <= world.end
        assert is_under_three(family.born, family.joins_on - timedelta(days=1))


def test_most_families_are_owed_the_whole_year(world: World) -> None:
    whole = [
        one for one in world.families if one.born < START and is_under_three(one.born, world.end)
    ]

    assert 0.85 < len(whole) / len(world.families) < 1


def test_every_family_wants_six_at_least(world: World) -> None:
    assert min(family.wants for family in world.families) == 6
    assert max(family.wants for family in world.families) > 6


def test_a_place_has_the_same_fate_whoever_arranged_it(world: World) -> None:
    pairs = [(family, session) for family in world.families[:60] for session in world.sessions[:60]]
    fates = [world.fate(family, session) for family, session in pairs]

    assert fates == [world.fate(family, session) for family, session in pairs]
    cancelled = sum(fate.cancels_on is not None for fate in fates) / len(fates)
    missed = sum(fate.misses for fate in fates) / len(fates)
    assert 0.06 < cancelled < 0.10
    assert 0.05 < missed < 0.09


def test_the_ages_of_a_session_bind(world: World) -> None:
    for family in world.families:
        fitting = [session for session in world.sessions if fits(family, session)]
        assert all(session.day >= family.born for session in fitting)
        assert all(is_under_three(family.born, session.day) for session in fitting)


def test_neighbours_do_not_hold_all_their_sessions_on_the_same_days(world: World) -> None:
    days = {session.day for session in world.sessions}

    assert len(days) > 100
    assert min(days) >= date(2027, 1, 11)


def test_a_look_finds_what_is_free_near_and_a_week_from_what_is_taken(world: World) -> None:
    chance = Random(3)
    reach = Reach.of(world)
    full = set(chance.sample(world.sessions, len(world.sessions) // 2))
    for session in full:
        reach.take_out(session)
    for session in sorted(full, key=lambda one: one.code)[::4]:
        reach.put_back(session)
        full.remove(session)
    since, until = START + timedelta(days=20), START + timedelta(days=200)
    for home in ("城桥镇", "堡镇", "长兴镇"):
        first = since.toordinal()
        taken = [first - 3, first + 12, first + 20, first + 30, until.toordinal() + 6]
        fits_in = [
            one
            for one in world.sessions
            if one not in full
            and since <= one.day <= until
            and all(abs(one.day.toordinal() - day) >= DAYS_APART for day in taken)
        ]
        expected = [
            one
            for way in (Travel.OWN, Travel.NEAR)
            for one in fits_in
            if travel(home, one.township) is way
        ]

        assert list(reach.look(home, since, until, taken)) == expected
        assert expected or home == "长兴镇"


def test_a_look_goes_on_while_seats_are_taken(world: World) -> None:
    reach = Reach.of(world)
    taken: list[int] = []
    found = []
    for session in reach.look("城桥镇", START, world.end, taken):
        reach.take_out(session)
        found.append(session)
        insort(taken, session.day.toordinal())
    there = [one for one in world.sessions if one.township == "城桥镇"]
    assert found[0] == there[0]
    assert all(later - earlier >= DAYS_APART for earlier, later in pairwise(taken))
    at_home = [one.day for one in found if one.township == "城桥镇"]
    for one in there:  # none was passed over
        assert any(abs((one.day - day).days) < DAYS_APART for day in at_home)
