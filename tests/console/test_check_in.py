"""The pages at the door, the paper sheet, and what is printed."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.db import Database
from app.models import Child, Consent, Family, GuidanceSession, Invitation, SignUp, Station
from app.services import registration
from app.services.sessions import year_count
from tests.console.browsing import send, text_of
from tests.console.conftest import Browse
from tests.console.desk_world import make_child, make_session, make_sign_up

DOOR = "/console/sessions/TODAY/check-in"


@pytest.fixture
def today(database: Database, desk: object, now: datetime) -> dict[str, int]:
    """Sign-ups of a session that starts in ten minutes, by nickname."""
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        session = make_session(db, station, "TODAY", now + timedelta(minutes=10), title="今天这场")
        made = {}
        for nickname, state in (
            ("豆豆", "confirmed"),
            ("米粒", "confirmed"),
            ("果果", "requested"),
            ("安安", "waitlisted"),
            ("小宇", "cancelled"),
        ):
            sign_up = make_sign_up(db, session, make_child(db, nickname, now), now, state=state)
            sign_up.waitlisted_at = now if state == "waitlisted" else None
            made[nickname] = sign_up.id
        return made


def state_of(database: Database, sign_up_id: int) -> str:
    with database.reading() as db:
        return db.get_one(SignUp, sign_up_id).state


def test_two_taps_from_the_first_page_check_a_child_in(
    browse: Browse, database: Database, today: dict[str, int]
) -> None:
    browser = browse("wang")
    assert f'href="{DOOR}"' in text_of(browser.get("/console/"))
    page = text_of(browser.get(DOOR))
    assert "还没签到 <small>3个</small>" in page
    assert "小宇" not in page

    response = send(browser, f"{DOOR}/{today['豆豆']}", page=DOOR)

    page = text_of(browser.get(response.location))
    assert "豆豆签到了" in page
    assert "到了1个" in page
    assert "上午10:00</time>，wang" in page
    assert state_of(database, today["豆豆"]) == "attended"


def test_a_repeated_tap_says_who_was_faster_and_undo_takes_it_back(
    browse: Browse, database: Database, today: dict[str, int]
) -> None:
    first, second = browse("wang"), browse("chen")
    path = f"{DOOR}/{today['豆豆']}"
    send(first, path, page=DOOR)

    response = send(second, path, page=DOOR)
    assert "豆豆已经签到过了（今天上午10:00，wang），不用再签" in text_of(
        second.get(response.location)
    )
    response = send(second, f"{path}/undo", page=DOOR)
    assert "已撤销豆豆的签到" in text_of(second.get(response.location))
    assert state_of(database, today["豆豆"]) == "confirmed"
    response = send(first, f"{path}/undo", page=DOOR)
    assert "名单刚刚有变化" in text_of(first.get(response.location))


def test_a_cancelled_sign_up_is_no_longer_on_the_list(
    browse: Browse, today: dict[str, int]
) -> None:
    browser = browse("wang")
    response = send(browser, f"{DOOR}/999", page=DOOR)
    assert "名单刚刚有变化" in text_of(browser.get(response.location))


def test_who_only_waits_and_comes_is_let_in(
    browse: Browse, database: Database, today: dict[str, int]
) -> None:
    browser = browse("wang")
    assert "来了也可以签到" in text_of(browser.get(DOOR))
    send(browser, f"{DOOR}/{today['安安']}", page=DOOR)
    assert state_of(database, today["安安"]) == "attended"


def test_a_walk_in_is_found_by_nickname_and_checked_in(
    browse: Browse, database: Database, today: dict[str, int], now: datetime
) -> None:
    with database.transaction() as db:
        child_id = make_child(db, "路过宝", now).id
    browser = browse("wang")
    path = "/console/sessions/TODAY/walk-in"
    assert "没有登记叫“过路宝”的宝宝" in text_of(browser.get(f"{path}?nickname=过路宝"))
    assert "路过宝" in text_of(browser.get(f"{path}?nickname=路过宝"))

    response = send(browser, path, page=path, child_id=str(child_id))

    page = text_of(browser.get(response.location))
    assert "路过宝签到了" in page
    assert "现场来的" in page
    assert "已签到" in text_of(browser.get(f"{path}?nickname=路过宝"))
    for nobody in ("x", "999", "-1", "99999999999999999999"):
        assert send(browser, path, page="/console/", child_id=nobody).status_code == 404


def test_the_paper_sheet_is_entered_with_one_button_and_the_rest_as_missing(
    browse: Browse, database: Database, today: dict[str, int], clock: object, now: datetime
) -> None:
    browser = browse("wang")
    path = "/console/sessions/TODAY/paper"
    assert "没勾的记为没来" not in text_of(browser.get(path))
    with database.transaction() as db:
        session = db.scalars(select(GuidanceSession).where(GuidanceSession.code == "TODAY")).one()
        session.starts_at, session.ends_at = now - timedelta(hours=2), now
    assert "没勾的记为没来" in text_of(browser.get(path))

    response = send(browser, path, page=path, came=str(today["豆豆"]), save="rest_is_missing")

    page = text_of(browser.get(response.location))
    assert "已保存：签到1个，没来1个" in page
    assert state_of(database, today["豆豆"]) == "attended"
    assert state_of(database, today["米粒"]) == "no_show"
    assert "办完了" in text_of(browser.get("/console/sessions/TODAY"))
    response = send(browser, f"{DOOR}/{today['米粒']}", page=DOOR)
    assert "米粒签到了" in text_of(browser.get(response.location))


def test_the_sign_in_sheet_has_a_line_for_each_child_and_some_for_walk_ins(
    browse: Browse, today: dict[str, int]
) -> None:
    page = text_of(browse("wang").get("/console/sessions/TODAY/sheet"))
    assert "签到表：今天这场" in page
    for nickname, is_there in (("豆豆", True), ("果果", True), ("安安", False), ("小宇", False)):
        assert (nickname in page) is is_there
    assert page.count('class="signature"') == 3 + 6


def test_the_sessions_code_is_drawn_or_said_to_be_out_of_reach(
    browse: Browse, database: Database, today: dict[str, int], now: datetime
) -> None:
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "CQ")).one()
        make_session(db, station, "SILENT", now + timedelta(days=1))
        make_session(db, station, "DRAFT", now + timedelta(days=1), state="draft")
    browser = browse("wang")

    assert "<svg" in text_of(browser.get("/console/sessions/TODAY/code"))
    silent = text_of(browser.get("/console/sessions/SILENT/code"))
    assert "<svg" not in silent
    assert "现在连不上微信" in silent
    assert browser.get("/console/sessions/DRAFT/code").status_code == 404


NEW = "/console/sessions/TODAY/walk-in/new"
TOLD = {"nickname": "圆圆", "born_in": "2026年3月", "phone": "13800001234", "need": "yes"}


def test_a_family_that_nobody_registered_is_taken_in_and_counts(
    browse: Browse, database: Database, today: dict[str, int], now: datetime
) -> None:
    browser = browse("wang")
    page = text_of(browser.get("/console/sessions/TODAY/walk-in?nickname=圆圆"))
    assert "当场登记" in page

    refused = send(browser, NEW, page=NEW, **TOLD)
    assert refused.status_code == 400
    assert "当面同意了，才能登记" in text_of(refused)

    response = send(browser, NEW, page=NEW, consent="y", **TOLD)

    page = text_of(browser.get(response.location))
    assert "圆圆登记好了，也签到了" in page
    with database.reading() as db:
        child = next(each for each in db.scalars(select(Child)) if each.nickname == "圆圆")
        family = child.family
        assert family.station is not None
        assert (family.phone, family.need, family.station.code) == ("13800001234", True, "CQ")
        assert [each.openid for each in family.caregivers] == [None]
        consent = db.scalars(select(Consent).where(Consent.child_id == child.id)).one()
        assert consent.evidence.startswith("当面同意")
        sign_up = db.scalars(select(SignUp).where(SignUp.child_id == child.id)).one()
        assert (sign_up.state, sign_up.is_walk_in) == ("attended", True)
        assert year_count(db, family.id, now).attended == 1
        code = db.scalars(select(Invitation.code)).one()
    assert f"加入 {code}" in page

    # The same form once more makes no second family.
    response = send(browser, NEW, page=NEW, consent="y", **TOLD)
    assert "没有再记一次" in text_of(browser.get(response.location))
    # Nor does the next session that they come to, also at another station.
    with database.transaction() as db:
        station = db.scalars(select(Station).where(Station.code == "BH")).one()
        make_session(db, station, "THERE", now, title="育儿加油站")
    there, form = browse("li"), NEW.replace("TODAY", "THERE")
    response = send(there, form, page=form, consent="y", **TOLD)
    assert "没有再登记一次" in text_of(there.get(response.location))
    with database.reading() as db:
        assert year_count(db, family.id, now).attended == 2
        assert [each.nickname for each in db.scalars(select(Child))].count("圆圆") == 1
        with_code = registration.follow(db, "o-later", now)
        joined = registration.join(db, caregiver=with_code, code=code, now=now)
        assert joined.id == family.id


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"born_in": "2020-01"}, "3岁"),
        ({"born_in": "2027-05"}, "还没到"),
        ({"born_in": "五月"}, "请写成 2026-05 这样"),
        ({"phone": "没有"}, "请填数字"),
        ({"need": ""}, "选需要或不需要"),
        ({"nickname": ""}, "请填宝宝的小名"),
    ],
)
def test_what_was_told_wrongly_is_asked_for_again_and_nothing_is_kept(
    browse: Browse,
    database: Database,
    today: dict[str, int],
    changed: dict[str, str],
    said: str,
) -> None:
    browser = browse("wang")
    with database.reading() as db:
        before = db.scalars(select(Family.id)).all()
    response = send(browser, NEW, page=NEW, consent="y", **(TOLD | changed))
    assert response.status_code == 400
    assert said in text_of(response)
    with database.reading() as db:
        assert db.scalars(select(Family.id)).all() == before


def test_another_stations_teacher_takes_nobody_in(browse: Browse, today: dict[str, int]) -> None:
    assert browse("li").get(NEW).status_code == 404
