"""A family's home visits on one page, and what staff write down for it: birth, needs, medical."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, DateField, SelectMultipleField
from wtforms.validators import DataRequired, NumberRange, Optional

from app.clock import now
from app.console.access import may
from app.console.numbers import WholeNumberField
from app.console.said import say
from app.console.session_forms import MISSING, ChineseForm
from app.console.signed_in import current_role
from app.console.visits import acting, say_refusal, today
from app.dialogue.reading.home_contacts import LONGEST_ADDRESS, read_home_contact
from app.errors import DomainError, HomeContactUnclear
from app.rules.our_times import read_day
from app.rules.visiting import HEAVIEST_GRAMS, LIGHTEST_GRAMS, RiskFactor
from app.services import (
    desk,
    home_contacts,
    visit_decisions,
    visit_details,
    visit_overview,
    visit_reports,
)
from app.services.audit import Actor
from app.services.visit_details import ChildDetails
from app.services.visit_dues import BirthReport
from app.services.visit_reports import ToldBirth
from app.services.visit_scope import check_family
from app.words import visit_signs
from app.words.errors import say_error

FEWEST_WEEKS, MOST_WEEKS = 20, 44
LONGEST_CATEGORY = 60
ASKED_OF: Final = (
    RiskFactor.BIRTH_DEFECT,
    RiskFactor.ASPHYXIA,
    RiskFactor.JAUNDICE,
    RiskFactor.INFECTION,
    RiskFactor.MOTHER,
)
"""Those that nothing else tells: weeks, weight and twins speak for themselves."""
NEWBORN_FOR_DAYS = 60
"""So long after a birth its form stands open on the page."""


class BirthForm(ChineseForm):
    """A birth as it is told on the telephone; what is left empty stays as it is stored."""

    born = DateField("出生日期", [DataRequired(MISSING)])
    discharged = DateField("出院日期（还没出院就空着）", [Optional()])
    weeks = WholeNumberField(
        "孕周",
        [Optional(), NumberRange(FEWEST_WEEKS, MOST_WEEKS, "孕周在20到44之间，例如：38。")],
    )
    grams = WholeNumberField(
        "出生体重（克）",
        [
            Optional(),
            NumberRange(LIGHTEST_GRAMS, HEAVIEST_GRAMS, "请填克数，例如：3300。"),
        ],
    )
    is_multiple = BooleanField("双胞胎或多胞胎")
    factors = SelectMultipleField(
        "有没有这些情况", choices={each.value: visit_signs.RISKS[each] for each in ASKED_OF}
    )


def add_routes(console: Blueprint) -> None:
    console.get("/visits/families/<id:family_id>", endpoint="family_care")(show_care)
    console.post("/visits/children/<id:child_id>/birth", endpoint="report_birth")(report_birth)
    console.post("/visits/children/<id:child_id>/special", endpoint="note_special")(note_special)
    console.post("/visits/medical/<id:child_id>", endpoint="note_medical")(note_medical)
    console.post("/visits/families/<id:family_id>/contact", endpoint="set_home_contact")(
        set_contact
    )


def show_care(family_id: int) -> ResponseReturnValue:
    """What a family is owed, its visits, and the forms to write something down."""
    return _page(family_id)


@dataclass(frozen=True, slots=True)
class ToldContact:
    """What was filled in, and what is wrong with it."""

    address: str
    phone: str
    problem: str = ""


def _page(
    family_id: int,
    refused: tuple[int, BirthForm] | None = None,
    told_contact: ToldContact | None = None,
) -> ResponseReturnValue:
    with acting() as (db, _staff, scope):
        details = visit_details.read_family(db, scope, family_id)
        visits = visit_overview.family_visits(db, family_id)
        owed = visit_overview.owed_visits(db, family_id)
        # The form shows what is there: it is for those who may change it.
        known = (
            home_contacts.read_contact(db, family_id)
            if may(current_role(), "set_home_contact", acts=True)
            else None
        )
        desk.record_view(db, scope, page="family_care", subject_id=family_id, now=now())
    forms = {child.child_id: _form_of(child) for child in details.children}
    if refused is not None:
        forms[refused[0]] = refused[1]
    page = render_template(
        "console/visits/care.html",
        family=details,
        family_id=family_id,
        visits=visits,
        owed=owed,
        forms=forms,
        refused_id=refused[0] if refused else None,
        today=today(),
        newborn_days=NEWBORN_FOR_DAYS,
        longest_category=LONGEST_CATEGORY,
        contact=told_contact or (ToldContact(known.address, known.phone) if known else None),
        longest_address=LONGEST_ADDRESS,
    )
    return page, 422 if refused or told_contact else 200


def _form_of(child: ChildDetails) -> BirthForm:
    return BirthForm(
        prefix=f"c{child.child_id}-",
        born=child.born,
        discharged=child.discharged,
        weeks=child.gestation_weeks,
        grams=child.weight_grams,
        is_multiple=RiskFactor.MULTIPLE in child.risks,
        factors=[each for each in child.risks if each in ASKED_OF],
    )


def report_birth(child_id: int) -> ResponseReturnValue:
    """A birth, a discharge or a weight, as the family told it."""
    form = BirthForm(request.form, prefix=f"c{child_id}-")
    is_right = form.validate()
    try:
        with acting() as (db, staff, scope):
            family_id = visit_reports.get_child(db, scope, child_id).family_id
            if is_right:
                visit_reports.report_birth(
                    db, child_id=child_id, told=_told(form), staff=staff, now=now()
                )
    except DomainError as error:
        say_refusal(error)
        is_right = False
    if not is_right:
        return _page(family_id, (child_id, form))
    say("success", "birth_noted", is_multiple=form.is_multiple.data)
    return redirect(url_for("console.family_care", family_id=family_id))


def _told(form: BirthForm) -> ToldBirth:
    born = form.born.data
    assert isinstance(born, date), "validated"
    return ToldBirth(
        born=born,
        gestation_weeks=form.weeks.data,
        report=BirthReport(
            discharged=form.discharged.data,
            weight_grams=form.grams.data,
            is_multiple=bool(form.is_multiple.data),
            factors=frozenset(RiskFactor(each) for each in form.factors.data or ()),
        ),
    )


def note_special(child_id: int) -> ResponseReturnValue:
    """A special need, or that there is none any more."""
    ends = request.form.get("do") == "end"
    answer = ""
    try:
        with acting() as (db, staff, scope):
            family_id = visit_reports.get_child(db, scope, child_id).family_id
            if ends:
                visit_reports.end_special_need(db, child_id=child_id, staff=staff, now=now())
            else:
                category = request.form.get("category", "").strip()[:LONGEST_CATEGORY]
                answer = visit_reports.note_special_need(
                    db, child_id=child_id, category=category, staff=staff, now=now()
                )
    except DomainError as error:
        say_refusal(error)
    else:
        if ends:
            say("success", "special_ended")
        else:
            say("success", "special_noted", answer=answer)
    return redirect(url_for("console.family_care", family_id=family_id))


def set_contact(family_id: int) -> ResponseReturnValue:
    """Where the family lives and whom to call, as it told it; an empty field is taken away."""
    told = {name: request.form.get(name, "") for name in ("address", "phone")}
    try:
        found = read_home_contact(**told)
        with acting() as (db, staff, scope):
            check_family(db, scope, family_id)
            home_contacts.set_contact(
                db,
                family_id=family_id,
                address=found.address,
                phone=found.phone,
                actor=Actor("staff", staff.id),
                now=now(),
            )
    except HomeContactUnclear as unclear:
        return _page(family_id, told_contact=ToldContact(**told, problem=say_error(unclear)))
    say("success", "home_contact_saved")
    return redirect(url_for("console.family_care", family_id=family_id))


def note_medical(child_id: int) -> ResponseReturnValue:
    """The health centre made its own visit on a day: counted apart."""
    with acting() as (db, _staff, scope):
        family_id = visit_reports.get_child(db, scope, child_id).family_id
    back = redirect(url_for("console.family_care", family_id=family_id))
    try:
        day = read_day(request.form.get("day", ""))
    except ValueError:
        say("danger", "day_missing")
        return back
    try:
        with acting() as (db, staff, _scope):
            visit_decisions.note_medical(db, child_id=child_id, staff=staff, day=day, now=now())
    except DomainError as error:
        say_refusal(error)
        return back
    say("success", "medical_noted")
    return back
