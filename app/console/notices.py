"""What was or will be sent, above all what went astray."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console import listing
from app.console.listing import Column, Filter, ListScreen
from app.console.signed_in import acting_staff, database
from app.services import desk
from app.services.desk import DeskNotice
from app.services.staff import scope_of
from app.words import timeline as words
from app.words.notices import render

TO_LOOK_AT = ""
ALL = "all"


def add_routes(console: Blueprint) -> None:
    console.get("/notices", endpoint="notices")(show_notices)


def _text_of(notice: DeskNotice) -> str:
    """The words as they were or would be sent; empty where nobody can tell."""
    if notice.text is not None:
        return notice.text
    return render(notice.facts).text if notice.facts else ""


def _whose(notice: DeskNotice) -> str:
    if not notice.nicknames:
        return "还没有登记的家庭"
    return f"{'、'.join(notice.nicknames)}的{words.RELATIONS.get(notice.relation or '', '家人')}"


NOTICES: ListScreen[DeskNotice] = ListScreen(
    endpoint="notices",
    title="通知",
    search="宝宝小名、拼音、家长称呼或电话末四位",
    columns=(
        Column("编号", lambda notice: notice.id, is_title=True),
        Column("给谁", _whose),
        Column("哪一种", lambda notice: words.say_kind("notice", notice.kind)),
        Column("状态", lambda notice: words.say_state("notice", notice.state)),
        Column("原因", lambda notice: words.say_reason("notice", notice.reason or "")),
        Column("内容", _text_of),
        Column("排队", lambda notice: notice.queued_at),
        Column("发出", lambda notice: notice.sent_at),
    ),
    filters=(
        Filter(
            "state",
            "状态",
            {TO_LOOK_AT: "要看的", ALL: "全部", **words.NOTICE_STATES},
        ),
    ),
)


def show_notices() -> ResponseReturnValue:
    """Notices in the state that the address names; without one, those a person must settle."""
    asked = listing.read(NOTICES)
    state = asked.values["state"]
    states: tuple[str, ...] = (state,) if state else desk.NOTICE_STATES_TO_LOOK_AT
    if state == ALL:
        states = desk.NOTICE_STATES
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        rows = desk.list_notices(
            db,
            scope,
            states=states,
            text=asked.text,
            settled=state != TO_LOOK_AT,
            limit=asked.limit,
            offset=asked.offset,
        )
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "notices",
            subject_id=scope.station_id,
            now=now(),
            families={
                row.family_id for row in rows[: asked.limit - 1] if row.family_id is not None
            },
        )
    return listing.answer(
        NOTICES, asked, rows, "console/notices/notices.html", text_of=_text_of, words=words
    )
