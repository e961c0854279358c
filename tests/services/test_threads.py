"""Conversations with a person: whose turn it is, who sees them, and that nobody is forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import NotYours
from app.models import AuditEntry, FollowUp, HelpThread, Notice, Staff, Station, ThreadMessage
from app.models.notice_facts import StaffAnswer, load_facts
from app.services import canned_answers, notices, thread_care, thread_lists, threads
from app.services.registration import find_caregiver
from app.services.staff import StaffScope, scope_of
from app.services.thread_lists import ThreadQuery
from tests.console.desk_world import make_child, make_staff, make_station, mother_of


@dataclass(frozen=True)
class World:
    thread_id: int
    openid: str
    ours: StaffScope
    theirs: StaffScope
    lead: StaffScope


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """糖糖's mother has asked the station CQ a question."""
    with database.transaction() as db:
        station, other = make_station(db, "CQ"), make_station(db, "BH", township="堡镇")
        wang = scope_of(make_staff(db, "wang", now, station=station))
        li = scope_of(make_staff(db, "li", now, station=other))
        lead = scope_of(make_staff(db, "lead", now, role="township", township="城桥镇"))
        mother = mother_of(db, make_child(db, "糖糖", now, station=station))
        thread = threads.open_thread(
            db, caregiver=mother, kind="person", text="辅食怎么加", now=now
        )
        return World(thread.id, mother.openid or "", wang, li, lead)


def write(database: Database, world: World, text: str, at: datetime) -> None:
    with database.transaction() as db:
        caregiver = find_caregiver(db, world.openid)
        assert caregiver is not None
        threads.say(db, caregiver=caregiver, text=text, now=at)


def reply(database: Database, world: World, text: str, at: datetime, seen: int = 0) -> bool:
    with database.transaction() as db:
        return threads.answer(db, world.ours, world.thread_id, text=text, seen=seen, now=at).done


def the_thread(db: Session) -> HelpThread:
    return db.scalars(select(HelpThread)).one()


def test_an_answer_goes_out_by_the_outbox_and_it_is_the_familys_turn(
    database: Database, world: World, now: datetime
) -> None:
    assert reply(database, world, "先加米粉", now + timedelta(minutes=5))

    with database.reading() as db:
        notice = db.scalars(select(Notice)).one()
        facts = load_facts(notice.facts)
        thread = the_thread(db)
        assert isinstance(facts, StaffAnswer)
        assert (facts.text, facts.who, notice.priority) == ("先加米粉", "城桥镇早教指导站", 0)
        assert thread.waiting_since is None
        assert thread.answered_at == now + timedelta(minutes=5)
        opened = threads.get(db, world.ours, world.thread_id, now)
        assert [(each.by, each.state) for each in opened.said] == [(None, ""), ("wang", "queued")]
        actions = db.scalars(select(AuditEntry.action).where(AuditEntry.actor_type == "staff"))
        assert list(actions) == ["answer"]


def test_the_same_form_twice_says_it_once(database: Database, world: World, now: datetime) -> None:
    assert reply(database, world, "先加米粉", now)
    assert not reply(database, world, "先加米粉", now)

    with database.reading() as db:
        assert db.scalar(select(func.count(Notice.id))) == 1


def answers_at_once(database: Database, world: World, now: datetime) -> list[bool]:
    """Two of a station answer in the same moment: whether what each wrote was said."""
    barrier, done = Barrier(2), []

    def run(text: str) -> None:
        barrier.wait()
        done.append(reply(database, world, text, now))

    workers = [Thread(target=run, args=(text,)) for text in ("先加米粉", "等满六个月")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(done)


def test_two_who_answer_at_once_are_told_of_each_other(
    database: Database, world: World, now: datetime
) -> None:
    assert answers_at_once(database, world, now) == [False, True]
    with database.reading() as db:
        assert db.scalar(select(func.count(Notice.id))) == 1


def test_without_the_lock_the_family_hears_both(
    database: Database, world: World, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time: there is no moment in which both have read")
    both_read, queue = Barrier(2), notices.queue

    def queue_together(*given: Any, **facts: Any) -> Any:
        both_read.wait(timeout=10)
        return queue(*given, **facts)

    monkeypatch.setattr(threads, "_lock", lambda db, _scope, key: db.get_one(HelpThread, key))
    monkeypatch.setattr(notices, "queue", queue_together)

    assert answers_at_once(database, world, now) == [True, True]


def test_another_station_sees_and_answers_nothing_and_the_lead_does(
    database: Database, world: World, now: datetime
) -> None:
    with database.reading() as db:
        assert thread_lists.list_threads(db, world.theirs, ThreadQuery()) == []
        with pytest.raises(NotYours):
            threads.get(db, world.theirs, world.thread_id, now)
        (seen,) = thread_lists.list_threads(db, world.lead, ThreadQuery())
        assert (seen.nicknames, seen.last_words) == (("糖糖",), "辅食怎么加")
    with pytest.raises(NotYours), database.transaction() as db:
        threads.answer(db, world.theirs, world.thread_id, text="x", seen=0, now=now)
    with pytest.raises(NotYours), database.transaction() as db:
        threads.close(db, world.theirs, world.thread_id, now)


def test_asking_again_goes_into_the_open_conversation_and_after_its_end_opens_another(
    database: Database, world: World, now: datetime
) -> None:
    def ask() -> int:
        with database.transaction() as db:
            caregiver = find_caregiver(db, world.openid)
            assert caregiver is not None
            return threads.open_thread(
                db, caregiver=caregiver, kind="person", text="人工", now=now
            ).id

    assert ask() == world.thread_id
    with database.transaction() as db:
        assert threads.close(db, world.ours, world.thread_id, now).done
    with database.transaction() as db:
        again = threads.close(db, world.ours, world.thread_id, now)
    assert (again.done, again.by, again.is_closed) == (False, "wang", True)
    assert not reply(database, world, "晚了", now)
    assert ask() != world.thread_id
    with database.reading() as db:
        assert [found for _, find in thread_care.CHECKS for found in find(db)] == []


def test_a_question_goes_up_once_after_two_working_hours_and_the_family_is_told(
    database: Database, world: World
) -> None:
    monday = datetime.fromisoformat("2026-11-23T09:00+08:00")  # asked on the Sunday before

    def escalate(at: datetime) -> int:
        with database.transaction() as db:
            return thread_care.escalate(db, at)

    assert escalate(monday + timedelta(minutes=119)) == 0
    assert escalate(monday + timedelta(minutes=120)) == 1
    assert escalate(monday + timedelta(hours=5)) == 0
    with database.reading() as db:
        task = db.scalars(select(FollowUp)).one()
        assert (task.kind, task.detail) == ("thread_late", f"thread:{world.thread_id}")
        assert db.scalars(select(Notice.kind)).all() == ["thread_late"]
        assert thread_lists.count_waiting(db, world.lead).late == 1
    # An answer ends it; the next question may wait as long again, and go up as well.
    reply(database, world, "来了", monday + timedelta(hours=5))
    write(database, world, "那盐呢", monday + timedelta(hours=5))
    assert escalate(monday + timedelta(hours=6)) == 0
    assert escalate(monday + timedelta(hours=7, minutes=1)) == 1


def test_a_conversation_in_which_we_spoke_last_ends_by_itself_and_a_question_never_does(
    database: Database, world: World, now: datetime
) -> None:
    def end_silent(days: float) -> int:
        with database.transaction() as db:
            return thread_care.end_silent(db, now + timedelta(days=days))

    assert end_silent(30) == 0
    reply(database, world, "先加米粉", now)
    assert end_silent(2.9) == 0
    assert end_silent(3.1) == 1
    with database.reading() as db:
        assert the_thread(db).closed_how == "silence"


def test_old_conversations_go_with_their_words(
    database: Database, world: World, now: datetime
) -> None:
    with database.transaction() as db:
        threads.close(db, world.ours, world.thread_id, now)
        assert thread_care.delete_old(db, now + timedelta(days=365)) == 0
        assert thread_care.delete_old(db, now + timedelta(days=366)) == 1
        assert db.scalar(select(func.count(ThreadMessage.id))) == 0


def test_the_wait_is_what_it_was_of_late_and_a_promise_where_there_was_little(
    database: Database, world: World
) -> None:
    tuesday = datetime.fromisoformat("2026-11-24T10:00+08:00")
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        assert threads.expected_wait(db, station.id, tuesday).minutes == 60
        for minutes in (10, 20, 90):
            mother = mother_of(db, make_child(db, f"宝{minutes}", tuesday, station=station))
            thread = threads.open_thread(
                db, caregiver=mother, kind="person", text="在吗", now=tuesday
            )
            thread.answered_at = tuesday + timedelta(minutes=minutes)
        wait = threads.expected_wait(db, station.id, tuesday + timedelta(hours=8))
        assert (wait.is_open, wait.minutes) == (False, 20)
        assert wait.opens_at.isoformat() == "2026-11-25T09:00:00+08:00"


def test_a_station_keeps_its_own_answers_and_everybody_those_of_the_district(
    database: Database, world: World, now: datetime
) -> None:
    with database.transaction() as db:
        district = scope_of(make_staff(db, "district", now, role="district"))
        assert canned_answers.keep(db, world.ours, "周三上午我都在站里", now)
        assert canned_answers.keep(db, district, "全区统一答复", now)
        theirs = canned_answers.at_hand(db, world.theirs)
        ours = canned_answers.at_hand(db, world.ours)
        assert [each.text for each in theirs] == ["全区统一答复"]
        assert [each.text for each in ours] == ["周三上午我都在站里", "全区统一答复"]
        assert not canned_answers.drop(db, world.theirs, ours[0].id, now)
        assert not canned_answers.drop(db, world.ours, theirs[0].id, now)
        assert canned_answers.drop(db, world.ours, ours[0].id, now)


def test_doctor_finds_a_conversation_that_lies(
    database: Database, world: World, now: datetime
) -> None:
    with database.transaction() as db:
        db.execute(update(HelpThread).values(waiting_since=None))
        db.add(
            ThreadMessage(
                thread_id=world.thread_id,
                staff_id=db.scalars(select(Staff.id)).first(),
                text="没有发出去",
                at=now,
            )
        )
        db.flush()
        assert thread_care.untrue(db) == []
        assert len(thread_care.unsigned(db)) == 1
        db.execute(update(HelpThread).values(waiting_since=now))
        assert thread_care.untrue(db) == [f"thread:{world.thread_id}"]
