"""The audit log: who looked at whom, and who changed what. It can be read, never edited."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console import listing
from app.console.listing import Column, Filter, ListScreen
from app.console.signed_in import acting_staff, database
from app.services import audit_search
from app.services.audit_search import AuditQuery, AuditRow
from app.words.audit import ACTORS, say_action, say_state, say_subject

FAMILIES_NAMED = 8


def _who(row: AuditRow) -> str:
    return row.username or ACTORS.get(row.actor_type, row.actor_type)


def _change(row: AuditRow) -> str:
    return " → ".join(say_state(part) for part in (row.before, row.after) if part)


def _families(row: AuditRow) -> str:
    named = "、".join(str(number) for number in row.families[:FAMILIES_NAMED])
    rest = len(row.families) - FAMILIES_NAMED
    return f"{named} 等{len(row.families)}家" if rest > 0 else named


def _subject(row: AuditRow) -> str:
    return say_subject(row.subject_type, row.subject_name or row.subject_id)


AUDIT: ListScreen[AuditRow] = ListScreen(
    endpoint="audit",
    title="访问和变动记录",
    search="用户名，或家庭编号",
    columns=(
        Column("时间", lambda row: row.at, is_title=True),
        Column("谁", _who),
        Column("做了什么", lambda row: say_action(row.action)),
        Column("对什么", _subject),
        Column("变动", _change),
        Column("涉及的家庭", _families),
        Column("原因", lambda row: row.reason),
    ),
    filters=(
        Filter(
            "what", "哪一类", {"": "全部", "views": "看", "changes": "改", "log_ins": "账号和登录"}
        ),
        Filter("actor", "谁做的", {"": "全部", **ACTORS}),
        Filter("days", "多久以内", {"": "全部", "1": "一天", "7": "七天", "31": "一个月"}),
    ),
)


def add_routes(console: Blueprint) -> None:
    console.get("/audit", endpoint="audit")(show_audit)


def show_audit() -> ResponseReturnValue:
    """The log, the newest first."""
    asked = listing.read(AUDIT)
    query = AuditQuery(
        text=asked.text,
        what=asked.values["what"],
        actor=asked.values["actor"],
        days=int(asked.values["days"] or 0),
    )
    with database().reading() as db:
        acting_staff(db)
        rows = audit_search.find(db, query, limit=asked.limit, offset=asked.offset, now=now())
    return listing.answer(AUDIT, asked, rows)
