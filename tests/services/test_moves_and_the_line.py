"""What meets: a session moved while offers stand, families that change, and children lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.crypto import Cipher
from app.db import Database
from app.errors import AttendanceTaken, SessionStepNotAllowed
from app.models import Caregiver, Child, Family, GuidanceSession, Notice, SignUp, Staff, YearPlan
from app.models.notice_facts import SessionChanged, SignUpOffered, load_facts
from app.services import (
    attendance,
    impact,
    losses,
    moving,
    plan_keeping,
    privacy,
    publishing,
    registration,
    reminders,
    waiting_ended,
    waiting_list,
)
from app.services.audit import OPERATOR, Actor
from app.services.doctor import examine
from app.services.publishing import row_of
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
    mother_of,
)

STAFF = Actor("staff", 1)


@pytest.fixture
def in_a_week(database: Database, now: datetime) -> datetime:
    """A session CQ-1 with a waiting list in a week, for two, confirmed by itself."""
    starts_at = now + timedelta(days=7)
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_staff(db, "wang", now, station=station)
        session = make_session(db, station, "CQ-1", starts_at, places=2)
        session.confirm_mode, session.waiting_list = "auto", "first_come"
    return starts_at


def get(db: Session) -> GuidanceSession:
    return db.scalars(select(GuidanceSession).where(GuidanceSession.code == "CQ-1")).one()


def join(
    db: Session, child: Child, now: datetime, *, state: str, until: datetime | None = None
) -> SignUp:
    made = make_sign_up(db, get(db), child, now, state=state)
    if state in ("waitlisted", "offered"):
        made.waitlisted_at = now
    if until is not None:
        made.offered_at, made.offer_expires_at = now, until
        get(db).places_taken += 1
    db.flush()
    return made


def move(db: Session, now: datetime, **by: float) -> None:
    row = row_of(get(db))
    step = timedelta(**by)
    moved = replace(
        row,
        starts_at=row.starts_at + step,
        ends_at=row.ends_at + step,
        closes_at=row.closes_at + step,
        cancel_until=row.cancel_until + step,
    )
    publishing.put_session(db, moved, actor=STAFF, now=now)


def told(db: Session) -> list[tuple[str, str]]:
    """(kind, nickname) of all that is to be sent, the oldest first."""
    rows = db.scalars(select(Notice).where(Notice.state == "queued").order_by(Notice.id))
    return [(row.kind, getattr(load_facts(row.facts), "nickname", "")) for row in rows]


UNASKED = {"sign_ups_are_audited", "children_have_consent"}
"""Of these rows nobody signed up and nobody agreed: they were put there."""


def broken(database: Database, cipher: Cipher, now: datetime) -> set[str]:
    with database.reading() as db:
        checks = examine(db, cipher=cipher, now=now).checks
    return {check.name for check in checks if not check.ok} - UNASKED


def test_an_offer_that_waits_for_the_morning_tells_of_the_move_itself(
    database: Database, now: datetime, in_a_week: datetime, cipher: Cipher
) -> None:
    night = now.replace(hour=22)
    with database.transaction() as db:
        child = make_child(db, "糖糖", now)
        made = join(db, child, now, state="waitlisted")
        waiting_list.promote(db, get(db), night)
        number = made.id
    with database.transaction() as db:
        move(db, night + timedelta(minutes=10), days=1)

    with database.reading() as db:
        assert told(db) == [("sign_up_offered", "糖糖")]
        notice = db.scalars(select(Notice).where(Notice.kind == "sign_up_offered")).one()
        offer = load_facts(notice.facts)
        assert isinstance(offer, SignUpOffered)
        assert offer.starts_at == in_a_week + timedelta(days=1)
        assert offer.was_at == in_a_week
        assert db.get_one(SignUp, number).offer_expires_at == offer.until == notice.expires_at
    assert broken(database, cipher, night) == set()


def test_who_has_heard_of_an_offer_hears_of_the_move_that_it_still_stands(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        until = now + timedelta(hours=6)
        family = make_child(db, "糖糖", now)
        join(db, family, now, state="offered", until=until)
        brother = Child(
            family_id=family.family_id,
            nickname="果果",
            birth_date=date(2026, 5, 1),
            created_at=now,
            updated_at=now,
        )
        db.add(brother)
        db.flush()
        join(db, brother, now, state="confirmed")
    with database.transaction() as db:
        move(db, now, days=1)

    with database.reading() as db:
        facts = [load_facts(each) for each in db.scalars(select(Notice.facts).order_by(Notice.id))]
        found = [(f.nickname, f.offer_until) for f in facts if isinstance(f, SessionChanged)]
        # Apart from the sibling that has a place: what is to be done is not the same.
        assert found == [("糖糖", until), ("果果", None)]


def test_whose_offer_has_run_out_is_not_told_that_the_place_is_kept(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        join(db, make_child(db, "糖糖", now), now, state="offered", until=now + timedelta(hours=1))
    late = now + timedelta(hours=2)
    with database.transaction() as db:
        row = replace(row_of(get(db)), starts_at=in_a_week + timedelta(hours=1))
        assert impact.of_change(db, get(db), row, late).told == ()
        move(db, late, days=1)

    with database.reading() as db:
        assert told(db) == [("sign_up_offer_expired", "糖糖")]


def test_who_was_told_that_waiting_is_over_is_told_again_after_a_move(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        get(db).places = 0
        join(db, make_child(db, "糖糖", now), now, state="waitlisted")
    over = in_a_week - timedelta(hours=1)
    with database.transaction() as db:
        assert waiting_ended.tell_ended(db, get(db).id, over) == 1
    with database.transaction() as db:
        move(db, over, days=7)
        # The first had not been sent, and is not true any more.
        assert told(db) == [("session_changed", "糖糖")]
    again = over + timedelta(days=7)
    with database.transaction() as db:
        assert list(waiting_ended.find_ended(db, again)) == [get(db).id]
        assert waiting_ended.tell_ended(db, get(db).id, again) == 1
        assert list(waiting_ended.find_ended(db, again)) == []


def test_a_child_that_died_holds_no_place_and_is_named_in_nothing(
    database: Database, now: datetime, in_a_week: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        get(db).places = 1
        lost = make_child(db, "糖糖", now)
        first = join(db, lost, now, state="confirmed")
        first.decided_at = now
        next_one = join(db, make_child(db, "毛毛", now), now, state="waitlisted")
        ids = (first.id, next_one.id)
        plan = YearPlan(
            family_id=lost.family_id,
            child_id=lost.id,
            caregiver_id=mother_of(db, lost).id,
            year=now.year,
            target=6,
            agreed_at=now,
            takes_since=now,
        )
        db.add(plan)
        db.flush()
        losses.mark_lost(db, lost, actor=STAFF, now=now)
        db.refresh(plan)
        # Nor does the plan go on by itself once it is opened again, for a brother.
        assert (plan.ended_at, plan.takes_since) == (now, None)

    with database.transaction() as db:
        assert [db.get_one(SignUp, one).state for one in ids] == ["cancelled", "offered"]
        assert told(db) == [("sign_up_offered", "毛毛")]
        reminders.queue_due(db, get(db).id, in_a_week - timedelta(hours=24))
        assert told(db) == [("sign_up_offered", "毛毛")]
    assert broken(database, cipher, now) == set()


def test_a_family_that_wants_to_hear_nothing_is_offered_nothing(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        get(db).places = 1
        stopped = make_child(db, "糖糖", now)
        first = join(db, stopped, now, state="offered", until=now + timedelta(hours=6))
        next_one = join(db, make_child(db, "毛毛", now), now, state="waitlisted")
        losses.stop_family(db, stopped.family, actor=STAFF, now=now)

        assert (first.state, next_one.state) == ("cancelled", "offered")
        assert plan_keeping.find_recipient(stopped.family, None) is None
        assert plan_keeping.find_recipient(db.get_one(Family, next_one.family_id), None)


@pytest.mark.parametrize("how", ["unfollows", "is taken out"])
def test_what_a_caregiver_signed_up_for_is_told_to_who_is_left(
    database: Database, now: datetime, in_a_week: datetime, how: str
) -> None:
    with database.transaction() as db:
        child = make_child(db, "糖糖", now)
        mother = mother_of(db, child)
        sign_up = join(db, child, now, state="confirmed")
        sign_up.decided_at = now
        father = Caregiver(
            openid="o-father",
            family_id=child.family_id,
            is_following=True,
            pushes="on",
            created_at=now,
        )
        db.add(father)
        db.flush()
        move(db, now, days=1)
        if how == "unfollows":
            assert mother.openid is not None
            registration.unfollow(db, mother.openid, now)
        else:
            privacy.leave_family(db, caregiver=mother, now=now)
        move(db, now + timedelta(hours=1), days=1)
        reminders.queue_due(db, get(db).id, in_a_week + timedelta(days=1))
        heirs = set(db.scalars(select(Notice.caregiver_id)))

        assert heirs == {father.id}


def test_a_wrong_tick_of_a_waiting_child_gives_its_place_in_line_back(
    database: Database, now: datetime, in_a_week: datetime, cipher: Cipher
) -> None:
    with database.transaction() as db:
        get(db).places = 0
        child = make_child(db, "糖糖", now)
        made = join(db, child, now, state="waitlisted")
        join(db, make_child(db, "毛毛", now), now + timedelta(minutes=1), state="waitlisted")
        number, caregiver = made.id, mother_of(db, child)
        for undo in (False, True):
            attendance.attend(
                db,
                session_code="CQ-1",
                caregiver=caregiver,
                child=child,
                actor=OPERATOR,
                now=now + timedelta(hours=1),
                undo=undo,
            )

        assert (made.state, made.is_walk_in) == ("waitlisted", False)
        assert waiting_list.positions(db, get(db))[number] == 1
    assert broken(database, cipher, now) == set()


@pytest.mark.parametrize("state", ["attended", "no_show"])
def test_what_families_came_to_is_not_moved_to_another_day(
    database: Database, now: datetime, in_a_week: datetime, state: str
) -> None:
    with database.transaction() as db:
        join(db, make_child(db, "糖糖", now), now, state=state)
    at_the_door = in_a_week - timedelta(minutes=30)
    with database.transaction() as db:
        move(db, at_the_door, minutes=40)  # the bus is late
    with pytest.raises(AttendanceTaken), database.transaction() as db:
        move(db, at_the_door, days=1)
    after = in_a_week + timedelta(hours=3)
    with pytest.raises(AttendanceTaken), database.transaction() as db:
        move(db, after, hours=5)
    with database.transaction() as db:
        move(db, after, days=-1)  # the date was a slip of the hand

        assert get(db).calendar_sequence == 2


@pytest.mark.parametrize("state", ["draft", "cancelled"])
def test_nobody_attends_what_does_not_take_place(
    database: Database, now: datetime, in_a_week: datetime, state: str
) -> None:
    with database.transaction() as db:
        get(db).state = state
        child = make_child(db, "糖糖", now)
        with pytest.raises(SessionStepNotAllowed):
            attendance.attend(
                db,
                session_code="CQ-1",
                caregiver=mother_of(db, child),
                child=child,
                actor=OPERATOR,
                now=now,
            )


def test_a_request_that_staff_move_is_not_lost_to_the_year_plan(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        child = make_child(db, "糖糖", now)
        plan = YearPlan(
            family_id=child.family_id,
            child_id=child.id,
            caregiver_id=mother_of(db, child).id,
            year=now.year,
            target=6,
            agreed_at=now,
        )
        db.add(plan)
        db.flush()
        request = join(db, child, now, state="requested")
        request.year_plan_id = plan.id
        station = get(db).station
        for number in (2, 3):
            other = make_session(db, station, f"CQ-{number}", in_a_week + timedelta(days=number))
            other.closes_at = other.starts_at
        teacher = db.scalars(select(Staff)).one()
        made = moving.move(
            db, sign_up_id=request.id, to_code="CQ-2", staff=teacher, reason="改期", now=now
        )

        assert made.year_plan_id == plan.id
        kinds = list(db.scalars(select(Notice.kind).order_by(Notice.id)))
        assert kinds == ["sign_up_declined", "sign_up_confirmed"]


def test_moved_and_moved_back_before_anybody_heard_of_it_is_no_news(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        make_station(db, "BH", township="堡镇")
        join(db, make_child(db, "糖糖", now), now, state="confirmed")
        row = row_of(get(db))
        publishing.put_session(db, replace(row, station_code="BH"), actor=STAFF, now=now)
        (news,) = [load_facts(each) for each in db.scalars(select(Notice.facts))]
        assert isinstance(news, SessionChanged)
        assert (news.was_place, news.place) == ("城桥镇早教指导站", "堡镇早教指导站")
        publishing.put_session(db, row, actor=STAFF, now=now)

        assert told(db) == []
        assert get(db).calendar_sequence == 2


def test_an_offer_that_leaves_while_its_session_is_moved_is_followed_by_the_news(
    database: Database, now: datetime, in_a_week: datetime
) -> None:
    with database.transaction() as db:
        join(db, make_child(db, "糖糖", now), now, state="waitlisted")
        waiting_list.promote(db, get(db), now)

    def moves() -> None:
        with database.transaction() as db:
            move(db, now, days=1)

    with ThreadPoolExecutor(1) as staff:
        with database.transaction() as deliverer:
            deliverer.execute(update(Notice).values(state="sending", claimed_at=now))
            moved = staff.submit(moves)
            is_postgresql = deliverer.get_bind().dialect.name == "postgresql"
            while is_postgresql and not deliverer.scalar(
                text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            ):
                assert not moved.done()
        moved.result()

    with database.reading() as db:
        notices = db.scalars(select(Notice).order_by(Notice.id)).all()
        assert [(each.kind, each.state) for each in notices] == [
            ("sign_up_offered", "sending"),
            ("session_changed", "queued"),
        ]
        left = load_facts(notices[0].facts)
        assert isinstance(left, SignUpOffered)
        assert left.starts_at == in_a_week
