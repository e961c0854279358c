"""我家: the children, who looks after them, what we may send."""

from datetime import date

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import SHANGHAI, now
from app.errors import DomainError, NotRegistered
from app.family.opening import database, opened_by
from app.models import Child, Family
from app.rules.age import age_months
from app.rules.pack_choice import PACKS_A_WEEK
from app.rules.people import Relation, Sex
from app.rules.quiet_hours import (
    EARLIEST_FROM,
    LATEST_UNTIL,
    QUIET_FROM,
    QUIET_UNTIL,
    check_night,
)
from app.rules.townships import TOWNSHIPS
from app.services import privacy, push_choices, push_settings, registration
from app.services.push_settings import Wish
from app.words import pages as words
from app.words import privacy as privacy_words
from app.words import registration as registration_words
from app.words.errors import say_error
from content.packs import TOPICS

NAME_LENGTH = 10
WEEKS = range(22, 43)
PUSHES = ("on", "paused", "off")
PER_WEEK = range(1, PACKS_A_WEEK + 1)


def add_routes(family: Blueprint) -> None:
    family.get("/me", endpoint="my_family")(show)
    family.get("/me/children/<id:child_id>", endpoint="child")(show_child)
    family.post("/me/children/<id:child_id>", endpoint="correct_child")(correct_child)
    family.post("/me/about", endpoint="about_us")(change_about)
    family.post("/me/pushes", endpoint="pushes")(change_pushes)
    family.post("/me/invite", endpoint="invite")(invite)
    family.post("/me/caregivers/<id:other_id>/remove", endpoint="remove_caregiver")(remove)
    family.post("/me/leave", endpoint="leave_family")(leave_family)


def show() -> ResponseReturnValue:
    """Everything about the family on one page, with what can be done about it."""
    today = now().astimezone(SHANGHAI).date()
    with database().reading() as db:
        me = opened_by(db)
        try:
            family = registration.get_family(me)
        except NotRegistered:
            return render_template("family/my_family/none.html")
        return render_template(
            "family/my_family/me.html",
            children=[(child.id, _child_line(child, today)) for child in family.children],
            me=me,
            caregivers=[each for each in family.caregivers if each.openid is not None],
            is_guardian=privacy.is_guardian(db, me),
            township=family.township.name,
            station=family.station,
            townships=TOWNSHIPS,
            need=family.need,
            relations=privacy_words.RELATIONS,
            relation_words=privacy_words.relation_words,
            choices=push_choices.find_choices(db, me),
            topics=TOPICS,
            per_week=PER_WEEK,
            evenings=range(EARLIEST_FROM, QUIET_FROM.hour + 1),
            mornings=range(QUIET_UNTIL.hour, LATEST_UNTIL + 1),
        )


def _child_line(child: Child, today: date) -> str:
    born = child.birth_date
    return registration_words.child_line(
        registration_words.ChildLine(
            nickname=child.nickname,
            birth=born,
            due=child.due_date,
            months=age_months(born, today) if born and born <= today else None,
            sex=child.sex,
            weeks=child.gestation_weeks,
        )
    )


def _own_child(family: Family, child_id: int) -> Child:
    found = next((child for child in family.children if child.id == child_id), None)
    return found if found is not None else abort(404)


def show_child(child_id: int) -> ResponseReturnValue:
    with database().reading() as db:
        child = _own_child(registration.get_family(opened_by(db)), child_id)
        return _child_page(child)


def _child_page(child: Child, problem: str = "") -> str:
    return render_template("family/my_family/child.html", child=child, weeks=WEEKS, problem=problem)


def correct_child(child_id: int) -> ResponseReturnValue:
    """What is empty stays as it was; a birth date takes the place of the due date."""
    form = request.form
    name = form.get("nickname", "").strip()
    try:
        birth, due = _date(form.get("birth_date", "")), _date(form.get("due_date", ""))
    except ValueError:
        return _refused_correction(child_id, words.no_such_date())
    if len(name) > NAME_LENGTH or " " in name:
        return _refused_correction(child_id, registration_words.nickname_unclear())
    weeks = form.get("gestation_weeks", "")
    try:
        with database().transaction() as db:
            caregiver = opened_by(db)
            child = _own_child(registration.get_family(caregiver), child_id)
            registration.correct_child(
                db,
                caregiver=caregiver,
                child=child,
                now=now(),
                nickname=name or None,
                birth_date=birth if birth != child.birth_date else None,
                due_date=due if due != child.due_date and birth is None else None,
                sex=form.get("sex") if form.get("sex") in set(Sex) else None,
                gestation_weeks=int(weeks) if weeks in {str(each) for each in WEEKS} else None,
            )
    except DomainError as error:
        return _refused_correction(child_id, say_error(error))
    flash(words.saved(), "good")
    return redirect(url_for("family.my_family"), 303)


def _date(text: str) -> date | None:
    """Raises ValueError for what is no date."""
    return date.fromisoformat(text) if text else None


def _refused_correction(child_id: int, problem: str) -> ResponseReturnValue:
    with database().reading() as db:
        child = _own_child(registration.get_family(opened_by(db)), child_id)
        return _child_page(child, problem), 409


def change_about() -> ResponseReturnValue:
    """Township, whether guidance is wanted, and what the caregiver is to the child."""
    form = request.form
    with database().transaction() as db:
        caregiver = opened_by(db)
        family = registration.get_family(caregiver)
        township = form.get("township", "")
        if township and township != family.township.name:
            registration.set_township(db, caregiver=caregiver, name=township, now=now())
        need = {"yes": True, "no": False}.get(form.get("need", ""))
        if need is not None and need != family.need:
            registration.set_need(db, caregiver=caregiver, need=need, now=now())
        if form.get("relation") in set(Relation):
            registration.set_relation(db, caregiver, form["relation"])
    flash(words.saved(), "good")
    return redirect(url_for("family.my_family"), 303)


def change_pushes() -> ResponseReturnValue:
    """Whether, how often and about what; what the form does not offer is left as it is."""
    form = request.form
    state, often = form.get("pushes", ""), form.get("per_week", "")
    starts, ends = form.get("quiet_from", ""), form.get("quiet_until", "")
    night = None
    if starts.isdecimal() and ends.isdecimal():
        night = check_night(int(starts[:3]), int(ends[:3]))
    wish = Wish(
        state=state if state in PUSHES else None,
        per_week=int(often) if often in {str(number) for number in PER_WEEK} else None,
        muted=set(TOPICS).difference(form.getlist("topic")) if "topics" in form else None,
        night=night,
    )
    with database().transaction() as db:
        push_settings.choose(db, caregiver=opened_by(db), wish=wish, now=now())
    flash(words.saved(), "good")
    return redirect(url_for("family.my_family"), 303)


def invite() -> ResponseReturnValue:
    """A fresh code; those that this caregiver made before end with it."""
    with database().transaction() as db:
        made = registration.invite(db, caregiver=opened_by(db), now=now())
        said = registration_words.invitation(made.code, registration.INVITATION_DAYS)
    flash(said, "good")
    return redirect(url_for("family.my_family"), 303)


def remove(other_id: int) -> ResponseReturnValue:
    try:
        with database().transaction() as db:
            gone = privacy.remove_caregiver(
                db, caregiver=opened_by(db), other_id=other_id, now=now()
            )
            said = privacy_words.removed(gone.relation)
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(said, "good")
    return redirect(url_for("family.my_family"), 303)


def leave_family() -> ResponseReturnValue:
    try:
        with database().transaction() as db:
            privacy.leave_family(db, caregiver=opened_by(db), now=now())
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(privacy_words.left_family(), "good")
    return redirect(url_for("family.my_family"), 303)
