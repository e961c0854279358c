"""Families who asked for a person: the list, one conversation, and answering it."""

from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console import listing
from app.console.access import may
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.signed_in import acting_staff, current_role, database
from app.errors import NotYours
from app.services import canned_answers, desk, families, rosters, thread_lists, threads
from app.services.families import ListedFamily
from app.services.staff import scope_of
from app.services.thread_lists import ListedThread, ThreadQuery
from app.words import timeline as words
from app.words.threads import CANNED

KINDS = {"person": "找老师", "complaint": "意见投诉"}


def _whose(row: ListedThread) -> str:
    if not row.nicknames:
        return "还没有登记的家庭"
    return f"{'、'.join(row.nicknames)}的{words.RELATIONS.get(row.relation or '', '家人')}"


def state_of(row: ListedThread) -> str:
    """How a conversation stands."""
    if row.closed_at:
        return "已结束"
    if row.escalated_at:
        return "等太久了"
    return "等回复" if row.waiting_since else "已回"


THREADS: ListScreen[ListedThread] = ListScreen(
    endpoint="threads",
    title="家长留言",
    is_work=True,
    search="宝宝小名、拼音、家长称呼或电话末四位",
    columns=(
        Column("谁家", _whose, is_title=True),
        Column("哪一种", lambda row: KINDS.get(row.kind, row.kind)),
        Column("怎样了", state_of),
        Column("最后一句", lambda row: row.last_words),
        Column("谁说的", lambda row: "老师" if row.is_last_ours else "家长"),
        Column("站点", lambda row: row.station or "没有站点"),
        Column("开始", lambda row: row.opened_at),
        Column("从几时等", lambda row: row.waiting_since),
        Column("结束", lambda row: row.closed_at),
    ),
    filters=(
        Filter(
            "show",
            "看哪些留言",
            {"": "等回复", "open": "没结束的", "closed": "已结束", "all": "全部"},
            is_tabs=True,
        ),
        Filter("kind", "哪一种", {"": "不限", **KINDS}),
    ),
    link=lambda row: url_for("console.thread", thread_id=row.id, _anchor="end"),
)


def add_routes(console: Blueprint) -> None:
    console.get("/threads", endpoint="threads")(show_threads)
    console.get("/threads/<id:thread_id>", endpoint="thread")(show_thread)
    console.post("/threads/<id:thread_id>/answer", endpoint="answer_thread")(answer)
    console.post("/threads/<id:thread_id>/close", endpoint="close_thread")(close)
    console.post("/threads/canned", endpoint="keep_canned")(keep_canned)
    console.post("/threads/canned/<id:answer_id>/drop", endpoint="drop_canned")(drop_canned)


def show_threads() -> ResponseReturnValue:
    """Who waits longest is on top."""
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        screen = THREADS
        if scope.station_id is None:
            stations = {each.code: each.name for each in rosters.stations_in(db, scope)}
            station = Filter("station", "站点", {"": "不限", **stations})
            screen = replace(THREADS, filters=(*THREADS.filters, station))
        asked = listing.read(screen)
        query = ThreadQuery(text=asked.text, **asked.values)
        rows = thread_lists.list_threads(db, scope, query, limit=asked.limit, offset=asked.offset)
        count = thread_lists.count_waiting(db, scope)
        kept = canned_answers.at_hand(db, scope)
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "threads",
            subject_id=scope.station_id,
            now=now(),
            families=[row.family_id for row in rows[: asked.limit - 1] if row.family_id],
        )
        own = [each.id for each in kept if each.station_id == scope.station_id]
    return listing.answer(
        screen,
        asked,
        rows,
        "console/threads/threads.html",
        counts={"": f"（{count.waiting}）"},
        kept=kept,
        own=own,
        built_in=CANNED,
        longest=canned_answers.LONGEST,
    )


def show_thread(thread_id: int) -> ResponseReturnValue:
    """One conversation, with who the family is and what can be answered now."""
    return _page(thread_id, request.args.get("canned", ""))


def _page(thread_id: int, canned: str, typed: str = "") -> ResponseReturnValue:
    at = now()
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            opened = threads.get(db, scope, thread_id, at)
            kept = canned_answers.at_hand(db, scope)
            family_id = opened.thread.caregiver.family_id
            context: ListedFamily | None = None
            if family_id is not None:
                try:
                    family = families.get(db, scope, family_id)
                except NotYours:
                    # Asked at a station's code, registered elsewhere: answered, not looked up.
                    pass
                else:
                    counts = families.year_counts(db, [family_id], at)
                    context = families.listed(family, counts.get(family_id, families.NO_COUNTS), at)
            desk.record_view(
                db,
                scope,
                page="thread",
                subject_id=thread_id,
                now=at,
                families=[family_id] if family_id else (),
            )
            caregiver = opened.thread.caregiver
            nicknames = (
                [child.nickname for child in caregiver.family.children] if caregiver.family else []
            )
    except NotYours:
        abort(404)
    sentences = [*CANNED, *(each.text for each in kept)]
    chosen = sentences[int(canned)] if canned.isdecimal() and int(canned) < len(sentences) else ""
    return render_template(
        "console/threads/thread.html",
        opened=opened,
        thread=opened.thread,
        relation=caregiver.relation,
        is_following=caregiver.is_following,
        nicknames=nicknames,
        family=context,
        sentences=sentences,
        typed=typed or chosen,
        longest=threads.LONGEST_ANSWER,
        may_answer=may(current_role(), "answer_thread", acts=True),
    )


def answer(thread_id: int) -> ResponseReturnValue:
    """Say it to the family, unless a colleague has just done so."""
    text = "\n".join(line.strip() for line in request.form.get("text", "").strip().splitlines())
    if not text:
        say("danger", "answer_missing")
        return redirect(url_for("console.thread", thread_id=thread_id))
    if len(text) > threads.LONGEST_ANSWER:
        say("danger", "answer_too_long", limit=threads.LONGEST_ANSWER, length=len(text))
        return _page(thread_id, "", text)
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            outcome = threads.answer(
                db,
                scope,
                thread_id,
                text=text,
                seen=request.form.get("seen", 0, type=int),
                now=now(),
            )
    except NotYours:
        abort(404)
    if outcome.done:
        say("success", "thread_answered")
        return redirect(url_for("console.thread", thread_id=thread_id, _anchor="end"))
    if outcome.is_closed:
        say("warning", "thread_over", at=outcome.at)
    else:
        say("warning", "answered_before", by=outcome.by, at=outcome.at)
    # What was typed is not lost.
    return _page(thread_id, "", text)


def close(thread_id: int) -> ResponseReturnValue:
    """Hand the family back to the service."""
    try:
        with database().transaction() as db:
            outcome = threads.close(db, scope_of(acting_staff(db)), thread_id, now())
    except NotYours:
        abort(404)
    if outcome.done:
        say("success", "thread_closed")
    else:
        say("warning", "thread_over", at=outcome.at)
    return redirect(url_for("console.threads"))


def keep_canned() -> ResponseReturnValue:
    """Keep a sentence at hand."""
    text = " ".join(request.form.get("text", "").split())
    if not text:
        say("danger", "canned_missing")
    elif len(text) > canned_answers.LONGEST:
        say("danger", "canned_too_long", limit=canned_answers.LONGEST)
    else:
        with database().transaction() as db:
            kept = canned_answers.keep(db, scope_of(acting_staff(db)), text, now())
        if kept:
            say("success", "canned_kept")
        else:
            say("warning", "canned_full", limit=canned_answers.MOST_KEPT)
    return redirect(url_for("console.threads", _anchor="canned"))


def drop_canned(answer_id: int) -> ResponseReturnValue:
    """Keep it no longer."""
    with database().transaction() as db:
        dropped = canned_answers.drop(db, scope_of(acting_staff(db)), answer_id, now())
    if not dropped:
        abort(404)
    say("success", "canned_dropped")
    return redirect(url_for("console.threads", _anchor="canned"))
