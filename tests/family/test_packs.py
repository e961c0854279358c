"""A pack's page: read by whoever has the link, counted once, and the family's own list."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.models import CataloguedPack, PackPush
from app.wiring import Services
from scheduler import queue_packs
from tests.conversations.conftest import Clock, Person
from tests.family.conftest import Phone


@pytest.fixture
def newborn(mother: Person) -> Person:
    mother.follows()
    mother.says("登记 糖糖 2026-11-17 女 城桥镇")
    mother.says("同意")
    return mother


def given(services: Services) -> PackPush:
    with services.database.reading() as db:
        return db.scalars(select(PackPush).order_by(PackPush.id)).first() or PackPush()


def link_in(text: str) -> str:
    return text.split("http://127.0.0.1:8000")[1].split("\n")[0]


def test_a_link_is_counted_and_then_says_nothing_of_the_family(
    newborn: Person, app: Flask, services: Services
) -> None:
    queue_packs.run(services, newborn.clock())
    link = link_in(newborn.says("资料"))
    with services.database.transaction() as db:
        db.execute(update(PackPush).values(opened_at=None))

    response = app.test_client().get(link)

    assert response.status_code == 302
    assert "?" not in response.headers["Location"]
    opened = [push for push in [given(services)] if push.opened_at is not None]
    with services.database.reading() as db:
        opened = list(db.scalars(select(PackPush).where(PackPush.opened_at.is_not(None))))
    assert len(opened) == 1


def test_whoever_has_the_page_may_read_it(app: Flask) -> None:
    response = app.test_client().get("/family/packs/P00-06")

    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "今天就做" in page
    assert "这些话从哪里来" in page
    assert "有用吗" not in page


@pytest.mark.parametrize("mark", ["", "x", "MQ.forged", "%00"])
def test_a_forged_mark_counts_nothing(
    newborn: Person, app: Flask, services: Services, mark: str
) -> None:
    newborn.says("资料")
    with services.database.transaction() as db:
        db.execute(update(PackPush).values(opened_at=None))

    response = app.test_client().get(f"/family/packs/{given(services).pack_id}?k={mark}")

    assert response.status_code in (302, 400)
    assert given(services).opened_at is None


def test_a_thumb_counts_for_the_push_that_brought_it(
    newborn: Person, app: Flask, services: Services
) -> None:
    phone = Phone(app.test_client())
    page = phone.opens(link_in(newborn.says("资料")))
    assert "这篇对您有用吗" in page

    page = phone.posts(f"packs/{given(services).pack_id}/rating", value="down")

    assert "谢谢您直说" in page
    assert given(services).rating == -1


def test_nobody_rates_without_having_been_given_it(app: Flask, newborn: Person) -> None:
    newborn.says("资料")
    Phone(app.test_client()).posts("packs/P00-06/rating", status=404, value="up")


def test_the_list_has_what_is_unread_and_what_was_read(
    newborn: Person, open_as: Callable[[str], Phone], services: Services
) -> None:
    newborn.says("资料")

    page = open_as(newborn.openid).opens("packs")

    assert "糖糖现在要知道的" in page
    assert "没看过" in page
    assert "看过的（1篇）" in page


def test_what_staff_switched_off_is_shown_to_nobody(
    app: Flask, newborn: Person, services: Services, clock: Clock
) -> None:
    queue_packs.run(services, clock())
    with services.database.transaction() as db:
        db.execute(
            update(CataloguedPack)
            .where(CataloguedPack.id == "P00-06")
            .values(switched_off_at=clock(), switched_off_why="有误")
        )

    assert "收起来了" in Phone(app.test_client()).opens("packs/P00-06", status=404)
    assert "P00-06" not in newborn.says("资料")


def test_an_unknown_pack_is_a_page_too(app: Flask) -> None:
    Phone(app.test_client()).opens("packs/NO-SUCH", status=404)


def test_what_is_read_from_the_list_is_read(
    newborn: Person, open_as: Callable[[str], Phone], services: Services
) -> None:
    phone = open_as(newborn.openid)
    link = phone.opens("packs").split('href="/family/packs/')[1].split('"')[0]

    page = phone.opens(f"packs/{link}")

    assert "这篇对您有用吗" in page
    assert "看过的（1篇）" in phone.opens("packs")
    assert given(services).reason == "asked"


def test_a_pack_is_saved_found_and_let_go(
    newborn: Person, services: Services, open_as: Callable[[str], Phone]
) -> None:
    phone = open_as(newborn.openid)
    assert "收藏，以后好找" in phone.opens("packs/P10-01")
    assert "收藏好了" in phone.posts("packs/P10-01/saved", value="keep")
    title = services.library.packs["P10-01"].title
    listed = phone.opens("packs")
    assert "收藏的" in listed
    assert title in listed
    assert "不收藏了" in phone.posts("packs/P10-01/saved", value="drop")
    assert "收藏的" not in phone.opens("packs")
    phone.posts("packs/P10-01/saved", 400, value="both")
    phone.posts("packs/no-such/saved", 404, value="keep")


def test_who_came_by_a_link_alone_saves_nothing(app: Flask) -> None:
    assert "收藏" not in app.test_client().get("/family/packs/P00-06").get_data(as_text=True)


def test_packs_are_found_by_age(newborn: Person, open_as: Callable[[str], Phone]) -> None:
    page = open_as(newborn.openid).opens("packs/ages")
    assert "出生头4周" in page
    assert "1～3个月" not in page, "not yet"
