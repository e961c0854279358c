"""Regular expressions that are compiled when they are first needed.

Python compiles a long pattern in milliseconds, and there are hundreds: all of them at the start
would keep a phone waiting for a good half second.
"""

import re
from collections.abc import Callable, Iterator


class LatePattern:
    """What `re.compile` gives, as far as it is used here; the compiling waits for the first use."""

    __slots__ = ("_compiled", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._compiled: re.Pattern[str] | None = None
        _WAITING.add(self)

    def compiled(self) -> re.Pattern[str]:
        """The pattern itself. Raises re.error where it is none."""
        if self._compiled is None:
            self._compiled = re.compile(self.pattern)
            _WAITING.discard(self)
        return self._compiled

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        return self.compiled().search(text, start)

    def match(self, text: str, start: int = 0) -> re.Match[str] | None:
        return self.compiled().match(text, start)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        return self.compiled().fullmatch(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self.compiled().finditer(text)

    def findall(self, text: str) -> list[str]:
        """Every match as text; only for patterns without groups, or with one."""
        return self.compiled().findall(text)

    def split(self, text: str) -> list[str]:
        """What lies between the matches; only for patterns without groups."""
        return self.compiled().split(text)

    def sub(self, replacement: str | Callable[[re.Match[str]], str], text: str) -> str:
        return self.compiled().sub(replacement, text)


_WAITING: set[LatePattern] = set()


def compile_all() -> int:
    """Compile what still waits, and say how many those were."""
    # A copy at once: turns under way take out what they compile themselves.
    waiting = list(_WAITING)
    for pattern in waiting:
        pattern.compiled()
    return len(waiting)
