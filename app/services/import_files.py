"""Reads the rows of a CSV or XLSX file that somebody hands in. Knows nothing of what they mean."""

import csv
import io
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from app.errors import BadRow, FileUnreadable, ImportRefused
from app.services import workbook_limits

if TYPE_CHECKING:
    from openpyxl.cell import Cell, MergedCell
    from openpyxl.worksheet.worksheet import Worksheet

MAX_BYTES = 8 * 1024 * 1024
MAX_ROWS = 50_000
MAX_BAD_ROWS = 50
"""A file with more faults than this is another file: the first ones say enough."""

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Unicode categories of controls, format marks, lone surrogates and private characters."""
EMOJI_JOINER = "\u200d"

ZIP_HEAD = b"PK\x03\x04"
OLD_EXCEL_HEAD = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the file's own line number and the cells by column name, each trimmed."""

    line: int
    cells: dict[str, str]


def read_rows(content: bytes, columns: Sequence[str]) -> tuple[Row, ...]:
    """The rows under a header that names exactly these columns, in any order and case.

    CSV in UTF-8 (with a byte order mark or without), UTF-16 with one, or GB18030; or XLSX, of
    which the first sheet is read. Empty lines are passed over.
    Raises FileUnreadable, or ImportRefused with every header or shape fault found.
    """
    if len(content) > MAX_BYTES:
        raise FileUnreadable("too_big")
    if not content.strip():
        raise FileUnreadable("empty")
    if content.startswith(OLD_EXCEL_HEAD):
        raise FileUnreadable("old_excel")
    lines = _sheet_lines(content) if content.startswith(ZIP_HEAD) else _csv_lines(content)
    filled = ((line, cells) for line, cells in lines if any(cells))
    header_line, header = next(filled, (0, []))
    if not header_line:
        raise FileUnreadable("empty")
    names = _check_header(header_line, header, columns)
    rows: list[Row] = []
    faults: list[BadRow] = []
    for line, cells in filled:
        extra = [cell for cell in cells[len(names) :] if cell]
        if extra:
            faults.append(BadRow(line, "", "too_many_cells", extra[0]))
            continue
        padded = zip_longest(names, cells[: len(names)], fillvalue="")
        rows.append(Row(line, dict(padded)))
        if len(rows) > MAX_ROWS:
            raise FileUnreadable("too_many_rows")
    if faults:
        raise ImportRefused(tuple(faults[:MAX_BAD_ROWS]))
    if not rows:
        raise FileUnreadable("no_rows")
    return tuple(rows)


def _check_header(line: int, header: list[str], columns: Sequence[str]) -> list[str]:
    """The header's names in lower case, its empty tail cut off. Raises ImportRefused."""
    names = [name.casefold() for name in header]
    while names and not names[-1]:
        names.pop()
    faults = [
        BadRow(line, shown, "unknown_column", shown)
        for name, shown in zip(names, header, strict=False)
        if name not in columns
    ]
    faults += [
        BadRow(line, name, "repeated_column", name) for name in columns if names.count(name) > 1
    ]
    faults += [BadRow(line, name, "missing_column", name) for name in columns if name not in names]
    if faults:
        raise ImportRefused(tuple(faults))
    return names


def tidy(text: str) -> str:
    """Trimmed, each run of white space made one space, invisible characters taken out."""
    if text.isprintable():  # nothing invisible, and no white space but blanks
        return " ".join(text.split())
    visible = "".join(
        mark
        for mark in text
        if mark.isspace() or mark == EMOJI_JOINER or unicodedata.category(mark) not in INVISIBLE
    )
    return " ".join(visible.split())


def _csv_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decode(content)
    first_line = text.lstrip().splitlines()[0] if text.strip() else ""
    # Excel saves "Unicode text" with tabs, and some locales save CSV with semicolons.
    delimiter = next((mark for mark in ",\t;" if mark in first_line), ",")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, [tidy(cell) for cell in cells]
            line = reader.line_num + 1
    except csv.Error:
        raise ImportRefused((BadRow(line, "", "malformed_quotes", ""),)) from None


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # Other binary files decode as GB18030 by chance, but never without a NUL.
        if "\0" not in text:
            return text
    raise FileUnreadable("encoding")


def _sheet_lines(content: bytes) -> Iterator[tuple[int, list[str]]]:
    from openpyxl.utils import get_column_letter  # late: as below

    sheet = _open_sheet(content)
    workbook_limits.check_reach(sheet.max_row, sheet.max_column)
    merged = [
        BadRow(area.min_row, get_column_letter(area.min_col), "merged_cells", str(area))
        for area in sheet.merged_cells.ranges
    ]
    if merged:
        raise ImportRefused(tuple(merged[:MAX_BAD_ROWS]))
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        yield line, [_cell_text(cell) for cell in cells]


def _open_sheet(content: bytes) -> "Worksheet":
    # Late: every command and every web worker would pay for the reader, and few use it.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            # A few kilobytes can unpack to gigabytes, or to a cell in the last row and column.
            workbook_limits.check_parts(packed)
        book = load_workbook(io.BytesIO(content), data_only=True)
    # What the reader raises on files that are packed like a workbook and are none.
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        InvalidFileException,
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    ):
        raise FileUnreadable("not_a_workbook") from None
    if not book.worksheets:
        raise FileUnreadable("empty")
    return book.worksheets[0]


def _cell_text(cell: "Cell | MergedCell") -> str:
    """What the cell shows to a person, times as ISO 8601."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        # A time is kept as a fraction of a day: 9:30 may come back as 9:29:59.999.
        return (value + timedelta(milliseconds=500)).replace(microsecond=0).isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return tidy(str(value))
