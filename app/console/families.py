"""Families: found by name, pinyin, nickname or telephone; and one family's timeline."""

import re
from dataclasses import replace

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import Length, Optional

from app.clock import now
from app.console import listing
from app.console.access import may
from app.console.listing import Column, Filter, ListScreen
from app.console.said import say
from app.console.session_forms import ChineseForm
from app.console.signed_in import acting_staff, current_role, database
from app.errors import LogInUnknown, NotYours
from app.models import Caregiver
from app.rules.asking import find_asks
from app.services import desk, families, log_ins, rosters, subscriptions, timeline
from app.services.audit import Actor
from app.services.families import FamilyQuery, ListedFamily
from app.services.staff import scope_of
from app.wiring import Services
from app.words import asking
from app.words import timeline as words
from app.words.privacy import relation_words, value_words
from app.words.when import say_age

PHONE = re.compile(r"\+?\d[\d\- ]{4,18}\d")
NEEDS = {True: "需要", False: "不需要", None: "没有回答"}


def _children(family: ListedFamily) -> str:
    return "、".join(f"{child.nickname}（{_age(child.age_months)}）" for child in family.children)


def _age(months: int | None) -> str:
    return "还没出生" if months is None else say_age(months)


FAMILIES: ListScreen[ListedFamily] = ListScreen(
    endpoint="families",
    title="家庭",
    search="宝宝小名、拼音、家长称呼或电话末四位",
    columns=(
        Column("宝宝", _children, is_title=True),
        Column("联系人", lambda family: family.contact_name),
        Column("电话", lambda family: family.phone),
        Column("乡镇", lambda family: family.township),
        Column("站点", lambda family: family.station),
        Column("有需求", lambda family: NEEDS[family.need]),
        Column("今年已参加", lambda family: family.attended),
        Column("已安排", lambda family: family.arranged),
        Column("没来", lambda family: family.missed),
        Column("微信", lambda family: "已关注" if family.is_reachable else "没有关注"),
    ),
    filters=(
        Filter(
            "age",
            "月龄",
            {
                "": "不限",
                "unborn": "还没出生",
                "newborn": "28天以内",
                "under1": "1岁以下",
                "under2": "1岁到2岁",
                "under3": "2岁到3岁",
                "over3": "满3岁了",
            },
        ),
        Filter(
            "need", "有需求", {"": "不限", "yes": "需要", "no": "不需要", "unknown": "没有回答"}
        ),
        Filter(
            "progress", "今年", {"": "不限", "none": "还没来过", "some": "1到5次", "six": "6次以上"}
        ),
        Filter("reach", "微信", {"": "不限", "wechat": "已关注", "paper": "没有关注"}),
    ),
    link=lambda family: url_for("console.family", family_id=family.id),
)

TOPICS = Filter(
    "topic",
    "看哪些",
    {"": "全部", **{name: words.TOPICS.get(name, name) for name in timeline.SOURCES}},
)


class ContactForm(ChineseForm):
    """Whom to ask for on the telephone."""

    contact_name = StringField(
        "联系人称呼",
        [Optional(), Length(max=families.LONGEST_CONTACT, message="请写在20个字以内。")],
    )
    phone = StringField("电话", [Optional()])

    def is_right(self) -> bool:
        """Valid, and the telephone can be one."""
        if not self.validate():
            return False
        phone = (self.phone.data or "").strip()
        if phone and not PHONE.fullmatch(phone):
            self.phone.errors = [*self.phone.errors, "请填数字，例如 13800001234。"]
            return False
        return True


def add_routes(console: Blueprint) -> None:
    console.get("/families", endpoint="families")(show_families)
    console.get("/families/<id:family_id>", endpoint="family")(show_family)
    console.add_url_rule(
        "/families/<id:family_id>/contact",
        "family_contact",
        change_contact,
        methods=["GET", "POST"],
    )
    console.post("/families/<id:family_id>/log-ins/<id:log_in_id>/end", endpoint="end_log_in")(
        end_log_in
    )


def show_families() -> ResponseReturnValue:
    """The families in scope that the address asks for, the latest first."""
    at = now()
    with database().transaction() as db:
        scope = scope_of(acting_staff(db))
        screen = FAMILIES
        if scope.station_id is None:
            stations = {each.code: each.name for each in rosters.stations_in(db, scope)}
            station = Filter("station", "站点", {"": "不限", **stations})
            screen = replace(FAMILIES, filters=(*FAMILIES.filters, station))
        asked = listing.read(screen)
        rows = families.find(
            db,
            scope,
            FamilyQuery(text=asked.text, **asked.values),
            limit=asked.limit,
            offset=asked.offset,
            now=at,
        )
        desk.record_view(
            db,
            scope,
            page="export" if asked.file else "families",
            subject_id=scope.station_id,
            now=at,
            families=[family.id for family in rows[: asked.limit - 1]],
        )
    return listing.answer(screen, asked, rows, "console/families/families.html")


def show_family(family_id: int) -> ResponseReturnValue:
    """One family: who they are, how far the year is, and everything that happened."""
    at = now()
    topic = request.args.get("topic", "")
    if topic not in TOPICS.choices:
        abort(404)
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            family = families.get(db, scope, family_id)
            counts = families.year_counts(db, [family_id], at).get(family_id, families.NO_COUNTS)
            entries = timeline.of_family(db, family_id, topic=topic)
            desk.record_view(db, scope, page="family", subject_id=family_id, now=at)
            today = families.listed(family, counts, at)
            # Beside what was sent and was not, where somebody asks why.
            allowed = _allowed(db, family_id) if topic == "pack" else []
            devices = log_ins.of_caregivers(db, Caregiver.family_id == family_id, at)
    except NotYours:
        abort(404)
    return render_template(
        "console/families/family.html",
        family=family,
        listed=today,
        needs=NEEDS,
        entries=entries,
        topic=topic,
        topics=TOPICS,
        words=words,
        shown=timeline.SHOWN,
        may_change=may(current_role(), "family_contact", acts=True),
        may_stop=may(current_role(), "stop_family", acts=True),
        allowed=allowed,
        devices=devices,
        relation_words=relation_words,
        say_value=value_words,
    )


def _allowed(db: Session, family_id: int) -> list[str]:
    """What the family's people allowed of WeChat's subscription notices, a line each."""
    services: Services = current_app.extensions["yuban"]
    settings = services.settings
    asks = find_asks(settings.wechat_subscriptions, settings.wechat_templates)
    titles = {ask.template_id: asking.OFFERS[purpose].title for purpose, ask in asks.items()}
    return [
        f"{relation_words(one.relation)}：{titles[one.template_id]}，{asking.allowed(one.held)}"
        for one in subscriptions.of_caregivers(db, Caregiver.family_id == family_id)
        if one.template_id in titles
    ]


def change_contact(family_id: int) -> ResponseReturnValue:
    """The contact's name and telephone, as the family told them."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            family = families.get(db, scope, family_id)
            form = ContactForm(request.form, obj=family)
            is_right = request.method == "POST" and form.is_right()
            if is_right:
                families.set_contact(
                    db,
                    scope,
                    family_id,
                    name=(form.contact_name.data or "").strip(),
                    phone=(form.phone.data or "").strip(),
                    now=now(),
                )
            else:
                desk.record_view(
                    db, scope, page="family", subject_id=family_id, now=now(), families=[family_id]
                )
            nicknames = [child.nickname for child in family.children]
    except NotYours:
        abort(404)
    if is_right:
        say("success", "contact_saved")
        return redirect(url_for("console.family", family_id=family_id))
    page = render_template(
        "console/families/contact.html", form=form, family_id=family_id, nicknames=nicknames
    )
    return page, 422 if request.method == "POST" else 200


def end_log_in(family_id: int, log_in_id: int) -> ResponseReturnValue:
    """A caregiver rang that a phone is lost: that one device is logged in no more."""
    try:
        with database().transaction() as db:
            scope = scope_of(acting_staff(db))
            families.get(db, scope, family_id)
            log_ins.end(
                db,
                log_in_id,
                whose=Caregiver.family_id == family_id,
                actor=Actor("staff", scope.staff_id),
                now=now(),
            )
    except NotYours:
        abort(404)
    except LogInUnknown:
        say("warning", "log_in_over")
    else:
        say("success", "log_in_ended")
    return redirect(url_for("console.family", family_id=family_id, _anchor="devices"))
