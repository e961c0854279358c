"""The first page, and the tabs at the foot of every page."""

from dataclasses import dataclass

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.family.opening import database, opened_by


@dataclass(frozen=True, slots=True)
class Tab:
    """One topic's place at the foot of the page, and its line on the first page."""

    endpoint: str
    """The topic's first page; a topic without pages has no tab."""
    name: str
    hint: str
    is_at_foot: bool = True


TABS = (
    Tab("family.sessions", "活动", "看近期活动，报名"),
    Tab("family.year_plan", "计划", "今年参加了几次，还有几次"),
    Tab("family.packs", "资料", "这个月龄要知道的事"),
    Tab("family.course", "课程", "七会：学带宝宝的本事"),
    Tab("family.visits", "上门", "请老师到家里来", is_at_foot=False),
    Tab("family.bookings", "我的预约", "报了哪些，要不要取消", is_at_foot=False),
    Tab("family.growth", "生长曲线", "体重身长，在哪一档", is_at_foot=False),
    Tab("family.my_family", "我家", "宝宝、家人、收到什么、个人信息"),
)


@dataclass(frozen=True, slots=True)
class ShownTab:
    tab: Tab
    url: str
    is_current: bool


def tabs() -> list[ShownTab]:
    """The topics that have pages; the current one is known by the start of the address."""
    shown = []
    for tab in TABS:
        if tab.endpoint in current_app.view_functions:
            url = url_for(tab.endpoint)
            shown.append(ShownTab(tab, url, request.path.rstrip("/").startswith(url.rstrip("/"))))
    return shown


def add_routes(family: Blueprint) -> None:
    family.get("/", endpoint="home")(home)


def home() -> ResponseReturnValue:
    """Everything that there is, a line each."""
    with database().reading() as db:
        caregiver = opened_by(db)
        names = [child.nickname for child in caregiver.family.children] if caregiver.family else []
    return render_template("family/home.html", names=names)
