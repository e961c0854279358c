"""What was not understood: kept without its writer, labelled, reviewed by another, learnt."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.db import Database
from app.models import UnreadMessage
from app.services import unread
from app.services.staff import scope_of
from tests.console.desk_world import make_child, make_staff, mother_of


def test_from_a_message_to_an_example_by_two_pairs_of_eyes(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        mother = mother_of(db, make_child(db, "糖糖", now))
        editor = scope_of(make_staff(db, "editor", now, role="editor"))
        district = scope_of(make_staff(db, "district", now, role="district"))
        ids = [
            unread.keep(
                db,
                caregiver=mother,
                text=text,
                kind="unread",
                likeliest=("other", "faq_service"),
                now=now,
            )
            for text in ("糖糖下雨天还办伐13812345678", "糖糖下雨天还办伐13912345678")
        ]
        unread.note_choice(db, ids[0], "list_sessions")
        (group,) = unread.groups(db, "unread")
        assert group.texts == ("〔名字〕下雨天还办伐〔号码〕",)
        assert (group.ids, group.likeliest[0]) == (tuple(reversed(ids)), "list_sessions")

        assert unread.put_label(db, editor, group.ids, "list_sessions", now) == 2
        assert unread.put_label(db, district, group.ids, "other", now) == 0
        assert unread.groups(db, "unread") == []
        assert not unread.review(db, editor, ids[0], accepted=True, now=now), "not one's own"
        assert unread.review(db, district, ids[0], accepted=True, now=now)
        assert not unread.review(db, district, ids[0], accepted=True, now=now)
        assert unread.review(db, district, ids[1], accepted=False, now=now)
        assert [row.is_own for row in unread.to_review(db, editor)] == []
        (ready,) = unread.accepted(db)
        assert (ready.id, ready.label) == (ids[0], "list_sessions")
        unread.mark_taken(db, [ready.id], now)
        assert unread.accepted(db) == []
        assert unread.unreviewed_examples(db) == []
        db.get_one(UnreadMessage, ids[0]).reviewed_by = editor.staff_id
        db.flush()
        assert unread.unreviewed_examples(db) == [f"unread_message:{ids[0]}"]


def test_what_nobody_looks_at_goes_after_three_months(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        mother = mother_of(db, make_child(db, "糖糖", now))
        staff = scope_of(make_staff(db, "editor", now, role="editor"))
        first, second = (
            unread.keep(db, caregiver=mother, text=text, kind="unread", likeliest=(), now=now)
            for text in ("嘎三胡", "山海经")
        )
        unread.put_label(db, staff, [second], unread.NOTHING, now)
        assert unread.forget(db, now + timedelta(days=89)) == 0
        assert unread.forget(db, now + timedelta(days=91)) == 1
        assert db.scalars(select(UnreadMessage.id)).all() == [second] != [first]
        assert unread.forget(db, now + timedelta(days=366)) == 1
