"""上门: the family's home visit, who comes, and a time chosen from those that are free."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.clock import SHANGHAI, now
from app.dialogue.reading.home_contacts import LONGEST_ADDRESS, read_home_contact
from app.errors import DomainError, NoVisitClaim
from app.family.opening import database, family_of, opened_by
from app.models import Family, HomeContact, HomeVisit
from app.rules.our_times import read_moment
from app.rules.visit_slots import Slot
from app.rules.visiting import OPEN, VisitState
from app.services import (
    home_contacts,
    home_visits,
    visit_claims,
    visit_diaries,
    visit_overview,
    visit_proposals,
    visitors,
)
from app.services.audit import Actor
from app.services.home_visits import Wish
from app.words import home_visits as words
from app.words import visit_signs
from app.words.errors import say_error
from app.words.visit_words import code_word
from app.words.when import say_when

DAYS = 14
"""So many days are shown at once."""
LAST_PAGE = 4
"""The calendar's own ends cannot be told in another zone."""
ANY_TIME = "any"
"""Chosen where nothing else can be: a person calls and finds a time."""


def add_routes(family: Blueprint) -> None:
    family.get("/visits", endpoint="visits")(show)
    family.post("/visits/ask", endpoint="ask_visit")(ask)
    family.post("/visits/answer", endpoint="answer_visit")(answer)
    family.post("/visits/cancel", endpoint="cancel_own_visit")(cancel)
    family.post("/visits/contact", endpoint="set_home_contact")(set_contact)
    family.get("/visits/photo", endpoint="visit_photo")(show_photo)


@dataclass(frozen=True, slots=True)
class DayChoices:
    """The beginnings that can be had on a day, over all visitors."""

    day: date
    times: Sequence[datetime]


def show() -> ResponseReturnValue:
    """The open visit with who comes; times to choose; visits that were."""
    page = min(max(request.args.get("page", 0, type=int), 0), LAST_PAGE)
    at = now()
    with database().transaction() as db:
        opened_by(db)
        family = family_of(db)
        visit = home_visits.find_open(db, family.id)
        proposal = visit_proposals.find_proposal(db, family.id, at)
        refusal, choices = "", []
        try:
            opens_on = at.astimezone(SHANGHAI).date() if visit else _opens_on(db, family, at)
            choices = _choices(db, family, visit, at, page, opens_on)
        except NoVisitClaim as refused:
            refusal = say_error(refused)
        past = [
            one
            for one in visit_overview.family_visits(db, family.id)
            if one.state not in OPEN and one.kind == "guidance"
        ]
        owed = visit_overview.owed_visits(db, family.id)
        contact = db.get(HomeContact, family.id)
        return render_template(
            "family/visits/visits.html",
            visit=visit,
            proposal=proposal,
            refusal=refusal,
            choices=choices,
            page=page,
            has_more=page < LAST_PAGE,
            past=past,
            owed=owed,
            today=at.astimezone(SHANGHAI).date(),
            contact=contact,
            asks_contact=visit is not None or contact is not None or not refusal,
            longest_address=LONGEST_ADDRESS,
            contact_use=words.CONTACT_USE,
            visit_words=visit_signs,
            word=code_word(visit.code_word) if visit else "",
            may_change=visit is None or visit.state != VisitState.EN_ROUTE,
            shows_visitor=visit is not None and visit.state != VisitState.REQUESTED,
        )


def _opens_on(db: Session, family: Family, at: datetime) -> date:
    """From when on the family may be visited. Raises NoVisitClaim where it is owed no visit."""
    today = at.astimezone(SHANGHAI).date()
    return visit_claims.find_claim(db, family, today, at, or_later=True).opens_on


def _choices(
    db: Session,
    family: Family,
    visit: HomeVisit | None,
    at: datetime,
    page: int,
    opens_on: date,
) -> list[DayChoices]:
    visitors_there = db.scalars(visit_diaries.covering(family.township_id)).all()
    if not visitors_there:
        return []
    first = opens_on + timedelta(days=DAYS * page)
    found = visit_diaries.find_available(
        db, visitors_there, first, DAYS, at, leaving_out=visit.id if visit else None
    )
    return _by_day(found.slots)


def _by_day(slots: Sequence[Slot]) -> list[DayChoices]:
    times: dict[date, set[datetime]] = {}
    for slot in slots:
        times.setdefault(slot.starts_at.date(), set()).add(slot.starts_at)
    return [DayChoices(day, sorted(found)) for day, found in sorted(times.items())]


def ask() -> ResponseReturnValue:
    """Ask for a visit at the chosen time, or for another time of the one there is."""
    at = now()
    chosen = request.form.get("starts_at", "")
    try:
        starts_at = None if chosen == ANY_TIME else read_moment(chosen)
    except ValueError:
        flash("请先选一个时间。", "bad")
        return redirect(url_for("family.visits"), 303)
    if starts_at is None:
        wish = Wish(at.astimezone(SHANGHAI).date(), is_any=True)
    elif starts_at.tzinfo is None:
        abort(400)
    else:
        wish = Wish(starts_at.astimezone(SHANGHAI).date(), starts_at=starts_at)
    try:
        with database().transaction() as db:
            caregiver = opened_by(db)
            family = family_of(db)
            if home_visits.find_open(db, family.id) is None:
                visit = home_visits.request(db, caregiver=caregiver, wish=wish, now=at)
                said = _say_requested(visit)
            else:
                wished = visit_proposals.wish_other_time(db, caregiver=caregiver, wish=wish, now=at)
                said = words.wished(
                    wished.visit.child.nickname,
                    say_when(starts_at) if starts_at else words.other_time(),
                    starts_at=wished.starts_at,
                    keeps=wished.keeps,
                    is_request=wished.is_request,
                )
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(said)
    return redirect(url_for("family.visits"), 303)


def _say_requested(visit: HomeVisit) -> str:
    if visit.starts_at is None:
        return words.requested_without_time(visit.child.nickname, (), has_visitors=False)
    return words.requested(visit.child.nickname, visit.starts_at, None, None)


def answer() -> ResponseReturnValue:
    """Take the time that staff offered, or turn it down."""
    accepts = request.form.get("answer") == "accept"
    try:
        with database().transaction() as db:
            caregiver = opened_by(db)
            visit = visit_proposals.answer_by_family(
                db, caregiver=caregiver, accepts=accepts, now=now()
            )
            said = words.answered(
                accepts=accepts,
                starts_at=visit.starts_at,
                visitor=visit.visitor.name if visit.visitor else "",
                is_kept=visit.state == VisitState.CONFIRMED,
            )
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(said)
    return redirect(url_for("family.visits"), 303)


def cancel() -> ResponseReturnValue:
    """The family wants no visit now."""
    try:
        with database().transaction() as db:
            visit = home_visits.cancel_by_family(db, caregiver=opened_by(db), now=now())
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(words.cancelled(visit.starts_at))
    return redirect(url_for("family.visits"), 303)


def set_contact() -> ResponseReturnValue:
    """Where the visitor finds the family, and whom to call; an empty field is taken away."""
    try:
        found = read_home_contact(request.form.get("address", ""), request.form.get("phone", ""))
        with database().transaction() as db:
            caregiver = opened_by(db)
            home_contacts.set_contact(
                db,
                family_id=family_of(db).id,
                address=found.address,
                phone=found.phone,
                actor=Actor("caregiver", caregiver.id),
                evidence="page",
                now=now(),
            )
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(words.contact_saved(found.address, found.phone))
    return redirect(url_for("family.visits"), 303)


def show_photo() -> ResponseReturnValue:
    """Who will stand at the door of this family's own visit; nobody else's picture."""
    with database().reading() as db:
        opened_by(db)
        visit = home_visits.find_open(db, family_of(db).id)
        shown = visit is not None and visit.state != VisitState.REQUESTED and visit.visitor_id
        found = visitors.find_photo(db, shown) if shown else None
    if found is None:
        abort(404)
    return Response(found[0], mimetype=found[1])
