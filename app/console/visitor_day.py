"""The visitor's day on the telephone: the way, the door, the record.

The record may come late and twice: static/visit.js keeps it in the telephone until this
service has said that it has it, and the key in the form makes the second one harmless.
"""

import secrets
from datetime import datetime, timedelta
from urllib.parse import quote

from flask import (
    Blueprint,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from app.clock import SHANGHAI, now
from app.console.said import say
from app.console.visit_forms import read_record
from app.console.visit_packs import fitting_packs
from app.console.visits import acting, asked_day, say_refusal, today
from app.errors import DomainError, NotYours
from app.models.visit_facts import VisitPack
from app.rules.our_times import read_moment
from app.rules.visiting import last_next_day
from app.services import desk, visit_day, visit_routes, visit_unrecorded
from app.services.staff import Role
from app.services.visit_scope import find_own_visitor
from app.words.errors import say_error

MAP = "https://apis.map.qq.com/uri/v1/search?referer=yuban&region=" + quote("上海") + "&keyword="
"""Opens the map's own application on a telephone that has it."""
KEY_LENGTH = 64
STEPS = {"set-off": visit_day.set_off, "arrive": visit_day.arrive, "miss": visit_day.miss}


def add_routes(console: Blueprint) -> None:
    console.get("/my-day", endpoint="my_day")(show_day)
    console.post(
        "/visits/<id:visit_id>/<any('set-off','arrive','miss'):step>", endpoint="visit_step"
    )(take_step)
    console.get("/visits/<id:visit_id>/record", endpoint="visit_form")(show_form)
    console.post("/visits/<id:visit_id>/record", endpoint="send_record")(send_record)


def map_link(township: str, address: str) -> str:
    """Where a tap on the address leads."""
    return MAP + quote(f"上海市崇明区{township}{address}")


def show_day() -> ResponseReturnValue:
    """One's own visits of a day, in order, each with what the next tap does."""
    day = asked_day(today())
    with acting() as (db, _staff, scope):
        visitor = find_own_visitor(db, scope)
        stops = visit_routes.read_route(db, scope, visitor.id, day) if visitor else []
        name = visitor.name if visitor else ""
        unrecorded = visit_unrecorded.of_visitor(db, visitor.id, today()) if visitor else []
        desk.record_view(
            db,
            scope,
            page="my_day",
            subject_id=scope.staff_id,
            now=now(),
            families={stop.family_id for stop in stops} | {one.family_id for one in unrecorded},
        )
    return render_template(
        "console/visits/my_day.html",
        stops=stops,
        unrecorded=unrecorded,
        day=day,
        name=name,
        is_linked=bool(name),
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        today=today(),
        map_link=map_link,
    )


def take_step(visit_id: int, step: str) -> ResponseReturnValue:
    """On the way, at the door, or nobody there; a second tap changes nothing."""
    try:
        with acting() as (db, staff, _scope):
            role = staff.role
            STEPS[step](db, visit_id=visit_id, staff=staff, now=now())
    except DomainError as error:
        say_refusal(error)
    else:
        say("success", "visit_step", step=step)
    if step == "arrive":
        return redirect(url_for("console.visit_form", visit_id=visit_id))
    if role != Role.VISITOR:
        return redirect(url_for("console.visit", visit_id=visit_id))
    return redirect(url_for("console.my_day"))


def show_form(visit_id: int) -> ResponseReturnValue:
    """The record to be written, for each child and for the home."""
    return _form(visit_id, secrets.token_hex(KEY_LENGTH // 2))


def _form(visit_id: int, key: str, sentence: str = "") -> str:
    """The form, with what was filled in and what is wrong with it, where it was refused."""
    with acting() as (db, staff, scope):
        stop = visit_routes.find_stop(db, scope, visit_id)
        if stop is None:
            abort(404)
        desk.record_view(db, scope, page="visit_form", subject_id=visit_id, now=now())
        role = staff.role
    return render_template(
        "console/visits/form.html",
        stop=stop,
        key=key,
        filled=request.form,
        sentence=sentence,
        today=today(),
        latest_next=last_next_day(stop.starts_at.date(), stop.born),
        back="console.my_day" if role == Role.VISITOR else "console.visits",
    )


def send_record(visit_id: int) -> ResponseReturnValue:
    """Take the record: from the page's script with an answer in JSON, or as a plain form."""
    is_script = request.headers.get("X-Requested-With") == "visit.js"
    key = request.form.get("key", "")
    if not 16 <= len(key) <= KEY_LENGTH or not key.isalnum():
        abort(400)
    try:
        written = read_record(request.form)
    except ValidationError:
        sentence = "有的数字不对，请再看一看：体重填克数，体温在30到44之间。"
        return _refused(visit_id, key, sentence, is_script)
    try:
        with acting() as (db, staff, scope):
            role = staff.role
            stop = visit_routes.find_stop(db, scope, visit_id)
            packs = _packs(stop, written.advice) if stop else ()
            done = visit_day.complete(
                db,
                visit_id=visit_id,
                staff=staff,
                key=key,
                written=written,
                written_at=_written_at(),
                now=now(),
                packs=packs,
            )
    except NotYours:
        abort(404)
    except DomainError as error:
        return _refused(visit_id, key, say_error(error), is_script)
    if is_script:
        return jsonify(taken=True, is_new=done.is_new)
    say("success", "record_taken")
    if role != Role.VISITOR:
        return redirect(url_for("console.visit", visit_id=visit_id))
    return redirect(url_for("console.my_day"))


def _packs(stop: visit_routes.Stop, advice: tuple[str, ...]) -> tuple[VisitPack, ...]:
    library = current_app.extensions["yuban"].library
    return fitting_packs(library, stop.born, stop.starts_at.date(), advice)


def _written_at() -> datetime:
    """When the record was written by the telephone's clock; now where it does not say."""
    try:
        at = read_moment(request.form.get("written_at", ""))
    except ValueError:
        return now()
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _refused(visit_id: int, key: str, sentence: str, is_script: bool) -> ResponseReturnValue:
    if is_script:
        return jsonify(taken=False, sentence=sentence), 409
    return _form(visit_id, key, sentence), 422
