"""Packs in the console: listed with what came of them, previewed, switched off; and a loss."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.config import Settings
from app.db import Database
from app.models import CataloguedPack, Child, Family, Notice, PackPush
from app.services import subscriptions
from scheduler.queue_packs import plan_day
from tests.console.browsing import send, text_of
from tests.console.conftest import SHELF, Browse, Desk


@pytest.fixture
def planned(database: Database, desk: Desk, now: datetime) -> PackPush:
    """A push for 糖糖 in the ledger, and its notice."""
    plan_day(database, list(SHELF.library.packs.values()), now)
    with database.reading() as db:
        push = db.scalars(
            select(PackPush)
            .where(PackPush.family_id == desk.family_id, PackPush.state == "queued")
            .order_by(PackPush.id)
        ).first()
    assert push is not None
    return push


def test_every_pack_is_listed_and_found(browse: Browse, planned: PackPush) -> None:
    browser = browse("wang")

    shown = text_of(browser.get("/console/packs?q=P00-06"))

    assert "睡得安全" in shown
    assert "P01-01" not in shown
    assert "没有找到" in text_of(browser.get("/console/packs?q=没有这篇"))


def test_a_pack_is_shown_as_families_read_it(browse: Browse, planned: PackPush) -> None:
    shown = text_of(browse("wang").get(f"/console/packs/{planned.pack_id}"))

    assert "今天就做" in shown
    assert "聊天里说的话" in shown
    assert "停用：写一句原因" not in shown, "a station's worker switches nothing off"


def test_the_district_switches_a_pack_off_and_nothing_of_it_leaves(
    browse: Browse, database: Database, planned: PackPush, now: datetime
) -> None:
    browser = browse("district")
    page = f"/console/packs/{planned.pack_id}"

    refused = send(browser, f"{page}/switch", page=page, to="off")
    assert "请写一句停用的原因" in text_of(browser.get(refused.headers["Location"]))
    send(browser, f"{page}/switch", page=page, to="off", why="剂量写错了")

    shown = text_of(browser.get(page))
    assert "剂量写错了" in shown
    assert "重新启用" in shown
    with database.reading() as db:
        row = db.get_one(CataloguedPack, planned.pack_id)
        assert row.blocked_by == "switched_off"
    send(browser, f"{page}/switch", page=page, to="on")
    browser.get(page)  # which says that it was done
    assert "重新启用" not in text_of(browser.get(page))


def test_a_worker_may_not_switch(browse: Browse, planned: PackPush) -> None:
    page = f"/console/packs/{planned.pack_id}"

    assert send(browse("wang"), f"{page}/switch", page=page, to="off", why="x").status_code == 403


def test_a_familys_page_says_what_was_sent_and_why_not(
    browse: Browse, desk: Desk, planned: PackPush
) -> None:
    shown = text_of(browse("wang").get(f"/console/families/{desk.family_id}?topic=pack"))

    title = SHELF.library.packs[planned.pack_id].title
    assert title in shown
    assert "排队中" in shown


class TestWithSubscriptions:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"wechat_subscriptions": {"pack": "T1"}})

    def test_a_familys_page_says_what_wechat_still_lets_through(
        self, browse: Browse, desk: Desk, database: Database, now: datetime
    ) -> None:
        with database.transaction() as db:
            family = db.get_one(Family, desk.family_id)
            yes = [subscriptions.Answer("T1", "accept")]
            subscriptions.note_popup(db, family.caregivers[0].openid or "", yes, now)

        shown = text_of(browse("wang").get(f"/console/families/{desk.family_id}?topic=pack"))

        assert "带娃资料，还可以发1条" in shown


def test_staff_stop_everything_and_lift_it_again(
    browse: Browse, desk: Desk, database: Database, planned: PackPush
) -> None:
    browser = browse("wang")
    page = f"/console/families/{desk.family_id}"

    send(browser, f"{page}/stop", page=page)

    with database.reading() as db:
        states = {
            notice.state
            for notice in db.scalars(select(Notice).where(Notice.kind == "pack"))
            if notice.subject == f"pack:{planned.lead_id}"
        }
        assert states == {"skipped"}
        assert db.get_one(Family, desk.family_id).stopped_at is not None
    assert "全部停下：资料" in text_of(browser.get(page))
    send(browser, f"{page}/resume", page=page)
    with database.reading() as db:
        assert db.get_one(Family, desk.family_id).stopped_at is None


def test_a_child_is_marked_lost_and_nothing_about_it_is_sent(
    browse: Browse, desk: Desk, database: Database, planned: PackPush, now: datetime
) -> None:
    browser = browse("wang")
    page = f"/console/families/{desk.family_id}"

    send(browser, f"{page}/children/{planned.child_id}/lost", page=page)
    plan_day(database, list(SHELF.library.packs.values()), now + timedelta(days=30))

    with database.reading() as db:
        assert db.get_one(Child, planned.child_id).lost_at is not None
        rows = db.scalars(select(PackPush).where(PackPush.child_id == planned.child_id)).all()
        assert {(row.state, row.reason) for row in rows} == {("skipped", "loss")}


def test_another_stations_family_is_not_there(
    browse: Browse, desk: Desk, planned: PackPush
) -> None:
    browser = browse("li")

    answer = send(browser, f"/console/families/{desk.family_id}/stop", page="/console/more")

    assert answer.status_code == 404
