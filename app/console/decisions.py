"""Requests that wait for a decision: confirm, or decline with a reason."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, StringField
from wtforms.validators import Length

from app.clock import SHANGHAI, now
from app.console.paging import PAGE_SIZE, asked_page, offset_of, page_of
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.errors import NotYours, ReasonMissing, SignUpAlreadyDecided, SignUpUnknown
from app.services import decisions, desk, rosters
from app.services.staff import scope_of

MAX_REASON_LENGTH = 100


class DeclineForm(Form):
    """A canned reason, or one in the teacher's own words, which goes before."""

    reason = StringField(validators=[Length(max=MAX_REASON_LENGTH)])
    own_reason = StringField(validators=[Length(max=MAX_REASON_LENGTH)])

    @property
    def chosen(self) -> str:
        return (self.own_reason.data or "").strip() or (self.reason.data or "").strip()


def add_routes(console: Blueprint) -> None:
    console.get("/pending", endpoint="pending")(show_pending)
    console.post("/pending/<id:sign_up_id>/confirm", endpoint="confirm")(confirm)
    console.post("/pending/<id:sign_up_id>/decline", endpoint="decline")(decline)


def show_pending() -> ResponseReturnValue:
    """What waits, the oldest first; and what was decided today, with who and when."""
    number = asked_page()
    at = now()
    midnight = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    with database().transaction() as db:
        staff = acting_staff(db)
        scope = scope_of(staff)
        rows = decisions.pending(db, staff, limit=PAGE_SIZE + 1, offset=offset_of(number))
        decided = rosters.decided_since(db, scope, midnight)
        desk.record_view(db, scope, page="pending", subject_id=scope.station_id, now=at)
        shows_station = staff.station_id is None
    return render_template(
        "console/decisions/pending.html",
        page=page_of(number, rows),
        decided=decided,
        shows_station=shows_station,
        max_reason_length=MAX_REASON_LENGTH,
    )


def confirm(sign_up_id: int) -> ResponseReturnValue:
    """Give the place, and go back to what still waits."""
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            decisions.confirm(db, sign_up_id=sign_up_id, staff=staff, now=now())
            status = rosters.find_sign_up(db, scope_of(staff), sign_up_id)
    except (SignUpUnknown, NotYours):
        abort(404)
    except SignUpAlreadyDecided:
        return _say_decided_before(sign_up_id)
    say("success", "confirmed", sign_up=status)
    return redirect(url_for("console.pending"))


def decline(sign_up_id: int) -> ResponseReturnValue:
    """Turn the request down with the reason that the family will read."""
    form = DeclineForm(request.form)
    if not form.validate():
        say("danger", "reason_too_long", limit=MAX_REASON_LENGTH)
        return _back_to_row(sign_up_id)
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            decisions.decline(db, sign_up_id=sign_up_id, staff=staff, reason=form.chosen, now=now())
            status = rosters.find_sign_up(db, scope_of(staff), sign_up_id)
    except (SignUpUnknown, NotYours):
        abort(404)
    except ReasonMissing:
        say("danger", "reason_missing")
        return _back_to_row(sign_up_id)
    except SignUpAlreadyDecided:
        return _say_decided_before(sign_up_id)
    say("success", "declined", sign_up=status)
    return redirect(url_for("console.pending"))


def _say_decided_before(sign_up_id: int) -> ResponseReturnValue:
    """Somebody was faster: the next page says who, and when."""
    with database().reading() as db:
        status = rosters.find_sign_up(db, scope_of(acting_staff(db)), sign_up_id)
    if status is None:
        abort(404)
    say("warning", "decided_before", sign_up=status)
    return redirect(url_for("console.pending"))


def _back_to_row(sign_up_id: int) -> ResponseReturnValue:
    return redirect(url_for("console.pending", _anchor=f"sign-up-{sign_up_id}"))
