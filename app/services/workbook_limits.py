"""What a workbook may hold, looked at before it is opened.

A workbook is a packed folder of XML. Five kilobytes of it can say that there is a cell in the last
row and column, or thirty million of them, and the reader would make every one in between: a web
worker that opened it would be gone for good. Whatever people keep in a table passes easily.
"""

import re
import zipfile

from app.errors import FileUnreadable

MAX_UNPACKED_BYTES = 60 * 1024 * 1024
MAX_PARTS = 1_000
MAX_CELLS = 800_000
"""50,000 rows of the widest file that is taken here."""
MAX_MARKS = 16 * MAX_CELLS
"""Tags of rows, cells and their texts, beginnings and ends."""
MAX_OTHER_MARKS = 60_000
"""Styles, columns, comments, rules: each becomes an object that is slow to make."""
MAX_MERGED = 100_000
"""Cells under merged areas; the reader makes each of them."""
MAX_COLUMNS = 40
MAX_LINES = 51_000

_FOLDER = re.compile(rb"<(\w{1,20}:)(?:worksheet|sst|styleSheet|workbook)\b")
_CELLS = (b"<c ", b"<c>", b"<c/")
_LIGHT = (
    *_CELLS,
    *(b"</c>", b"<v>", b"<v/", b"</v>", b"<row ", b"<row>", b"<row/", b"</row>", b"<f>", b"<f "),
    *(b"</f>", b"<is>", b"</is>", b"<t>", b"<t ", b"<t/", b"</t>", b"<si>", b"</si>"),
)
_MERGED = re.compile(rb'<mergeCell\s[^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')


def check_parts(packed: zipfile.ZipFile) -> None:
    """Raises FileUnreadable where opening it would take more than a table is worth."""
    parts = packed.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise FileUnreadable("too_big")
    cells = marks = others = merged = 0
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels", ".vml")):
            continue
        content = packed.read(part)
        # No program that saves tables writes either; entities could name files, or grow.
        if b"\0" in content or b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise FileUnreadable("not_a_workbook")
        prefix = _FOLDER.search(content[:2_000])
        if prefix:
            name = prefix[1]
            content = content.replace(b"<" + name, b"<").replace(b"</" + name, b"</")
        light = sum(content.count(mark) for mark in _LIGHT)
        cells += sum(content.count(mark) for mark in _CELLS)
        marks += light
        others += content.count(b"<") - light
        if others <= MAX_OTHER_MARKS:
            merged += sum(_area(*found) for found in _MERGED.findall(content))
    if cells > MAX_CELLS or marks > MAX_MARKS or others > MAX_OTHER_MARKS or merged > MAX_MERGED:
        raise FileUnreadable("too_big")


def check_reach(lines: int, columns: int) -> None:
    """Raises FileUnreadable where some cell lies far from the table: all up to it would be made."""
    if lines > MAX_LINES:
        raise FileUnreadable("too_many_rows")
    if columns > MAX_COLUMNS:
        raise FileUnreadable("too_many_columns")


def _area(left: bytes, top: bytes, right: bytes, bottom: bytes) -> int:
    return (abs(_number(right) - _number(left)) + 1) * (abs(int(bottom) - int(top)) + 1)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number
