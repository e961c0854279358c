"""Many texts and a number for each, looked up in a file as it lies there.

As a dictionary the 60,000 features of the model took 10 MB of every process that loads it, and
time at each start. Here nothing is read before it is asked for, and all processes share the pages.
"""

from array import array
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

_NUMBER: Final = "I"
_WIDTH: Final = array(_NUMBER).itemsize
_FREE_SHARE: Final = 2
"""A table has at least this many slots a text: a look-up tries one or two."""


class Numbered(Mapping[str, int]):
    """A mapping over bytes that `packed` made: slots, ends and numbers of the texts, the texts.

    A text's slot holds its place among the texts, counted from 1; where another text has taken
    the slot, the next one is tried. 0 is an empty slot.
    """

    def __init__(self, table: memoryview, count: int) -> None:
        """More bytes may follow. Raises ValueError, or IndexError, where there are too few."""
        slots = _slots(count)
        numbers = table[: _WIDTH * (slots + 1 + 2 * count)].cast(_NUMBER)
        self._slots = numbers[:slots]
        self._ends = numbers[slots : slots + 1 + count]
        self._numbers = numbers[slots + 1 + count :]
        # Copied, half a megabyte: it is compared with in every look-up.
        self._texts = bytes(table[_WIDTH * len(numbers) :])
        self._mask = slots - 1
        if len(self._numbers) != count or self._ends[count] > len(self._texts):
            raise ValueError("a table that was cut short")

    def get(self, text: str, default: Any = None) -> Any:
        """The text's number; called for every feature of every message."""
        key = text.encode()
        slots, ends = self._slots, self._ends
        slot = crc32(key) & self._mask
        while place := slots[slot]:
            if self._texts[ends[place - 1] : ends[place]] == key:
                return self._numbers[place - 1]
            slot = (slot + 1) & self._mask
        return default

    def __getitem__(self, text: str) -> int:
        number: int | None = self.get(text)
        if number is None:
            raise KeyError(text)
        return number

    def __iter__(self) -> Iterator[str]:
        ends = self._ends
        for place in range(len(self)):
            yield self._texts[ends[place] : ends[place + 1]].decode()

    def __len__(self) -> int:
        return len(self._numbers)


def packed(numbers: Mapping[str, int]) -> bytes:
    """The bytes that `Numbered` looks into. Texts hold no half of a character."""
    texts = [text.encode() for text in numbers]
    slots = array(_NUMBER, bytes(_WIDTH * _slots(len(texts))))
    ends = array(_NUMBER, [0])
    for place, text in enumerate(texts, start=1):
        ends.append(ends[-1] + len(text))
        slot = crc32(text) & (len(slots) - 1)
        while slots[slot]:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = place
    return b"".join((slots, ends, array(_NUMBER, numbers.values()), *texts))


def _slots(count: int) -> int:
    return 1 << (_FREE_SHARE * count).bit_length()
