"""The board of visitors by days, the printed route sheet, and visitors with their leave."""

from datetime import datetime, time, timedelta

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import SHANGHAI, now
from app.console import portrait
from app.console.paging import asked_page
from app.console.said import say
from app.console.visits import acting, asked_day, say_refusal, today
from app.errors import DomainError
from app.rules.our_times import read_day
from app.services import desk, visit_board, visit_routes, visitors
from app.services.visit_scope import sees_home

VISITORS_OF_A_WEEK = 20
VISITORS_OF_A_DAY = 60
"""So many stand on one page: a page is read, and is there at once."""
PARTS = {
    "day": (time(0), timedelta(days=1)),
    "morning": (time(0), timedelta(hours=12)),
    "afternoon": (time(12), timedelta(hours=12)),
}


def add_routes(console: Blueprint) -> None:
    console.get("/visits/board", endpoint="visit_board")(show_board)
    console.get("/visits/route/<id:visitor_id>", endpoint="visit_route")(show_route)
    console.get("/visits/visitors", endpoint="visitors")(show_visitors)
    console.post("/visits/visitors/<id:visitor_id>/leave", endpoint="add_leave")(add_leave)
    console.post("/visits/leave/<id:leave_id>/end", endpoint="end_leave")(end_leave)
    console.post("/visits/visitors/<id:visitor_id>/photo", endpoint="set_photo")(set_photo)
    console.get("/visits/visitors/<id:visitor_id>/photo", endpoint="visitor_photo")(show_photo)


def show_board() -> ResponseReturnValue:
    """A week from its Monday, seven days from a day that was asked for, or one day."""
    is_day = request.args.get("days") == "1"
    default = today() if is_day else today() - timedelta(days=today().weekday())
    first = asked_day(default)
    number = asked_page()
    size = VISITORS_OF_A_DAY if is_day else VISITORS_OF_A_WEEK
    with acting() as (db, _staff, scope):
        places = {each.id: each.name for each in visitors.townships_gone_to(db, scope)}
        township = request.args.get("township", type=int)
        if township not in places:
            township = None
        board = visit_board.read_board(
            db,
            scope,
            first,
            days=1 if is_day else visit_board.DAYS,
            township_id=township,
            limit=size,
            offset=(number - 1) * size,
        )
        desk.record_view(
            db,
            scope,
            page="visit_board",
            subject_id=scope.station_id,
            now=now(),
            families=board.families,
        )

    def address(**changes: str | int | None) -> str:
        asked = {
            "day": first.isoformat(),
            "days": 1 if is_day else None,
            "township": township,
            "page": number if number > 1 else None,
        }
        kept = {name: value for name, value in {**asked, **changes}.items() if value is not None}
        known = {name: str(value) for name, value in kept.items()}
        return url_for(
            "console.visit_board",
            _anchor=None,
            _scheme=None,
            _external=False,
            _method=None,
            **known,
        )

    step = timedelta(days=1 if is_day else visit_board.DAYS)
    return render_template(
        "console/visits/board.html",
        board=board,
        is_day=is_day,
        first=first,
        before=first - step,
        after=first + step,
        today=today(),
        places=places,
        township=township,
        page=number,
        pages=max(1, -(-board.visitors // size)),
        size=size,
        address=address,
    )


def show_route(visitor_id: int) -> ResponseReturnValue:
    """A visitor's day on one sheet of paper, in order."""
    day = asked_day(today())
    with acting() as (db, _staff, scope):
        visitor = visitors.get_shown(db, scope, visitor_id)
        stops = visit_routes.read_route(db, scope, visitor_id, day)
        desk.record_view(
            db,
            scope,
            page="visit_route",
            subject_id=visitor_id,
            now=now(),
            families={stop.family_id for stop in stops},
        )
        name, shows_home = visitor.name, sees_home(scope)
    return render_template(
        "console/visits/route.html", stops=stops, day=day, name=name, shows_home=shows_home
    )


def show_visitors() -> ResponseReturnValue:
    """Who goes where and when, with their leave."""
    with acting() as (db, _staff, scope):
        rows = visitors.list_visitors(db, scope, now())
    return render_template("console/visits/visitors.html", rows=rows, today=today())


def add_leave(visitor_id: int) -> ResponseReturnValue:
    """From a day to a day, or half a day; what is arranged in it is named, and stays."""
    back = redirect(url_for("console.visitors", _anchor=f"visitor-{visitor_id}"))
    try:
        first = read_day(request.form.get("first", ""))
        last = read_day(request.form.get("last") or first.isoformat())
    except ValueError:
        say("danger", "day_missing")
        return back
    part, length = PARTS.get(request.form.get("part", ""), PARTS["day"])
    starts_at = datetime.combine(first, part, SHANGHAI)
    ends_at = datetime.combine(last, part, SHANGHAI) + length
    try:
        with acting() as (db, _staff, scope):
            touched = visitors.add_leave(
                db,
                scope,
                visitor_id,
                starts_at=starts_at,
                ends_at=ends_at,
                note=request.form.get("note", "")[:80],
                now=now(),
            )
            times = [visit.starts_at for visit in touched]
    except DomainError as error:
        say_refusal(error)
        return back
    say("warning" if times else "success", "leave_added", times=times)
    return back


def end_leave(leave_id: int) -> ResponseReturnValue:
    """The visitor is here after all."""
    with acting() as (db, _staff, scope):
        visitors.end_leave(db, scope, leave_id, now())
    say("success", "leave_ended")
    return redirect(url_for("console.visitors"))


def set_photo(visitor_id: int) -> ResponseReturnValue:
    """What families see before they open the door."""
    uploaded = request.files.get("photo")
    content = portrait.plain(uploaded.read() if uploaded else b"") or b""
    try:
        with acting() as (db, _staff, scope):
            visitors.set_photo(db, scope, visitor_id, content, now())
    except DomainError as error:
        say_refusal(error)
    else:
        say("success", "photo_set")
    return redirect(url_for("console.visitors", _anchor=f"visitor-{visitor_id}"))


def show_photo(visitor_id: int) -> ResponseReturnValue:
    """The picture itself."""
    with acting() as (db, _staff, scope):
        visitors.get_shown(db, scope, visitor_id)
        found = visitors.find_photo(db, visitor_id)
    if found is None:
        abort(404)
    return Response(found[0], mimetype=found[1])
