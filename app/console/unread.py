"""What the service did not understand: labelled, reviewed by another, learnt from."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.services import unread
from app.services.staff import scope_of
from app.words.intents import NAMES

KINDS: dict[str, unread.UnreadKind] = {"": "unread", "unanswered": "unanswered"}
MOST_AT_ONCE = 400


def add_routes(console: Blueprint) -> None:
    console.get("/unread", endpoint="unread")(show_unread)
    console.post("/unread/label", endpoint="label_unread")(label)
    console.get("/unread/review", endpoint="review_unread")(show_review)
    console.post("/unread/<id:unread_id>/review", endpoint="accept_unread")(review)


def show_unread() -> ResponseReturnValue:
    """Like messages together, the most frequent first."""
    show = request.args.get("show", "")
    if show not in KINDS:
        abort(404)
    with database().reading() as db:
        found = unread.groups(db, KINDS[show])
        count = unread.count(db)
    return render_template(
        "console/unread/unread.html", groups=found, count=count, show=show, names=NAMES
    )


def label() -> ResponseReturnValue:
    """One tap for what is likely, two for the rest; nothing to learn from goes by the same."""
    chosen = request.form.get("label", "")
    given = request.form.get("ids", "").split()[:MOST_AT_ONCE]
    ids = [int(each) for each in given if each.isdecimal() and len(each) < 10]
    if chosen not in NAMES and chosen != unread.NOTHING:
        say("danger", "label_missing")
    else:
        with database().transaction() as db:
            done = unread.put_label(db, scope_of(acting_staff(db)), ids, chosen, now())
        if done:
            say("success", "labelled", number=done, name=NAMES.get(chosen, "不用学"))
        else:
            say("warning", "labelled_before")
    return redirect(url_for("console.unread", show=request.form.get("show") or None))


def show_review() -> ResponseReturnValue:
    """What a colleague has labelled."""
    with database().reading() as db:
        rows = unread.to_review(db, scope_of(acting_staff(db)))
        count = unread.count(db)
    return render_template("console/unread/review.html", rows=rows, count=count, names=NAMES)


def review(unread_id: int) -> ResponseReturnValue:
    """Accept a colleague's label, or put it back."""
    accepted = request.form.get("answer") == "accept"
    with database().transaction() as db:
        done = unread.review(
            db, scope_of(acting_staff(db)), unread_id, accepted=accepted, now=now()
        )
    if done:
        say("success", "reviewed", accepted=accepted)
    else:
        say("warning", "reviewed_before")
    return redirect(url_for("console.review_unread"))
