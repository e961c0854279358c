"""Reading rows from what people hand in: encodings, workbooks, headers, broken files."""

import io
import zipfile
from datetime import datetime

import pytest
from openpyxl import Workbook

from app.errors import BadRow, FileUnreadable, ImportRefused
from app.services import import_files, workbook_limits
from app.services.import_files import Row, read_rows
from app.words.imports import say_refused, say_unreadable

COLUMNS = ("code", "name")


def workbook(*lines: tuple[object, ...]) -> Workbook:
    book = Workbook()
    sheet = book.worksheets[0]
    for line in lines:
        sheet.append(list(line))
    return book


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def refused(content: bytes) -> tuple[BadRow, ...]:
    with pytest.raises(ImportRefused) as refusal:
        read_rows(content, COLUMNS)
    # Raises where a reason has no words.
    assert say_refused(refusal.value.rows)
    return refusal.value.rows


def unreadable(content: bytes) -> str:
    with pytest.raises(FileUnreadable) as refusal:
        read_rows(content, COLUMNS)
    assert say_unreadable(refusal.value.reason)
    return refusal.value.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_the_encodings_that_spreadsheets_save(encoding: str) -> None:
    content = "code,name\r\nCQ,城桥镇早教指导站\r\n".encode(encoding)

    assert read_rows(content, COLUMNS) == (Row(2, {"code": "CQ", "name": "城桥镇早教指导站"}),)


def test_columns_come_in_any_order_and_case() -> None:
    rows = read_rows(b"NAME,Code\nStation,CQ\n", COLUMNS)

    assert rows[0].cells == {"code": "CQ", "name": "Station"}


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_other_delimiters_of_spreadsheets_are_read(delimiter: str) -> None:
    content = f"code{delimiter}name\nCQ{delimiter}A, B\n".encode()

    assert read_rows(content, COLUMNS)[0].cells["name"] == "A, B"


def test_empty_lines_are_passed_over_and_lines_keep_their_numbers() -> None:
    rows = read_rows(b'\ncode,name\n\n,\nCQ,"two\nlines"\nBZ,three\n', COLUMNS)

    assert [(row.line, row.cells["name"]) for row in rows] == [(5, "two lines"), (7, "three")]


def test_a_short_line_has_empty_cells() -> None:
    assert read_rows(b"code,name\nCQ\n", COLUMNS)[0].cells == {"code": "CQ", "name": ""}


def test_invisible_characters_are_taken_out_and_emoji_kept() -> None:
    content = "code,name\n\u200bCQ\x07,\u3000城桥  站 👨\u200d👩\u200d👧\n".encode()

    assert read_rows(content, COLUMNS)[0].cells == {
        "code": "CQ",
        "name": "城桥 站 👨\u200d👩\u200d👧",
    }


def test_an_unknown_column_is_refused_by_its_name() -> None:
    assert refused(b"code,name,Fax\nCQ,A,1\n") == (BadRow(1, "Fax", "unknown_column", "Fax"),)


def test_missing_and_repeated_columns_are_refused_by_name() -> None:
    assert refused(b"code,code\nCQ,A\n") == (
        BadRow(1, "code", "repeated_column", "code"),
        BadRow(1, "name", "missing_column", "name"),
    )


def test_a_cell_beyond_the_header_is_refused_with_its_line() -> None:
    assert refused(b"code,name\nCQ,A\nBZ,B,C\n") == (BadRow(3, "", "too_many_cells", "C"),)


def test_quotes_that_do_not_close_are_refused_with_their_line() -> None:
    assert refused(b'code,name\nCQ,A\nBZ,"B\n')[0].line == 3


def test_a_workbook_is_read_as_it_shows_itself() -> None:
    book = workbook(
        ("Code", "name", None),
        ("CQ", 20.0),
        (None, None),
        (101, datetime.fromisoformat("2026-12-06 09:29:59.999600")),
    )

    rows = read_rows(saved(book), COLUMNS)

    assert [(row.line, row.cells["code"], row.cells["name"]) for row in rows] == [
        (2, "CQ", "20"),
        (4, "101", "2026-12-06T09:30:00"),
    ]


def test_merged_cells_are_refused_with_their_place() -> None:
    book = workbook(("code", "name"), ("CQ", "A"), ("BZ", "B"))
    book.worksheets[0].merge_cells("B2:B3")

    assert refused(saved(book)) == (BadRow(2, "B", "merged_cells", "B2:B3"),)


NO_SHEETS = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def packed(name: str, text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return file.getvalue()


def damaged() -> bytes:
    content = bytearray(saved(workbook(("code", "name"), ("CQ", "A"))))
    content[40:400] = bytes(360)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\r\n", "empty"),
        (b",,\n,,\n", "empty"),
        (b"code,name\n", "no_rows"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old_excel"),
        (b"PK\x03\x04 and then nothing of a workbook", "not_a_workbook"),
        (packed("letter.txt", "no sheet"), "not_a_workbook"),
        (packed("[Content_Types].xml", NO_SHEETS), "not_a_workbook"),
        (damaged(), "not_a_workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "encoding"),
        (b"code,name\nCQ,\xff\xff\n", "encoding"),
    ],
)
def test_what_is_no_table_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    assert unreadable(content) == reason


def test_a_file_that_unpacks_to_far_more_is_never_opened() -> None:
    assert unreadable(packed("xl/huge.xml", " " * (workbook_limits.MAX_UNPACKED_BYTES + 1))) == (
        "too_big"
    )


def test_a_big_file_is_refused() -> None:
    assert unreadable(b"x" * (import_files.MAX_BYTES + 1)) == "too_big"


def test_too_many_rows_are_refused() -> None:
    content = b"code,name\n" + b"CQ,A\n" * (import_files.MAX_ROWS + 1)

    assert unreadable(content) == "too_many_rows"


def with_part(name: str, content: bytes) -> bytes:
    """A workbook of which one part was written by somebody who means harm."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(workbook(COLUMNS)))) as good:
        assert any(part.endswith(name) for part in good.namelist())
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bad:
            for part in good.namelist():
                bad.writestr(part, content if part.endswith(name) else good.read(part))
    return file.getvalue()


SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    b"<sheetData>%s</sheetData>%s</worksheet>"
)


@pytest.mark.parametrize(
    ("cell", "reason"), [("B1048576", "too_many_rows"), ("XFD1", "too_many_columns")]
)
def test_a_cell_far_from_the_table_is_not_reached_for(cell: str, reason: str) -> None:
    """Five kilobytes; every cell up to it would be made, which takes for ever."""
    book = workbook(COLUMNS)
    book.worksheets[0][cell] = "x"

    assert unreadable(saved(book)) == reason


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("sheet1.xml", SHEET % (b"<row>" + b"<c/>" * 1_001 + b"</row>", b"")),
        (
            "sheet1.xml",
            (SHEET % (b"<row>" + b"<c/>" * 1_001 + b"</row>", b""))
            .replace(b"<", b"<x:")
            .replace(b"<x:/", b"</x:")
            .replace(b"xmlns=", b"xmlns:x="),
        ),
        ("sheet1.xml", SHEET % (b"<x>" * 1_001, b"")),
        ("sheet1.xml", SHEET % (b"", b'<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')),
        ("styles.xml", b"<styleSheet>" + b"<xf/>" * 1_001 + b"</styleSheet>"),
    ],
)
def test_a_workbook_that_grows_when_it_is_opened_is_not_opened(
    part: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_limits, "MAX_CELLS", 1_000)
    monkeypatch.setattr(workbook_limits, "MAX_OTHER_MARKS", 1_000)
    monkeypatch.setattr("openpyxl.load_workbook", lambda *given, **named: pytest.fail("opened"))

    assert unreadable(with_part(part, content)) == "too_big"


@pytest.mark.parametrize(
    "declared",
    [
        b'<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">',
        b'<!ENTITY b SYSTEM "file:///etc/passwd">',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_a_workbook_are_refused(declared: bytes, encoding: str) -> None:
    strings = b"<!DOCTYPE sst [" + declared + b"]><sst><si><t>&b;</t></si></sst>"
    content = strings.decode().encode(encoding)

    assert unreadable(with_part("sheet1.xml", content)) == "not_a_workbook"
