"""The coverage report on families, sessions and attendances made by hand, on both engines."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event

from app.clock import SHANGHAI
from app.db import Database
from app.models import (
    Entitlement,
    Station,
)
from app.services.coverage import Report, report
from app.services.staff import Role, StaffScope
from tests.services.coverage_world import World

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)


@pytest.fixture
def world(database: Database) -> Iterator[World]:
    with database.transaction() as db:
        yield World(db)


@pytest.fixture
def station(world: World) -> Station:
    return world.station("CQ", "城桥镇")


BORN = date(2025, 3, 10)


def of_2026(world: World, now: datetime = NOW, scope: StaffScope | None = None) -> Report:
    world.db.flush()
    return report(world.db, year=2026, now=now, scope=scope)


def test_each_family_stands_once_in_the_histogram(world: World, station: Station) -> None:
    for times in (0, 0, 1, 5, 6, 7, 12):
        world.attends(world.family(station, BORN), station, times)

    total = of_2026(world).total

    assert total.families_in_need == 7
    assert total.attended_histogram == {
        "0": 2, "1": 1, "2": 0, "3": 0, "4": 0, "5": 1, "6+": 3, "12+": 1,
    }  # fmt: skip
    assert total.share_reaching_6 == round(3 / 7, 4)
    assert total.share_reaching_12 == round(1 / 7, 4)


def test_only_a_yes_is_a_need_and_silence_is_listed_apart(world: World, station: Station) -> None:
    for need in (True, False, None, None):
        world.attends(world.family(station, BORN, need=need), station, 1)

    total = of_2026(world).total

    assert total.families_in_need == 1
    assert total.families_not_answered == 2
    assert sum(total.attended_histogram[str(times)] for times in range(6)) == 1


def test_siblings_in_one_session_count_once(world: World, station: Station) -> None:
    family = world.family(station, BORN, date(2024, 1, 5))
    session = world.session(station, datetime(2026, 5, 9, 9, tzinfo=SHANGHAI))
    world.sign_up(family, session, child=0)
    world.sign_up(family, session, child=1)

    assert of_2026(world).total.attended_histogram["1"] == 1


@pytest.mark.parametrize(
    "starts_at, counts",
    [
        (datetime(2025, 12, 31, 23, 30, tzinfo=SHANGHAI), False),
        (datetime(2026, 1, 1, 0, 0, tzinfo=SHANGHAI), True),
        # Still 2025 in London, where the server may think it is.
        (datetime(2026, 1, 1, 7, 30, tzinfo=SHANGHAI), True),
        (datetime(2026, 12, 31, 23, 30, tzinfo=SHANGHAI), True),
        (datetime(2027, 1, 1, 0, 0, tzinfo=SHANGHAI), False),
    ],
)
def test_a_session_counts_in_its_shanghai_year(
    world: World, station: Station, starts_at: datetime, counts: bool
) -> None:
    world.sign_up(world.family(station, BORN), world.session(station, starts_at))

    found = of_2026(world, now=datetime(2027, 1, 2, 9, tzinfo=SHANGHAI))

    assert found.total.attended_histogram["1" if counts else "0"] == 1


@pytest.mark.parametrize(
    "state", ["requested", "confirmed", "declined", "waitlisted", "offered", "cancelled", "no_show"]
)
def test_only_coming_counts_as_attended(world: World, station: Station, state: str) -> None:
    session = world.session(station, datetime(2026, 5, 9, 9, tzinfo=SHANGHAI))
    world.sign_up(world.family(station, BORN), session, state)

    assert of_2026(world).total.attended_histogram["0"] == 1


@pytest.mark.parametrize(
    "born, counts",
    [
        (date(2023, 1, 1), False),  # three on New Year's Day
        (date(2023, 1, 2), True),
        (date(2026, 11, 22), True),  # born today
        (date(2026, 11, 23), False),
    ],
)
def test_a_family_counts_with_a_child_under_three_in_the_year(
    world: World, station: Station, born: date, counts: bool
) -> None:
    world.family(station, born)

    assert of_2026(world).total.families_in_need == int(counts)


def test_a_family_that_registered_after_the_year_is_not_of_it(
    world: World, station: Station
) -> None:
    late = datetime(2027, 1, 1, tzinfo=SHANGHAI)
    world.family(station, BORN, since=late)
    from_paper = world.family(station, BORN, since=late)
    world.attends(from_paper, station, 1)

    found = of_2026(world, now=datetime(2027, 2, 1, tzinfo=SHANGHAI))

    assert found.total.families_in_need == 1


@pytest.mark.parametrize(
    "born, since, times, reaches",
    [
        (date(2026, 5, 1), datetime(2025, 1, 1, tzinfo=SHANGHAI), 3, False),  # June on: 3.5 → 4
        (date(2026, 5, 1), datetime(2025, 1, 1, tzinfo=SHANGHAI), 4, True),
        (date(2023, 5, 31), datetime(2025, 1, 1, tzinfo=SHANGHAI), 1, False),  # until April: 2
        (date(2023, 5, 31), datetime(2025, 1, 1, tzinfo=SHANGHAI), 2, True),
        (BORN, datetime(2026, 6, 30, 23, 59, tzinfo=SHANGHAI), 5, True),  # came in March already
        (BORN, datetime(2026, 1, 1, tzinfo=SHANGHAI), 5, False),
    ],
)
def test_births_arrivals_and_third_birthdays_are_prorated(
    world: World, station: Station, born: date, since: datetime, times: int, reaches: bool
) -> None:
    world.attends(world.family(station, born, since=since), station, times)

    total = of_2026(world).total

    assert total.share_reaching_6_prorated == float(reaches)
    assert total.share_reaching_6 == 0


@pytest.mark.parametrize(
    "since, times, reaches",
    [
        # Known from July on, to the minute: six months, three sessions.
        (datetime(2026, 7, 1, tzinfo=SHANGHAI), 2, False),
        (datetime(2026, 7, 1, tzinfo=SHANGHAI), 3, True),
        # A minute into August, the first whole month is September: four, two sessions.
        (datetime(2026, 8, 1, 0, 1, tzinfo=SHANGHAI), 2, True),
    ],
)
def test_an_arrival_counts_by_whole_months(
    world: World, station: Station, since: datetime, times: int, reaches: bool
) -> None:
    family = world.family(station, BORN, since=since)
    for number in range(times):
        at = datetime(2026, 9, 1, 9, tzinfo=SHANGHAI) + timedelta(days=14 * number)
        world.sign_up(family, world.session(station, at))

    assert of_2026(world).total.share_reaching_6_prorated == float(reaches)


def test_rows_follow_the_family_not_the_place_where_it_attends(
    world: World, station: Station
) -> None:
    elsewhere = world.station("BZ", "堡镇")
    world.attends(world.family(station, BORN), elsewhere, 2)
    world.family(elsewhere, BORN, belongs=False)

    found = of_2026(world)

    townships = {row.township: row for row in found.townships}
    assert len(townships) == 18
    assert townships["城桥镇"].attended_histogram["2"] == 1
    assert townships["堡镇"].attended_histogram["0"] == 1
    stations = {row.station: row.families_in_need for row in found.stations}
    assert stations == {"CQ": 1, "BZ": 0, None: 1}
    for rows in (found.townships, found.stations):
        assert sum(row.families_in_need for row in rows) == found.total.families_in_need


def test_the_forecast_sets_what_is_owed_against_the_seats_left(
    world: World, station: Station
) -> None:
    family = world.family(station, BORN)
    world.attends(family, station, 2)
    coming = world.session(station, NOW + timedelta(days=5), places=3)
    world.sign_up(family, coming, "confirmed")
    world.session(station, NOW + timedelta(days=6), places=7, state="draft")
    world.session(station, NOW - timedelta(days=1), places=9)
    world.session(station, NOW + timedelta(hours=1), places=5)  # its sign-up has closed
    world.session(station, datetime(2027, 1, 2, 9, tzinfo=SHANGHAI), places=11)

    forecast = of_2026(world).townships[0].forecast

    assert (forecast.sessions_owed, forecast.families_short) == (3, 1)
    assert forecast.seats_left == 2
    assert forecast.warns


def test_the_forecast_is_silent_before_july_and_for_other_years(
    world: World, station: Station
) -> None:
    world.family(station, BORN)

    in_june = of_2026(world, now=datetime(2026, 6, 30, 23, 59, tzinfo=SHANGHAI)).total.forecast
    in_july = of_2026(world, now=datetime(2026, 7, 1, tzinfo=SHANGHAI)).total.forecast
    later = of_2026(world, now=datetime(2027, 8, 1, tzinfo=SHANGHAI)).total.forecast

    assert (in_june.sessions_owed, in_june.warns) == (6, False)
    assert (in_july.sessions_owed, in_july.warns) == (6, True)
    assert (later.sessions_owed, later.warns) == (0, False)


def test_a_family_whose_child_is_three_is_owed_nothing_more(world: World, station: Station) -> None:
    world.family(station, date(2023, 11, 22))
    world.family(station, date(2023, 11, 23))

    assert of_2026(world).total.forecast.families_short == 1


def test_the_target_is_the_years_entitlement(world: World, station: Station) -> None:
    world.db.merge(Entitlement(year=2026, sessions=12, home_visits=1))
    world.attends(world.family(station, BORN), station, 2)

    found = of_2026(world)

    assert (found.target, found.total.forecast.sessions_owed) == (12, 10)


def test_a_worker_sees_the_station_and_a_lead_the_township(world: World, station: Station) -> None:
    other = world.station("CQ2", "城桥镇")
    far = world.station("BZ", "堡镇")
    for home in (station, other, other, far):
        world.family(home, BORN)
    worker = StaffScope(1, Role.WORKER, station_id=station.id, township_id=None)
    lead = StaffScope(2, Role.TOWNSHIP, station_id=None, township_id=station.township_id)
    visitor = StaffScope(3, Role.VISITOR, station_id=station.id, township_id=None)

    own, township = of_2026(world, scope=worker), of_2026(world, scope=lead)

    assert own.total.families_in_need == 1
    assert ([row.station for row in own.stations], own.townships) == (["CQ"], ())
    assert township.total.families_in_need == 3
    assert [row.station for row in township.stations] == ["CQ", "CQ2"]
    assert [row.township for row in township.townships] == ["城桥镇"]
    assert of_2026(world, scope=visitor).total.families_in_need == 0


def test_the_number_of_queries_does_not_grow(world: World, station: Station) -> None:
    def queries() -> int:
        seen: list[str] = []
        bind = world.db.get_bind()

        def note(*statement: object) -> None:
            seen.append(str(statement[2]))

        world.db.flush()
        event.listen(bind, "before_cursor_execute", note)
        report(world.db, year=2026, now=NOW)
        event.remove(bind, "before_cursor_execute", note)
        world.db.expire_all()
        return len(seen)

    world.attends(world.family(station, BORN), station, 1)
    few = queries()
    for number, name in enumerate(("堡镇", "庙镇", "新河镇")):
        elsewhere = world.station(f"X{number}", name)
        world.attends(world.family(elsewhere, BORN), elsewhere, 2)

    assert queries() == few
