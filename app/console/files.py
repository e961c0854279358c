"""Files in: templates, a preview with every fault, taken whole, and undone."""

import threading
from urllib.parse import quote

import structlog
from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from app.clock import now
from app.console import listing
from app.console.said import say
from app.console.signed_in import acting_staff, database
from app.db import Database
from app.errors import (
    BadRow,
    DomainError,
    FileUnreadable,
    ImportNotThere,
    ImportNotUndone,
    ImportRefused,
)
from app.services import file_imports
from app.services.audit import Actor
from app.services.import_files import MAX_BYTES
from app.words.errors import say_error
from app.words.imports import COLUMN_NOTES, EXAMPLES, say_bad_row, say_unreadable

log = structlog.get_logger(__name__)

KINDS = {
    "stations": "站点",
    "sessions": "活动",
    "visitors": "访视员",
    "families": "纸上登记的家庭",
    "attendance": "签到",
}
STATES = {
    "checked": "看过了，还没导入",
    "running": "正在导入",
    "taken": "导入了",
    "failed": "没有导入",
    "undone": "撤销了",
}
LONGEST_NAME = 80


def add_routes(console: Blueprint) -> None:
    console.get("/files", endpoint="files")(show_files)
    console.get("/files/template/<kind>.<suffix>", endpoint="file_template")(give_template)
    console.post("/files", endpoint="hand_in")(hand_in)
    console.get("/files/<id:import_id>", endpoint="file")(show_file)
    console.post("/files/<id:import_id>/take", endpoint="take_file")(take_file)
    console.post("/files/<id:import_id>/undo", endpoint="undo_file")(undo_file)


def show_files() -> ResponseReturnValue:
    """What can be handed in, with templates; and what was."""
    return _page()


def _page(*, faults: tuple[BadRow, ...] = (), sentence: str = "", kind: str = "families") -> str:
    at = now()
    with database().reading() as db:
        acting_staff(db)
        files = file_imports.latest(db, now=at)
    return render_template(
        "console/files/files.html",
        kinds=KINDS,
        states=STATES,
        files=files,
        columns=file_imports.COLUMNS,
        notes=COLUMN_NOTES,
        faults=faults,
        say_bad_row=say_bad_row,
        sentence=sentence,
        chosen=kind,
    )


def give_template(kind: str, suffix: str) -> ResponseReturnValue:
    """An empty file with the right header and one line as an example."""
    if kind not in KINDS or suffix not in ("csv", "xlsx"):
        abort(404)
    columns = file_imports.COLUMNS[kind]
    example = [EXAMPLES[kind].get(column, "") for column in columns]
    content = (
        listing.csv_of(columns, [example])
        if suffix == "csv"
        else listing.xlsx_of({KINDS[kind]: [list(columns), example]})
    )
    answer = listing.download(content, f"{kind}-template.{suffix}")
    name = quote(f"{KINDS[kind]}模板.{suffix}")
    answer.headers["Content-Disposition"] += f"; filename*=UTF-8''{name}"
    return answer


def hand_in() -> ResponseReturnValue:
    """Look the file through: what it would do, or every bad row with its reason."""
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        abort(404)
    upload = request.files.get("file")
    content = upload.read(MAX_BYTES + 1) if upload else b""
    name = " ".join((upload.filename or "").split())[:LONGEST_NAME] if upload else ""
    if not content:
        return _page(sentence="还没有选文件，或者文件是空的。", kind=kind), 422
    if len(content) > MAX_BYTES:
        return _page(sentence=say_unreadable("too_big"), kind=kind), 422
    try:
        with database().transaction() as db:
            staff_id = acting_staff(db).id
            actor = Actor("staff", staff_id)
            counted = file_imports.check(db, kind, content, actor=actor, now=now())
            import_id = file_imports.keep(
                db, kind, name or kind, content, counted, staff_id=staff_id, now=now()
            )
    except ImportRefused as error:
        return _page(faults=error.rows, kind=kind), 422
    except FileUnreadable as error:
        return _page(sentence=say_unreadable(error.reason), kind=kind), 422
    return redirect(url_for("console.file", import_id=import_id))


def show_file(import_id: int) -> ResponseReturnValue:
    """One file: what it will do, how far it is, or what it did and how to undo it."""
    with database().reading() as db:
        acting_staff(db)
        try:
            file = file_imports.get(db, import_id, now=now())
        except ImportNotThere:
            abort(404)
    page = render_template("console/files/file.html", file=file, kinds=KINDS, states=STATES)
    if file.state != "running":
        return page
    # The page asks again by itself, without a script, until it is done.
    answer = Response(page)
    answer.headers["Refresh"] = "3"
    return answer


def take_file(import_id: int) -> ResponseReturnValue:
    """Take it: at once, or, where it is long, beside the page that shows how far it is."""
    back = redirect(url_for("console.file", import_id=import_id))
    try:
        with database().transaction() as db:
            actor = Actor("staff", acting_staff(db).id)
            claimed = file_imports.start(db, import_id, now=now())
    except ImportNotThere:
        abort(404)
    if claimed is None:
        say("warning", "file_taken_before")
        return back
    kind, content = claimed
    if file_imports.count_rows(kind, content) >= file_imports.LARGE_ROWS:
        threading.Thread(
            target=_take, args=(database(), import_id, kind, content, actor), daemon=True
        ).start()
        return back
    error = _take(database(), import_id, kind, content, actor)
    if error is not None:
        flash(say_error(error), "danger")
    else:
        say("success", "file_taken")
    return back


def _take(
    on: Database, import_id: int, kind: str, content: bytes, actor: Actor
) -> DomainError | None:
    """One transaction; where it fails the file is marked so, and nothing of it was taken."""
    try:
        with on.transaction() as db:
            file_imports.take(db, import_id, kind, content, actor=actor, now=now())
    except DomainError as error:
        with on.transaction() as db:
            file_imports.fail(db, import_id)
        return error
    except SQLAlchemyError:
        log.exception("import_failed", import_id=import_id)
        with on.transaction() as db:
            file_imports.fail(db, import_id)
        return ImportRefused(())
    return None


def undo_file(import_id: int) -> ResponseReturnValue:
    """Everything as it was before; or nothing, and what stands in the way."""
    try:
        with database().transaction() as db:
            actor = Actor("staff", acting_staff(db).id)
            file_imports.undo(db, import_id, actor=actor, now=now())
    except ImportNotThere:
        abort(404)
    except ImportNotUndone as error:
        flash(say_error(error), "warning")
    else:
        say("success", "file_undone")
    return redirect(url_for("console.file", import_id=import_id))
