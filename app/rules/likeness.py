"""Messages that say much the same, put together."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

ALIKE: Final = 0.4
"""The share of pairs of characters that two messages of a group have in common."""

Item = TypeVar("Item")


def grouped(items: Sequence[Item], text_of: Callable[[Item], str]) -> list[list[Item]]:
    """Groups of like messages, the largest first, in them the order that they came in."""
    groups: list[tuple[frozenset[str], list[Item]]] = []
    for item in items:
        pairs = _pairs(text_of(item))
        for first, members in groups:
            if likeness(first, pairs) >= ALIKE:
                members.append(item)
                break
        else:
            groups.append((pairs, [item]))
    return sorted((members for _, members in groups), key=len, reverse=True)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """What two sets have in common, of all that is in them: 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 1.0


def _pairs(text: str) -> frozenset[str]:
    bare = "".join(filter(str.isalnum, text)).lower()
    return frozenset(bare[at : at + 2] for at in range(max(1, len(bare) - 1)))
