"""Making and changing sessions: one, a series, and what a change means before it is saved."""

import hashlib
from collections.abc import Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.clock import SHANGHAI, now
from app.console.said import say
from app.console.session_forms import (
    KINDS,
    CreateForm,
    EditForm,
    SeriesForm,
    editable,
    version_of,
)
from app.console.signed_in import acting_staff, database
from app.errors import (
    AttendanceTaken,
    NoDaysInSeries,
    SessionCodeTaken,
    SessionStepNotAllowed,
    SessionUnknown,
)
from app.models import GuidanceSession, Station
from app.rules.session_life import check_can_edit
from app.rules.sign_up import SessionState
from app.services import calendar_days, desk, impact, publishing, rosters, series
from app.services.audit import Actor
from app.services.impact import Impact
from app.services.publishing import SessionRow
from app.services.seats import lock_session
from app.services.staff import scope_of
from app.words.errors import say_error

ENTERED = 422
"""What was typed cannot be taken; the page says why."""


def add_routes(console: Blueprint) -> None:
    both = ["GET", "POST"]
    console.add_url_rule("/new-session", "new_session", new_session, methods=both)
    console.add_url_rule("/new-series", "new_series", new_series, methods=both)
    console.add_url_rule("/sessions/<code>/edit", "edit", edit, methods=both)


def _state() -> SessionState:
    return SessionState.DRAFT if request.form.get("save") == "draft" else SessionState.PUBLISHED


def new_session() -> ResponseReturnValue:
    """A form; and from it a session, published at once or kept as a draft."""
    form = CreateForm(request.form)
    with database().reading() as db:
        form.offer_stations(rosters.stations_in(db, scope_of(acting_staff(db))))
    if request.method == "GET":
        return _create_page(form, "session")
    if not form.read() or form.says_it_is_past(now()):
        return _create_page(form, "session"), ENTERED
    state = _state()
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            row = form.row((form.code.data or "").strip() or _free_code(db, form))
            session = publishing.create_session(
                db,
                row,
                actor=Actor("staff", scope.staff_id),
                now=now(),
                extras=form.extras(row),
                state=state,
            )
            day = calendar_days.get_day(db, session.starts_at.astimezone(SHANGHAI).date())
    except SessionCodeTaken as error:
        form.code.errors = [say_error(error)]
        return _create_page(form, "session"), ENTERED
    say(
        "success",
        "created",
        title=session.title,
        code=session.code,
        is_draft=state == "draft",
        is_past=session.starts_at <= now(),
    )
    if day.is_skipped or not day.is_known:
        say("warning", "day_is_special", day=day)
    return redirect(url_for("console.roster", code=session.code))


def _free_code(db: Session, form: CreateForm) -> str:
    """Such as CQ-1206, or CQ-1206-2 for a second one on that day."""
    base = f"{form.station.data[:20]}-{form.day.data:%m%d}".upper()
    code, number = base, 1
    while publishing.find_session(db, code) is not None:
        number += 1
        code = f"{base}-{number}"
    return code


def new_series() -> ResponseReturnValue:
    """A form, a preview of the days with those left out, and the sessions."""
    form = SeriesForm(request.form)
    with database().reading() as db:
        form.offer_stations(rosters.stations_in(db, scope_of(acting_staff(db))))
    if request.method == "GET":
        return _create_page(form, "series")
    if not form.read():
        return _create_page(form, "series"), ENTERED
    if request.form.get("step") == "back":
        return _create_page(form, "series")
    is_saved = request.form.get("step") == "save"
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            days = series.plan(db, form.rule())
            row = form.row(form.rule().code)
            if is_saved:
                made = series.create(
                    db,
                    form.rule(),
                    row,
                    extras=form.extras(row),
                    state=_state(),
                    actor=Actor("staff", scope.staff_id),
                    now=now(),
                )
    except NoDaysInSeries as error:
        form.until.errors = [say_error(error)]
        return _create_page(form, "series"), ENTERED
    except SessionCodeTaken as error:
        form.code.errors = [say_error(error)]
        return _create_page(form, "series"), ENTERED
    if is_saved:
        say(
            "success",
            "series_created",
            count=len(made),
            title=row.title,
            is_draft=_state() == "draft",
        )
        return redirect(url_for("console.sessions", show="drafts" if _state() == "draft" else None))
    return render_template("console/sessions/series_preview.html", form=form, row=row, days=days)


def _create_page(form: CreateForm, what: str) -> str:
    return render_template(f"console/sessions/new_{what}.html", form=form, kinds=KINDS)


def edit(code: str) -> ResponseReturnValue:
    """The form, then what saving would do, and only then the saving."""
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        try:
            session = rosters.get_in_scope(db, scope, code)
            check_can_edit(session.code, SessionState(session.state))
        except SessionUnknown:
            abort(404)
        except SessionStepNotAllowed as error:
            flash(say_error(error), "warning")
            return redirect(url_for("console.roster", code=code))
        if request.form.get("step") == "save":
            # What is shown as the impact is then what is saved.
            lock_session(db, session.id)
            db.refresh(session)
        stations = rosters.stations_in(db, scope)
        if request.method == "GET":
            form = EditForm(obj=editable(session))
            return _edit_page(form, session, stations)
        form = EditForm(request.form)
        form.offer_stations(_with_own(stations, session))
        is_valid = form.validate() and form.months_are_in_order()
        row = form.row(session) if is_valid else None
        if row is None or request.form.get("step") == "back":
            page = _edit_page(form, session, stations)
            return page if row is not None else (page, ENTERED)
        if form.version.data != version_of(session):
            # A colleague saved meanwhile: their change would be undone unseen.
            form = EditForm(obj=editable(session))
            say("warning", "changed_meanwhile")
            return _edit_page(form, session, stations), ENTERED
        impacts = _impacts(db, session, row, whole_series=form.whole_series.data)
        digest = hashlib.sha256(repr(impacts).encode()).hexdigest()[:16]
        if request.form.get("step") == "save" and request.form.get("seen") == digest:
            try:
                with db.begin_nested():
                    return _save(db, session, row, form, scope.staff_id)
            except (AttendanceTaken, SessionStepNotAllowed) as error:
                flash(say_error(error), "warning")
                return redirect(url_for("console.roster", code=code))
        desk.record_view(
            db,
            scope,
            page="impact",
            subject_id=session.id,
            now=now(),
            families={
                touched.family_id for each in impacts for touched in (*each.told, *each.aged_out)
            },
        )
        return render_template(
            "console/sessions/impact.html",
            form=form,
            session=session,
            row=row,
            impacts=impacts,
            digest=digest,
            is_news=request.form.get("step") == "save",
        )


def _with_own(stations: Sequence[Station], session: GuidanceSession) -> list[Station]:
    """Also the session's own station where it is no longer active: it may stay there."""
    if session.station in stations:
        return list(stations)
    return [*stations, session.station]


def _edit_page(form: EditForm, session: GuidanceSession, stations: Sequence[Station]) -> str:
    form.offer_stations(_with_own(stations, session))
    return render_template("console/sessions/edit.html", form=form, session=session, kinds=KINDS)


def _impacts(
    db: Session, session: GuidanceSession, row: SessionRow, *, whole_series: bool
) -> list[Impact]:
    """Of this session, and of those that follow where they change with it."""
    impacts = [impact.of_change(db, session, row, now())]
    if whole_series:
        following = series.find_following(db, session)
        rows = series.rows_following(session, row, following)
        impacts += [
            impact.of_change(db, one, new, now()) for one, new in zip(following, rows, strict=True)
        ]
    return impacts


def _save(
    db: Session, session: GuidanceSession, row: SessionRow, form: EditForm, staff_id: int
) -> ResponseReturnValue:
    actor, extras = Actor("staff", staff_id), form.extras(session)
    count = 1
    if form.whole_series.data:
        count = series.change_following(
            db,
            session,
            row,
            extras=extras,
            keeps_aged_out=form.keeps_aged_out.data,
            actor=actor,
            now=now(),
        )
    else:
        publishing.change_session(
            db,
            session,
            row,
            actor=actor,
            now=now(),
            extras=extras,
            keeps_aged_out=form.keeps_aged_out.data,
        )
    say("success", "changed", title=row.title, code=session.code, count=count)
    return redirect(url_for("console.roster", code=session.code))
