"""What the processes say, one line an event, each with its process's name before it."""

import os
import sys
from typing import TextIO

NAME_WIDTH = 10
COLOURS = (36, 33, 32, 35, 34, 96, 93)  # ANSI foregrounds that read well on dark and light
LONGEST_LINE_BYTES = 64 * 1024


class Printer:
    """Writes the lines; coloured on a terminal, unless NO_COLOR asks otherwise."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._is_gone = False

    def say(self, name: str, text: str) -> None:
        """One line. A reader who has left (`./dev run 2>&1 | head`) stops the talking only."""
        if self._is_gone:
            return
        try:
            self._stream.write(f"{self._prefix(name)} {text}\n")
            self._stream.flush()
        except OSError:
            self._is_gone = True

    def _prefix(self, name: str) -> str:
        prefix = f"{name:<{NAME_WIDTH}}|"
        if not self._coloured:
            return prefix
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\x1b[{colour}m{prefix}\x1b[0m"


class LogLines:
    """Cuts one process's output into lines."""

    def __init__(self, name: str, printer: Printer) -> None:
        self._name = name
        self._printer = printer
        self._rest = b""

    def feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._print(line)
        if len(self._rest) > LONGEST_LINE_BYTES:
            self.finish()

    def finish(self) -> None:
        """Print what has no line end yet."""
        if self._rest:
            self._print(self._rest)
            self._rest = b""

    def _print(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        if text:
            self._printer.say(self._name, text)


def step(text: str) -> None:
    """What ./dev itself is doing: on standard error, as everything but results."""
    print(f"dev: {text}", file=sys.stderr, flush=True)
