"""The work list of owed home visits: due, overdue, telephone list, referrals, expected births."""

from datetime import date

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console.paging import PAGE_SIZE, asked_page, offset_of, page_of
from app.console.said import say
from app.console.visits import acting, say_refusal, today
from app.errors import DomainError
from app.services import desk, home_visits, visit_day, visit_dues, visit_lists
from app.services.audit import Actor
from app.services.visit_lists import DueTab
from app.services.visit_scope import check_family

OUTCOMES = ("no_answer", "reached", "declined", "moved")
MOST_SHOWN = 200
OTHER_TABS = ("referrals", "expected")


def add_routes(console: Blueprint) -> None:
    console.get("/visits/due", endpoint="visits_due")(show_due)
    console.post("/visits/due/<id:family_id>", endpoint="note_try")(note_try)
    console.post("/visits/medical/<id:child_id>", endpoint="note_medical")(note_medical)
    console.post("/visits/referrals/<id:referral_id>", endpoint="finish_referral")(finish_referral)


def show_due() -> ResponseReturnValue:
    """One part of the list, the nearest due day first."""
    asked = request.args.get("tab", DueTab.DUE)
    tab = asked if asked in OTHER_TABS or asked in list(DueTab) else DueTab.DUE.value
    number = asked_page()
    with acting() as (db, staff, scope):
        counts = visit_lists.count_dues(db, scope, today())
        referrals = visit_lists.count_referrals(db, scope, today())
        rows, referred, expected = [], [], []
        if tab == "referrals":
            referred = visit_lists.list_referrals(db, scope, limit=MOST_SHOWN)
        elif tab == "expected":
            expected = visit_lists.list_expected(db, scope, today(), limit=MOST_SHOWN)
        else:
            rows = visit_lists.list_dues(
                db,
                scope,
                today(),
                DueTab(tab),
                limit=PAGE_SIZE + 1,
                offset=offset_of(number),
            )
        desk.record_view(db, scope, page="visits_due", subject_id=scope.station_id, now=now())
        shows_station = staff.station_id is None
    return render_template(
        "console/visits/due.html",
        tab=tab,
        page=page_of(number, rows),
        counts=counts,
        referrals=referrals,
        referred=referred,
        expected=expected,
        today=today(),
        shows_station=shows_station,
    )


def note_try(family_id: int) -> ResponseReturnValue:
    """What came of a call."""
    outcome = request.form.get("outcome", "")
    back = redirect(url_for("console.visits_due", tab=request.form.get("tab") or None))
    if outcome not in OUTCOMES:
        return back
    with acting() as (db, staff, scope):
        check_family(db, scope, family_id)
        visit_dues.note_try(
            db,
            family_id=family_id,
            outcome=outcome,
            actor=Actor("staff", staff.id),
            now=now(),
        )
    say("success", "try_noted", outcome=outcome)
    return back


def note_medical(child_id: int) -> ResponseReturnValue:
    """The health centre made its own visit on a day: counted apart."""
    back = redirect(url_for("console.visits_due"))
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        say("danger", "day_missing")
        return back
    try:
        with acting() as (db, staff, _scope):
            home_visits.note_medical(db, child_id=child_id, staff=staff, day=day, now=now())
    except DomainError as error:
        say_refusal(error)
        return back
    say("success", "medical_noted")
    return back


def finish_referral(referral_id: int) -> ResponseReturnValue:
    """What the hospital said, as the family tells it."""
    with acting() as (db, staff, _scope):
        visit_day.finish_referral(
            db,
            referral_id=referral_id,
            staff=staff,
            outcome=request.form.get("outcome", "")[:200],
            now=now(),
        )
    say("success", "referral_finished")
    return redirect(url_for("console.visits_due", tab="referrals"))
