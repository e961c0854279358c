"""/calendar/<signed token>.ics: a booking for the phone's own calendar."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from flask import Blueprint, Response

from app.calendar_file import write_calendar
from app.calendar_links import PATH, CalendarLinks
from app.clock import now as clock_now
from app.db import Database
from app.services.calendar_events import find_event
from app.words import calendar as words

FILE_NAME = "huodong.ics"


class Parts(Protocol):
    """What the page needs: two parts of app.wiring.Services."""

    @property
    def database(self) -> Database: ...

    @property
    def calendar_links(self) -> CalendarLinks: ...


def make_blueprint(services: Parts, clock: Callable[[], datetime] = clock_now) -> Blueprint:
    """The page of the calendar files."""
    blueprint = Blueprint("calendar", __name__)
    links = services.calendar_links

    @blueprint.get(f"{PATH}<token>.ics")
    def calendar_file(token: str) -> Response:
        sign_up_id = links.find_sign_up(token)
        if sign_up_id is None:
            return _not_found()
        with services.database.reading() as db:
            event = find_event(db, sign_up_id, clock())
        if event is None:
            return _not_found()
        description = words.described(event.code, event.phone, event.is_cancelled, event.can_cancel)
        response = Response(
            write_calendar(event, host=links.host, description=description),
            content_type="text/calendar; charset=utf-8",
        )
        response.headers["Content-Disposition"] = f'attachment; filename="{FILE_NAME}"'
        # A session moves: what was kept would show the old time.
        response.headers["Cache-Control"] = "private, no-store"
        return response

    return blueprint


def _not_found() -> Response:
    """The same for altered links and ended ones: which it was is nobody's to learn."""
    return Response(
        words.no_such_link() + "\n", status=404, content_type="text/plain; charset=utf-8"
    )
