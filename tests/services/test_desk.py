from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from app.db import Database
from app.errors import NotYours
from app.models import AuditEntry
from app.services.desk import (
    NOTICE_STATES,
    FinishedFollowUp,
    count_follow_ups,
    count_notices,
    finish_follow_up,
    list_follow_ups,
    list_notices,
)
from app.services.staff import StaffScope, scope_of
from tests.console.desk_world import (
    make_child,
    make_follow_up,
    make_notice,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)


def test_emergencies_come_first_then_the_oldest(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        station = make_station(db, "CQ")
        scope = scope_of(make_staff(db, "wang", now, station=station))
        for kind, hours in (("human", 1), ("complaint", 30), ("emergency", 0), ("human", 2)):
            make_follow_up(
                db, now - timedelta(hours=hours), kind=kind, station=station, detail=f"{hours}"
            )

        found = list_follow_ups(db, scope)
        counted = count_follow_ups(db, scope)

    assert [row.detail for row in found] == ["0", "30", "2", "1"]
    assert (counted.open, counted.emergencies) == (4, 1)


def test_each_station_sees_its_own_follow_ups_and_the_district_all(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station, other = make_station(db, "CQ"), make_station(db, "BH", township="堡镇")
        ours = scope_of(make_staff(db, "wang", now, station=station))
        district = scope_of(make_staff(db, "district", now, role="district"))
        make_follow_up(db, now, station=station, detail="城桥")
        theirs = make_follow_up(db, now, station=other, detail="堡镇")
        make_follow_up(db, now, detail="没有站")

        assert [row.detail for row in list_follow_ups(db, ours)] == ["城桥"]
        assert count_follow_ups(db, ours).open == 1
        assert count_follow_ups(db, district).open == 3
        with pytest.raises(NotYours):
            finish_follow_up(db, ours, theirs.id, now=now)
        assert count_follow_ups(db, district).open == 3


def test_of_two_who_finish_at_once_one_did_it_and_both_know_who(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = make_station(db, "CQ")
        scopes = [scope_of(make_staff(db, name, now, station=station)) for name in ("wang", "li")]
        follow_up_id = make_follow_up(db, now, station=station).id
    together = Barrier(len(scopes))
    outcomes: list[FinishedFollowUp] = []

    def finish(scope: StaffScope) -> None:
        together.wait(timeout=20)
        with database.transaction() as db:
            outcomes.append(finish_follow_up(db, scope, follow_up_id, now=now))

    threads = [Thread(target=finish, args=(scope,)) for scope in scopes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert sorted(outcome.was_open for outcome in outcomes) == [False, True]
    assert len({outcome.by for outcome in outcomes}) == 1
    with database.reading() as db:
        finishes = select(func.count()).where(AuditEntry.action == "finish")
        assert db.execute(finishes).scalar_one() == 1


def test_notices_of_our_families_and_about_our_sessions_are_ours(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station, other = make_station(db, "CQ"), make_station(db, "BH", township="堡镇")
        ours = scope_of(make_staff(db, "wang", now, station=station))
        district = scope_of(make_staff(db, "district", now, role="district"))
        session = make_session(db, station, "CQ-1", now + timedelta(days=1))
        stranger = make_child(db, "堡堡", now, station=other)
        sign_up = make_sign_up(db, session, stranger, now)
        own = make_notice(db, make_child(db, "糖糖", now, station=station), now)
        about = make_notice(db, stranger, now, subject=f"sign_up:{sign_up.id}")
        make_notice(db, stranger, now, subject="sign_up:999")
        make_notice(db, stranger, now, subject="family:3")

        seen = list_notices(db, ours, states=NOTICE_STATES)

        assert {notice.id for notice in seen} == {own.id, about.id}
        assert count_notices(db, ours, NOTICE_STATES) == 2
        assert count_notices(db, district, NOTICE_STATES) == 4


def test_notices_are_counted_and_listed_by_state_the_newest_first(
    database: Database, now: datetime
) -> None:
    with database.transaction() as db:
        station = make_station(db, "CQ")
        scope = scope_of(make_staff(db, "wang", now, station=station))
        child = make_child(db, "糖糖", now, station=station)
        for state, minutes in (("unknown", 5), ("failed", 1), ("sent", 3)):
            make_notice(db, child, now - timedelta(minutes=minutes), state=state)

        to_look_at = list_notices(db, scope, states=("unknown", "failed"))

        assert [notice.state for notice in to_look_at] == ["failed", "unknown"]
        assert to_look_at[0].nicknames == ("糖糖",)
        assert count_notices(db, scope, ("sent",)) == 1


def test_long_lists_come_in_pages(database: Database, now: datetime) -> None:
    with database.transaction() as db:
        station = make_station(db, "CQ")
        scope = scope_of(make_staff(db, "wang", now, station=station))
        child = make_child(db, "糖糖", now, station=station)
        for number in range(5):
            at = now + timedelta(minutes=number)
            make_notice(db, child, at, state="sent", text=f"{number}")
            make_follow_up(db, at, station=station, child=child, detail=f"{number}")

        notices = list_notices(db, scope, states=("sent",), limit=2, offset=2)
        follow_ups = list_follow_ups(db, scope, limit=2, offset=2)

    assert [notice.text for notice in notices] == ["2", "1"]
    assert [row.detail for row in follow_ups] == ["2", "3"]
