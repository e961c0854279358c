"""The list screen: search, filters in the address, pages, printing, and export of what is shown.

A screen says once what its columns are; the page, the printed page and the exported file are
made from the same columns and the same rows. How to make one: docs/architecture.md.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Literal, TypeVar

from flask import Response, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import SHANGHAI, now
from app.console.paging import LAST_PAGE, PAGE_SIZE, Page, asked_page

Row = TypeVar("Row")
Cell = str | int | float | date | datetime | None

MOST_EXPORTED = 20_000
LONGEST_SEARCH = 60
LONGEST_WHOLE = 12
FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet takes a cell that begins so for a formula: OWASP, CSV Injection. With a Chinese
keyboard the full-width ones do as well."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    title: str
    value: Callable[[Row], Cell]
    is_title: bool = False
    """The row's name: it heads the row, and bears the link where there is one."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice that stands in the address; its first choice is what an address without it means."""

    name: str
    title: str
    choices: Mapping[str, str]
    """Value in the address → words. The first value is usually "", for all."""
    is_tabs: bool = False
    """Shown as a row of links above the list: the parts of one list."""

    @property
    def default(self) -> str:
        return next(iter(self.choices))


@dataclass(frozen=True, slots=True)
class ListScreen(Generic[Row]):
    """One list. Where choices come from the database, `dataclasses.replace` the filters."""

    endpoint: str
    """Without the blueprint's name; it names the exported file, too."""
    title: str
    columns: tuple[Column[Row], ...]
    filters: tuple[Filter, ...] = ()
    search: str = ""
    """What one can search by; empty where the list has no search."""
    link: Callable[[Row], str] | None = None
    """The address of the row's own page."""
    is_work: bool = False
    """Work that waits: a short list of it is shown at once on a phone, without the search."""
    place: Mapping[str, str] = field(default_factory=dict)
    """Values of the route's own, such as a session's code."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: the search, the filters, the page, or a file."""

    text: str
    values: Mapping[str, str]
    """By filter name; the filter's default where the address says nothing."""
    page: int
    file: Literal["", "csv", "xlsx"]
    is_whole: bool
    """A file of all pages, not of the one that is shown."""

    def is_filtered(self, screen: "ListScreen[Row]") -> bool:
        """Whether any filter is set; which part of a list is shown is none."""
        return any(
            self.values[each.name] != each.default for each in screen.filters if not each.is_tabs
        )

    @property
    def limit(self) -> int:
        """How many rows to fetch: one more than are shown, to know whether there are others."""
        return (MOST_EXPORTED if self.file and self.is_whole else PAGE_SIZE) + 1

    @property
    def offset(self) -> int:
        return 0 if self.file and self.is_whole else (self.page - 1) * PAGE_SIZE


def read(screen: ListScreen[Row]) -> Asked:
    """What the address asks for; 404 where it names a choice that there is not."""
    values = {}
    for each in screen.filters:
        value = request.args.get(each.name, each.default)
        if value not in each.choices:
            abort(404)
        values[each.name] = value
    wanted = request.args.get("file", "")
    if wanted not in ("", "csv", "xlsx"):
        abort(404)
    file: Literal["", "csv", "xlsx"] = "csv" if wanted == "csv" else "xlsx" if wanted else ""
    return Asked(
        text=" ".join(request.args.get("q", "").split())[:LONGEST_SEARCH] if screen.search else "",
        values=values,
        page=asked_page(),
        file=file,
        is_whole=request.args.get("all") == "1",
    )


def answer(
    screen: ListScreen[Row],
    asked: Asked,
    rows: Sequence[Row],
    template: str = "console/listing.html",
    **more: object,
) -> ResponseReturnValue:
    """The page with these rows, or the file of exactly the same; rows as `asked.limit` bade."""
    shown = rows[: asked.limit - 1]
    if asked.file:
        return _file(screen, asked, shown)
    page = Page(number=asked.page, rows=shown, has_next=len(rows) > len(shown))
    return render_template(
        template,
        screen=screen,
        asked=asked,
        page=page if page.number < LAST_PAGE else Page(page.number, page.rows, has_next=False),
        address=_addresses(screen, asked),
        show_cell=show_cell,
        is_whole=is_whole,
        printed_at=now(),
        **more,
    )


def _addresses(screen: ListScreen[Row], asked: Asked) -> Callable[..., str]:
    """This list's address with some of what it asks for changed: address(page=2, file="csv")."""
    kept = {
        each.name: asked.values[each.name]
        for each in screen.filters
        if asked.values[each.name] != each.default
    }
    if asked.text:
        kept["q"] = asked.text
    if asked.page > 1:
        kept["page"] = str(asked.page)

    def address(**changes: str | int | None) -> str:
        values = {**screen.place, **kept, **changes}
        known = {name: str(value) for name, value in values.items() if value not in (None, "")}
        return url_for(
            f"console.{screen.endpoint}",
            _anchor=None,
            _scheme=None,
            _external=False,
            _method=None,
            **known,
        )

    return address


def show_cell(cell: Cell) -> str:
    """A value as it is shown, printed and exported: times by Shanghai's clock, to the minute."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{cell:g}"
    return str(cell)


def is_whole(words: str) -> bool:
    """Whether it is a number, a code or a telephone, which no line should break in two."""
    return len(words) <= LONGEST_WHOLE and words.isascii()


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text.lstrip(" \u3000").startswith(FORMULA_MARKS) else text


def _file(screen: ListScreen[Row], asked: Asked, rows: Sequence[Row]) -> Response:
    titles = [column.title for column in screen.columns]
    cells = [[column.value(row) for column in screen.columns] for row in rows]
    return file_of(screen.endpoint, asked.file, titles, cells)


def file_of(
    name: str, kind: str, titles: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> Response:
    """A download of a table, as CSV or XLSX: name-20261122.csv."""
    content = csv_of(titles, rows) if kind == "csv" else xlsx_of({"名单": [list(titles), *rows]})
    stamp = now().astimezone(SHANGHAI).strftime("%Y%m%d")
    return download(content, f"{name.replace('_', '-')}-{stamp}.{kind}")


def download(content: bytes, file_name: str) -> Response:
    """A file to save, by the kind that its name ends in."""
    kind = XLSX if file_name.endswith(".xlsx") else "text/csv; charset=utf-8"
    answer = Response(content, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return answer


def csv_of(titles: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """CSV in UTF-8 with a byte order mark: without it Excel reads Chinese as rubbish."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([neutral(title) for title in titles])
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _plain(cell: Cell) -> str | int | float:
    return cell if isinstance(cell, (int, float)) else neutral(show_cell(cell))


def xlsx_of(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    """A workbook with a sheet for each table; the first row of a table is its header."""
    # Late: a web worker that exports nothing does not pay for it.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.freeze_panes = "A2"
        for number, widest in enumerate(_widths(rows), start=1):
            sheet.column_dimensions[get_column_letter(number)].width = widest
        for line, row in enumerate(rows):
            cells = []
            for value in row:
                cell = WriteOnlyCell(sheet, value=_plain(value))
                if line == 0:
                    cell.font = Font(bold=True)
                cells.append(cell)
            sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _widths(rows: Sequence[Sequence[Cell]]) -> list[float]:
    """Wide enough for what stands there: a Chinese character takes two."""
    widths: list[float] = []
    for row in rows[:200]:
        for number, value in enumerate(row):
            text = show_cell(value)
            wide = sum(1 if mark.isascii() else 2 for mark in text) + 2.0
            if number == len(widths):
                widths.append(8.0)
            widths[number] = min(max(widths[number], wide), 48.0)
    return widths
