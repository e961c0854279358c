"""Packs by the app: read is read, liked, saved, and those of the ages before."""

from collections.abc import Callable

from sqlalchemy import select, update

from app.models import CataloguedPack, PackPush, SavedPack
from app.services import pack_catalogue
from app.wiring import Services
from tests.api.conftest import BABA, Caller
from tests.family.conftest import MovedClock


def test_what_is_read_is_not_pushed_any_more_and_may_be_liked(
    mama: Caller, services: Services
) -> None:
    child = mama.gets("/family")["children"][0]["id"]
    shelf = mama.gets(f"/packs?child={child}")
    first = shelf["items"][0]["id"]
    assert shelf["read"] == []
    assert mama.asks("PUT", f"/packs/{first}/rating", {"rating": "up"}).status_code == 404
    pack = mama.gets(f"/packs/{first}")
    assert (pack["may_rate"], pack["rating"], pack["is_saved"]) == (True, None, False)
    with services.database.reading() as db:
        push = db.scalars(select(PackPush).where(PackPush.pack_id == first)).one()
        assert (push.state, push.reason) == ("sent", "asked")
    assert mama.asks("PUT", f"/packs/{first}/rating", {"rating": "down"}).status_code == 200
    assert mama.gets(f"/packs/{first}")["rating"] == "down"
    after = mama.gets(f"/packs?child={child}")
    assert [one["id"] for one in after["read"]] == [first]
    assert first not in [one["id"] for one in after["items"]]


def test_packs_of_the_ages_before_are_found_and_those_to_come_are_not(mama: Caller) -> None:
    ages = mama.gets("/packs/past")["items"]
    assert [one["age"] for one in ages] == ["6～9个月", "3～6个月", "1～3个月", "出生头4周"]
    oldest = ages[-1]["items"][0]["id"]
    assert mama.gets(f"/packs/{oldest}")["may_rate"] is False, "not of the child's age"


def test_packs_are_saved_by_each_for_themself(
    mama: Caller, log_in: Callable[[str], Caller]
) -> None:
    baba = log_in(BABA)
    baba.posts("/family/members", {"code": mama.posts("/family/invitations")["code"]})
    for _ in range(2):
        assert mama.asks("PUT", "/packs/P00-06/saved").status_code == 200
    assert [one["id"] for one in mama.gets("/packs/saved")["items"]] == ["P00-06"]
    assert mama.gets("/packs/P00-06")["is_saved"] is True
    assert baba.gets("/packs/saved")["items"] == []
    mama.deletes("/packs/P00-06/saved")
    assert mama.gets("/packs/saved")["items"] == []
    assert mama.asks("PUT", "/packs/no-such/saved").status_code == 404


def test_what_staff_switched_off_is_nowhere(
    mama: Caller, services: Services, clock: MovedClock
) -> None:
    mama.asks("PUT", "/packs/P00-06/saved")
    with services.database.transaction() as db:
        pack_catalogue.sync(db, services.library.packs.values(), clock())
        db.execute(
            update(CataloguedPack)
            .where(CataloguedPack.id == "P00-06")
            .values(switched_off_at=clock())
        )
    assert mama.gets("/packs/saved")["items"] == []
    assert "P00-06" not in str(mama.gets("/packs/past"))
    mama.gets("/packs/P00-06", 404)


def test_erasing_forgets_what_was_saved(mama: Caller, services: Services) -> None:
    mama.asks("PUT", "/packs/P00-06/saved")
    assert "收藏的资料" in [table["name"] for table in mama.gets("/family/holdings")["readable"]]
    mama.deletes("/family?sure=true")
    with services.database.reading() as db:
        assert db.scalars(select(SavedPack)).all() == []
