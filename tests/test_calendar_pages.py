"""The calendar file behind its signed link, on both engines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask
from icalendar import Calendar
from icalendar.cal import Event
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.calendar_links import CalendarLinks
from app.calendar_pages import make_blueprint
from app.clock import SHANGHAI
from app.db import Database
from app.models import Child, GuidanceSession, SignUp
from tests.outbox import Booking, book, set_sign_up

LINKS = CalendarLinks("https://yuban.example", "a secret only for tests")
STARTS = datetime(2026, 11, 28, 9, 30, tzinfo=SHANGHAI)


@dataclass
class Page:
    """The page at a time that tests choose, as PARTS of the service see it."""

    database: Database
    booking: Booking
    at: datetime

    @property
    def calendar_links(self) -> CalendarLinks:
        return LINKS

    def gets(self, url: str) -> TestResponse:
        app = Flask(__name__)
        app.register_blueprint(make_blueprint(self, clock=lambda: self.at))
        return app.test_client().get(url.removeprefix(LINKS.public_url))

    def event(self) -> Event:
        answer = self.gets(LINKS.url(self.booking.sign_up_id))
        assert answer.status_code == 200
        (event,) = Calendar.from_ical(answer.data).events
        assert isinstance(event, Event)
        return event


@pytest.fixture
def page(database: Database, now: datetime) -> Page:
    with database.transaction() as db:
        return Page(database, book(db, "oMAMA", now), now)


def test_the_file_holds_the_session_in_shanghais_time(page: Page) -> None:
    answer = page.gets(LINKS.url(page.booking.sign_up_id))

    assert answer.content_type == "text/calendar; charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]
    calendar = Calendar.from_ical(answer.data)
    (event,) = calendar.events
    (zone,) = calendar.timezones
    assert zone["TZID"] == "Asia/Shanghai"
    assert b"\r\nDTSTART;TZID=Asia/Shanghai:20261128T093000\r\n" in answer.data
    assert event.start == STARTS
    assert event.end == STARTS + timedelta(hours=1)
    assert event["SUMMARY"] == "亲子阅读分享会"
    assert event["LOCATION"] == "城桥镇早教指导站，人民路1号"
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 0)
    assert event["UID"] == f"sign-up-{page.booking.sign_up_id}@yuban.example"
    assert "021-5555-0101" in str(event["DESCRIPTION"])


def test_nothing_of_the_family_is_in_file_or_link(page: Page) -> None:
    url = LINKS.url(page.booking.sign_up_id)
    said = page.gets(url).get_data(as_text=True)

    assert "糖糖" not in said
    assert "oMAMA" not in said + url


def test_a_moved_session_keeps_its_uid_and_raises_its_sequence(page: Page) -> None:
    before = page.event()
    with page.database.transaction() as db:
        db.execute(
            update(GuidanceSession).values(
                starts_at=STARTS + timedelta(days=1),
                ends_at=STARTS + timedelta(days=1, hours=1),
                calendar_sequence=1,
            )
        )

    after = page.event()

    assert after["UID"] == before["UID"]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after.start == STARTS + timedelta(days=1)


def test_a_cancelled_place_takes_the_event_out_of_the_calendar(page: Page) -> None:
    with page.database.transaction() as db:
        set_sign_up(db, page.booking, "cancelled")

    event = page.event()

    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 1)


def test_so_does_a_cancelled_session(page: Page) -> None:
    with page.database.transaction() as db:
        db.execute(update(GuidanceSession).values(state="cancelled", calendar_sequence=1))

    event = page.event()

    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 2)


def test_while_a_sibling_still_comes_the_event_stays(page: Page, now: datetime) -> None:
    with page.database.transaction() as db:
        sign_up = db.get_one(SignUp, page.booking.sign_up_id)
        child = Child(family_id=sign_up.family_id, nickname="果果", created_at=now, updated_at=now)
        db.add(child)
        db.flush()
        db.add(
            SignUp(
                session_id=sign_up.session_id,
                child_id=child.id,
                family_id=sign_up.family_id,
                caregiver_id=sign_up.caregiver_id,
                state="confirmed",
                requested_at=now,
            )
        )
        set_sign_up(db, page.booking, "cancelled")

    assert page.event()["STATUS"] == "CONFIRMED"


@pytest.mark.parametrize("state", ["requested", "waitlisted", "offered"])
def test_what_is_not_certain_yet_is_tentative(page: Page, state: str) -> None:
    with page.database.transaction() as db:
        set_sign_up(db, page.booking, state)

    assert page.event()["STATUS"] == "TENTATIVE"


def test_a_link_ends_thirty_days_after_the_session(page: Page) -> None:
    url = LINKS.url(page.booking.sign_up_id)
    page.at = STARTS + timedelta(days=30, hours=1)
    assert page.gets(url).status_code == 200

    page.at += timedelta(seconds=1)

    assert page.gets(url).status_code == 404


def altered(url: str) -> str:
    """The same signature under another family's number."""
    number, _, signature = url.removesuffix(".ics").rpartition("/")[2].partition(".")
    other = LINKS.url(99).rpartition("/")[2].partition(".")[0]
    assert other != number
    return f"/calendar/{other}.{signature}.ics"


@pytest.mark.parametrize(
    "tamper",
    [
        altered,
        lambda url: url.removesuffix(".ics")[:-1] + ".ics",
        lambda url: url.replace("/calendar/", "/calendar/x"),
        lambda url: "/calendar/1.ics",
        lambda url: "/calendar/.ics",
        lambda url: "/calendar/%E7%B3%96.ics",
        lambda url: CalendarLinks("", "another secret").url(1),
        lambda url: LINKS.url(4711),
    ],
)
def test_altered_foreign_and_made_up_links_lead_nowhere(
    page: Page, tamper: Callable[[str], str]
) -> None:
    answer = page.gets(tamper(LINKS.url(page.booking.sign_up_id)))

    assert answer.status_code == 404
    assert "糖糖" not in answer.get_data(as_text=True)
