"""活动: what there is, as a list or a month; one session; signing up and giving back."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.clock import SHANGHAI, now
from app.errors import AlreadySignedUp, DomainError, SessionUnknown, SignUpUnknown
from app.family.opening import database, is_by_link, opened_by, opens_by_link, services
from app.models import Caregiver, Family, SignUp
from app.rules.our_times import read_day
from app.rules.sign_up import SignUpState
from app.rules.townships import TOWNSHIPS
from app.services import plan_keeping, registration, sessions, waiting_list
from app.services.sessions import OpenSession, Wanted
from app.words import pages as words
from app.words.errors import say_error

AGES = (
    (0, "未满月"),
    (3, "3个月"),
    (6, "半岁"),
    (12, "1岁"),
    (18, "1岁半"),
    (24, "2岁"),
    (30, "2岁半"),
)
"""Ages to look for, in months; the family's own children come without asking."""
OWN, ANY = "", "any"
SHOWN = 40
MAP = "https://uri.amap.com/search"
CANCELS = frozenset({SignUpState.CONFIRMED, SignUpState.REQUESTED, SignUpState.WAITLISTED})


def add_routes(family: Blueprint) -> None:
    family.get("/sessions", endpoint="sessions")(show_list)
    family.get("/sessions/<code>", endpoint="session")(show)
    family.post("/sessions/<code>/sign-up", endpoint="sign_up")(sign_up)
    family.post("/sessions/<code>/cancel", endpoint="cancel_sign_up")(cancel)
    family.post("/sessions/<code>/offer", endpoint="answer_offer")(answer_offer)
    family.get("/bookings", endpoint="bookings")(show_bookings)


@dataclass(frozen=True, slots=True)
class Group:
    """Sessions under one heading."""

    heading: str
    sessions: Sequence[OpenSession]


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the month's picture."""

    day: date
    count: int
    url: str


def show_list() -> ResponseReturnValue:
    wanted, age = _wanted()
    month = _month(request.args.get("month", ""))
    at = now()
    with database().reading() as db:
        family = _family_or_none(opened_by(db))
        found = sessions.find_open(db, family, at, limit=200, wanted=wanted)
        kinds = sessions.find_kinds(db, at)
        own = family.township.name if family is not None else None
        several = family is not None and len(family.children) > 1
    first = month or at.astimezone(SHANGHAI).date().replace(day=1)
    day = _day(request.args.get("day", ""))
    shown = [one for one in found if day is None or _day_of(one.starts_at) == day]
    return render_template(
        "family/sessions/list.html",
        groups=_groups(shown[:SHOWN], own),
        left_out=max(0, len(shown) - SHOWN),
        wanted=wanted,
        age=age,
        ages=AGES,
        kinds=kinds,
        townships=TOWNSHIPS,
        day=day,
        month=first,
        weeks=_weeks(first, found),
        earlier=_other_month(first, -1) if first > at.date() else None,
        later=_other_month(first, 1),
        without_day=_link(day=None),
        is_registered=own is not None,
        several=several,
    )


def _wanted() -> tuple[Wanted, str]:
    """What the form asks for; anything that it does not offer is as if not asked."""
    age = request.args.get("age", OWN)
    months = int(age) if age in {str(number) for number, _ in AGES} else None
    township = request.args.get("township", "")
    wanted = Wanted(
        township=township if township in TOWNSHIPS else "",
        kind=request.args.get("kind", "")[:40],
        months=months,
        is_any_age=age == ANY,
    )
    return wanted, age if months is not None or age == ANY else OWN


def _month(text: str) -> date | None:
    return _day(f"{text}-01")


def _day(text: str) -> date | None:
    try:
        return read_day(text)
    except ValueError:
        return None


def _day_of(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()


def _groups(found: Sequence[OpenSession], own: str | None) -> list[Group]:
    """The family's own township first, then the others; one group for whoever has none."""
    if own is None:
        return [Group("", found)] if found else []
    near = [one for one in found if one.township == own]
    others = [one for one in found if one.township != own]
    groups = [Group(own, near), Group("别的乡镇" if near else "全区", others)]
    return [group for group in groups if group.sessions]


def _weeks(first: date, found: Sequence[OpenSession]) -> list[list[Day | None]]:
    """The month's weeks from Monday on; None for days of other months."""
    counts: dict[date, int] = {}
    for one in found:
        counts[_day_of(one.starts_at)] = counts.get(_day_of(one.starts_at), 0) + 1
    return [
        [
            Day(day, counts.get(day, 0), _link(day=day.isoformat()))
            if day.month == first.month
            else None
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]


def _other_month(first: date, step: int) -> str:
    index = first.year * 12 + first.month - 1 + step
    return _link(month=f"{index // 12:04d}-{index % 12 + 1:02d}", day=None)


def _link(**change: str | None) -> str:
    """This list with something about it changed; None takes it out."""
    query = {**request.args.to_dict(), **change}
    kept = {name: value for name, value in query.items() if value}
    return url_for("family.sessions") + (f"?{urlencode(kept)}" if kept else "")


def _family_or_none(caregiver: Caregiver) -> Family | None:
    family = caregiver.family
    return family if family is not None and family.children else None


@dataclass(frozen=True, slots=True)
class Booked:
    """One child's place, or wish for one, as the family sees it."""

    code: str
    title: str
    starts_at: datetime
    station: str
    nickname: str
    state: str
    position: int | None
    offer_until: datetime | None
    calendar_url: str
    can_cancel: bool

    @property
    def state_words(self) -> str:
        return words.STATES[self.state]


def _bookings(db: Session, family_id: int, at: datetime) -> list[Booked]:
    found = sessions.find_sign_ups(db, family_id, after=at)
    places = waiting_list.places_in_line(db, [each for each, _ in found])
    return [_booked(each, child.nickname, places.get(each.id), at) for each, child in found]


def _booked(found: SignUp, nickname: str, position: int | None, at: datetime) -> Booked:
    session = found.session
    may_leave = sessions.may_leave(found.state, session.cancel_until, session.starts_at, at)
    return Booked(
        code=session.code,
        title=session.title,
        starts_at=session.starts_at,
        station=session.station.name,
        nickname=nickname,
        state=found.state,
        position=position,
        offer_until=found.offer_expires_at if found.state == SignUpState.OFFERED else None,
        calendar_url=services().calendar_links.url(found.id),
        can_cancel=found.state in CANCELS and may_leave and at < session.starts_at,
    )


@opens_by_link
def show(code: str) -> ResponseReturnValue:
    """One session; opened by a message's link, it shows and asks for nothing."""
    at = now()
    with database().reading() as db:
        family = _family_or_none(opened_by(db))
        try:
            session = sessions.find_one(db, family, code, at)
        except SessionUnknown as error:
            return _no_such_session(error), 404
        booked = _bookings(db, family.id, at) if family else []
        here = [one for one in booked if one.code == session.code]
        taken = {one.nickname for one in here}
        free = [name for name in session.fits if name not in taken]
    return render_template(
        "family/sessions/one.html",
        session=session,
        here=here,
        free=free,
        is_open=session.opens_at <= at < (session.closes_at or at) and not session.is_cancelled,
        is_over=session.starts_at <= at,
        is_registered=family is not None,
        is_by_link=is_by_link(),
        map_url=_map_url(session),
    )


def _no_such_session(error: DomainError) -> str:
    return render_template("family/refusal.html", sentence=say_error(error), is_new=False)


def _map_url(session: OpenSession) -> str:
    """The place in a map of the phone's own choosing; the map learns the address and no more."""
    return f"{MAP}?{urlencode({'keyword': session.address, 'city': '上海'})}"


def sign_up(code: str) -> ResponseReturnValue:
    """A seat, or a place in the line, for the children that were ticked: all or none."""
    names = request.form.getlist("child")
    if not names:
        flash(words.choose_a_child(), "bad")
        return _back(code)
    try:
        with database().transaction() as db:
            caregiver = opened_by(db)
            family = registration.get_family(caregiver)
            children = [registration.child_named(family, name) for name in dict.fromkeys(names)]
            made = sessions.sign_up_together(
                db, caregiver=caregiver, children=children, code=code, now=now()
            )
            places = waiting_list.positions(db, made[0].session)
            positions = [places[each.id] for each in made if each.id in places]
            state = made[0].state
            said = words.signed_up(state, [child.nickname for child in children], positions)
    except AlreadySignedUp as error:
        # A double tap: the first one did it.
        flash(words.already_signed_up(error.nickname, error.state), "good")
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(said, "good")
    return _back(code)


def cancel(code: str) -> ResponseReturnValue:
    """Give back what the family has there: one child's place, or all of them."""
    name = request.form.get("child")
    at = now()
    try:
        with database().transaction() as db:
            caregiver = opened_by(db)
            family = registration.get_family(caregiver)
            child = registration.child_named(family, name) if name else None
            rows = sessions.cancel_by_family(
                db, caregiver=caregiver, code=code, now=at, child=child
            )
            names = [whose.nickname for _, whose in rows]
            db.flush()
            has_more = bool(plan_keeping.replace_missing(db, family, at))
    except SignUpUnknown:
        flash(words.already_cancelled(), "good")
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(words.cancelled(names, has_replacement=has_more), "good")
    return _back(code)


def answer_offer(code: str) -> ResponseReturnValue:
    """Take the seat that the waiting list offers, or leave it to the next."""
    takes = request.form.get("answer") == "accept"
    try:
        with database().transaction() as db:
            answer = waiting_list.accept if takes else waiting_list.decline
            rows = answer(db, caregiver=opened_by(db), code=code, now=now())
            names = [child.nickname for _, child in rows]
    except AlreadySignedUp as error:
        flash(words.already_signed_up(error.nickname, error.state), "good")
    except DomainError as error:
        flash(say_error(error), "bad")
    else:
        flash(words.accepted(names) if takes else words.declined(names), "good")
    return _back(code)


def _back(code: str) -> ResponseReturnValue:
    """To the session's page: a reload sends nothing again."""
    return redirect(url_for("family.session", code=code), 303)


def show_bookings() -> ResponseReturnValue:
    at = now()
    with database().reading() as db:
        family = registration.get_family(opened_by(db))
        booked = _bookings(db, family.id, at)
        count = sessions.year_count(db, family.id, at)
    return render_template("family/sessions/bookings.html", booked=booked, count=count)
