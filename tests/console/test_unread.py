"""Teaching: labelled in a tap, reviewed by a colleague."""

from datetime import datetime

from sqlalchemy import select

from app.db import Database
from app.models import Caregiver, UnreadMessage
from app.services import unread
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse


def keep(database: Database, now: datetime, text: str) -> int:
    with database.transaction() as db:
        return unread.keep(
            db,
            caregiver=db.scalars(select(Caregiver)).first() or Caregiver(),
            text=text,
            kind="unread",
            likeliest=("list_sessions", "faq_service"),
            now=now,
        )


def test_a_tap_labels_and_a_colleague_accepts(
    browse: Browse, database: Database, now: datetime
) -> None:
    one = keep(database, now, "糖糖下雨天还办伐")
    editor, district = browse("editor"), browse("district")
    page = text_of(editor.get("/console/unread"))
    assert "〔名字〕下雨天还办伐" in page
    assert "糖糖" not in page
    shown = send(editor, "/console/unread/label", ids=str(one), label="list_sessions")
    assert "看有什么活动" in text_of(editor.get(shown.location))
    assert "请同事复核" in text_of(editor.get("/console/unread/review"))
    address = f"/console/unread/{one}/review"
    assert "请另一位同事" in text_of(editor.get(send(editor, address, answer="accept").location))
    assert "学进去" in text_of(district.get(send(district, address, answer="accept").location))
    with database.reading() as db:
        assert db.get_one(UnreadMessage, one).reviewed_at is not None


def test_a_label_that_there_is_not_is_refused(
    browse: Browse, database: Database, now: datetime
) -> None:
    one = keep(database, now, "下雨天还办伐")
    editor = browse("editor")
    shown = send(editor, "/console/unread/label", ids=f"{one} x 99999999999", label="nonsense")
    assert "请点一个意思" in text_of(editor.get(shown.location))
    with database.reading() as db:
        assert db.get_one(UnreadMessage, one).label is None
