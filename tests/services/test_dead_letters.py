"""Notices gone astray: sent again, put aside, never twice by two people, and told in the log."""

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update

from app.crypto import Cipher
from app.db import Database
from app.errors import NoticeNotAstray
from app.models import AuditEntry, FollowUp, Notice
from app.services import dead_letters, delivery, desk
from app.services.audit import Actor
from app.services.dead_letters import Acted
from app.services.doctor import examine
from app.services.staff import scope_of
from tests.console.desk_world import make_child, make_notice, make_staff, make_station
from tests.outbox import claim_due


def put(database: Database, now: datetime, *, state: str, reason: str) -> int:
    """A notice, astray, with the task that the deliverer made of it."""
    with database.transaction() as db:
        station = make_station(db, f"S{now.microsecond}{state}{len(reason)}")
        child = make_child(db, "糖糖", now, station=station)
        notice = make_notice(db, child, now, state="sending")
        notice.claimed_at, notice.attempts = now, 3
        db.flush()
        record = delivery.record_failed if state == "failed" else delivery.record_unknown
        record(db, notice.id, reason=reason, now=now)
        return notice.id


def staff_id(database: Database, now: datetime, name: str = "district") -> int:
    with database.transaction() as db:
        return make_staff(db, name, now, role="district").id


def test_a_failed_notice_is_sent_again_and_its_task_ends(database: Database, now: datetime) -> None:
    notice_id = put(database, now, state="failed", reason="refused:47003")
    operator = Actor("staff", staff_id(database, now))
    later = now + timedelta(hours=1)

    with database.transaction() as db:
        acted = dead_letters.retry(db, [notice_id], actor=operator, now=later)

    assert acted == Acted(done=1, refused=0)
    with database.transaction() as db:
        claimed = claim_due(db, now=later, worker="w", limit=10)
        assert [one.id for one in claimed] == [notice_id]
        assert claimed[0].repeat_on is None
        assert db.scalars(select(FollowUp.done_by)).one() == operator.id
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "retry_notice")).one()
        assert (entry.subject_id, entry.before, entry.after) == (notice_id, "failed", "queued")


def test_what_may_have_arrived_is_sent_again_only_for_who_says_so(
    database: Database, now: datetime
) -> None:
    notice_id = put(database, now, state="unknown", reason="answer_lost:timeout")
    operator = Actor("staff", staff_id(database, now))

    with database.transaction() as db:
        asked = dead_letters.retry(db, [notice_id], actor=operator, now=now)
        assert db.get_one(Notice, notice_id).state == "unknown"
    with database.transaction() as db:
        said = dead_letters.retry(db, [notice_id], actor=operator, now=now, even_if_arrived=True)
        assert db.get_one(Notice, notice_id).state == "queued"

    assert (asked, said) == (Acted(done=0, refused=1), Acted(done=1, refused=0))


def test_what_is_put_aside_keeps_its_state_and_is_looked_at_no_more(
    database: Database, now: datetime, cipher: Cipher
) -> None:
    notice_id = put(database, now, state="unknown", reason="answer_lost:timeout")
    operator = Actor("staff", staff_id(database, now))

    with database.transaction() as db:
        scope = scope_of(make_staff(db, "other", now, role="district"))
        assert len(dead_letters.groups(db)) == 1
        dead_letters.put_aside(db, [notice_id], actor=operator, now=now)
        assert dead_letters.groups(db) == []
        assert dead_letters.find(db, limit=10, offset=0, now=now) == []
        assert desk.list_notices(db, scope, states=("unknown",), settled=False) == []
        assert [one.state for one in desk.list_notices(db, scope, states=("unknown",))] == [
            "unknown"
        ]
        assert desk.count_follow_ups(db, scope).open == 0

    with database.reading() as db:
        report = examine(db, cipher=cipher, now=now)
    assert "only_what_went_astray_is_put_aside" not in {
        check.name for check in report.checks if not check.ok
    }


def test_a_task_that_is_done_settles_its_notice_and_no_other(
    database: Database, now: datetime
) -> None:
    ours = put(database, now, state="unknown", reason="answer_lost:timeout")
    other = put(database, now, state="failed", reason="refused:47003")
    with database.transaction() as db:
        scope = scope_of(make_staff(db, "district", now, role="district"))
        tasks = {task.detail.split()[0]: task.id for task in db.scalars(select(FollowUp))}

        desk.finish_follow_up(db, scope, tasks[f"notice:{ours}"], now=now)

        assert [one.id for one in dead_letters.find(db, limit=9, offset=0, now=now)] == [other]


@pytest.mark.parametrize(
    "change, objection",
    [
        ({"expires_at": -1}, "expired"),
        ({"words_erased_at": 0}, "erased"),
    ],
)
def test_what_is_past_its_time_is_not_sent_again(
    database: Database, now: datetime, change: dict[str, int], objection: str
) -> None:
    notice_id = put(database, now, state="failed", reason="refused:47003")
    operator = Actor("staff", staff_id(database, now))
    with database.transaction() as db:
        values = {name: now + timedelta(hours=hours) for name, hours in change.items()}
        db.execute(update(Notice).values(**values))

    with database.transaction() as db:
        assert [one.objection for one in dead_letters.find(db, limit=9, offset=0, now=now)] == [
            objection
        ]
        acted = dead_letters.retry(db, [notice_id], actor=operator, now=now)
        assert acted == Acted(done=0, refused=1)
        assert db.get_one(Notice, notice_id).state == "failed"


def test_who_left_gets_nothing_again(database: Database, now: datetime) -> None:
    notice_id = put(database, now, state="failed", reason="refused:47003")
    operator = Actor("staff", staff_id(database, now))
    with database.transaction() as db:
        caregiver = db.get_one(Notice, notice_id).caregiver
        caregiver.is_following, caregiver.openid = False, None

    with database.transaction() as db:
        acted = dead_letters.retry(db, [notice_id], actor=operator, now=now)

    assert acted == Acted(done=0, refused=1)


def test_a_group_is_those_of_one_state_and_reason(database: Database, now: datetime) -> None:
    same = [put(database, now, state="failed", reason="refused:47003") for _ in range(1)]
    put(database, now, state="unknown", reason="refused:47003")
    put(database, now, state="failed", reason="refused:40037x")

    with database.reading() as db:
        assert dead_letters.in_group(db, state="failed", reason="refused:47003") == same
        assert {(group.state, group.reason, group.count) for group in dead_letters.groups(db)} == {
            ("failed", "refused:47003", 1),
            ("unknown", "refused:47003", 1),
            ("failed", "refused:40037x", 1),
        }


def test_two_operators_at_once_act_once(database: Database, now: datetime) -> None:
    notice_id = put(database, now, state="failed", reason="refused:47003")
    people = [staff_id(database, now, name) for name in ("a", "b")]
    barrier, outcomes = Barrier(2), []

    def act(number: int) -> None:
        barrier.wait()
        try:
            with database.transaction() as db:
                dead_letters.retry(db, [notice_id], actor=Actor("staff", number), now=now)
            outcomes.append("done")
        except NoticeNotAstray:
            outcomes.append("before")

    threads = [Thread(target=act, args=(number,)) for number in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["before", "done"]
    with database.reading() as db:
        assert (
            len(db.scalars(select(AuditEntry).where(AuditEntry.action == "retry_notice")).all())
            == 1
        )


def test_the_doctor_finds_a_mark_on_what_is_not_astray(
    database: Database, now: datetime, cipher: Cipher
) -> None:
    notice_id = put(database, now, state="failed", reason="refused:47003")
    with database.transaction() as db:
        db.execute(update(Notice).values(state="queued", settled_at=now))

    with database.reading() as db:
        report = examine(db, cipher=cipher, now=now)
    (check,) = [one for one in report.checks if one.name == "only_what_went_astray_is_put_aside"]
    assert list(check.broken) == [f"notice:{notice_id}"]
