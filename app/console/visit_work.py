"""The work list of owed home visits: due, overdue, telephone list, referrals, expected births."""

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import now
from app.console import listing
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.visits import acting, today, with_townships
from app.services import desk, visit_day, visit_due_lists, visit_dues
from app.services.audit import Actor
from app.services.visit_due_lists import DueQuery, DueRow, DueTab, ExpectedRow, ReferralRow
from app.services.visit_scope import check_family
from app.words import visit_signs

OUTCOMES = ("no_answer", "reached", "declined", "moved")
REFERRALS, EXPECTED = "referrals", "expected"
SEARCH = "宝宝小名、拼音、家长称呼或电话末四位"
PARTS = Filter(
    "tab",
    "哪一些",
    {
        DueTab.DUE: "期限内",
        DueTab.OVERDUE: "过了期限",
        DueTab.ESCALATED: "已上报",
        DueTab.UNREACHABLE: "要打电话",
        REFERRALS: "转诊要问",
        EXPECTED: "问生了没有",
    },
    is_tabs=True,
)
RISK = Filter("risk", "高危", {"": "不限", "high": "只看高危"})
PURPOSE = Filter("purpose", "事由", {"": "不限", **visit_signs.PURPOSES})

DUES: ListScreen[DueRow] = ListScreen(
    endpoint="visits_due",
    title="该上门的",
    is_work=True,
    search=SEARCH,
    columns=(
        Column("宝宝", lambda row: "、".join(row.nicknames), is_title=True),
        Column("出生", lambda row: row.born),
        Column("事由", lambda row: visit_signs.PURPOSES[row.purpose]),
        Column("期限", lambda row: row.due_on),
        Column("高危", lambda row: "高危" if row.is_high_risk else ""),
        Column("乡镇", lambda row: row.township),
        Column("站点", lambda row: row.station),
        Column("电话", lambda row: row.phone),
        Column("住址", lambda row: row.address),
        Column("联系过几次", lambda row: row.tried),
        Column("上次联系", lambda row: row.tried_at),
        Column("没联系上", lambda row: row.unreachable_at),
        Column("上报", lambda row: "已上报" if row.is_escalated else ""),
        Column("微信", lambda row: "" if row.has_follower else "联系不上"),
    ),
    filters=(PARTS, PURPOSE, RISK),
    link=lambda row: url_for("console.family_care", family_id=row.family_id),
)
REFERRED: ListScreen[ReferralRow] = ListScreen(
    endpoint="visits_due",
    title="该上门的",
    is_work=True,
    search=SEARCH,
    columns=(
        Column("宝宝", lambda row: row.nickname, is_title=True),
        Column("要紧", lambda row: "马上转诊" if row.urgency == "now" else "建议看医生"),
        Column("看到什么", lambda row: "；".join(say_sign(each) for each in row.signs)),
        Column("去哪里", lambda row: row.referred_to),
        Column("哪天问结果", lambda row: row.check_on),
        Column("乡镇", lambda row: row.township),
    ),
    filters=(PARTS,),
    link=lambda row: url_for("console.visit", visit_id=row.visit_id),
)
EXPECTED_BIRTHS: ListScreen[ExpectedRow] = ListScreen(
    endpoint="visits_due",
    title="该上门的",
    is_work=True,
    search=SEARCH,
    columns=(
        Column("宝宝", lambda row: row.nickname, is_title=True),
        Column("预产期", lambda row: row.due_date),
        Column("乡镇", lambda row: row.township),
        Column("电话", lambda row: row.phone),
    ),
    filters=(PARTS,),
    link=lambda row: url_for("console.family_care", family_id=row.family_id),
)
SCREENS: dict[str, ListScreen[Any]] = {REFERRALS: REFERRED, EXPECTED: EXPECTED_BIRTHS}


def say_sign(code: str) -> str:
    """A sign of danger, or one to be seen by a doctor, in words."""
    return visit_signs.DANGER.get(code) or visit_signs.ADVISED.get(code, code)


def add_routes(console: Blueprint) -> None:
    console.get("/visits/due", endpoint="visits_due")(show_due)
    console.post("/visits/due/<id:family_id>", endpoint="note_try")(note_try)
    console.post("/visits/referrals/<id:referral_id>", endpoint="finish_referral")(finish_referral)


def show_due() -> ResponseReturnValue:
    """One part of the list, the nearest due day first."""
    day = today()
    with acting() as (db, staff, scope):
        screen = with_townships(SCREENS.get(request.args.get("tab", ""), DUES), db, scope)
        asked = listing.read(screen)
        tab = asked.values["tab"]
        query = DueQuery(
            text=asked.text,
            risk=asked.values.get("risk", ""),
            purpose=asked.values.get("purpose", ""),
            township=asked.values.get("township", ""),
        )
        counts: dict[str, int] = {
            **{str(key): n for key, n in visit_due_lists.count_dues(db, scope, day).items()},
            REFERRALS: visit_due_lists.count_referrals(db, scope, day),
        }
        page = {"limit": asked.limit, "offset": asked.offset}
        rows: list[Any]
        if tab == REFERRALS:
            rows = list(visit_due_lists.list_referrals(db, scope, query=query, **page))
        elif tab == EXPECTED:
            rows = list(visit_due_lists.list_expected(db, scope, day, query=query, **page))
        else:
            rows = list(visit_due_lists.list_dues(db, scope, day, DueTab(tab), query=query, **page))
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "visits_due",
            subject_id=scope.station_id,
            now=now(),
            families={row.family_id for row in rows[: asked.limit - 1]},
        )
        shows_station = staff.station_id is None
    return listing.answer(
        screen,
        asked,
        rows,
        "console/visits/due.html",
        tab=tab,
        counts=counts,
        today=day,
        shows_station=shows_station,
    )


def note_try(family_id: int) -> ResponseReturnValue:
    """What came of a call."""
    outcome = request.form.get("outcome", "")
    back = redirect(url_for("console.visits_due", tab=request.form.get("tab") or None))
    if outcome not in OUTCOMES:
        return back
    with acting() as (db, staff, scope):
        check_family(db, scope, family_id)
        visit_dues.note_try(
            db,
            family_id=family_id,
            outcome=outcome,
            actor=Actor("staff", staff.id),
            now=now(),
        )
    say("success", "try_noted", outcome=outcome)
    return back


def finish_referral(referral_id: int) -> ResponseReturnValue:
    """What the hospital said, as the family tells it."""
    with acting() as (db, staff, _scope):
        visit_day.finish_referral(
            db,
            referral_id=referral_id,
            staff=staff,
            outcome=request.form.get("outcome", "")[:200],
            now=now(),
        )
    say("success", "referral_finished")
    return redirect(url_for("console.visits_due", tab="referrals"))
