"""The district's day in a browser: a file in, a family found, a number opened, the log read."""

from datetime import datetime, timedelta
from itertools import cycle

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from app.clock import now as real_now
from app.db import Database
from app.models import Township
from tests.console.desk_world import (
    make_child,
    make_session,
    make_sign_up,
    make_staff,
    make_station,
)
from tests.console.test_browser import Screen, address, browser, check_page, picture, screen
from tests.console.test_files import HEADER

__all__ = ["address", "browser", "screen"]
pytestmark = pytest.mark.browser

FAMILIES = 27
NAMES = ["糖糖", "豆豆", "果果", "米米", "安安", "乐乐", "朵朵", "小宝", "圆圆"]


@pytest.fixture
def year(database: Database) -> datetime:
    """Families of three townships, who came from none to eight times this year."""
    at = real_now()
    with database.transaction() as db:
        make_staff(db, "district", at, role="district")
        stations = [
            make_station(db, code, township=township)
            for code, township in (("CQ", "城桥镇"), ("BZ", "堡镇"), ("CJ", "陈家镇"))
        ]
        make_staff(db, "wang", at, station=stations[0])
        make_staff(db, "lead", at, role="township", township="堡镇")
        make_staff(db, "visitor", at, role="visitor")
        make_staff(db, "auditor", at, role="auditor")
        townships = {each.name: each for each in db.scalars(select(Township))}
        # In the year, and before today but on New Year's Day.
        hours = (at - at.replace(month=1, day=1, hour=0, minute=0)) / timedelta(hours=1)
        past = [
            make_session(db, stations[0], f"P-{number}", at - timedelta(hours=hours * number / 9))
            for number in range(1, 9)
        ]
        make_session(db, stations[1], "BZ-9", at + timedelta(days=3), places=60)
        for number, station in zip(range(FAMILIES), cycle(stations), strict=False):
            child = make_child(
                db,
                NAMES[number % len(NAMES)],
                at - timedelta(days=400),
                station=station,
                born=at.date() - timedelta(days=300 + number),
            )
            child.family.township = townships[station.name.removesuffix("早教指导站")]
            child.family.need = True if number % 9 else None
            for session in past[: number % 9]:
                make_sign_up(db, session, child, session.starts_at, state="attended")
    return at


def test_a_file_comes_in_a_family_is_found_a_number_opened_and_all_of_it_stands_in_the_log(
    screen: Screen, year: datetime
) -> None:
    page, today = screen.page, year.date()
    screen.log_in("district")
    born = today - timedelta(days=100)

    def hand_in(*rows: str) -> None:
        screen.open("/console/files")
        page.get_by_label("选文件").set_input_files(
            {
                "name": "families.csv",
                "mimeType": "text/csv",
                "buffer": "\n".join((HEADER, *rows)).encode("gbk"),
            }
        )
        page.get_by_role("button", name="看一遍").click()

    good = f"小满,{born},女,,城桥镇,CQ,mother,李阿姨,13900002345,是,{today}"
    hand_in(good, f"小雪,{born},女,,没有这个镇,CQ,,,,是,{today}")
    expect(page.locator("main")).to_contain_text("第3行")
    check_page(screen, "district-file-refused")
    picture(screen, "district-file")
    hand_in(good)
    page.get_by_role("button", name="导入", exact=True).click()
    expect(page.locator("main")).to_contain_text("导入好了")

    screen.open("/console/families")
    page.get_by_role("searchbox").fill("xiaoman")
    page.get_by_role("button", name="查找").click()
    with page.expect_download() as exported:
        page.get_by_role("link", name="Excel").click()
    assert exported.value.suggested_filename.endswith(".xlsx")
    page.get_by_role("link", name="小满").click()
    expect(page.locator("main")).to_contain_text("13900002345")

    screen.open("/console/coverage")
    check_page(screen, "district-coverage")
    picture(screen, "district-coverage")
    row = page.get_by_role("row").filter(has_text="合计").last
    row.get_by_role("link", name="6+次").click()
    expect(page.locator("h1")).to_contain_text("来过6+次的家庭")
    assert page.locator("main .listed tbody tr").count() == 3 * FAMILIES // 9
    screen.open(f"/console/coverage/report?year={today.year}")
    expect(page.locator("td").filter(has_text="＊").first).to_be_visible()

    screen.open("/console/accounts")
    for words in ("自己的上门", "城桥镇早教指导站"):
        expect(page.locator("main")).to_contain_text(words)
    picture(screen, "district-accounts")
    screen.open("/console/audit")
    page.get_by_role("searchbox").fill("district")
    page.get_by_role("button", name="查找").click()
    for words in ("导入文件", "导出的名单", "家庭名单"):
        expect(page.locator("main")).to_contain_text(words)
    picture(screen, "district-audit")
