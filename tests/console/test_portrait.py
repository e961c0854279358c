"""A visitor's photograph: small, upright, and without the place where it was taken."""

import io
import struct
import zlib
from datetime import datetime

import pytest
from PIL import Image

from app.console import portrait
from app.db import Database
from app.models import Visitor
from tests.console.browsing import text_of
from tests.console.conftest import Browse, Desk
from tests.console.desk_world import lay_visit
from tests.visiting import get_visitor

PLACE = b"31.6203N"


def photograph(kind: str = "JPEG", size: tuple[int, int] = (1200, 900)) -> bytes:
    picture = Image.new("RGB", size, "teal")
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright: turned by a quarter
    exif[0x010E] = PLACE.decode()
    file = io.BytesIO()
    picture.save(file, kind, exif=exif)
    return file.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG of a hundred bytes that says it is as large as this."""

    def chunk(name: bytes, content: bytes) -> bytes:
        sum_ = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", sum_)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 64)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", portrait.KINDS)
def test_where_it_was_taken_is_not_in_it(kind: str) -> None:
    given = photograph(kind)
    assert PLACE in given
    made = portrait.plain(given)
    assert made is not None
    assert PLACE not in made
    with Image.open(io.BytesIO(made)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (480, 640))
        assert not picture.getexif()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a" + bytes(40),
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        photograph()[:500],
        claiming(50_000, 50_000),
        claiming(65_000, 65_000),
    ],
)
def test_what_is_no_photograph_or_says_it_is_huge_is_none(content: bytes) -> None:
    assert portrait.plain(content) is None


def test_a_telephones_photograph_is_taken_small(
    browse: Browse, desk: Desk, database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        lay_visit(db, desk.family_id, now)
        visitor_id = get_visitor(db).id
    browser = browse("wang")
    address = f"/console/visits/visitors/{visitor_id}/photo"
    page = text_of(browser.get("/console/visits/visitors"))
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    handed_in = (io.BytesIO(photograph()), "../../etc/passwd.jpg")
    browser.post(address, data={"csrf_token": token, "photo": handed_in})
    shown = browser.get(address)
    assert (shown.content_type, PLACE in shown.data) == ("image/jpeg", False)
    with database.reading() as db:
        kept = db.get_one(Visitor, visitor_id).photo
        assert kept is not None
        assert len(kept) < 60_000
