"""Lists of sessions, their rosters, publishing a draft, and cancelling."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from app.clock import now
from app.console import listing
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.session_forms import ChineseForm
from app.console.signed_in import acting_staff, database
from app.errors import (
    AttendanceTaken,
    NotYours,
    ReasonMissing,
    SessionStepNotAllowed,
    SessionUnknown,
    SignUpUnknown,
    TransitionNotAllowed,
)
from app.services import decisions, desk, impact, publishing, rosters
from app.services.audit import Actor
from app.services.rosters import DeskSession, Show
from app.services.staff import scope_of
from app.words.errors import say_error
from app.words.timeline import STAGES

MAX_REASON_LENGTH = 100


SESSIONS: ListScreen[DeskSession] = ListScreen(
    endpoint="sessions",
    title="活动",
    search="活动名称、编号、站点，拼音也行；或者报了名的宝宝小名、电话末四位",
    columns=(
        Column("活动", lambda session: session.title, is_title=True),
        Column("编号", lambda session: session.code),
        Column("站点", lambda session: session.station),
        Column("种类", lambda session: session.kind),
        Column("开始", lambda session: session.starts_at),
        Column("结束", lambda session: session.ends_at),
        Column("状态", lambda session: STAGES[session.stage]),
        Column("已占", lambda session: session.places_taken),
        Column("名额", lambda session: session.places),
        Column("待确认", lambda session: session.waiting_for_decision),
    ),
    filters=(
        Filter(
            "show",
            "看哪些",
            {
                Show.COMING.value: "接下来的",
                Show.PAST.value: "过去的",
                Show.DRAFTS.value: "草稿",
                Show.CANCELLED.value: "已取消",
            },
        ),
    ),
    link=lambda session: url_for("console.roster", code=session.code),
)


class CancelForm(ChineseForm):
    reason = TextAreaField(
        "原因（会原样发给家长）",
        [
            DataRequired("请写一句原因，家长会看到。"),
            Length(max=100, message="请写在100个字以内。"),
        ],
    )


def add_routes(console: Blueprint) -> None:
    console.get("/sessions", endpoint="sessions")(show_sessions)
    console.get("/sessions/<code>", endpoint="roster")(show_roster)
    console.post("/sessions/<code>/publish", endpoint="publish")(publish)
    console.add_url_rule(
        "/sessions/<code>/cancel", "cancel_session", cancel_session, methods=["GET", "POST"]
    )
    console.post("/sessions/<code>/sign-ups/<id:sign_up_id>/seat", endpoint="seat")(seat)
    console.post("/sessions/<code>/sign-ups/<id:sign_up_id>/waive", endpoint="waive")(waive)
    console.post("/sessions/<code>/sign-ups/<id:sign_up_id>/take-back", endpoint="take_back")(
        take_back
    )


def show_sessions() -> ResponseReturnValue:
    """Sessions that the address asks for: those to come, where it names no others."""
    asked = listing.read(SESSIONS)
    with database().reading() as db:
        staff = acting_staff(db)
        rows = rosters.list_sessions(
            db,
            scope_of(staff),
            Show(asked.values["show"]),
            now=now(),
            text=asked.text,
            limit=asked.limit,
            offset=asked.offset,
        )
        shows_station = staff.station_id is None
    return listing.answer(
        SESSIONS, asked, rows, "console/sessions/sessions.html", shows_station=shows_station
    )


def show_roster(code: str) -> ResponseReturnValue:
    """Everybody who signed up for one session; 404 where it is another station's."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            roster = rosters.get_roster(db, scope, code, now())
            desk.record_view(
                db,
                scope,
                page="roster",
                subject_id=roster.session.id,
                now=now(),
                families={row.family_id for row in roster.rows},
            )
    except SessionUnknown:
        abort(404)
    return render_template(
        "console/sessions/roster.html", roster=roster, max_reason_length=MAX_REASON_LENGTH
    )


def publish(code: str) -> ResponseReturnValue:
    """Let families see a draft."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            session = rosters.get_in_scope(db, scope, code)
            publishing.publish(db, session.code, actor=Actor("staff", scope.staff_id), now=now())
    except SessionUnknown:
        abort(404)
    except SessionStepNotAllowed as error:
        flash(say_error(error), "warning")
        return redirect(url_for("console.roster", code=code))
    say("success", "published", title=session.title, code=session.code)
    if session.starts_at <= now():
        say("warning", "is_past")
    return redirect(url_for("console.roster", code=code))


def cancel_session(code: str) -> ResponseReturnValue:
    """Whom cancelling tells; and, once confirmed with a reason, the cancelling itself."""
    form = CancelForm(request.form)
    is_confirmed = request.method == "POST" and form.validate()
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            session = rosters.get_in_scope(db, scope, code)
            told = impact.of_cancelling(db, session)
            if is_confirmed:
                publishing.cancel_session(
                    db,
                    session.code,
                    reason=form.reason.data or "",
                    actor=Actor("staff", scope.staff_id),
                    now=now(),
                )
            else:
                desk.record_view(
                    db,
                    scope,
                    page="cancel",
                    subject_id=session.id,
                    now=now(),
                    families={each.family_id for each in told},
                )
            attendance = publishing.count_attendance(db, session.id)
            station = session.station.name
    except SessionUnknown:
        abort(404)
    except (SessionStepNotAllowed, AttendanceTaken, ReasonMissing) as error:
        flash(say_error(error), "warning")
        return redirect(url_for("console.roster", code=code))
    if is_confirmed:
        say("success", "session_cancelled", title=session.title, code=session.code, told=len(told))
        return redirect(url_for("console.roster", code=code))
    page = render_template(
        "console/sessions/cancel.html",
        session=session,
        station=station,
        told=told,
        attendance=attendance,
        form=form,
    )
    return page, 400 if request.method == "POST" else 200


def seat(code: str, sign_up_id: int) -> ResponseReturnValue:
    """Seat a waiting child beyond the places, with a reason."""
    return _decide(code, sign_up_id, "seat")


def take_back(code: str, sign_up_id: int) -> ResponseReturnValue:
    """Take a place back, with the reason that the family will read."""
    return _decide(code, sign_up_id, "take_back")


def waive(code: str, sign_up_id: int) -> ResponseReturnValue:
    """What this family missed up to now no longer delays its sign-ups."""
    return _decide(code, sign_up_id, "waive")


def _decide(code: str, sign_up_id: int, what: str) -> ResponseReturnValue:
    """One of three decisions about a sign-up on a roster, each with its reason."""
    reason = request.form.get("reason", "").strip()
    back = redirect(url_for("console.roster", code=code, _anchor=f"sign-up-{sign_up_id}"))
    if len(reason) > MAX_REASON_LENGTH:
        say("danger", "reason_too_long_here", limit=MAX_REASON_LENGTH)
        return back
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            roster = rosters.get_roster(db, scope_of(staff), code, now())
            row = next((row for row in roster.rows if row.sign_up_id == sign_up_id), None)
            if row is None:
                raise SignUpUnknown(code)
            if what == "seat":
                decisions.override_seat(
                    db, sign_up_id=sign_up_id, staff=staff, reason=reason, now=now()
                )
            elif what == "take_back":
                decisions.cancel_by_staff(
                    db, sign_up_id=sign_up_id, staff=staff, reason=reason, now=now()
                )
            else:
                decisions.waive_no_shows(
                    db, family_id=row.family_id, staff=staff, reason=reason, now=now()
                )
    except (SessionUnknown, SignUpUnknown, NotYours):
        abort(404)
    except ReasonMissing:
        say("danger", "reason_missing_here")
        return back
    except TransitionNotAllowed as error:
        flash(say_error(error), "warning")
        return back
    say("success", f"done_{what}", nickname=row.nickname)
    return back
