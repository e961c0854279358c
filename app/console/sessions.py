"""Coming sessions and their rosters."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console.paging import PAGE_SIZE, asked_page, offset_of, page_of
from app.console.signed_in import acting_staff, database
from app.errors import SessionUnknown
from app.services import desk, rosters
from app.services.staff import scope_of


def add_routes(console: Blueprint) -> None:
    console.get("/sessions", endpoint="sessions")(show_sessions)
    console.get("/sessions/<code>", endpoint="roster")(show_roster)


def show_sessions() -> ResponseReturnValue:
    """Sessions from today on, by time."""
    number = asked_page()
    with database().reading() as db:
        staff = acting_staff(db)
        rows = rosters.coming_sessions(
            db, scope_of(staff), now=now(), limit=PAGE_SIZE + 1, offset=offset_of(number)
        )
        shows_station = staff.station_id is None
    return render_template(
        "console/sessions/sessions.html",
        page=page_of(number, rows),
        shows_station=shows_station,
    )


def show_roster(code: str) -> ResponseReturnValue:
    """Everybody who signed up for one session; 404 where it is another station's."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            roster = rosters.get_roster(db, scope, code)
            desk.record_view(db, scope, page="roster", subject_id=roster.session.id, now=now())
    except SessionUnknown:
        abort(404)
    return render_template("console/sessions/roster.html", roster=roster)
