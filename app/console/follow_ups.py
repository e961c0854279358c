"""What a person has to look at."""

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console.paging import PAGE_SIZE, asked_page, offset_of, page_of
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.errors import NotYours
from app.services import desk
from app.services.staff import scope_of


def add_routes(console: Blueprint) -> None:
    console.get("/follow-ups", endpoint="follow_ups")(show_follow_ups)
    console.post("/follow-ups/<id:follow_up_id>/finish", endpoint="finish")(finish)


def show_follow_ups() -> ResponseReturnValue:
    """Emergencies first, then the oldest."""
    number = asked_page()
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        rows = desk.open_follow_ups(db, scope, limit=PAGE_SIZE + 1, offset=offset_of(number))
        desk.record_view(db, scope, page="follow_ups", subject_id=scope.station_id, now=now())
    return render_template("console/follow_ups/follow_ups.html", page=page_of(number, rows))


def finish(follow_up_id: int) -> ResponseReturnValue:
    """Mark one as dealt with, or say who did before."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            finished = desk.finish_follow_up(db, scope, follow_up_id, now=now())
    except NotYours:
        abort(404)
    if finished.was_open:
        say("success", "finished")
    else:
        say("warning", "finished_before", finished=finished)
    return redirect(url_for("console.follow_ups"))
