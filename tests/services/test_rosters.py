from datetime import date, datetime, timedelta

import pytest

from app.db import Database
from app.errors import SessionUnknown
from app.services.rosters import coming_sessions, decided_since, find_sign_up, get_roster
from app.services.staff import scope_of
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)


def test_sessions_come_from_todays_first_minute_in_shanghai(
    database: Database, now: datetime
) -> None:
    midnight = now.replace(hour=0, minute=0)
    with database.transaction() as db:
        station = make_station(db, "CQ")
        for code, starts_at in (
            ("LATER", now + timedelta(days=9)),
            ("FIRST", midnight),
            ("BEFORE", midnight - timedelta(minutes=1)),
        ):
            make_session(db, station, code, starts_at)
        scope = scope_of(make_staff(db, "wang", now, station=station))

        found = coming_sessions(db, scope, now=now)
        soon = coming_sessions(db, scope, now=now, until=now + timedelta(days=9))

    assert [session.code for session in found] == ["FIRST", "LATER"]
    assert [session.code for session in soon] == ["FIRST"]


def test_a_session_counts_only_its_own_open_requests(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        station = make_station(db, "CQ")
        here = make_session(db, station, "HERE", now + timedelta(days=1))
        there = make_session(db, station, "THERE", now + timedelta(days=2))
        for session, state in ((here, "requested"), (here, "confirmed"), (there, "requested")):
            make_sign_up(db, session, make_child(db, "糖糖", now), now, state=state)
        make_sign_up(db, there, make_child(db, "豆豆", now), now)
        scope = scope_of(make_staff(db, "wang", now, station=station))

        found = coming_sessions(db, scope, now=now)

    assert [session.waiting_for_decision for session in found] == [1, 2]


def test_a_roster_gives_the_age_on_the_sessions_day_and_who_decided(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = make_station(db, "CQ")
        wang = make_staff(db, "wang", now, station=station)
        session = make_session(db, station, "CQ-1", now.replace(month=11, day=28))
        six_months = make_child(db, "糖糖", now, born=date(2026, 5, 28))
        unborn = make_child(db, "豆豆", now, born=date(2026, 11, 29))
        make_sign_up(db, session, six_months, now, state="declined", decided_by=wang, reason="满了")
        make_sign_up(db, session, unborn, now)

        roster = get_roster(db, scope_of(wang), " cq-1 ", now)

    assert [(row.nickname, row.age_months) for row in roster.rows] == [("豆豆", None), ("糖糖", 6)]
    assert (roster.rows[1].decided_by, roster.rows[1].reason) == ("wang", "满了")


def test_outside_the_scope_a_session_and_a_sign_up_do_not_exist(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station, other = make_station(db, "CQ"), make_station(db, "BH", township="堡镇")
        session = make_session(db, station, "CQ-1", now + timedelta(days=1))
        sign_up = make_sign_up(db, session, make_child(db, "糖糖", now), now)
        ours = scope_of(make_staff(db, "wang", now, station=station))
        theirs = scope_of(make_staff(db, "li", now, station=other))

        assert find_sign_up(db, ours, sign_up.id) is not None
        assert find_sign_up(db, theirs, sign_up.id) is None
        with pytest.raises(SessionUnknown):
            get_roster(db, theirs, "CQ-1", now)


def test_decisions_are_told_newest_first_and_neither_the_familys_nor_old_ones(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = make_station(db, "CQ")
        wang = make_staff(db, "wang", now, station=station)
        session = make_session(db, station, "CQ-1", now + timedelta(days=1))
        for nickname, state, ago, decided_by in (
            ("早的", "confirmed", 60, wang),
            ("晚的", "declined", 5, wang),
            ("昨天的", "confirmed", 2000, wang),
            ("家长取消的", "cancelled", 5, None),
            ("签到的", "attended", 5, wang),
        ):
            child = make_child(db, nickname, now)
            at = now - timedelta(minutes=ago)
            make_sign_up(db, session, child, at, state=state, decided_by=decided_by)

        found = decided_since(db, scope_of(wang), now - timedelta(hours=10))

    assert [(row.nickname, row.by) for row in found] == [("晚的", "wang"), ("早的", "wang")]
