"""Keeps a world's state in one JSON file, replaced in one step, so that no crash tears it."""

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sandbox.world import State, World

ACCEPTED_KEPT = 2_000
"""Accepted messages that outlive a restart; a running sandbox lists all of them."""
GATHER_SECONDS = 0.3
"""How long changes gather before they are written; a crash loses no more than this."""

logger = logging.getLogger(__name__)

_STATE: TypeAdapter[State] = TypeAdapter(State)


def load(path: Path) -> State | None:
    """The state as it was left, or None where there is none or it cannot be read.

    A file that cannot be read is set aside beside the new one, never overwritten.
    """
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _STATE.validate_json(stored)
    except ValidationError:
        aside = path.with_name(path.name + ".unreadable")
        path.replace(aside)
        logger.error("the state in %s could not be read; it is kept as %s", path.name, aside.name)
        return None


def save(world: World, path: Path) -> None:
    """Writes the state beside the file, then puts it in the file's place."""
    with world.lock:
        world.changed.clear()
        kept = replace(world.state, accepted=world.state.accepted[-ACCEPTED_KEPT:])
        dumped = _STATE.dump_json(kept)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_bytes(dumped)
    beside.replace(path)


def keep(world: World, path: Path) -> Callable[[], None]:
    """Saves the world from a background thread whenever it changed, and once more at exit.

    Returns what saves it at once.
    """
    writing = threading.Lock()

    def write() -> None:
        with writing:
            if world.changed.is_set():
                save(world, path)

    def watch() -> None:
        took = 0.0
        while True:
            world.changed.wait()
            # A big world takes longer to write: then it is written less often.
            time.sleep(max(GATHER_SECONDS, 10 * took))
            begun = time.monotonic()
            write()
            took = time.monotonic() - begun

    atexit.register(write)
    threading.Thread(target=watch, name="sandbox-store", daemon=True).start()
    return write
