"""One world, played under both arms: what `simulate` prints."""

import time
from dataclasses import dataclass

from app.simulation.arms import FirstCome, YearPlans
from app.simulation.playing import Arm, Played, Say, play
from app.simulation.world import World, make_world


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one arm came to; the shares mean what they mean in the coverage report."""

    share_reaching_6: float | None
    share_reaching_12: float | None
    share_reaching_6_prorated: float | None
    """Of the part of the year that a family had, where its child was born or turned three."""
    seats_used: int
    seats_missed: int
    seats_offered: int
    attended_histogram: dict[str, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    families_in_need: int
    months: int
    sessions: int
    year_plan: Outcome
    first_come: Outcome
    seed: int
    seconds: float


def simulate(
    *, families: int, months: int, seats_per_family: float, seed: int, say: Say
) -> Comparison:
    """Both arms on the same families, sessions, cancellations and no-shows."""
    began = time.monotonic()
    world = make_world(
        families=families, months=months, seats_per_family=seats_per_family, seed=seed
    )
    planned = _arm("year plan", YearPlans(), world, say)
    first_come = _arm("first come", FirstCome(), world, say)
    return Comparison(
        families_in_need=planned.coverage.families_in_need,
        months=months,
        sessions=len(world.sessions),
        year_plan=_outcome(planned, world),
        first_come=_outcome(first_come, world),
        seed=seed,
        seconds=round(time.monotonic() - began, 1),
    )


def _arm(name: str, arm: Arm, world: World, say: Say) -> Played:
    return play(world, arm, lambda month: say(f"{name}: {month} played"))


def _outcome(played: Played, world: World) -> Outcome:
    return Outcome(
        share_reaching_6=played.coverage.share_reaching_6,
        share_reaching_12=played.coverage.share_reaching_12,
        share_reaching_6_prorated=played.coverage.share_reaching_6_prorated,
        seats_used=played.seats_used,
        seats_missed=played.seats_missed,
        seats_offered=world.seats,
        attended_histogram=dict(played.coverage.attended_histogram),
    )
