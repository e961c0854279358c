"""A small year under both arms: reproducible, sound, and fairer by the plan."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.crypto import Cipher
from app.db import Database
from app.models import SignUp
from app.rules.sign_up import SignUpState
from app.services import doctor
from app.services.coverage import report
from app.simulation.arms import FirstCome, YearPlans
from app.simulation.playing import Arm, live, play
from app.simulation.running import ARMS, ArmDied, Comparison, play_at_once, simulate
from app.simulation.world import World, make_world


def silent(words: str) -> None:
    del words


@pytest.fixture(scope="module")
def year() -> Comparison:
    return simulate(families=60, months=12, seats_per_family=7, seed=2, say=silent)


@pytest.fixture
def world() -> World:
    return make_world(families=36, months=4, seats_per_family=4, seed=3)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """A played world lives on SQLite; the services are tested on both elsewhere."""
    return sqlite_url


def test_the_year_plan_brings_the_families_to_six(year: Comparison) -> None:
    assert year.families_in_need == 60
    assert year.year_plan.share_reaching_6 is not None
    assert year.year_plan.share_reaching_6 >= 0.9


def test_first_come_first_served_leaves_families_behind_at_the_same_supply(
    year: Comparison,
) -> None:
    planned, first_come = year.year_plan, year.first_come
    assert planned.share_reaching_6 is not None
    assert first_come.share_reaching_6 is not None
    assert planned.seats_offered == first_come.seats_offered == 420
    assert planned.share_reaching_6 > first_come.share_reaching_6 + 0.15
    # Not for want of use: as many seats are taken, but by fewer families.
    assert first_come.seats_used > 0.9 * planned.seats_used
    assert first_come.attended_histogram["12+"] > planned.attended_histogram["12+"]


def test_both_arms_see_seats_lost(year: Comparison) -> None:
    for outcome in (year.year_plan, year.first_come):
        taken = outcome.seats_used + outcome.seats_missed
        assert taken <= outcome.seats_offered
        assert 0.03 < outcome.seats_missed / taken < 0.12


def test_both_arms_at_once_play_what_each_plays_by_itself(world: World) -> None:
    """The same seed gives the same, in another process too."""
    world = replace(world, families=world.families[:10])
    told: list[str] = []

    at_once = play_at_once(world, told.append)

    by_itself = {name: play(world, arm(), silent) for name, arm in ARMS.items()}
    assert at_once == by_itself
    months = ("2027-01", "2027-02", "2027-03", "2027-04")
    assert sorted(told) == sorted(f"{name}: {month} played" for name in ARMS for month in months)


@pytest.mark.long
def test_an_arm_that_dies_is_told_of(world: World) -> None:
    nowhere = replace(world.sessions[0], township="水上")

    with pytest.raises(ArmDied, match="ended before its time"):
        play_at_once(replace(world, sessions=(nowhere,)), silent)


@pytest.mark.parametrize("arm", [YearPlans, FirstCome])
def test_what_was_played_is_sound_data(
    world: World, arm: Callable[[], Arm], database: Database, cipher: Cipher
) -> None:
    played = live(world, arm(), database, silent)

    now = datetime.combine(world.end, time(23, 59), SHANGHAI)
    with database.reading() as db:
        found = doctor.examine(db, cipher=cipher, now=now)
        assert [check for check in found.checks if not check.ok] == []
        assert played.coverage == report(db, year=2027, now=now).total
        states = {row.state for row in db.execute(select(SignUp.state).distinct())}
    assert {SignUpState.ATTENDED, SignUpState.NO_SHOW, SignUpState.CANCELLED} <= states


@pytest.mark.long
def test_more_than_the_plan_is_taken_from_what_is_left() -> None:
    world = make_world(families=36, months=4, seats_per_family=9, seed=3)
    without = play(world, YearPlans(extras_days=0), silent)
    with_extras = play(world, YearPlans(extras_days=14), silent)

    assert with_extras.seats_used > without.seats_used


def test_a_birth_on_the_last_day_of_all_is_known_that_day(world: World) -> None:
    last = replace(world.families[0], born=world.end, joins_on=world.end)

    played = play(replace(world, families=(last, world.families[1])), FirstCome(), silent)

    assert played.coverage.families_in_need == 2


def test_the_months_are_told(world: World) -> None:
    told: list[str] = []

    play(replace(world, families=world.families[:2]), FirstCome(), told.append)

    assert told == ["2027-01", "2027-02", "2027-03", "2027-04"]
