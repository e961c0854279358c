"""The district's calendar: holidays, make-up workdays, and days on which nothing is held."""

from datetime import date, datetime, timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import DateField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from app.clock import SHANGHAI, now
from app.console.said import say
from app.console.session_forms import MISSING, ChineseForm, in_our_times
from app.console.signed_in import acting_staff, database
from app.rules.calendar_days import SetKind, is_announced
from app.rules.our_times import read_day
from app.services import calendar_days, impact

YEARS_AHEAD = 2


class DayForm(ChineseForm):
    """A day that is to be something else than the published calendar says."""

    day = DateField("日期", [InputRequired(MISSING), in_our_times])
    kind = SelectField(
        "这一天",
        choices={"blackout": "不办活动", "holiday": "放假", "workday": "调休，要上班"},
    )
    note = StringField(
        "说明", [DataRequired(MISSING), Length(max=80, message="请写在80个字以内。")]
    )


def add_routes(console: Blueprint) -> None:
    console.add_url_rule("/calendar", "calendar", show_calendar, methods=["GET", "POST"])
    console.post("/calendar/<day>/clear", endpoint="clear_day")(clear_day)


def show_calendar() -> ResponseReturnValue:
    """The days that are set, with a form for one more."""
    form = DayForm(request.form)
    today = now().astimezone(SHANGHAI).date()
    is_sent = request.method == "POST"
    is_valid = is_sent and form.validate() and _is_near(form, today)
    if is_valid and form.day.data is not None:
        _set(form, form.day.data)
        return redirect(url_for("console.calendar"))
    with database().reading() as db:
        acting_staff(db)
        days = calendar_days.list_set_days(db, today)
    page = render_template(
        "console/calendar/calendar.html",
        form=form,
        days=days,
        unannounced=[
            year for year in range(today.year, today.year + YEARS_AHEAD) if not is_announced(year)
        ],
    )
    return page, 422 if is_sent else 200


def _is_near(form: DayForm, today: date) -> bool:
    day = form.day.data
    if day is not None and today <= day <= today + timedelta(days=366 * YEARS_AHEAD):
        return True
    form.day.errors = [*form.day.errors, "请填今天以后、两年以内的日期。"]
    return False


def _set(form: DayForm, day: date) -> None:
    kind = SetKind(form.kind.data)
    first = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    with database().transaction() as db:
        staff = acting_staff(db)
        calendar_days.put_day(db, day, kind, form.note.data or "", staff_id=staff.id, now=now())
        there = impact.sessions_on(db, first, first + timedelta(days=1))
    say("success", "day_set", day=day)
    if there and kind is not SetKind.WORKDAY:
        say("warning", "sessions_on_that_day", day=day, sessions=there)


def clear_day(day: str) -> ResponseReturnValue:
    """Leave the day to the published calendar again."""
    try:
        found = read_day(day)
    except ValueError:
        abort(404)
    with database().transaction() as db:
        cleared = calendar_days.clear_day(db, found, staff_id=acting_staff(db).id, now=now())
    if not cleared:
        abort(404)
    say("success", "day_cleared", day=found)
    return redirect(url_for("console.calendar"))
