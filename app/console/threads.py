"""Families who asked for a person: the list, one conversation, and answering it."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console.access import may
from app.console.paging import PAGE_SIZE, asked_page, offset_of, page_of
from app.console.said import say
from app.console.signed_in import acting_staff, current_role, database
from app.errors import NotYours
from app.services import canned_answers, desk, families, threads
from app.services.families import ListedFamily
from app.services.staff import scope_of
from app.words.threads import CANNED

SHOWS: dict[str, threads.Asked] = {"": "waiting", "open": "open", "closed": "closed"}


def add_routes(console: Blueprint) -> None:
    console.get("/threads", endpoint="threads")(show_threads)
    console.get("/threads/<id:thread_id>", endpoint="thread")(show_thread)
    console.post("/threads/<id:thread_id>/answer", endpoint="answer_thread")(answer)
    console.post("/threads/<id:thread_id>/close", endpoint="close_thread")(close)
    console.post("/threads/canned", endpoint="keep_canned")(keep_canned)
    console.post("/threads/canned/<id:answer_id>/drop", endpoint="drop_canned")(drop_canned)


def show_threads() -> ResponseReturnValue:
    """Who waits longest is on top."""
    number, show = asked_page(), request.args.get("show", "")
    if show not in SHOWS:
        abort(404)
    at = now()
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        rows = threads.list_threads(
            db, scope, SHOWS[show], limit=PAGE_SIZE + 1, offset=offset_of(number)
        )
        count = threads.count_waiting(db, scope)
        kept = canned_answers.at_hand(db, scope)
        desk.record_view(
            db,
            scope,
            page="threads",
            subject_id=scope.station_id,
            now=at,
            families=[row.family_id for row in rows[:PAGE_SIZE] if row.family_id],
        )
        own = [each.id for each in kept if each.station_id == scope.station_id]
    return render_template(
        "console/threads/threads.html",
        page=page_of(number, rows),
        show=show,
        count=count,
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
