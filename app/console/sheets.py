"""What is printed for a session: the sign-in sheet, and the code that families scan."""

import segno
from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.clock import now
from app.console.signed_in import acting_staff, database
from app.errors import SessionUnknown
from app.rules.sign_up import SessionState, SignUpState
from app.services import desk, rosters
from app.services.staff import scope_of

ON_THE_SHEET = (SignUpState.CONFIRMED, SignUpState.REQUESTED, SignUpState.ATTENDED)
BLANK_ROWS = 6
"""For walk-ins, who are written in by hand."""


def add_routes(console: Blueprint) -> None:
    console.get("/sessions/<code>/sheet", endpoint="sheet")(show_sheet)
    console.get("/sessions/<code>/code", endpoint="session_code")(show_code)


def show_sheet(code: str) -> ResponseReturnValue:
    """An A4 page with a line for each child and room for the signatures."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            roster = rosters.get_roster(db, scope, code, now())
            desk.record_view(
                db,
                scope,
                page="sheet",
                subject_id=roster.session.id,
                now=now(),
                families={row.family_id for row in roster.rows},
            )
    except SessionUnknown:
        abort(404)
    return render_template(
        "console/check_in/sheet.html",
        session=roster.session,
        rows=[row for row in roster.rows if row.state in ON_THE_SHEET],
        blank_rows=BLANK_ROWS,
    )


def show_code(code: str) -> ResponseReturnValue:
    """The session's QR code, large enough for a door; or that it cannot be had now."""
    try:
        with database().reading() as db:
            session = rosters.get_roster(db, scope_of(acting_staff(db)), code, now()).session
    except SessionUnknown:
        abort(404)
    if session.state not in (SessionState.PUBLISHED, SessionState.HELD):
        abort(404)
    # Outside of the transaction: the platform may take seconds.
    url = current_app.extensions["yuban"].find_session_code(session.code)
    picture = segno.make(url, error="m", micro=False) if url else None
    return render_template(
        "console/check_in/code.html",
        session=session,
        # Drawn here from the platform's own address; nobody's words are in it.
        picture=Markup(picture.svg_inline(omitsize=True, border=4)) if picture else None,
    )
