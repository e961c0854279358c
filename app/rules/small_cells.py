"""Small numbers hidden in what leaves the district, so that no family can be told from them.

A cell of one to four families is hidden. What is hidden in a row or a column could be worked out
from the total where it is a single cell, or where the rest can only be ones or only be fours: then
the next smallest is hidden with it, and every other one of its size. So what is hidden may have
stood in any order: whoever knows this rule would see the same cells hidden.
"""

from collections.abc import Iterator, Sequence
from typing import Final

SMALLEST_SHOWN: Final = 5
"""DOMAIN §6: cells under 5 families are hidden in what leaves the district."""


def is_small(count: int) -> bool:
    """Whether a number is hidden for its own sake; nobody is told from a zero."""
    return 0 < count < SMALLEST_SHOWN


def hidden(table: Sequence[Sequence[int]]) -> frozenset[tuple[int, int]]:
    """The (row, column) of the cells to hide, where the totals of rows and columns are known.

    The cells of a row must be parts of its total, and exclude each other.
    """
    found = {
        (row, column)
        for row, cells in enumerate(table)
        for column, count in enumerate(cells)
        if is_small(count)
    }
    while True:
        more = {cell for line in _lines(table) for cell in _companions(table, line, found)}
        if more <= found:
            return frozenset(found)
        found |= more


def _lines(table: Sequence[Sequence[int]]) -> Iterator[list[tuple[int, int]]]:
    columns = len(table[0]) if table else 0
    for row in range(len(table)):
        yield [(row, column) for column in range(columns)]
    for column in range(columns):
        yield [(row, column) for row in range(len(table))]


def _companions(
    table: Sequence[Sequence[int]], line: list[tuple[int, int]], found: set[tuple[int, int]]
) -> set[tuple[int, int]]:
    """The cells to hide beside what the total of a row or column would tell: the smallest that are
    not empty, or the empty ones where there are no others."""
    if not _is_told_by_the_total(
        [table[row][column] for row, column in line if (row, column) in found]
    ):
        return set()
    others = {cell: table[cell[0]][cell[1]] for cell in line if cell not in found}
    smallest = min((count for count in others.values() if count), default=0)
    return {cell for cell, count in others.items() if count == smallest}


def _is_told_by_the_total(hidden_counts: Sequence[int]) -> bool:
    """Whether what is left of a total can be only these numbers."""
    if len(hidden_counts) < 2:
        return len(hidden_counts) == 1
    if not all(is_small(count) for count in hidden_counts):
        return False
    return len({*hidden_counts}) == 1 and hidden_counts[0] in (1, SMALLEST_SHOWN - 1)
