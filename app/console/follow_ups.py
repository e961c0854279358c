"""What a person has to look at."""

from dataclasses import replace

from flask import Blueprint, abort, redirect, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console import listing
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.errors import NotYours
from app.services import desk, rosters
from app.services.desk import DeskFollowUp, FollowUpQuery
from app.services.staff import scope_of
from app.words import timeline as words


def _whose(row: DeskFollowUp) -> str:
    if not row.nicknames:
        return "还没有登记的家庭"
    return f"{'、'.join(row.nicknames)}的{words.RELATIONS.get(row.relation or '', '家人')}"


def _detail(row: DeskFollowUp) -> str:
    """What the family said; a thing that it is about is named by its number."""
    kind, colon, number = row.detail.partition(" ")[0].partition(":")
    return f"{ABOUT[kind]}{number}" if colon and kind in ABOUT else row.detail


ABOUT = {"home_visit": "上门", "notice": "通知", "thread": "留言", "sign_up": "报名"}
FOLLOW_UPS: ListScreen[DeskFollowUp] = ListScreen(
    endpoint="follow_ups",
    title="跟进",
    is_work=True,
    search="宝宝小名、拼音、家长称呼或电话末四位",
    columns=(
        Column("编号", lambda row: row.id, is_title=True),
        Column("哪一种", lambda row: words.say_kind("follow_up", row.kind)),
        Column("谁家", _whose),
        Column("内容", _detail),
        Column("站点", lambda row: row.station or "全区"),
        Column("什么时候", lambda row: row.created_at),
        Column("办完", lambda row: row.done_at),
        Column("谁办的", lambda row: row.done_by),
    ),
    filters=(
        Filter("show", "哪一些", {"open": "等着办", "done": "办完了", "all": "全部"}, is_tabs=True),
        Filter("kind", "哪一种", {"": "不限", **words.FOLLOW_UP_KINDS}),
    ),
)


def add_routes(console: Blueprint) -> None:
    console.get("/follow-ups", endpoint="follow_ups")(show_follow_ups)
    console.post("/follow-ups/<id:follow_up_id>/finish", endpoint="finish")(finish)
    console.post("/follow-ups/<id:follow_up_id>/reopen", endpoint="reopen")(reopen)


def show_follow_ups() -> ResponseReturnValue:
    """Emergencies first, then the oldest; what is done, the latest first."""
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        screen = FOLLOW_UPS
        if scope.station_id is None:
            stations = {each.code: each.name for each in rosters.stations_in(db, scope)}
            station = Filter("station", "站点", {"": "不限", **stations})
            screen = replace(FOLLOW_UPS, filters=(*FOLLOW_UPS.filters, station))
        asked = listing.read(screen)
        query = FollowUpQuery(text=asked.text, **asked.values)
        rows = desk.list_follow_ups(db, scope, limit=asked.limit, offset=asked.offset, query=query)
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "follow_ups",
            subject_id=scope.station_id,
            now=now(),
            families={row.family_id for row in rows[: asked.limit - 1] if row.family_id},
        )
    return listing.answer(screen, asked, rows, "console/follow_ups/follow_ups.html")


def reopen(follow_up_id: int) -> ResponseReturnValue:
    """It was not dealt with after all."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            desk.reopen_follow_up(db, scope, follow_up_id, now=now())
    except NotYours:
        abort(404)
    say("success", "reopened")
    return redirect(url_for("console.follow_ups"))


def finish(follow_up_id: int) -> ResponseReturnValue:
    """Mark one as dealt with, or say who did before."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            finished = desk.finish_follow_up(db, scope, follow_up_id, now=now())
    except NotYours:
        abort(404)
    if finished.was_open:
        say("success", "finished", follow_up_id=follow_up_id)
    else:
        say("warning", "finished_before", finished=finished)
    return redirect(url_for("console.follow_ups"))
