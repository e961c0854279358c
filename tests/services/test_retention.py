"""What has done its service goes, and nothing a day before; what is counted stays."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Database
from app.models import Caregiver, Child, Family, FileImport, FollowUp, Notice, SignUp
from app.models.notice_facts import ERASED_FACTS, load_facts
from app.rules.retention import DONE_TASKS, NOTICE_WORDS, is_grown_out
from app.services import doctor, retention
from tests.console.desk_world import make_staff
from tests.outbox import book, put_notice


@pytest.mark.parametrize(
    "born, on, grown_out",
    [
        (date(2023, 5, 1), date(2027, 12, 31), False),
        (date(2023, 5, 1), date(2028, 1, 1), True),
        (date(2023, 1, 1), date(2027, 12, 31), False),
        (date(2023, 12, 31), date(2028, 1, 1), True),
        (date(2024, 2, 29), date(2028, 12, 31), False),
        (date(2024, 2, 29), date(2029, 1, 1), True),
    ],
)
def test_a_family_is_kept_to_the_end_of_the_next_year(
    born: date, on: date, grown_out: bool
) -> None:
    assert is_grown_out(born, on) is grown_out


def test_words_of_notices_are_emptied_after_a_year_and_the_rest_stays(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        for key, age in {"old": NOTICE_WORDS + timedelta(days=1), "new": NOTICE_WORDS}.items():
            put_notice(db, booking, now - age, key=key)
        put_notice(db, booking, now - NOTICE_WORDS - timedelta(days=9), key="still queued")
        for notice in db.scalars(select(Notice).where(Notice.dedupe_key != "still queued")):
            notice.state, notice.text, notice.sent_at = "sent", "糖糖的活动", notice.queued_at
    with database.transaction() as db:
        assert retention.empty_notices(db, now) == 1
        assert retention.empty_notices(db, now) == 0
    with database.reading() as db:
        notices = {each.dedupe_key: each for each in db.scalars(select(Notice))}
        assert notices["old"].text is None
        assert load_facts(notices["old"].facts) == ERASED_FACTS
        assert notices["old"].state == "sent"
        assert notices["old"].kind == notices["new"].kind
        assert notices["new"].text == "糖糖的活动"
        assert load_facts(notices["still queued"].facts) != ERASED_FACTS


def test_done_tasks_go_after_a_year_and_open_ones_never(database: Database, now: datetime) -> None:
    long_ago = now - DONE_TASKS - timedelta(days=1)
    with database.transaction() as db:
        for detail, done_at in {"done": long_ago, "open": None, "lately": now}.items():
            db.add(FollowUp(kind="human", detail=detail, created_at=long_ago, done_at=done_at))
        db.flush()
        assert retention.delete_tasks(db, now) == 1
        assert set(db.scalars(select(FollowUp.detail))) == {"open", "lately"}


def _broken(db: Session, cipher: Cipher, now: datetime) -> set[str]:
    report = doctor.examine(db, cipher=cipher, now=now)
    return {each.name for each in report.checks if not each.ok}


def test_a_grown_out_family_is_emptied_and_its_attendance_counts_on(
    database: Database, now: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        caregiver = db.get_one(Caregiver, booking.caregiver_id)
        family_id = caregiver.family_id
        assert family_id is not None
        for child in db.scalars(select(Child)):
            child.birth_date, child.due_date = date(2026, 1, 1), None
    later = now.replace(year=2031, month=1, day=2)
    with database.reading() as db:
        before = _broken(db, cipher, now)
    with database.reading() as db:
        assert retention.find_grown_out(db, later.replace(year=2030)) == []
        assert retention.find_grown_out(db, later) == [family_id]
    with database.transaction() as db:
        assert retention.retire(db, family_id, later)
        assert not retention.retire(db, family_id, later)
    with database.reading() as db:
        assert retention.find_grown_out(db, later) == []
        family = db.get_one(Family, family_id)
        assert family.erased_at == later
        assert {child.birth_date for child in db.scalars(select(Child))} == {None}
        assert db.scalars(select(SignUp)).all()
        # The caregiver stays a follower of the account, of no family.
        caregiver = db.get_one(Caregiver, booking.caregiver_id)
        assert (caregiver.openid, caregiver.family_id) == ("oMAMA", None)
        # What this bare family lacked from the start it still lacks; nothing else is broken.
        assert _broken(db, cipher, later) <= before


def test_a_family_that_awaits_a_child_is_not_grown_out(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        caregiver = db.get_one(Caregiver, booking.caregiver_id)
        for child in db.scalars(select(Child)):
            child.birth_date, child.due_date = date(2020, 1, 1), None
        db.add(
            Child(
                family_id=caregiver.family_id,
                nickname="二宝",
                due_date=now.date() + timedelta(days=60),
                created_at=now,
                updated_at=now,
            )
        )
    with database.reading() as db:
        assert retention.find_grown_out(db, now) == []


def test_imported_files_are_emptied_after_a_month_and_who_took_them_stays(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        staff = make_staff(db, "district", now, role="district")
        for days in (31, 29):
            db.add(
                FileImport(
                    kind="families",
                    file_name=f"{days}.csv",
                    content="5YaF5a65" if days == 31 else None,
                    undo="[]",
                    state="taken",
                    added=3,
                    made_by=staff.id,
                    made_at=now - timedelta(days=days),
                )
            )

    with database.transaction() as db:
        assert retention.empty_files(db, now) == 1
        assert retention.empty_files(db, now) == 0
        found = {one.file_name: one for one in db.scalars(select(FileImport))}
        assert (found["31.csv"].content, found["31.csv"].undo) == (None, None)
        assert found["31.csv"].added == 3
        assert found["29.csv"].undo == "[]"
