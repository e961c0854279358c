"""Runs a module as a program whose clock a test steps: an hour on at SIGUSR1, one back at SIGUSR2.

python -m tests.faults.stepping scheduler.deliverer
"""

import runpy
import signal
import sys
from datetime import UTC, datetime, timedelta
from types import FrameType

import time_machine

HOUR = timedelta(hours=1)


def run(module: str) -> None:
    traveller = time_machine.travel(datetime.now(UTC), tick=True).start()

    def step(number: int, _frame: FrameType | None) -> None:
        traveller.shift(HOUR if number == signal.SIGUSR1 else -HOUR)

    signal.signal(signal.SIGUSR1, step)
    signal.signal(signal.SIGUSR2, step)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    run(sys.argv[1])
