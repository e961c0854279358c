"""What was or will be sent, above all what went astray."""

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console.paging import PAGE_SIZE, asked_page, offset_of, page_of
from app.console.signed_in import acting_staff, database
from app.services import desk
from app.services.staff import scope_of
from app.words.notices import render


def add_routes(console: Blueprint) -> None:
    console.get("/notices", endpoint="notices")(show_notices)


def _text_of(notice: desk.DeskNotice) -> str:
    """The words as they were or would be sent; empty where nobody can tell."""
    if notice.text is not None:
        return notice.text
    return render(notice.facts).text if notice.facts else ""


def show_notices() -> ResponseReturnValue:
    """Notices in the state that the address names; without one, those a person must settle."""
    asked = request.args.get("state", "")
    if asked and asked != "all" and asked not in desk.NOTICE_STATES:
        abort(404)
    states: tuple[str, ...] = (asked,) if asked else desk.NOTICE_STATES_TO_LOOK_AT
    if asked == "all":
        states = desk.NOTICE_STATES
    number = asked_page()
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        rows = desk.list_notices(
            db, scope, states=states, limit=PAGE_SIZE + 1, offset=offset_of(number)
        )
        desk.record_view(db, scope, page="notices", subject_id=scope.station_id, now=now())
    return render_template(
        "console/notices/notices.html",
        page=page_of(number, rows),
        asked=asked,
        filters=("", "all", *desk.NOTICE_STATES),
        text_of=_text_of,
    )
