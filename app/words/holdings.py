"""What is held about a family, as a person reads it: on the page, in a file, in an app."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.words import privacy as words


class Held(Protocol):
    """One table with the family's rows, as they are stored."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def rows(self) -> tuple[tuple[object, ...], ...]: ...


@dataclass(frozen=True, slots=True)
class ReadableTable:
    """A table's rows as names and values: what is empty is left out."""

    name: str
    rows: tuple[tuple[tuple[str, str], ...], ...]


def readable(tables: Sequence[Held]) -> list[ReadableTable]:
    """The tables in words."""
    return [
        ReadableTable(
            words.table_name(table.name),
            tuple(
                tuple(
                    (words.column_name(name), words.value_words(value))
                    for name, value in zip(table.columns, row, strict=True)
                    if value not in (None, "") and words.is_for_reading(name)
                )
                for row in table.rows
            ),
        )
        for table in tables
    ]
