"""资料: the child's packs, and a pack's page that whoever has the link may read and forward."""

from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.clock import SHANGHAI, now
from app.family.opening import CAREGIVER, database, known_by_cookie, opened_by, services
from app.models import PackPush
from app.pack_links import MARK, PackLinks
from app.services import pack_shelves, registration
from app.services import packs as service
from app.services.packs import Shelf
from app.words import packs as words
from content.packs import Pack

MARKS = "packs"
"""In the cookie: which push brought which pack's page here, the latest few."""
MARKS_KEPT = 8
UNREAD_AT_ONCE = 5
"""Titles that stand open: a screen of them. The others wait behind a line, and a slow phone sets
them only when somebody wants them."""


def add_routes(family: Blueprint) -> None:
    family.get("/packs", endpoint="packs")(show_list)
    family.get("/packs/<pack_id>", endpoint="pack")(show)
    family.get("/packs/ages", endpoint="past_packs")(show_past)
    family.post("/packs/<pack_id>/rating", endpoint="rate_pack")(rate)
    family.post("/packs/<pack_id>/saved", endpoint="save_pack")(save)


@dataclass(frozen=True, slots=True)
class ChildShelf:
    """One child's packs of today."""

    nickname: str
    shelf: Shelf
    read: tuple[Pack, ...]


def show_list() -> ResponseReturnValue:
    """Every child's packs: the unread in front, then what was read and is still of the age."""
    at = now()
    today = at.astimezone(SHANGHAI).date()
    library = services().library
    with database().reading() as db:
        caregiver = opened_by(db)
        family = registration.get_family(caregiver)
        shelves = []
        for child in family.children:
            if child.lost_at is not None:
                continue
            shelf = service.find_shelf(
                db, caregiver=caregiver, child=child, packs=library.packs.values(), today=today
            )
            read = service.find_read(db, caregiver, child, library.packs)
            shelves.append(ChildShelf(child.nickname, shelf, read))
        saved = pack_shelves.find_saved(db, library.packs, caregiver)
    return render_template(
        "family/packs/list.html", shelves=shelves, saved=saved, unread_at_once=UNREAD_AT_ONCE
    )


def show_past() -> ResponseReturnValue:
    """All there is for the ages that the family's children have been through, by age."""
    today = now().astimezone(SHANGHAI).date()
    with database().reading() as db:
        family = registration.get_family(opened_by(db))
        shelves = pack_shelves.find_past(db, services().library.packs, family.children, today)
    return render_template("family/packs/past.html", shelves=shelves, say_band=words.say_band)


def show(pack_id: str) -> ResponseReturnValue:
    """A pack's page. A mark in the address is counted and dropped: it is not forwarded."""
    with database().reading() as db:
        pack = pack_shelves.find_readable(db, services().library.packs, pack_id)
    if pack is None:
        return render_template("family/packs/gone.html"), 404
    mark = request.args.get(MARK)
    if mark is not None:
        lead_id = _links().read(mark)
        if lead_id is not None:
            _remember(pack_id, lead_id)
            with database().transaction() as db:
                service.note_opened(db, lead_id, pack_id, now())
        return redirect(url_for("family.pack", pack_id=pack_id))
    today = now().astimezone(SHANGHAI).date()
    if CAREGIVER in session:
        _note_read(pack)
    with database().reading() as db:
        caregiver = known_by_cookie(db)
        is_saved = caregiver is not None and pack_shelves.has_saved(db, caregiver, pack_id)
        push = _push(db, pack_id)
        rating = push.rating if push is not None else None
    from content.pages import render_html

    return render_template(
        "family/packs/pack.html",
        pack=pack,
        body=render_html(pack.body),
        age=words.age_of(pack.from_days, pack.until_days),
        may_rate=push is not None,
        rating=rating,
        is_past_review=today > pack.review_by,
        is_known=CAREGIVER in session,
        may_save=caregiver is not None,
        is_saved=is_saved,
    )


def rate(pack_id: str) -> ResponseReturnValue:
    """👍 or 👎, of whoever came by a link of ours."""
    value = request.form.get("value")
    if value not in ("up", "down"):
        abort(400)
    with database().transaction() as db:
        push = _push(db, pack_id)
        if push is None:
            abort(404)
        service.rate(db, push, is_good=value == "up", now=now())
    flash("谢谢，记下了。" if value == "up" else "谢谢您直说，我们会改。")
    return redirect(url_for("family.pack", pack_id=pack_id))


def save(pack_id: str) -> ResponseReturnValue:
    """To be found again among one's own, or not any more."""
    value = request.form.get("value")
    if value not in ("keep", "drop"):
        abort(400)
    with database().transaction() as db:
        caregiver = opened_by(db)
        pack = pack_shelves.find_readable(db, services().library.packs, pack_id)
        if pack is None:
            abort(404)
        if value == "keep":
            pack_shelves.save(db, caregiver, pack, now())
        else:
            pack_shelves.unsave(db, caregiver, pack_id)
    flash(words.pack_saved() if value == "keep" else words.pack_unsaved())
    return redirect(url_for("family.pack", pack_id=pack_id), 303)


def _note_read(pack: Pack) -> None:
    """Whoever WeChat told us of reads for themself: a pack of a child's age is read with that."""
    with database().transaction() as db:
        caregiver = known_by_cookie(db)
        lead_id = pack_shelves.note_read(db, caregiver, pack, now()) if caregiver else None
    if lead_id is not None:
        _remember(pack.id, lead_id)


def _push(db: Session, pack_id: str) -> PackPush | None:
    """The push that brought this browser here, or that the caregiver who opened it was given."""
    marks = session.get(MARKS)
    lead_id = marks.get(pack_id) if isinstance(marks, dict) else None
    if not isinstance(lead_id, int):
        return None
    push = db.get(PackPush, lead_id)
    return push if push is not None and push.pack_id == pack_id else None


def _remember(pack_id: str, lead_id: int) -> None:
    kept = session.get(MARKS)
    marks = dict(kept) if isinstance(kept, dict) else {}
    marks.pop(pack_id, None)
    marks[pack_id] = lead_id
    session[MARKS] = dict(list(marks.items())[-MARKS_KEPT:])
    session.permanent = True


def _links() -> PackLinks:
    settings = services().settings
    return PackLinks(settings.public_url, settings.secret_key.get_secret_value())
