"""Families with special needs in the coverage report, on both engines."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.clock import SHANGHAI
from app.db import Database
from app.models import Child, Family, HomeVisit, SpecialNeed, Station
from app.services.coverage import report
from app.services.special_needs_coverage import SpecialNeeds
from app.services.staff import Role, StaffScope
from tests.services.coverage_world import World

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
NOTED = datetime(2026, 3, 2, 23, 30, tzinfo=SHANGHAI)
BORN = date(2025, 3, 10)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with database.transaction() as db:
        yield World(db)


@pytest.fixture
def station(world: World) -> Station:
    return world.station("CQ", "城桥镇")


def with_need(
    world: World,
    station: Station,
    *born: date,
    noted_at: datetime = NOTED,
    ended_at: datetime | None = None,
) -> Family:
    family = world.family(station, *(born or (BORN,)), need=None)
    for child in world.db.scalars(select(Child).where(Child.family_id == family.id)):
        world.db.add(
            SpecialNeed(child_id=child.id, category="听力", noted_at=noted_at, ended_at=ended_at)
        )
    world.db.flush()
    return family


def visited(
    world: World, family: Family, at: datetime, *, kind: str = "guidance", state: str = "completed"
) -> None:
    child = world.db.scalars(select(Child).where(Child.family_id == family.id)).first()
    assert child is not None
    world.db.add(
        HomeVisit(
            family_id=family.id,
            child_id=child.id,
            kind=kind,
            purpose="special_needs",
            state=state,
            code_word=1,
            requested_at=at - timedelta(days=2),
            completed_at=at if state == "completed" else None,
        )
    )
    world.db.flush()


def counted(world: World, year: int = 2026, scope: StaffScope | None = None) -> SpecialNeeds | None:
    return report(world.db, year=year, now=NOW, scope=scope).special_needs


def test_the_median_is_of_the_days_to_the_first_visit(world: World, station: Station) -> None:
    for days in (3, 10, 40):
        family = with_need(world, station)
        visited(world, family, NOTED + timedelta(days=days))
        visited(world, family, NOTED + timedelta(days=days + 60))
    with_need(world, station)

    assert counted(world) == SpecialNeeds(families=4, served=3, median_wait_days=10.0)


def test_days_are_days_of_the_calendar(world: World, station: Station) -> None:
    visited(world, with_need(world, station), NOTED + timedelta(hours=1))

    assert counted(world) == SpecialNeeds(1, 1, 1.0)


def test_what_does_not_serve(world: World, station: Station) -> None:
    before = with_need(world, station)
    visited(world, before, NOTED - timedelta(days=1))
    medical = with_need(world, station)
    visited(world, medical, NOTED + timedelta(days=1), kind="medical")
    cancelled = with_need(world, station)
    visited(world, cancelled, NOTED + timedelta(days=1), state="cancelled")

    assert counted(world) == SpecialNeeds(families=3, served=0, median_wait_days=None)


def test_twins_are_one_family(world: World, station: Station) -> None:
    visited(world, with_need(world, station, BORN, BORN), NOTED + timedelta(days=5))

    assert counted(world) == SpecialNeeds(1, 1, 5.0)


def test_who_belongs_to_the_year(world: World, station: Station) -> None:
    new_year = datetime(2026, 1, 1, tzinfo=SHANGHAI)
    early = new_year - timedelta(days=200)
    with_need(world, station, noted_at=early, ended_at=new_year)
    with_need(world, station, noted_at=early, ended_at=new_year - timedelta(seconds=1))
    with_need(world, station, date(2023, 1, 2))
    with_need(world, station, date(2023, 1, 1))
    with_need(world, station, noted_at=NOW + timedelta(seconds=1))

    assert counted(world) == SpecialNeeds(families=2, served=0, median_wait_days=None)


def test_a_visit_of_the_year_before_serves_that_year(world: World, station: Station) -> None:
    family = with_need(world, station, noted_at=datetime(2025, 12, 1, 9, tzinfo=SHANGHAI))
    visited(world, family, datetime(2025, 12, 9, 9, tzinfo=SHANGHAI))

    assert counted(world, 2025) == SpecialNeeds(1, 1, 8.0)
    assert counted(world, 2026) == SpecialNeeds(1, 0, None)


def test_another_townships_families_are_not_in_a_leads_report(
    world: World, station: Station
) -> None:
    with_need(world, station)
    elsewhere = world.station("BZ", "堡镇")
    scope = StaffScope(1, Role.TOWNSHIP, None, elsewhere.township_id)

    assert counted(world, scope=scope) == SpecialNeeds(0, 0, None)
