"""Numbers in addresses: none reaches a query that the database could not hold."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter

from app.config import Settings
from app.db import LARGEST_ID
from app.factory import create_app
from app.rules.our_times import read_day, read_moment
from app.wiring import Services, make_services
from handlers import HANDLERS


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One engine is enough: nothing here asks it."""
    return sqlite_url


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    services = make_services(settings, HANDLERS)
    yield services
    services.turns.close()


def test_every_number_in_a_pages_address_ends_where_the_database_ends(services: Services) -> None:
    app = create_app(services, commands=False)
    bounded = 0
    for rule in app.url_map.iter_rules():
        for name, converter in vars(rule)["_converters"].items():
            if isinstance(converter, IntegerConverter):
                assert converter.max == LARGEST_ID, (rule.rule, name)
                bounded += 1
    assert bounded > 30, "or there is nothing to see here"


@pytest.mark.parametrize("path", ["/family/me/caregivers/{}/remove", "/console/families/{}"])
def test_a_number_beyond_is_no_page(services: Services, path: str) -> None:
    app = create_app(services, commands=False)
    paths = app.url_map.bind("localhost")
    paths.match(path.format(LARGEST_ID), method="POST" if "remove" in path else "GET")
    with pytest.raises(NotFound):
        paths.match(path.format(LARGEST_ID + 1), method="POST" if "remove" in path else "GET")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2101-01-01", "1999-12-31"])
def test_days_of_other_times_are_none(day: str) -> None:
    with pytest.raises(ValueError, match=str(int(day[:4]))):
        read_day(day)
    with pytest.raises(ValueError, match=str(int(day[:4]))):
        read_moment(f"{day}T09:30+08:00")


def test_the_first_and_the_last_day_of_our_times() -> None:
    assert read_day("2000-01-01") == date(2000, 1, 1)
    assert read_moment("2100-12-31T23:59") == datetime(2100, 12, 31, 23, 59)  # noqa: DTZ001
