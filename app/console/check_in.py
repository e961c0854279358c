"""Checking in: a tap for each child, walk-ins, and the paper sheet afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.clock import now
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.db import LARGEST_ID
from app.errors import (
    CheckInTooEarly,
    NotYours,
    SessionStepNotAllowed,
    SessionUnknown,
    SignUpUnknown,
    TransitionNotAllowed,
)
from app.rules.sign_up import SignUpState
from app.services import check_in as service
from app.services import desk
from app.services.staff import StaffScope, scope_of
from app.words.errors import say_error

NICKNAME_LENGTH = 32
"""A nickname, and a telephone behind it."""


def add_routes(console: Blueprint) -> None:
    console.get("/sessions/<code>/check-in", endpoint="check_in")(show)
    console.post("/sessions/<code>/check-in/<id:sign_up_id>", endpoint="here")(here)
    console.post("/sessions/<code>/check-in/<id:sign_up_id>/undo", endpoint="undo")(undo)
    console.get("/sessions/<code>/walk-in", endpoint="walk_in")(search)
    console.post("/sessions/<code>/walk-in", endpoint="enter_walk_in")(enter_walk_in)
    console.get("/sessions/<code>/paper", endpoint="paper")(show_paper)
    console.post("/sessions/<code>/paper", endpoint="enter_paper")(enter_paper)


@contextmanager
def acting_at_the_door(code: str) -> Iterator[tuple[Session, StaffScope]]:
    """A transaction for the session's check-in; what cannot be done is answered on its page."""
    try:
        with database().transaction() as db:
            yield db, scope_of(acting_staff(db))
    except (SessionUnknown, NotYours):
        abort(404)
    except (CheckInTooEarly, SessionStepNotAllowed) as error:
        flash(say_error(error), "warning")
        abort(_to("console.roster", code))
    except (SignUpUnknown, TransitionNotAllowed):
        # A colleague, or the family itself, was faster: the list shows how it stands.
        say("warning", "list_has_changed")
        abort(_to("console.check_in", code))


def _to(endpoint: str, code: str) -> Response:
    return redirect(url_for(endpoint, code=code))


def show(code: str) -> ResponseReturnValue:
    """Who is expected, with a large button for each; who is here, with a way back."""
    with acting_at_the_door(code) as (db, scope):
        roster = service.get_roster(db, scope, code, now())
        desk.record_view(
            db,
            scope,
            page="check_in",
            subject_id=roster.session.id,
            now=now(),
            families={row.family_id for row in roster.rows},
        )
    rows = roster.rows
    return render_template(
        "console/check_in/check_in.html",
        session=roster.session,
        expected=[row for row in rows if row.state in service.EXPECTED],
        here_rows=[row for row in rows if row.state is SignUpState.ATTENDED],
        missing=[row for row in rows if row.state is SignUpState.NO_SHOW],
        waiting=[row for row in rows if row.state in (SignUpState.WAITLISTED, SignUpState.OFFERED)],
    )


def here(code: str, sign_up_id: int) -> ResponseReturnValue:
    """One child came."""
    with acting_at_the_door(code) as (db, scope):
        done = service.check_in(db, scope, code, sign_up_id, now=now())
    _say(done)
    return _to("console.check_in", code)


def _say(done: service.CheckedIn) -> None:
    if done.was_done:
        say("success", "checked_in", nickname=done.nickname)
    else:
        say("warning", "checked_in_before", done=done)


def undo(code: str, sign_up_id: int) -> ResponseReturnValue:
    """It was the wrong child."""
    with acting_at_the_door(code) as (db, scope):
        nickname = service.undo(db, scope, code, sign_up_id, now=now())
    say("success", "undone", nickname=nickname)
    return _to("console.check_in", code)


def search(code: str) -> ResponseReturnValue:
    """Registered children of the nickname that was typed."""
    nickname = request.args.get("nickname", "").strip()[:NICKNAME_LENGTH]
    with acting_at_the_door(code) as (db, scope):
        session = service.get_roster(db, scope, code, now()).session
        found = service.find_walk_ins(db, scope, code, nickname, now=now())
        desk.record_view(
            db,
            scope,
            page="walk_in",
            subject_id=session.id,
            now=now(),
            families={each.family_id for each in found},
        )
    return render_template(
        "console/check_in/walk_in.html",
        session=session,
        nickname=nickname,
        found=found,
        nickname_length=NICKNAME_LENGTH,
        most_found=service.MAX_FOUND,
    )


def enter_walk_in(code: str) -> ResponseReturnValue:
    """The child that was picked is here."""
    child_id = request.form.get("child_id", type=int)
    if child_id is None or not 0 < child_id <= LARGEST_ID:
        abort(404)
    said = request.form.get("nickname", "").strip()[:NICKNAME_LENGTH]
    with acting_at_the_door(code) as (db, scope):
        done = service.walk_in(db, scope, code, child_id, now=now(), said=said)
    _say(done)
    return _to("console.check_in", code)


def show_paper(code: str) -> ResponseReturnValue:
    """Everybody who is not checked in yet, to be ticked from the paper sheet."""
    with acting_at_the_door(code) as (db, scope):
        roster = service.get_roster(db, scope, code, now())
        desk.record_view(
            db,
            scope,
            page="paper",
            subject_id=roster.session.id,
            now=now(),
            families={row.family_id for row in roster.rows},
        )
    states = (*service.EXPECTED, SignUpState.NO_SHOW)
    return render_template(
        "console/check_in/paper.html",
        session=roster.session,
        rows=[row for row in roster.rows if row.state in states],
        here=sum(row.state is SignUpState.ATTENDED for row in roster.rows),
        is_over=now() >= roster.session.ends_at,
    )


def enter_paper(code: str) -> ResponseReturnValue:
    """All the ticks at once; with the second button, the rest as missing."""
    came = request.form.getlist("came", type=int)
    rest_is_missing = request.form.get("save") == "rest_is_missing"
    with acting_at_the_door(code) as (db, scope):
        entered = service.enter_sheet(
            db, scope, code, came=came, rest_is_missing=rest_is_missing, now=now()
        )
    say("success", "sheet_entered", entered=entered)
    return _to("console.check_in", code)
