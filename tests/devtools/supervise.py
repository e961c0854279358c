"""A program that supervises the processes it is told of, for tests to signal and to kill.

python -m tests.devtools.supervise FOLDER NAME=STAGE=CODE …
"""

import os
import sys
from pathlib import Path

from devtools.log_lines import Printer
from devtools.supervisor import Process, Supervisor


def main(arguments: list[str]) -> None:
    folder, *wanted = arguments
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with Supervisor(Printer(sys.stderr), environment, Path(folder)) as supervisor:
        for one in wanted:
            name, stage, code = one.split("=", 2)
            supervisor.start(
                Process(name, (sys.executable, "-c", code), int(stage), patience_seconds=1.0)
            )
        supervisor.run()


if __name__ == "__main__":
    main(sys.argv[1:])
