"""Troubles to order: which call meets which, and how often."""

import random
import secrets
from dataclasses import replace

from sandbox.records import Fault
from sandbox.world import World

_random = secrets.SystemRandom()


def add(world: World, fault: Fault) -> None:
    """Lays a fault in wait."""
    with world.lock:
        world.faults.append(fault)


def clear(world: World) -> None:
    """Takes all waiting faults away."""
    with world.lock:
        world.faults.clear()


def take(world: World, path: str, openid: str, chance: random.Random = _random) -> Fault | None:
    """The first waiting fault that this call meets; one with `times` is used up by it."""
    with world.lock:
        for position, fault in enumerate(world.faults):
            if fault.path not in (path, "*"):
                continue
            if fault.openid and fault.openid != openid:
                continue
            if fault.probability < 1 and chance.random() >= fault.probability:
                continue
            if fault.times is not None:
                if fault.times <= 1:
                    del world.faults[position]
                else:
                    world.faults[position] = replace(fault, times=fault.times - 1)
            return fault
    return None


def refuses(fault: Fault) -> bool:
    """Whether the call is answered, or cut off, without being carried out."""
    return (
        fault.errcode not in (None, 0)
        or fault.http_status is not None
        or fault.drop == "before"
        or fault.garbage == "before"
    )
