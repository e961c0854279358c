"""The families behind a number are those that the report has counted; months are frozen."""

from datetime import date, datetime

import pytest

from app.db import Database
from app.services import coverage_families, coverage_snapshots
from app.services.coverage import Counts, report
from tests.services.coverage_world import World

YEAR = 2026


@pytest.fixture
def busy(database: Database, now: datetime) -> Database:
    """Families of two stations that came 0, 1, 6 and 13 times, and one that did not answer."""
    with database.transaction() as db:
        world = World(db)
        here, there = world.station("CQ", "城桥镇"), world.station("BZ", "堡镇")
        for number, times in enumerate((0, 1, 6, 13)):
            station = (here, there)[number % 2]
            family = world.family(station, date(2025, 6, 1))
            world.attends(family, station, times)
        world.family(here, date(2025, 6, 1), need=None)
        world.family(here, date(2025, 6, 1), need=False)
    return database


def test_each_number_is_the_count_of_its_families(busy: Database, now: datetime) -> None:
    with busy.reading() as db:
        found = report(db, year=YEAR, now=now)
        rows: list[tuple[str, str, Counts]] = [("", "", found.total)]
        rows += [(row.township, "", row) for row in found.townships]
        rows += [("", row.station or "-", row) for row in found.stations]
        for township, station, row in rows:
            expected = {
                "in_need": row.families_in_need,
                "not_answered": row.families_not_answered,
                **row.attended_histogram,
            }
            counted = {
                which: coverage_families.count(
                    db,
                    year=YEAR,
                    now=now,
                    scope=None,
                    which=which,
                    township=township,
                    station=station,
                )
                for which in expected
            }
            assert counted == expected, (township, station)
        short = coverage_families.count(db, year=YEAR, now=now, scope=None, which="short")
        assert short == found.total.forecast.families_short


def test_a_snapshot_reads_back_as_it_was_taken(busy: Database, now: datetime) -> None:
    with busy.transaction() as db:
        coverage_snapshots.take(db, now)
        expected = report(db, year=YEAR, now=now)
    with busy.reading() as db:
        assert coverage_snapshots.find(db, date(2026, 10, 1)) == expected
        (taken,) = coverage_snapshots.taken(db)
        assert taken.definitions_version == expected.definitions_version


def test_in_january_december_of_last_year_is_frozen(busy: Database) -> None:
    with busy.transaction() as db:
        at = datetime.fromisoformat("2027-01-01T00:30:00+08:00")
        assert coverage_snapshots.take(db, at) == date(2026, 12, 1)
        found = coverage_snapshots.find(db, date(2026, 12, 1))
        assert found is not None
        assert found.year == YEAR
