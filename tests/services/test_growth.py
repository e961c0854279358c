"""Measures of children: one row a day, on both engines."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.db import Database
from app.errors import MeasurementImplausible
from app.models import Child, Measurement, SignUp
from app.rules.growth import Indicator, Measured
from app.services import growth, privacy
from content.growth_standard import load_standard
from tests.outbox import book

BORN = date(2026, 5, 1)
ON = date(2026, 11, 22)


@pytest.fixture
def child_id(database: Database, now: datetime) -> int:
    with database.transaction() as db:
        booking = book(db, "oMAMA", now)
        child = db.get_one(Child, db.get_one(SignUp, booking.sign_up_id).child_id)
        child.birth_date, child.sex, child.gestation_weeks = BORN, "girl", None
        return child.id


def record(database: Database, child_id: int, on: date, now: datetime, **measured: int) -> None:
    with database.transaction() as db:
        child = db.get_one(Child, child_id)
        growth.record(db, child=child, measured=Measured(**measured), on=on, now=now)


def points(database: Database, child_id: int) -> list[growth.Point]:
    with database.reading() as db:
        child = db.get_one(Child, child_id)
        return growth.list_points(db, child=child, standard=load_standard())


def test_two_messages_of_a_day_make_one_row(
    database: Database, child_id: int, now: datetime
) -> None:
    record(database, child_id, ON, now, weight_grams=7200, length_millimetres=660)
    record(database, child_id, ON, now, weight_grams=7300)
    (point,) = points(database, child_id)
    assert point.measured == Measured(weight_grams=7300, length_millimetres=660)
    assert [one.indicator for one in point.placed] == [
        Indicator.WEIGHT,
        Indicator.LENGTH,
        Indicator.WEIGHT_FOR_LENGTH,
    ]


def test_what_is_implausible_is_not_kept(database: Database, child_id: int, now: datetime) -> None:
    with pytest.raises(MeasurementImplausible):
        record(database, child_id, ON, now, weight_grams=72_000)
    with database.reading() as db:
        assert db.scalar(select(func.count(Measurement.id))) == 0


def test_a_move_is_seen_over_a_day_that_had_another_measure(
    database: Database, child_id: int, now: datetime
) -> None:
    record(database, child_id, ON, now, weight_grams=9000)
    record(database, child_id, ON + timedelta(days=7), now, head_millimetres=430)
    record(database, child_id, ON + timedelta(days=31), now, weight_grams=7200)
    assert [point.moved for point in points(database, child_id)] == [False, False, True]


def test_before_its_due_date_a_preterm_child_is_on_no_line(
    database: Database, child_id: int, now: datetime
) -> None:
    with database.transaction() as db:
        db.get_one(Child, child_id).gestation_weeks = 32
    record(database, child_id, BORN + timedelta(days=20), now, weight_grams=2200)
    record(database, child_id, BORN + timedelta(days=90), now, weight_grams=4200)
    early, later = points(database, child_id)
    assert (early.placed, early.age_months) == ((), 0)
    assert (later.is_corrected, later.age_months, len(later.placed)) == (True, 1, 1)


def test_a_birth_date_moved_past_a_measure_leaves_it_out(
    database: Database, child_id: int, now: datetime
) -> None:
    record(database, child_id, ON, now, weight_grams=7200)
    with database.transaction() as db:
        db.get_one(Child, child_id).birth_date = ON + timedelta(days=1)
    assert points(database, child_id) == []


def test_the_doctor_finds_what_no_child_measures(
    database: Database, child_id: int, now: datetime
) -> None:
    record(database, child_id, ON, now, weight_grams=7200)
    with database.transaction() as db:
        assert growth.implausible_measurements(db) == []
        db.execute(update(Measurement).values(weight_grams=72_000))
        (broken,) = growth.implausible_measurements(db)
        db.execute(update(Measurement).values(weight_grams=None))
        assert growth.implausible_measurements(db) == [broken]


def test_what_is_forgotten_is_gone_for_one_child_only(
    database: Database, child_id: int, now: datetime
) -> None:
    record(database, child_id, ON, now, weight_grams=7200)
    with database.transaction() as db:
        growth.forget(db, children=[child_id + 1])
    assert len(points(database, child_id)) == 1
    with database.transaction() as db:
        growth.forget(db, children=[child_id])
    assert points(database, child_id) == []


def test_a_childs_measures_go_with_the_consent(
    database: Database, child_id: int, now: datetime
) -> None:
    record(database, child_id, ON, now, weight_grams=7200)
    with database.transaction() as db:
        child = db.get_one(Child, child_id)
        caregiver = child.family.caregivers[0]
        caregiver.relation = "mother"
        privacy.withdraw(db, caregiver=caregiver, child=child, now=now)
    with database.reading() as db:
        assert db.scalar(select(func.count(Measurement.id))) == 0
