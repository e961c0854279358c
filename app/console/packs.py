"""Packs: what there is and what came of it, a preview, switching off; and a family's loss."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.clock import SHANGHAI, now
from app.console import listing
from app.console.access import may
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.signed_in import acting_staff, current_role, database
from app.errors import NotYours
from app.models import Family
from app.services import audit, families, losses, pack_catalogue, pack_reports
from app.services.pack_reports import PackFigures
from app.services.staff import scope_of
from app.wiring import Services
from app.words import packs as words
from content.packs import AUDIENCES, STATUSES, TOPICS, Pack

PERIODS = {"30": "最近30天", "90": "最近90天", "365": "最近一年"}
LONGEST_WHY = 120


@dataclass(frozen=True, slots=True)
class ListedPack:
    """A pack of the library, with what came of it lately and whether it is pushed."""

    pack: Pack
    blocked_by: str | None
    figures: PackFigures


PACKS: ListScreen[ListedPack] = ListScreen(
    endpoint="packs",
    title="资料",
    search="资料名或编号",
    columns=(
        Column("资料", lambda row: row.pack.title, is_title=True),
        Column("编号", lambda row: row.pack.id),
        Column("内容", lambda row: row.pack.topic),
        Column("月龄", lambda row: words.age_of(row.pack.from_days, row.pack.until_days)),
        Column("给谁", lambda row: AUDIENCES.get(row.pack.audience, row.pack.audience)),
        Column("状态", lambda row: state_of(row.pack, row.blocked_by)),
        Column("送到", lambda row: row.figures.delivered),
        Column("打开", lambda row: row.figures.opened),
        Column("有用", lambda row: row.figures.liked),
        Column("没用", lambda row: row.figures.disliked),
        Column("没发", lambda row: row.figures.skipped),
        Column("等着", lambda row: row.figures.waiting),
        Column("不确定", lambda row: row.figures.lost),
    ),
    filters=(
        Filter("topic", "内容", {"": "不限", **{topic: topic for topic in TOPICS}}),
        Filter(
            "state",
            "状态",
            {"": "不限", "pushed": "在推送", "unsigned": "待审定", "blocked": "不推送"},
        ),
        Filter("days", "时间", PERIODS),
    ),
    link=lambda row: url_for("console.pack", pack_id=row.pack.id),
)


def add_routes(console: Blueprint) -> None:
    console.get("/packs", endpoint="packs")(show_packs)
    console.get("/packs/<pack_id>", endpoint="pack")(show_pack)
    console.post("/packs/<pack_id>/switch", endpoint="switch_pack")(switch)
    console.post("/families/<id:family_id>/stop", endpoint="stop_family")(stop_family)
    console.post("/families/<id:family_id>/resume", endpoint="resume_family")(resume_family)
    console.post("/families/<id:family_id>/children/<id:child_id>/lost", endpoint="mark_lost")(
        mark_lost
    )


def state_of(pack: Pack, blocked_by: str | None) -> str:
    """How a pack stands, in words."""
    if blocked_by is not None:
        return words.blocked(blocked_by)
    return STATUSES.get(pack.status, pack.status)


def show_packs() -> ResponseReturnValue:
    """Every pack of the library, with what came of it in the time that was asked for."""
    asked = listing.read(PACKS)
    found = _listed(now(), int(asked.values["days"]))
    rows = [row for row in found if _is_wanted(row, asked.text, asked.values)]
    return listing.answer(PACKS, asked, rows[asked.offset : asked.offset + asked.limit])


def _is_wanted(row: ListedPack, text: str, values: Mapping[str, str]) -> bool:
    pack, state = row.pack, values["state"]
    if text and text.lower() not in f"{pack.title} {pack.id}".lower():
        return False
    if values["topic"] and pack.topic != values["topic"]:
        return False
    if state == "pushed":
        return row.blocked_by is None
    if state == "unsigned":
        return not pack.is_signed_off
    return state != "blocked" or row.blocked_by is not None


def _listed(at: datetime, days: int) -> list[ListedPack]:
    today = at.astimezone(SHANGHAI).date()
    with database().reading() as db:
        figures = pack_reports.by_id(db, first=today - timedelta(days=days - 1), last=today)
        off = pack_catalogue.switched_off(db)
    return [
        ListedPack(
            pack=pack,
            blocked_by=pack_catalogue.blocked_by(pack, today, is_switched_off=pack.id in off),
            figures=figures.get(pack.id, pack_reports.no_figures(pack.id)),
        )
        for pack in _services().library.packs.values()
    ]


def show_pack(pack_id: str) -> ResponseReturnValue:
    """A pack as families read it, its figures by version, and why it was not sent."""
    from content.pages import render_html

    pack = _get(pack_id)
    today = now().astimezone(SHANGHAI).date()
    year_ago = today - timedelta(days=364)
    with database().reading() as db:
        off = pack_catalogue.find_switch(db, pack_id)
        ledger = pack_reports.read_ledger(db, first=year_ago, last=today, pack_id=pack_id)
    blocked_by = pack_catalogue.blocked_by(pack, today, is_switched_off=off is not None)
    return render_template(
        "console/packs/pack.html",
        pack=pack,
        body=render_html(pack.body),
        state=state_of(pack, blocked_by),
        is_pushed=blocked_by is None,
        off=off,
        versions=ledger.figures,
        reasons=[(words.reason(code), number) for code, number in ledger.why_not.items()],
        age=words.age_of(pack.from_days, pack.until_days),
        audience=AUDIENCES.get(pack.audience, pack.audience),
        may_switch=may(current_role(), "switch_pack", acts=True),
    )


def switch(pack_id: str) -> ResponseReturnValue:
    """Off, with a reason, at once: also what lies in the outbox. Or on again, from now on."""
    pack = _get(pack_id)
    why = " ".join(request.form.get("why", "").split())[:LONGEST_WHY]
    is_on = request.form.get("to") == "on"
    if not is_on and not why:
        say("danger", "pack_needs_reason")
        return redirect(url_for("console.pack", pack_id=pack_id))
    with database().transaction() as db:
        staff = acting_staff(db)
        if is_on:
            pack_catalogue.switch_on(db, pack, staff_id=staff.id, now=now())
        else:
            pack_catalogue.switch_off(db, pack, staff_id=staff.id, why=why, now=now())
    say("success", "pack_switched", title=pack.title, is_on=is_on)
    return redirect(url_for("console.pack", pack_id=pack_id))


def stop_family(family_id: int) -> ResponseReturnValue:
    """Nothing more is sent to this family on our own, from now on."""
    with _of_family(family_id) as (db, family, actor):
        losses.stop_family(db, family, actor=actor, now=now())
    say("success", "family_stopped")
    return redirect(url_for("console.family", family_id=family_id))


def resume_family(family_id: int) -> ResponseReturnValue:
    """They may be written to again."""
    with _of_family(family_id) as (db, family, actor):
        losses.resume_family(db, family, actor=actor, now=now())
    say("success", "family_resumed")
    return redirect(url_for("console.family", family_id=family_id))


def mark_lost(family_id: int, child_id: int) -> ResponseReturnValue:
    """Nothing about this child is sent any more; or that was a mistake."""
    with _of_family(family_id) as (db, family, actor):
        child = next((one for one in family.children if one.id == child_id), None)
        if child is None:
            abort(404)
        if request.form.get("to") == "back":
            losses.unmark_lost(db, child, actor=actor, now=now())
        else:
            losses.mark_lost(db, child, actor=actor, now=now())
    say("success", "child_noted")
    return redirect(url_for("console.family", family_id=family_id))


@contextmanager
def _of_family(family_id: int) -> Iterator[tuple[Session, Family, audit.Actor]]:
    """A transaction with a family of one's own scope; 404 outside of it."""
    try:
        with database().transaction() as db:
            staff = acting_staff(db)
            family = families.get(db, scope_of(staff), family_id)
            yield db, family, audit.Actor("staff", staff.id)
    except NotYours:
        abort(404)


def _get(pack_id: str) -> Pack:
    pack = _services().library.packs.get(pack_id)
    if pack is None:
        abort(404)
    return pack


def _services() -> Services:
    found: Services = current_app.extensions["yuban"]
    return found
