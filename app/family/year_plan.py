"""年度计划: the year as a picture, and what would fill it; changed one by one, agreed to once.

What a family has before it stands in the page's address: Back shows the list before, and no
tap is counted twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from app.clock import SHANGHAI, now
from app.db import LARGEST_ID
from app.errors import DomainError
from app.family.opening import database, family_of, opened_by
from app.models import Child, Family
from app.services import plan_taking, registration, sessions, year_picture, year_plan
from app.services.year_picture import YearSession
from app.services.year_plan import Proposal
from app.words import pages as words
from app.words.errors import say_error

MOST = 40
"""Numbers in an address, at most: more than any year's plan, too few to do harm with."""


def add_routes(family: Blueprint) -> None:
    family.get("/year-plan", endpoint="year_plan")(show)
    family.post("/year-plan/agree", endpoint="agree_year_plan")(agree)
    family.post("/year-plan/stop", endpoint="stop_year_plan")(stop)
    family.post("/year-plan/taking", endpoint="year_plan_taking")(set_taking)


@dataclass(frozen=True, slots=True)
class Listed:
    """The list that the family has before it, as its address says."""

    child_id: int
    shown: tuple[int, ...] | None = None
    """Sessions by number; None where the service is to choose."""
    without: tuple[int, ...] = ()
    """Swapped for another: not proposed again in this list."""
    declined: tuple[int, ...] = ()
    """Taken out on purpose: not proposed again this year."""

    def url(self) -> str:
        fields = {"child": str(self.child_id)}
        if self.shown is not None:
            fields["shown"] = _join(self.shown)
        fields |= {"without": _join(self.without), "declined": _join(self.declined)}
        kept = {name: value for name, value in fields.items() if value or name == "shown"}
        return f"{url_for('family.year_plan')}?{urlencode(kept)}"


@dataclass(frozen=True, slots=True)
class Month:
    """One field of the year's picture."""

    number: int
    done: int
    coming: int
    open: int
    """Proposed, and not yet agreed to."""
    is_past: bool


def _join(numbers: Sequence[int]) -> str:
    return "-".join(str(number) for number in numbers)


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part for part in text.split("-")[:MOST] if part.isdecimal() and part.isascii()]
    return tuple(int(part) for part in parts if len(part) <= 10 and int(part) <= LARGEST_ID)


def _listed(given: "MultiDict[str, str]", child: Child) -> Listed:
    shown = given.get("shown")
    return Listed(
        child_id=child.id,
        shown=None if shown is None else _numbers(shown),
        without=_numbers(given.get("without", "")),
        declined=_numbers(given.get("declined", "")),
    )


def _child_of(db: Session, family: Family, given: str) -> Child | None:
    """The child whose year it is: the one asked for, the plan's, or the first that is born."""
    born = [child for child in family.living if child.birth_date]
    plan = year_plan.find_plan(db, family.id, now())
    wanted = int(given) if given.isascii() and given.isdecimal() and len(given) <= 10 else None
    for child_id in (wanted, plan.child_id if plan else None):
        found = next((child for child in born if child.id == child_id), None)
        if found is not None:
            return found
    return born[0] if born else None


def show() -> ResponseReturnValue:
    at = now()
    with database().reading() as db:
        family = family_of(db)
        year = year_picture.load_year(db, family.id, at)
        count = sessions.year_count(db, family.id, at)
        child = _child_of(db, family, request.args.get("child", ""))
        names = [(one.id, one.nickname) for one in family.living if one.birth_date]
        if child is None:
            return render_template("family/year_plan/not_born.html", count=count)
        listed = _listed(request.args, child)
        change = _change(db, family, child, listed)
        if change is not None:
            return redirect(change.url(), 303)
        proposal = _proposal(db, family, child, listed)
        listed = replace(listed, shown=tuple(one.session.id for one in proposal.sessions))
        plan = year_plan.find_plan(db, family.id, at)
    return render_template(
        "family/year_plan/year.html",
        count=count,
        months=_months(year, proposal, at.astimezone(SHANGHAI).month),
        done=[one for one in year if one.is_done],
        coming=[one for one in year if not one.is_done],
        states=words.STATES,
        proposal=proposal,
        listed=listed,
        join=_join,
        child=child,
        children=names,
        has_plan=plan is not None,
        takes=plan is not None and plan.takes_since is not None,
    )


def _proposal(db: Session, family: Family, child: Child, listed: Listed) -> Proposal:
    """The listed sessions as far as they can still be had, or a fresh choice."""
    if listed.shown:
        return year_plan.review(db, family=family, child=child, session_ids=listed.shown, now=now())
    unwanted = {*listed.without, *listed.declined}
    return year_plan.propose(db, family=family, child=child, now=now(), without=unwanted)


def _change(db: Session, family: Family, child: Child, listed: Listed) -> Listed | None:
    """The list after 换一场 or 不要; None where neither was tapped."""
    swapped, dropped = (
        _numbers(request.args.get("swap", "")),
        _numbers(request.args.get("drop", "")),
    )
    shown = listed.shown or ()
    if dropped and dropped[0] in shown:
        kept = tuple(one for one in shown if one != dropped[0])
        return replace(listed, shown=kept or None, declined=(*listed.declined, dropped[0]))
    if not swapped or swapped[0] not in shown:
        return None
    old = swapped[0]
    new = year_plan.swap(
        db,
        family=family,
        child=child,
        keep=[one for one in shown if one != old],
        instead_of=old,
        without={*listed.without, *listed.declined},
        now=now(),
    )
    if new is None:
        flash(words.none_to_swap(), "bad")
        return listed
    flash(words.swapped(new.session.title), "good")
    shown = tuple(new.session.id if one == old else one for one in shown)
    return replace(listed, shown=shown, without=(*listed.without, old))


def _months(year: Sequence[YearSession], proposal: Proposal, current: int) -> list[Month]:
    done = [one.starts_at.astimezone(SHANGHAI).month for one in year if one.is_done]
    coming = [one.starts_at.astimezone(SHANGHAI).month for one in year if not one.is_done]
    offered = [one.session.starts_at.astimezone(SHANGHAI).month for one in proposal.sessions]
    return [
        Month(
            number=number,
            done=done.count(number),
            coming=coming.count(number),
            open=offered.count(number),
            is_past=number < current,
        )
        for number in range(1, 13)
    ]


def agree() -> ResponseReturnValue:
    """Yes to the list: signed up for all of it, or for none."""
    at = now()
    try:
        with database().transaction() as db:
            caregiver = opened_by(db)
            family = registration.get_family(caregiver)
            child = _child_of(db, family, request.form.get("child", ""))
            if child is None:
                return redirect(url_for("family.year_plan"), 303)
            listed = _listed(request.form, child)
            booked = {
                each.session_id
                for each, whose in sessions.find_sign_ups(db, family.id, after=at)
                if whose.id == child.id
            }
            wanted = [one for one in listed.shown or () if one not in booked]
            if listed.shown and not wanted:
                # A double tap, or Back and once more: the first one did it.
                flash(words.plan_agreed_before(), "good")
                return redirect(url_for("family.year_plan"), 303)
            agreement = year_plan.agree(
                db,
                caregiver=caregiver,
                child=child,
                session_ids=wanted,
                now=at,
                may_wait=_numbers(request.form.get("waiting", "")),
                declined=listed.declined,
            )
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        if agreement.plan is None:
            flash(words.plan_lost(agreement.lost or ""), "bad")
        else:
            flash(words.plan_agreed(len(agreement.sign_ups)), "good")
    return redirect(url_for("family.year_plan", child=request.form.get("child")), 303)


def stop() -> ResponseReturnValue:
    """No more proposals; what is signed up for stays."""
    with database().transaction() as db:
        year_plan.end(db, caregiver=opened_by(db), now=now())
    flash(words.plan_ended(), "good")
    return redirect(url_for("family.year_plan"), 303)


def set_taking() -> ResponseReturnValue:
    """Whether the plan signs up by itself, or asks first."""
    takes = request.form.get("takes") == "yes"
    with database().transaction() as db:
        plan = plan_taking.set_taking(db, caregiver=opened_by(db), takes=takes, now=now())
    if plan is not None:
        flash(words.plan_takes() if takes else words.plan_asks(), "good")
    return redirect(url_for("family.year_plan"), 303)
