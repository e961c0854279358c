"""Requests that wait for a decision: confirm, or decline with a reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, StringField
from wtforms.validators import Length

from app.clock import SHANGHAI, now
from app.console import listing
from app.console.access import may
from app.console.listing import Column, Filter, ListScreen
from app.console.paging import PAGE_SIZE
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.errors import (
    AgeOutsideSession,
    AlreadySignedUp,
    NotYours,
    ReasonMissing,
    SessionFull,
    SessionUnknown,
    SignUpAlreadyDecided,
    SignUpUnknown,
)
from app.services import decisions, desk, moving, pending_requests, rosters
from app.services.moving import Target
from app.services.pending_requests import PendingQuery, PendingSignUp
from app.services.rosters import SignUpStatus
from app.services.staff import scope_of
from app.words.errors import say_error
from app.words.timeline import say_moved
from app.words.when import say_age

MAX_REASON_LENGTH = 100
MOVES_SHOWN = 6
MOVE = "move"
CANNED_REASONS = (
    "这场的名额已经安排满了",
    "宝宝的月龄不太适合这场活动",
    "想先照顾今年还没有来过的家庭",
    "活动的安排有变动",
)


class DeclineForm(Form):
    """A canned reason, or one in the teacher's own words, which goes before."""

    reason = StringField(validators=[Length(max=MAX_REASON_LENGTH)])
    own_reason = StringField(validators=[Length(max=MAX_REASON_LENGTH)])

    @property
    def chosen(self) -> str:
        return (self.own_reason.data or "").strip() or (self.reason.data or "").strip()


def add_routes(console: Blueprint) -> None:
    console.get("/pending", endpoint="pending")(show_pending)
    console.post("/pending/<id:sign_up_id>/confirm", endpoint="confirm")(confirm)
    console.post("/pending/<id:sign_up_id>/decline", endpoint="decline")(decline)
    console.post("/pending/<id:sign_up_id>/move", endpoint="move")(move)
    console.post("/pending/bulk", endpoint="bulk")(bulk)


def _age(row: PendingSignUp) -> str:
    return say_age(row.age_months) if row.age_months is not None else "还没出生"


PENDING: ListScreen[PendingSignUp] = ListScreen(
    endpoint="pending",
    title="待确认",
    is_work=True,
    search="宝宝小名、拼音、电话末四位，或活动编号",
    columns=(
        Column("宝宝", lambda row: row.nickname, is_title=True),
        Column("活动那天", _age),
        Column("活动", lambda row: row.title),
        Column("编号", lambda row: row.code),
        Column("时间", lambda row: row.starts_at),
        Column("站点", lambda row: row.station),
        Column("乡镇", lambda row: row.township),
        Column("今年已参加", lambda row: row.attended_this_year),
        Column("没来", lambda row: row.missed_this_year),
        Column("名额已占", lambda row: row.places_taken),
        Column("名额", lambda row: row.places),
        Column("报名", lambda row: row.requested_at),
    ),
    filters=(
        Filter("waits", "等了多久", {"": "不限", "1": "超过1天", "3": "超过3天"}),
        Filter("soon", "活动", {"": "不限", "3": "3天内就开场", "7": "7天内就开场"}),
    ),
)


def show_pending() -> ResponseReturnValue:
    """What waits, the oldest first; and what was decided today, with who and when."""
    at = now()
    midnight = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    with database().transaction() as db:
        staff = acting_staff(db)
        scope = scope_of(staff)
        screen = PENDING
        if scope.station_id is None:
            stations = {each.code: each.name for each in rosters.stations_in(db, scope)}
            station = Filter("station", "站点", {"": "不限", **stations})
            screen = replace(PENDING, filters=(*PENDING.filters, station))
        asked = listing.read(screen)
        waits, soon = asked.values["waits"], asked.values["soon"]
        query = PendingQuery(
            text=asked.text,
            station=asked.values.get("station", ""),
            before=at - timedelta(days=int(waits)) if waits else None,
            starts_before=at + timedelta(days=int(soon)) if soon else None,
        )
        rows = pending_requests.pending(
            db, staff, limit=asked.limit, offset=asked.offset, query=query
        )
        decided = rosters.decided_since(db, scope, midnight)
        targets = (
            moving.targets(db, scope, now=at) if rows and may(scope.role, MOVE, acts=True) else []
        )
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "pending",
            subject_id=scope.station_id,
            now=at,
            families={row.family_id for row in rows[: asked.limit - 1]},
        )
        shows_station = staff.station_id is None
    return listing.answer(
        screen,
        asked,
        rows,
        "console/decisions/pending.html",
        decided=decided,
        shows_station=shows_station,
        max_reason_length=MAX_REASON_LENGTH,
        targets_of=lambda row: _targets_of(row, targets),
        canned_reasons=CANNED_REASONS,
        days_waiting=lambda row: (at - row.requested_at).days,
    )


def _targets_of(row: PendingSignUp, targets: Sequence[Target]) -> list[Target]:
    """Other sessions that fit the child's age; those of the same station first."""
    fitting = [
        each
        for each in targets
        if each.code != row.code
        and row.age_months is not None
        and each.min_months <= row.age_months <= each.max_months
    ]
    fitting.sort(key=lambda each: (each.station != row.station, each.starts_at))
    return fitting[:MOVES_SHOWN]


def confirm(sign_up_id: int) -> ResponseReturnValue:
    """Give the place, and go back to what still waits."""
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            decisions.confirm(db, sign_up_id=sign_up_id, staff=staff, now=now())
            status = rosters.find_sign_up(db, scope_of(staff), sign_up_id)
    except (SignUpUnknown, NotYours):
        abort(404)
    except SignUpAlreadyDecided:
        return _say_decided_before(sign_up_id)
    say("success", "confirmed", sign_up=status)
    return redirect(url_for("console.pending"))


def decline(sign_up_id: int) -> ResponseReturnValue:
    """Turn the request down with the reason that the family will read."""
    form = DeclineForm(request.form)
    if not form.validate():
        say("danger", "reason_too_long", limit=MAX_REASON_LENGTH)
        return _back_to_row(sign_up_id)
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            decisions.decline(db, sign_up_id=sign_up_id, staff=staff, reason=form.chosen, now=now())
            status = rosters.find_sign_up(db, scope_of(staff), sign_up_id)
    except (SignUpUnknown, NotYours):
        abort(404)
    except ReasonMissing:
        say("danger", "reason_missing")
        return _back_to_row(sign_up_id)
    except SignUpAlreadyDecided:
        return _say_decided_before(sign_up_id)
    say("success", "declined", sign_up=status)
    return redirect(url_for("console.pending"))


def move(sign_up_id: int) -> ResponseReturnValue:
    """Give a place in another session instead, and tell the family of both."""
    code = request.form.get("to", "")
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            made = moving.move(
                db,
                sign_up_id=sign_up_id,
                to_code=code,
                staff=staff,
                reason=say_moved(code.strip().upper()),
                now=now(),
            )
            status = rosters.find_sign_up(db, scope_of(staff), made.id)
    except (SignUpUnknown, NotYours, SessionUnknown):
        abort(404)
    except SignUpAlreadyDecided:
        return _say_decided_before(sign_up_id)
    except (SessionFull, AlreadySignedUp, AgeOutsideSession) as error:
        flash(say_error(error), "warning")
        return _back_to_row(sign_up_id)
    say("success", "moved", sign_up=status)
    return redirect(url_for("console.pending"))


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that a bulk decision left as it was."""

    sign_up: SignUpStatus | None
    """None where it cannot be seen, or is no more."""


def bulk() -> ResponseReturnValue:
    """One decision for many rows, each by itself; and what was skipped, with who was faster."""
    ids = list(dict.fromkeys(request.form.getlist("row", type=int)))[:PAGE_SIZE]
    declines = request.form.get("do") == "decline"
    reason = request.form.get("reason", "").strip()
    if not ids:
        say("warning", "nothing_picked")
        return redirect(url_for("console.pending"))
    if declines and not 0 < len(reason) <= MAX_REASON_LENGTH:
        say("danger", "reason_missing")
        return redirect(url_for("console.pending"))
    done: list[SignUpStatus] = []
    skipped: list[Skipped] = []
    for sign_up_id in ids:
        status, was_done = _decide_one(sign_up_id, reason if declines else None)
        if was_done and status is not None:
            done.append(status)
        else:
            skipped.append(Skipped(status))
    return render_template("console/decisions/bulk.html", done=done, skipped=skipped)


def _decide_one(sign_up_id: int, reason: str | None) -> tuple[SignUpStatus | None, bool]:
    """Confirm, or decline with a reason, in a transaction of its own."""
    was_done = True
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            if reason is None:
                decisions.confirm(db, sign_up_id=sign_up_id, staff=staff, now=now())
            else:
                decisions.decline(db, sign_up_id=sign_up_id, staff=staff, reason=reason, now=now())
    except (SignUpUnknown, NotYours):
        return None, False
    except SignUpAlreadyDecided:
        was_done = False
    with database().reading() as db:
        return rosters.find_sign_up(db, scope_of(acting_staff(db)), sign_up_id), was_done


def _say_decided_before(sign_up_id: int) -> ResponseReturnValue:
    """Somebody was faster: the next page says who, and when."""
    with database().reading() as db:
        status = rosters.find_sign_up(db, scope_of(acting_staff(db)), sign_up_id)
    if status is None:
        abort(404)
    say("warning", "decided_before", sign_up=status)
    return redirect(url_for("console.pending"))


def _back_to_row(sign_up_id: int) -> ResponseReturnValue:
    return redirect(url_for("console.pending", _anchor=f"sign-up-{sign_up_id}"))
