from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.clock import SHANGHAI
from app.db import Database
from app.errors import NoDaysInSeries, SessionCodeTaken
from app.models import AuditEntry, GuidanceSession, Notice, SessionSeries
from app.rules.calendar_days import DayKind, SetKind
from app.rules.sign_up import SessionState
from app.services import calendar_days, publishing, series
from app.services.audit import Actor
from app.services.publishing import SessionExtras, SessionRow, row_of
from app.services.series import MAX_SESSIONS, SeriesRule
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)

STAFF = Actor("staff", 1)
SATURDAYS = SeriesRule(
    code="dushu", every_weeks=2, first_on=date(2026, 9, 5), until=date(2026, 10, 31)
)
NOW = datetime(2026, 8, 1, 9, 0, tzinfo=SHANGHAI)


@pytest.fixture
def template(database: Database) -> SessionRow:
    """The row of a session on the first Saturday at 9:30, at the station CQ."""
    starts_at = datetime(2026, 9, 5, 9, 30, tzinfo=SHANGHAI)
    with database.transaction() as db:
        station = make_station(db, "CQ")
        make_staff(db, "wang", NOW, station=station)
        return row_of(make_session(db, station, "TEMPLATE", starts_at))


def test_a_series_leaves_out_holidays_and_closed_days_and_says_which(
    database: Database, template: SessionRow
) -> None:
    with database.transaction() as db:
        calendar_days.put_day(
            db, date(2026, 9, 19), SetKind.BLACKOUT, "全区培训", staff_id=1, now=NOW
        )
        planned = series.plan(db, SATURDAYS)

    assert [(one.day.day.isoformat(), one.code) for one in planned] == [
        ("2026-09-05", "DUSHU-01"),
        ("2026-09-19", None),
        ("2026-10-03", None),
        ("2026-10-17", "DUSHU-02"),
        ("2026-10-31", "DUSHU-03"),
    ]
    assert [one.day.name for one in planned if one.code is None] == ["全区培训", "国庆节"]


def test_a_series_makes_its_sessions_with_their_own_deadlines(
    database: Database, template: SessionRow
) -> None:
    extras = SessionExtras(topic="safety", township_first_until=template.opens_at)
    with database.transaction() as db:
        made = series.create(
            db,
            SATURDAYS,
            template,
            extras=extras,
            state=SessionState.PUBLISHED,
            actor=STAFF,
            now=NOW,
        )

    # 3 October is within the holiday.
    assert [one.code for one in made] == ["DUSHU-01", "DUSHU-02", "DUSHU-03", "DUSHU-04"]
    for one in made:
        assert one.starts_at.astimezone(SHANGHAI).hour == 9
        assert one.starts_at - one.closes_at == template.starts_at - template.closes_at
        assert one.township_first_until == one.opens_at
        assert one.topic == "safety"
    assert made[2].starts_at == datetime(2026, 10, 17, 9, 30, tzinfo=SHANGHAI)


def test_a_series_code_is_used_once_and_nothing_is_kept_of_a_refused_one(
    database: Database, template: SessionRow
) -> None:
    def create(rule: SeriesRule) -> None:
        with database.transaction() as db:
            series.create(
                db,
                rule,
                template,
                extras=SessionExtras(),
                state=SessionState.DRAFT,
                actor=STAFF,
                now=NOW,
            )

    with database.transaction() as db:
        make_session(db, make_station(db, "BH"), "TAKEN-02", NOW + timedelta(days=9))
    with pytest.raises(SessionCodeTaken):
        create(replace(SATURDAYS, code="TAKEN"))
    with database.reading() as db:
        assert db.scalars(select(SessionSeries)).all() == []
        assert db.scalars(select(func.count(GuidanceSession.id))).one() == 2
    create(SATURDAYS)
    with pytest.raises(SessionCodeTaken):
        create(SATURDAYS)


@pytest.mark.parametrize(
    "first, weeks, until",
    [
        (date(2026, 10, 3), 1, date(2026, 10, 3)),  # a holiday, and nothing else
        (date(2026, 9, 5), 1, date(2026, 9, 5) + timedelta(weeks=MAX_SESSIONS + 10)),
        (date(2026, 9, 5), 1, date(2100, 1, 1)),
    ],
)
def test_a_series_of_none_or_far_too_many_is_refused(
    database: Database, template: SessionRow, first: date, weeks: int, until: date
) -> None:
    with database.reading() as db, pytest.raises(NoDaysInSeries):
        series.plan(db, SeriesRule("DUSHU", weeks, first, until))


def made(database: Database, template: SessionRow) -> None:
    with database.transaction() as db:
        series.create(
            db,
            SATURDAYS,
            template,
            extras=SessionExtras(),
            state=SessionState.PUBLISHED,
            actor=STAFF,
            now=NOW,
        )


def get_all(database: Database) -> dict[str, GuidanceSession]:
    with database.reading() as db:
        return {one.code: one for one in db.scalars(select(GuidanceSession))}


def test_a_change_of_this_and_following_shifts_days_and_hours_and_leaves_earlier_ones(
    database: Database, template: SessionRow
) -> None:
    made(database, template)
    before = get_all(database)
    with database.transaction() as db:
        child = make_child(db, "糖糖", NOW)
        third = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "DUSHU-03")).one()
        make_sign_up(db, third, child, NOW, state="confirmed")
        publishing.cancel_session(db, "DUSHU-04", reason="装修", actor=STAFF, now=NOW)
    with database.transaction() as db:
        second = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "DUSHU-02")).one()
        row = row_of(second)
        by = timedelta(days=1, hours=5)
        row = replace(
            row,
            title="下午场",
            starts_at=row.starts_at + by,
            ends_at=row.ends_at + by,
            closes_at=row.closes_at + by,
            cancel_until=row.cancel_until + by,
        )
        changed = series.change_following(
            db,
            second,
            row,
            extras=SessionExtras(),
            keeps_aged_out=False,
            actor=STAFF,
            now=NOW,
        )

    after = get_all(database)
    assert changed == 2
    assert after["DUSHU-01"].title == before["DUSHU-01"].title
    for code in ("DUSHU-02", "DUSHU-03"):
        assert after[code].title == "下午场"
        assert after[code].starts_at == before[code].starts_at + by
        assert after[code].closes_at == before[code].closes_at + by
        assert after[code].opens_at == before[code].opens_at
        assert after[code].calendar_sequence == 1
    assert after["DUSHU-04"].starts_at == before["DUSHU-04"].starts_at
    with database.reading() as db:
        assert [n.kind for n in db.scalars(select(Notice))] == ["session_changed"]


def test_a_change_of_this_one_alone_leaves_the_series(
    database: Database, template: SessionRow
) -> None:
    made(database, template)
    with database.transaction() as db:
        second = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "DUSHU-02")).one()
        row = replace(row_of(second), title="只这一场")
        publishing.change_session(db, second, row, actor=STAFF, now=NOW)

    titles = {code: one.title for code, one in get_all(database).items()}
    assert [code for code, title in titles.items() if title == "只这一场"] == ["DUSHU-02"]


def test_a_day_is_set_changed_and_cleared_with_an_audit_trail(
    database: Database, template: SessionRow
) -> None:
    day = date(2026, 10, 1)
    with database.transaction() as db:
        for kind in (SetKind.BLACKOUT, SetKind.WORKDAY):
            calendar_days.put_day(db, day, kind, " 加班 ", staff_id=1, now=NOW)
        assert calendar_days.get_day(db, day).kind is DayKind.WORKDAY
        assert [one.name for one in calendar_days.list_set_days(db, day)] == ["加班"]
        assert calendar_days.list_set_days(db, day + timedelta(days=1)) == []
        assert calendar_days.clear_day(db, day, staff_id=1, now=NOW)
        assert not calendar_days.clear_day(db, day, staff_id=1, now=NOW)
        assert calendar_days.get_day(db, day).kind is DayKind.HOLIDAY
        trail = db.execute(
            select(AuditEntry.action, AuditEntry.subject_id, AuditEntry.before, AuditEntry.after)
            .where(AuditEntry.subject_type == "calendar_day")
            .order_by(AuditEntry.id)
        ).all()

    assert trail == [
        ("set_day", 20261001, None, "blackout"),
        ("set_day", 20261001, "blackout", "workday"),
        ("clear_day", 20261001, "workday", None),
    ]


def test_what_was_set_apart_by_hand_stays_so_when_the_series_is_given_another_name(
    database: Database, template: SessionRow
) -> None:
    made(database, template)
    with database.transaction() as db:
        third = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "DUSHU-03")).one()
        row = row_of(third)
        by = timedelta(hours=5)
        apart = replace(row, starts_at=row.starts_at + by, ends_at=row.ends_at + by, places=3)
        hours = SessionExtras(offer_hours=12)
        publishing.change_session(db, third, apart, actor=STAFF, now=NOW, extras=hours)
        apart = row_of(third)
        make_sign_up(db, third, make_child(db, "糖糖", NOW), NOW, state="confirmed")
    with database.transaction() as db:
        first = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "DUSHU-01")).one()
        row = replace(row_of(first), title="新名字", ends_at=first.ends_at + timedelta(minutes=30))
        series.change_following(
            db,
            first,
            row,
            extras=SessionExtras(topic="growth"),
            keeps_aged_out=False,
            actor=STAFF,
            now=NOW,
        )

    with database.reading() as db:
        third = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "DUSHU-03")).one()
        assert row_of(third) == replace(
            apart, title="新名字", ends_at=apart.ends_at + timedelta(minutes=30)
        )
    assert (third.topic, third.offer_hours) == ("growth", 12)
