"""One world, played under both arms at once: what `simulate` prints."""

import gc
import multiprocessing
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app.simulation.arms import FirstCome, YearPlans
from app.simulation.playing import Arm, Played, Say, play_in
from app.simulation.world import World, make_world

RARELY: Final = (50_000, 20, 50)
"""Of gc.set_threshold, in an arm's own process."""
ARMS: Final[Mapping[str, type[Arm]]] = {"year plan": YearPlans, "first come": FirstCome}
"""By the name under which their months are told."""


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


class ArmDied(RuntimeError):
    """The process of an arm ended before its year did; what it died of is on standard error."""


def simulate(
    *, families: int, months: int, seats_per_family: float, seed: int, say: Say
) -> Comparison:
    """Both arms on the same families, sessions, cancellations and no-shows. Raises ArmDied."""
    began = time.monotonic()
    world = make_world(
        families=families, months=months, seats_per_family=seats_per_family, seed=seed
    )
    played = play_at_once(world, say)
    planned, first_come = played["year plan"], played["first come"]
    return Comparison(
        families_in_need=planned.coverage.families_in_need,
        months=months,
        sessions=len(world.sessions),
        year_plan=outcome(planned, world),
        first_come=outcome(first_come, world),
        seed=seed,
        seconds=round(time.monotonic() - began, 1),
    )


def play_at_once(world: World, say: Say) -> dict[str, Played]:
    """Every arm in a process and a database of its own: they have nothing but the world in common.

    Raises ArmDied.
    """
    # Not forked: whoever calls may have threads.
    spawning = multiprocessing.get_context("spawn")
    played: dict[str, Played] = {}
    with TemporaryDirectory(prefix="yuban-simulation-") as folder:
        running: dict[Connection, str] = {}
        processes = []
        try:
            for name in ARMS:
                ours, theirs = spawning.Pipe(duplex=False)
                process = spawning.Process(
                    target=_play_apart, args=(theirs, Path(folder) / name, world, name), daemon=True
                )
                process.start()
                theirs.close()  # so that ours ends where the process does
                processes.append(process)
                running[ours] = name
            while running:
                for ready in wait(list(running)):
                    assert isinstance(ready, Connection)
                    try:
                        told: str | Played = ready.recv()
                    except EOFError:
                        raise ArmDied(f"{running[ready]}: ended before its time") from None
                    if isinstance(told, str):
                        say(f"{running[ready]}: {told} played")
                    else:
                        played[running.pop(ready)] = told
        finally:
            # The folder goes with its databases: nobody may be at work in it any more.
            for process in processes:
                process.terminate()
                process.join()
    return played


def _play_apart(told: Connection, folder: Path, world: World, name: str) -> None:
    """In the arm's own process: tell each month, then the whole year."""
    # Ctrl-C reaches both at once; whoever started this ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The world stays to the end, and so does most of what is made of it: it need not be looked
    # through again and again for what may go.
    gc.freeze()
    gc.set_threshold(*RARELY)
    folder.mkdir()
    told.send(play_in(folder, world, ARMS[name](), told.send))


def outcome(played: Played, world: World) -> Outcome:
    return Outcome(
        share_reaching_6=played.coverage.share_reaching_6,
        share_reaching_12=played.coverage.share_reaching_12,
        share_reaching_6_prorated=played.coverage.share_reaching_6_prorated,
        seats_used=played.seats_used,
        seats_missed=played.seats_missed,
        seats_offered=world.seats,
        attended_histogram=dict(played.coverage.attended_histogram),
    )
