"""Home visits: what waits for an answer, and the decisions about one visit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import SHANGHAI, now
from app.console import listing
from app.console.listing import Column, Filter, ListScreen, Row
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.db import LARGEST_ID
from app.errors import DomainError, NotYours, VisitUnknown
from app.models import Staff, Township
from app.rules.our_times import read_day, read_moment
from app.services import (
    desk,
    visit_decisions,
    visit_details,
    visit_due_lists,
    visit_lists,
    visit_proposals,
)
from app.services.home_visits import Choice
from app.services.staff import StaffScope, scope_of
from app.services.visit_lists import VisitQuery, VisitRow
from app.words import visit_signs
from app.words.errors import say_error

MAX_REASON_LENGTH = 100
SOON_DAYS = 14


def add_routes(console: Blueprint) -> None:
    console.get("/visits", endpoint="visits")(show_visits)
    console.get("/visits/<id:visit_id>", endpoint="visit")(show_visit)
    console.get("/visits/<id:visit_id>/time", endpoint="visit_time")(show_times)
    console.post("/visits/<id:visit_id>/time", endpoint="set_visit_time")(set_time)
    console.post("/visits/<id:visit_id>/confirm", endpoint="confirm_visit")(confirm)
    console.post("/visits/<id:visit_id>/decline", endpoint="decline_visit")(decline)
    console.post("/visits/<id:visit_id>/cancel", endpoint="cancel_visit")(cancel)
    console.post("/visits/<id:visit_id>/wish", endpoint="answer_wish")(answer_wish)
    console.get("/visits/arrange/<id:family_id>", endpoint="arrange_visit")(show_arrange)
    console.post("/visits/arrange/<id:family_id>", endpoint="do_arrange_visit")(arrange)


@contextmanager
def acting() -> Iterator[tuple[Session, Staff, StaffScope]]:
    """A transaction for the signed-in staff member; what is not theirs is not there."""
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            yield db, staff, scope_of(staff)
    except (NotYours, VisitUnknown):
        abort(404)


def say_refusal(error: DomainError) -> None:
    """A service said no: its sentence on the next page. Nothing was changed."""
    say("warning", "visit_refused", why=say_error(error))


def asked_day(default: date) -> date:
    """The day in the address; the default where it is none."""
    try:
        return read_day(request.args.get("day", ""))
    except ValueError:
        return default


def today() -> date:
    return now().astimezone(SHANGHAI).date()


VISITS: ListScreen[VisitRow] = ListScreen(
    endpoint="visits",
    title="上门",
    is_work=True,
    search="宝宝小名、拼音、家长称呼或电话末四位",
    columns=(
        Column("宝宝", lambda row: row.nickname, is_title=True),
        Column("状态", lambda row: visit_signs.STATES.get(row.state, row.state)),
        Column("时间", lambda row: row.starts_at),
        Column("老师", lambda row: row.visitor),
        Column("事由", lambda row: visit_signs.PURPOSES[row.purpose]),
        Column("高危", lambda row: "高危" if row.is_high_risk else ""),
        Column("出生", lambda row: row.born),
        Column("乡镇", lambda row: row.township),
        Column("站点", lambda row: row.station),
        Column("期限", lambda row: row.due_on),
        Column("申请", lambda row: row.requested_at),
    ),
    filters=(
        Filter(
            "show",
            "哪一些",
            {
                "waiting": "等答复",
                "arranged": "约好的",
                "unrecorded": "没填记录",
                "completed": "已上门",
                "missed": "没遇到",
                "ended": "没去成",
                "medical": "卫生院访视",
                "all": "全部",
            },
            is_tabs=True,
        ),
    ),
    link=lambda row: url_for("console.visit", visit_id=row.visit_id),
)
MEDICAL_COLUMNS: tuple[Column[VisitRow], ...] = (
    VISITS.columns[0],
    Column("访视日期", lambda row: row.wished_on),
    *VISITS.columns[6:9],
)
MONTHS_BEFORE, MONTHS_AFTER = 14, 2


def _months() -> dict[str, str]:
    """From the next months back to those of last year, as they stand in the address."""
    this = today().year * 12 + today().month - 1
    months = range(this + MONTHS_AFTER, this - MONTHS_BEFORE, -1)
    return {
        f"{number // 12}-{number % 12 + 1:02}": f"{number // 12}年{number % 12 + 1}月"
        for number in months
    }


def with_townships(screen: ListScreen[Row], db: Session, scope: StaffScope) -> ListScreen[Row]:
    """The same list with a choice of townships, for whoever sees all of them."""
    if not scope.sees_all:
        return screen
    names = {each: each for each in db.scalars(select(Township.name).order_by(Township.id))}
    return replace(
        screen, filters=(*screen.filters, Filter("township", "乡镇", {"": "不限", **names}))
    )


def show_visits() -> ResponseReturnValue:
    """What waits, what was taken up first, each with its one button; and all other visits."""
    with acting() as (db, staff, scope):
        screen = with_townships(VISITS, db, scope)
        month = Filter("month", "哪个月", {"": "不限", **_months()})
        screen = replace(screen, filters=(*screen.filters, month))
        asked = listing.read(screen)
        is_medical = asked.values["show"] == "medical"
        if is_medical:
            screen = replace(screen, columns=MEDICAL_COLUMNS)
        query = VisitQuery(
            show=asked.values["show"],
            text=asked.text,
            township=asked.values.get("township", ""),
            month=asked.values["month"],
        )
        rows = visit_lists.find_visits(
            db, scope, query, today(), limit=asked.limit, offset=asked.offset
        )
        unrecorded = visit_lists.count_work(db, scope, today()).unrecorded
        counts = visit_due_lists.count_dues(db, scope, today())
        referrals = visit_due_lists.count_referrals(db, scope, today())
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "visits",
            subject_id=scope.station_id,
            now=now(),
            families={row.family_id for row in rows[: asked.limit - 1]},
        )
        shows_station = staff.station_id is None
    return listing.answer(
        screen,
        asked,
        rows,
        "console/visits/waiting.html",
        due_counts=counts,
        referrals=referrals,
        unrecorded=unrecorded,
        shows_station=shows_station,
        max_reason_length=MAX_REASON_LENGTH,
    )


def confirm(visit_id: int) -> ResponseReturnValue:
    """Say yes to the time that is held."""
    try:
        with acting() as (db, staff, scope):
            visit_decisions.confirm(db, visit_id=visit_id, staff=staff, now=now())
            row = visit_lists.find_row(db, scope, visit_id)
    except DomainError as error:
        say_refusal(error)
        return redirect(url_for("console.visit", visit_id=visit_id))
    say("success", "visit_confirmed", visit=row)
    return redirect(url_for("console.visits"))


def decline(visit_id: int) -> ResponseReturnValue:
    """Turn a request down with the reason that the family will read."""
    return _with_reason(visit_id, "visit_declined")


def cancel(visit_id: int) -> ResponseReturnValue:
    """Take an open visit back with the reason that the family will read."""
    return _with_reason(visit_id, "visit_cancelled")


def _with_reason(visit_id: int, said: str) -> ResponseReturnValue:
    reason = (request.form.get("own_reason") or request.form.get("reason") or "").strip()
    if len(reason) > MAX_REASON_LENGTH:
        say("danger", "reason_too_long_here", limit=MAX_REASON_LENGTH)
        return redirect(url_for("console.visit", visit_id=visit_id))
    is_request = said == "visit_declined"
    service = visit_decisions.decline if is_request else visit_decisions.cancel_by_staff
    try:
        with acting() as (db, staff, scope):
            service(db, visit_id=visit_id, staff=staff, reason=reason, now=now())
            row = visit_lists.find_row(db, scope, visit_id)
    except DomainError as error:
        say_refusal(error)
        return redirect(url_for("console.visit", visit_id=visit_id))
    say("success", said, visit=row)
    return redirect(url_for("console.visits"))


def answer_wish(visit_id: int) -> ResponseReturnValue:
    """Agree to the time that the family wishes, or leave the visit as it is."""
    accepts = request.form.get("answer") == "accept"
    try:
        with acting() as (db, staff, scope):
            visit_proposals.answer_by_staff(
                db, visit_id=visit_id, staff=staff, accepts=accepts, now=now()
            )
            row = visit_lists.find_row(db, scope, visit_id)
    except DomainError as error:
        say_refusal(error)
        return redirect(url_for("console.visit", visit_id=visit_id))
    say("success", "wish_answered", visit=row, accepts=accepts)
    return redirect(url_for("console.visits"))


def show_visit(visit_id: int) -> ResponseReturnValue:
    """One visit: who, when, who goes, its record, and what may be done with it."""
    with acting() as (db, _staff, scope):
        details = visit_details.read(db, scope, visit_id)
        desk.record_view(db, scope, page="home_visit", subject_id=visit_id, now=now())
    return render_template(
        "console/visits/visit.html", visit=details, max_reason_length=MAX_REASON_LENGTH
    )


def show_times(visit_id: int) -> ResponseReturnValue:
    """Who could go when, on a day: the suggested visitor first."""
    with acting() as (db, _staff, scope):
        row = visit_lists.find_row(db, scope, visit_id)
        if row is None:
            abort(404)
        start = row.starts_at.date() if row.starts_at else row.wished_on
        day = asked_day(max(start or today(), today()))
        choices = visit_details.choices(db, row.family_id, day, now(), leaving_out=visit_id)
        desk.record_view(db, scope, page="home_visit", subject_id=visit_id, now=now())
    return render_template(
        "console/visits/times.html",
        visit=row,
        day=day,
        choices=choices,
        days=_days_around(day),
    )


def _days_around(day: date) -> list[date]:
    first = max(today(), day - timedelta(days=3))
    return [first + timedelta(days=step) for step in range(SOON_DAYS)]


def _chosen() -> Choice | None:
    """The slot that was picked, or the visitor with a time of one's own; None where neither."""
    slot = request.form.get("slot", "")
    visitor, _, at = slot.partition("@")
    own = request.form.get("own_time", "").strip()
    try:
        if own:
            day = read_day(request.form.get("day", ""))
            visitor = request.form.get("visitor", "")
            return Choice(_id(visitor), datetime.combine(day, time.fromisoformat(own), SHANGHAI))
        return Choice(_id(visitor), read_moment(at))
    except ValueError:
        return None


def _id(text: str) -> int:
    """A row's number. Raises ValueError for what no row can have."""
    number = int(text)
    if not 0 < number <= LARGEST_ID:
        raise ValueError(text)
    return number


def set_time(visit_id: int) -> ResponseReturnValue:
    """Confirm at another time, move an arranged visit, or ask the family whether it suits."""
    choice = _chosen()
    here = redirect(url_for("console.visit_time", visit_id=visit_id, day=request.form.get("day")))
    if choice is None or choice.starts_at.tzinfo is None:
        say("danger", "time_missing")
        return here
    asks = request.form.get("how") == "ask"
    try:
        with acting() as (db, staff, scope):
            row = visit_lists.find_row(db, scope, visit_id)
            if row is None:
                abort(404)
            if asks:
                visit_proposals.propose(
                    db, visit_id=visit_id, staff=staff, choice=choice, now=now()
                )
            elif row.state == "requested":
                visit_decisions.confirm(
                    db, visit_id=visit_id, staff=staff, choice=choice, now=now()
                )
            else:
                visit_decisions.reassign(
                    db, visit_id=visit_id, staff=staff, choice=choice, now=now()
                )
            row = visit_lists.find_row(db, scope, visit_id)
    except DomainError as error:
        say_refusal(error)
        return here
    say("success", "visit_asked" if asks else "visit_confirmed", visit=row)
    return redirect(url_for("console.visit", visit_id=visit_id))


def show_arrange(family_id: int) -> ResponseReturnValue:
    """Arrange a visit for a family of the due list: who could go when."""
    day = asked_day(today())
    with acting() as (db, _staff, scope):
        family = visit_details.read_family(db, scope, family_id)
        choices = visit_details.choices(db, family_id, day, now())
        desk.record_view(db, scope, page="arrange_visit", subject_id=family_id, now=now())
    return render_template(
        "console/visits/arrange.html",
        family=family,
        family_id=family_id,
        day=day,
        choices=choices,
        days=_days_around(day),
    )


def arrange(family_id: int) -> ResponseReturnValue:
    """The visit is arranged as agreed with the family, and confirmed at once."""
    choice = _chosen()
    here = redirect(
        url_for("console.arrange_visit", family_id=family_id, day=request.form.get("day"))
    )
    if choice is None or choice.starts_at.tzinfo is None:
        say("danger", "time_missing")
        return here
    try:
        with acting() as (db, staff, scope):
            visit = visit_decisions.arrange(
                db,
                family_id=family_id,
                staff=staff,
                choice=choice,
                now=now(),
                note=request.form.get("note", "")[:200],
            )
            row = visit_lists.find_row(db, scope, visit.id)
    except DomainError as error:
        say_refusal(error)
        return here
    say("success", "visit_confirmed", visit=row)
    return redirect(url_for("console.visits_due"))
