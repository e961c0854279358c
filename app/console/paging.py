"""One page of a long list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import request

PAGE_SIZE = 50
LAST_PAGE = 1000

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page, and whether there is one before and one after."""

    number: int
    rows: Sequence[Row]
    has_next: bool

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def asked_page() -> int:
    """The page number in the address, from 1; 1 where it is none."""
    return min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)


def offset_of(number: int) -> int:
    return (number - 1) * PAGE_SIZE


def page_of(number: int, rows: Sequence[Row]) -> Page[Row]:
    """A page from its rows and one more, which is there to tell that a next page exists."""
    return Page(number=number, rows=rows[:PAGE_SIZE], has_next=len(rows) > PAGE_SIZE)
