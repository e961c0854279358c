"""A session's life, and what families hear of it, on both engines."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Database
from app.errors import (
    AttendanceTaken,
    ReasonMissing,
    SessionCodeTaken,
    SessionStepNotAllowed,
    StationUnknown,
)
from app.models import AuditEntry, Child, GuidanceSession, Notice, SignUp
from app.models.notice_facts import SessionChanged, SignUpCancelledByStaff, load_facts
from app.rules.sign_up import SessionState
from app.services import impact, publishing
from app.services.audit import OPERATOR, Actor
from app.services.doctor import examine
from app.services.publishing import SessionExtras, row_of
from tests.console.desk_world import (
    make_child,
    make_notice,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)

STAFF = Actor("staff", 1)


@pytest.fixture
def in_a_week(database: Database, now: datetime) -> datetime:
    """A session CQ-1 in a week, for 6 to 12 months, with wang as staff 1."""
    starts_at = now + timedelta(days=7)
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_station(db, "BH", township="堡镇")
        assert make_staff(db, "wang", now, station=station).id == STAFF.id
        session = make_session(db, station, "CQ-1", starts_at, places=2)
        session.min_months, session.max_months, session.waiting_list = 6, 12, "first_come"
    return starts_at


def get(db: Session, code: str = "CQ-1") -> GuidanceSession:
    return db.scalars(select(GuidanceSession).where(GuidanceSession.code == code)).one()


def sign_up(
    database: Database, now: datetime, nickname: str, state: str, born: date = date(2026, 3, 1)
) -> int:
    with database.transaction() as db:
        child = make_child(db, nickname, now, born=born)
        made = make_sign_up(db, get(db), child, now, state=state)
        if state == "waitlisted":
            made.waitlisted_at = now
        if state == "offered":
            made.offered_at, made.offer_expires_at = now, now + timedelta(hours=6)
            get(db).places_taken += 1
        return made.id


def told(db: Session) -> list[tuple[str, str, str]]:
    """(nickname, kind, state) of every notice, the oldest first."""
    rows = db.scalars(select(Notice).order_by(Notice.id)).all()
    found = []
    for notice in rows:
        facts = load_facts(notice.facts)
        assert (
            isinstance(facts, SessionChanged | SignUpCancelledByStaff) or "reminder" in facts.kind
        )
        found.append((getattr(facts, "nickname", ""), notice.kind, notice.state))
    return found


def states(db: Session) -> dict[int, str]:
    return {row.id: row.state for row in db.scalars(select(SignUp))}


def test_a_move_tells_everybody_who_means_to_come_once(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    for nickname, state in (
        ("确认", "confirmed"),
        ("待定", "requested"),
        ("取消", "cancelled"),
        ("婉拒", "declined"),
    ):
        sign_up(database, now, nickname, state)
    sign_up(database, now, "候补", "waitlisted")
    with database.transaction() as db:
        row = row_of(get(db))
        later = replace(
            row,
            starts_at=row.starts_at + timedelta(hours=2),
            ends_at=row.ends_at + timedelta(hours=2),
        )
        publishing.put_session(db, later, actor=STAFF, now=now)
        publishing.put_session(db, later, actor=STAFF, now=now)

    with database.reading() as db:
        assert told(db) == [
            ("确认", "session_changed", "queued"),
            ("待定", "session_changed", "queued"),
            ("候补", "session_changed", "queued"),
        ]
        facts = [load_facts(text) for text in db.scalars(select(Notice.facts).order_by(Notice.id))]
        assert [fact.is_waiting for fact in facts if isinstance(fact, SessionChanged)] == [
            False,
            False,
            True,
        ]
        assert get(db).calendar_sequence == 1


def test_a_second_move_voids_what_was_not_sent_and_tells_from_the_time_they_know(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    sign_up_id = sign_up(database, now, "糖糖", "confirmed")
    with database.transaction() as db:
        child = make_child(db, "别家", now)
        reminder = make_notice(db, child, now, state="queued", subject=f"sign_up:{sign_up_id}")
        other = make_notice(db, child, now, state="queued", subject="sign_up:999")
        reminder.kind = other.kind = "reminder_24h"
        ids = (reminder.id, other.id)
    for hours in (2, 3):
        with database.transaction() as db:
            row = row_of(get(db))
            by = timedelta(hours=hours)
            moved = replace(row, starts_at=row.starts_at + by, ends_at=row.ends_at + by)
            publishing.put_session(db, moved, actor=STAFF, now=now)

    with database.reading() as db:
        assert [(n.state, n.reason) for n in (db.get(Notice, id_) for id_ in ids) if n] == [
            ("skipped", "superseded"),
            ("queued", None),
        ]
        news = db.scalars(
            select(Notice).where(Notice.kind == "session_changed").order_by(Notice.id)
        ).all()
        assert [notice.state for notice in news] == ["skipped", "queued"]
        facts = load_facts(news[1].facts)
        assert isinstance(facts, SessionChanged)
        assert (facts.was_at, facts.starts_at) == (in_a_week, in_a_week + timedelta(hours=5))


def test_another_place_is_a_move_and_other_words_are_not(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    sign_up(database, now, "糖糖", "confirmed")
    with database.transaction() as db:
        publishing.put_session(db, replace(row_of(get(db)), title="新名字"), actor=STAFF, now=now)
        assert told(db) == []
        publishing.put_session(
            db, replace(row_of(get(db)), station_code="BH"), actor=STAFF, now=now
        )
        facts = load_facts(db.scalars(select(Notice.facts)).one())

    assert isinstance(facts, SessionChanged)
    assert (facts.place, facts.title) == ("堡镇早教指导站", "新名字")


def test_a_move_takes_back_who_is_too_old_by_then_in_one_message_and_promotes(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    new_day = (in_a_week + timedelta(days=30)).date()
    born = new_day.replace(year=new_day.year - 1, month=new_day.month - 1)
    old = sign_up(database, now, "大宝", "confirmed", born=born)
    young = sign_up(database, now, "小宝", "confirmed")
    waiting = sign_up(database, now, "候补", "waitlisted")
    with database.transaction() as db:
        row = row_of(get(db))
        by = timedelta(days=30)
        moved = replace(row, starts_at=row.starts_at + by, ends_at=row.ends_at + by)
        expected = impact.of_change(db, get(db), moved, now)
        publishing.put_session(db, moved, actor=STAFF, now=now)

    assert [row.nickname for row in expected.aged_out] == ["大宝"]
    assert [row.nickname for row in expected.told] == ["小宝", "候补"]
    with database.reading() as db:
        assert states(db) == {old: "cancelled", young: "confirmed", waiting: "offered"}
        notices = db.scalars(select(Notice).where(Notice.subject == f"sign_up:{old}")).all()
        assert [notice.kind for notice in notices] == ["sign_up_cancelled"]
        facts = load_facts(notices[0].facts)
        assert isinstance(facts, SignUpCancelledByStaff)
        assert facts.aged_out is not None
        assert (facts.aged_out.was_at, facts.aged_out.age_months) == (in_a_week, 13)
        assert get(db).places_taken == 2


def test_staff_can_keep_those_who_are_too_old_by_then(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    kept = sign_up(database, now, "大宝", "confirmed", born=date(2025, 11, 1))
    with database.transaction() as db:
        row = replace(row_of(get(db)), max_months=11)
        publishing.put_session(db, row, actor=STAFF, now=now, keeps_aged_out=True)

    with database.reading() as db:
        assert states(db) == {kept: "confirmed"}
        assert told(db) == []


def test_an_offer_ends_two_hours_before_a_session_that_is_now_earlier(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    sign_up_id = sign_up(database, now, "糖糖", "offered")
    earlier = now + timedelta(hours=5)
    with database.transaction() as db:
        row = replace(row_of(get(db)), starts_at=earlier, ends_at=earlier + timedelta(hours=1))
        publishing.put_session(db, row, actor=STAFF, now=now)

    with database.reading() as db:
        made = db.get(SignUp, sign_up_id)
        assert made is not None
        assert made.offer_expires_at == now + timedelta(hours=3)


def test_more_places_promote_and_fewer_throw_nobody_out(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    seated = [sign_up(database, now, name, "confirmed") for name in ("甲", "乙")]
    first, second = (sign_up(database, now, name, "waitlisted") for name in ("丙", "丁"))
    with database.transaction() as db:
        more = replace(row_of(get(db)), places=3)
        assert impact.of_change(db, get(db), more, now).new_offers == 1
        publishing.put_session(db, more, actor=STAFF, now=now)
        assert states(db)[first] == "offered"
        assert states(db)[second] == "waitlisted"
        fewer = replace(more, places=1)
        assert impact.of_change(db, get(db), fewer, now).seats_over == 2
        publishing.put_session(db, fewer, actor=STAFF, now=now)

    with database.reading() as db:
        assert [states(db)[one] for one in seated] == ["confirmed", "confirmed"]
        assert get(db).places_taken == 3


def test_the_impact_names_who_is_elsewhere_at_the_new_time(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    sign_up(database, now, "闲的", "confirmed")
    with database.transaction() as db:
        station = get(db).station
        other = make_session(db, station, "CQ-2", in_a_week + timedelta(hours=5))
        busy = make_child(db, "忙的", now)
        make_sign_up(db, get(db), busy, now, state="confirmed")
        make_sign_up(db, other, busy, now, state="confirmed")
        row = row_of(get(db))
        # CQ-2 begins at that very moment: one after the other is no clash.
        touching = replace(row, ends_at=other.starts_at, starts_at=row.starts_at)
        into_it = replace(row, ends_at=other.starts_at + timedelta(minutes=1))

        assert impact.of_change(db, get(db), touching, now).double_booked == ()
        clash = impact.of_change(db, get(db), into_it, now).double_booked

    assert [(one.nickname, one.code) for one in clash] == [("忙的", "CQ-2")]


def test_asking_for_the_impact_changes_nothing(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    sign_up(database, now, "糖糖", "confirmed")
    with database.transaction() as db:
        row = row_of(get(db))
        moved = replace(row, starts_at=row.starts_at + timedelta(days=200), places=1)
        moved = replace(moved, ends_at=moved.starts_at + timedelta(hours=1))
        impact.of_change(db, get(db), moved, now)
        impact.of_cancelling(db, get(db))

    with database.reading() as db:
        assert row_of(get(db)) == row
        assert told(db) == []
        assert db.scalars(select(AuditEntry)).all() == []


def test_cancelling_tells_everybody_once_with_the_reason_and_promotes_nobody(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    for nickname, state in (("甲", "confirmed"), ("乙", "requested"), ("丙", "waitlisted")):
        sign_up(database, now, nickname, state)
    sign_up(database, now, "丁", "declined")
    with database.transaction() as db:
        assert [row.nickname for row in impact.of_cancelling(db, get(db))] == ["甲", "乙", "丙"]
        publishing.cancel_session(db, "cq-1", reason=" 老师病了 ", actor=STAFF, now=now)

    with database.reading() as db:
        assert told(db) == [(name, "sign_up_cancelled", "queued") for name in "甲乙丙"]
        assert sorted(states(db).values()) == ["cancelled", "cancelled", "cancelled", "declined"]
        session = get(db)
        assert (session.state, session.cancelled_reason) == ("cancelled", "老师病了")
        assert (session.places_taken, session.calendar_sequence) == (0, 1)


def test_what_was_cancelled_stays_so(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        row = row_of(get(db))
        publishing.cancel_session(db, "CQ-1", reason="老师病了", actor=STAFF, now=now)
        with pytest.raises(SessionStepNotAllowed):
            publishing.cancel_session(db, "CQ-1", reason="再来", actor=STAFF, now=now)
        with pytest.raises(SessionStepNotAllowed):
            publishing.publish(db, "CQ-1", actor=STAFF, now=now)
        with pytest.raises(SessionStepNotAllowed):
            publishing.put_session(db, row, actor=OPERATOR, now=now)


def test_cancelling_needs_a_reason_and_no_attendance(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    sign_up(database, now, "糖糖", "attended")
    with database.transaction() as db:
        with pytest.raises(ReasonMissing):
            publishing.cancel_session(db, "CQ-1", reason="  ", actor=STAFF, now=now)
        with pytest.raises(AttendanceTaken):
            publishing.cancel_session(db, "CQ-1", reason="下雨", actor=STAFF, now=now)


def test_a_draft_is_published_once_and_held_after_its_end(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        row = replace(row_of(get(db)), code="CQ-2")
        extras = SessionExtras(topic="safety", offer_hours=3)
        draft = publishing.create_session(
            db, row, actor=STAFF, now=now, extras=extras, state=SessionState.DRAFT
        )
        assert (draft.state, draft.topic, draft.offer_hours) == ("draft", "safety", 3)
        publishing.publish(db, "CQ-2", actor=STAFF, now=now)
        with pytest.raises(SessionStepNotAllowed):
            publishing.publish(db, "CQ-2", actor=STAFF, now=now)
        with pytest.raises(SessionStepNotAllowed):
            publishing.mark_held(db, "CQ-2", actor=STAFF, now=now)
        publishing.mark_held(db, "CQ-2", actor=STAFF, now=row.ends_at)
        assert get(db, "CQ-2").state == "held"
        # An import without these columns leaves them.
        assert get(db, "CQ-2").topic == "safety"


def test_a_code_in_use_and_an_unknown_station_are_refused(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        row = row_of(get(db))
        with pytest.raises(SessionCodeTaken):
            publishing.create_session(db, replace(row, code="cq-1"), actor=STAFF, now=now)
        with pytest.raises(StationUnknown):
            publishing.create_session(
                db, replace(row, code="X", station_code="NO"), actor=STAFF, now=now
            )
        assert get(db).title == row.title


@pytest.mark.parametrize("actor", [STAFF, OPERATOR])
def test_the_doctor_finds_nothing_after_moves_age_and_cancelling(
    database: Database, cipher: Cipher, now: datetime, in_a_week: datetime, actor: Actor
) -> None:
    for nickname, born in (("大宝", date(2025, 11, 30)), ("小宝", date(2026, 3, 1))):
        sign_up(database, now, nickname, "confirmed", born=born)
    for days in (30, 31):
        with database.transaction() as db:
            row = row_of(get(db))
            by = timedelta(days=days)
            moved = replace(row, starts_at=row.starts_at + by, ends_at=row.ends_at + by)
            publishing.put_session(db, moved, actor=actor, now=now)
    with database.transaction() as db:
        publishing.cancel_session(db, "CQ-1", reason="装修", actor=actor, now=now)

    with database.reading() as db:
        broken = {
            check.name for check in examine(db, cipher=cipher, now=now).checks if not check.ok
        }
        assert set(states(db).values()) == {"cancelled"}
    # The factories' families gave no consent; all else is in order.
    assert broken == {"children_have_consent"}


def twins(database: Database, now: datetime, state: str) -> list[int]:
    """Two sign-ups of one caregiver."""
    first = sign_up(database, now, "糖糖", state)
    with database.transaction() as db:
        one = db.get_one(SignUp, first)
        other = Child(nickname="豆豆", family_id=one.family_id, birth_date=date(2026, 3, 1))
        other.created_at = other.updated_at = now
        db.add(other)
        db.flush()
        second = SignUp(
            session_id=one.session_id,
            child_id=other.id,
            family_id=one.family_id,
            caregiver_id=one.caregiver_id,
            state=state,
            requested_at=now,
        )
        db.add(second)
        get(db).places_taken += 1
        db.flush()
        return [first, second.id]


def test_siblings_hear_of_a_move_and_a_cancellation_in_one_message(
    database: Database, in_a_week: datetime, now: datetime
) -> None:
    ids = twins(database, now, "confirmed")
    with database.transaction() as db:
        row = replace(row_of(get(db)), starts_at=in_a_week + timedelta(hours=1))
        row = replace(row, ends_at=in_a_week + timedelta(hours=2))
        publishing.put_session(db, row, actor=STAFF, now=now)
    with database.transaction() as db:
        (moved,) = [load_facts(each) for each in db.scalars(select(Notice.facts))]
        assert isinstance(moved, SessionChanged)
        assert moved.nickname == "糖糖、豆豆"
        assert moved.sign_up_ids == tuple(ids)
        publishing.cancel_session(db, "CQ-1", reason="台风", actor=STAFF, now=now)
    with database.reading() as db:
        kept = db.execute(select(Notice.kind, Notice.state).order_by(Notice.id)).all()
        assert [tuple(each) for each in kept] == [
            ("session_changed", "skipped"),
            ("sign_up_cancelled", "queued"),
        ]
        states = db.scalars(select(SignUp.state)).all()
    assert set(states) == {"cancelled"}
